# SPDX-License-Identifier: GPL-3.0-or-later

"""A cleanup plans the same in any number of worker processes, and keeps what a killed one would have read."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError, invalid_option
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.cleanup.aws_answers import Answers
from tests.unit.cleanup.examples import POLICY, described
from tests.unit.examples import CONSUMER
from tests.unit.flow_run import FlowRun
from tests.unit.forks import allow_forks

REGIONS = ["eu-west-1", "eu-west-2", "us-east-1", "us-east-2", "us-west-2"]
SHARED = [{"UserId": CONSUMER}]
# What an old image answers to the reads of its permissions and those of its snapshot.
KINDS: dict[str, dict[str, Any]] = {
    "private": {},
    "shared": {"image": SHARED},
    "unreadable": {"image": "UnauthorizedOperation"},
    "snapshot shared": {"snapshot": SHARED},
    "snapshot unreadable": {"snapshot": "UnauthorizedOperation"},
    "referenced": {"reference": "ec2:LaunchTemplate"},
}
# So many for a process: those for an image with its snapshot in two regions.
CALLS = 4


class Account(Answers):
    """An account with regions, each with old images of these kinds and a newer one."""

    def __init__(self, regions: Sequence[Sequence[str]]) -> None:
        super().__init__()
        names = REGIONS[: len(regions)]
        listed = [{"RegionName": name, "OptInStatus": "opt-in-not-required"} for name in names]
        self.regions = {name: region(*place) for name, place in zip(names, enumerate(regions), strict=True)}
        for answers in self.regions.values():
            answers.answers["describe_regions"] = {"Regions": listed}

    def client(self, service: str, region: str) -> Any:
        client = super().client(service, region)
        client._make_api_call = lambda operation, request: self.regions[region]._answer(
            client, operation, request
        )
        return client


def region(number: int, kinds: Sequence[str]) -> Answers:
    ids = [f"ami-{number:08x}{image:09x}" for image in range(len(kinds) + 1)]
    answers = {image_id: KINDS[kind] for image_id, kind in zip(ids[1:], kinds, strict=True)}

    def of_snapshot(request: Mapping[str, Any]) -> Any:
        permissions = answers[request["SnapshotId"].replace("snap", "ami")].get("snapshot", [])
        return permissions if isinstance(permissions, str) else {"CreateVolumePermissions": permissions}

    def of_image(request: Mapping[str, Any]) -> Any:
        permissions = answers[request["ImageId"]].get("image", [])
        return permissions if isinstance(permissions, str) else {"LaunchPermissions": permissions}

    def references(request: Mapping[str, Any]) -> Any:
        return {
            "ImageReferences": [
                {"ImageId": image_id, "ResourceType": kind, "Arn": f"arn:aws:{kind}/lt-1"}
                for image_id in request["ImageIds"]
                if (kind := answers[image_id].get("reference"))
            ]
        }

    images = [
        described(
            image_id,
            2024 - number,
            BlockDeviceMappings=[
                {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": image_id.replace("ami", "snap")}}
            ],
        )
        for number, image_id in enumerate(ids)
    ]
    return Answers(
        describe_images={"Images": images},
        describe_snapshots={"Snapshots": [{"SnapshotId": one.replace("ami", "snap")} for one in ids]},
        describe_image_attribute=of_image,
        describe_snapshot_attribute=of_snapshot,
        describe_image_references=references,
    )


@pytest.fixture(autouse=True)
def forks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of worker processes of each run."""
    return allow_forks(monkeypatch, CALLS)


def clean(aws: Account, most: int) -> FlowRun:
    """A run of ``ami_cleanup`` in check mode that has read in so many processes at most."""
    return FlowRun(FLOW, {**POLICY, "max_processes": most}, aws, check_mode=True)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.sampled_from(sorted(KINDS)), max_size=4), min_size=1, max_size=len(REGIONS)),
    st.integers(2, 5),
)
def test_the_plan_does_not_depend_on_the_number_of_processes(regions: list[list[str]], most: int) -> None:
    alone, divided = clean(Account(regions), 1), clean(Account(regions), most)
    assert divided.plan == alone.plan
    assert divided.result == alone.result
    assert divided.seen.usage == alone.seen.usage
    assert divided.seen.snapshot_usage == alone.seen.snapshot_usage


@pytest.mark.parametrize(
    ("regions", "most", "started"),
    [
        ([2, 2, 2], 8, [3]),
        ([2, 2, 2], 2, [2]),
        ([2, 2, 2], 1, []),
        # A region is read by one process.
        ([6], 8, []),
        ([1, 1], 8, []),
    ],
)
def test_images_and_snapshots_tell_how_many_processes_read(
    forks: list[int], regions: list[int], most: int, started: list[int]
) -> None:
    run = clean(Account([["private"] * images for images in regions]), most)
    assert len(run.seen.usage) == sum(regions)
    assert forks == started


def test_what_a_killed_process_would_have_read_is_kept() -> None:
    regions = [["private", "private"]] * 4
    alone = clean(Account(regions), 1)
    aws, parent = Account(regions), os.getpid()

    def kill(_request: Mapping[str, Any]) -> str:
        assert os.getpid() != parent
        os.kill(os.getpid(), signal.SIGKILL)
        return ""

    aws.regions[REGIONS[2]].answers["describe_image_attribute"] = kill
    divided = clean(aws, 2)
    lost = {*REGIONS[:4]} - {one.target.region for one in divided.plan.actions}
    # Four regions in two processes.
    assert len(lost) == 2
    assert REGIONS[2] in lost
    assert divided.plan.refusals == ()
    assert divided.plan.actions == tuple(one for one in alone.plan.actions if one.target.region not in lost)
    assert {(one["region"], one["action"]) for one in divided.result["unreadable"]} == {
        (name, "DescribeImageAttribute") for name in lost
    }
    assert divided.result["unreadable"][0]["message"].endswith(
        "worker_process_ended: A worker process has ended (SIGKILL) before it returned a result."
    )
    assert divided.result["unreadable"][0]["remedy"] == (
        "Rerun. If it ends again, for example because memory is short, set max_processes to 1."
    )


def test_what_refuses_a_run_refuses_it_in_a_process_too() -> None:
    refusal = invalid_option("profile", "profile: it cannot be read.", "Correct it.")
    aws = Account([["private"] * 2] * 2)

    def refuse(_request: Mapping[str, Any]) -> Any:
        raise ValidationError([refusal])

    aws.regions[REGIONS[0]].answers["describe_image_attribute"] = refuse
    codes = []
    for most in (1, 2):
        with pytest.raises(ValidationError) as caught:
            _ = clean(aws, most).seen
        codes.append([(one.error_code, one.message) for one in caught.value.failures])
    assert codes[0] == codes[1]
