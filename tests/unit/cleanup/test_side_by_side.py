# SPDX-License-Identifier: GPL-3.0-or-later

"""What a region is read for is read at the same time, and the result is that of one read after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Barrier
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup import flow, read_regions
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import RegionState

from tests.unit.cleanup.aws_answers import Answers
from tests.unit.cleanup.examples import GROUP, OLD_ID, OLD_IMAGE, OLD_SNAPSHOT, Run

REGION = "eu-west-1"
DENIED = "UnauthorizedOperation"
# Reads of three kinds of uses, of what deletions depend on, and of the Recycle Bin's rules.
MEETING = {
    "describe_instances": "Reservations",
    "describe_auto_scaling_groups": "AutoScalingGroups",
    "describe_parameters": "Parameters",
    "describe_locked_snapshots": "Snapshots",
    "list_rules": "Rules",
}
LATE_MEETING = {
    "describe_compute_environments": "computeEnvironments",
    "list_fleets": "fleets",
    "describe_db_engine_versions": "DBEngineVersions",
}
FULL: Mapping[str, Any] = {
    "describe_images": {"Images": [OLD_IMAGE]},
    "describe_snapshots": {"Snapshots": [OLD_SNAPSHOT]},
    "describe_instances": {
        "Reservations": [
            {"Instances": [{"InstanceId": "i-1", "ImageId": OLD_ID, "State": {"Name": "running"}}]}
        ]
    },
    "describe_auto_scaling_groups": {"AutoScalingGroups": [{**GROUP, "LaunchConfigurationName": "lc"}]},
    "describe_launch_configurations": {
        "LaunchConfigurations": [
            {"LaunchConfigurationName": "lc", "ImageId": OLD_ID, "InstanceType": "t3.micro"}
        ]
    },
    "list_images_in_recycle_bin": {"Images": [{"ImageId": "ami-0cccccccccccccccc"}]},
}
REFUSED = dict.fromkeys(
    (
        *("describe_instances", "describe_fleets", "describe_store_image_tasks"),
        *("describe_locked_snapshots", "describe_snapshots", "list_rules"),
    ),
    DENIED,
)


def region(threads: int, answers: Mapping[str, Any]) -> RegionState:
    """What is read of a region with so many threads."""
    clients: Any = Answers(**answers)
    return read_regions.read_region(clients, REGION, threads=threads)


@pytest.mark.parametrize("answers", [FULL, {**FULL, **REFUSED}], ids=["all is read", "some is refused"])
@pytest.mark.parametrize("threads", [2, 3, 4, 64])
def test_a_region_is_the_same_however_many_threads_read_it(answers: Mapping[str, Any], threads: int) -> None:
    alone = region(1, answers)
    assert alone.uses
    assert region(threads, answers) == alone


@pytest.mark.parametrize("meeting", [MEETING, LATE_MEETING], ids=["in bulk", "late uses"])
def test_one_region_is_read_at_the_same_time(meeting: Mapping[str, str]) -> None:
    barrier = Barrier(len(meeting), timeout=20)
    met: set[str] = set()

    def meet(method: str) -> Callable[[Any], Any]:
        def answer(_request: Any) -> Any:
            # The rules are asked for twice, of images and of snapshots, and all again before the last step.
            if method not in met:
                met.add(method)
                barrier.wait()
            return {meeting[method]: []}

        return answer

    assert Run(**{method: meet(method) for method in meeting}).decision == "deregister"
    assert met == meeting.keys()


@pytest.mark.parametrize(("regions", "threads"), [(1, 64), (2, 32), (20, 3), (64, 1), (100, 1)])
def test_regions_share_the_threads(monkeypatch: pytest.MonkeyPatch, regions: int, threads: int) -> None:
    """Each thread keeps a connection open, and a process may have 256 files."""
    given: list[int] = []

    def read_region(_clients: Any, _name: str, *, tombstone_path: str | None, threads: int) -> str:
        assert tombstone_path is None
        given.append(threads)
        return "state"

    monkeypatch.setattr(flow.read_regions, "read_region", read_region)
    names = [f"r-{number}" for number in range(regions)]
    options: Any = type("Options", (), {"tombstone_ssm_path": None})
    clients: Any = None
    assert flow._read_regions(clients, options, "1", names) == dict.fromkeys(names, "state")
    assert given == [threads] * regions
