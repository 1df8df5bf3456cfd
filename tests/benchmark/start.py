# SPDX-License-Identifier: GPL-3.0-or-later
"""The start of a module and of a role with nothing to do, beside ping and amazon.aws's smallest module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simulated_aws.client import SimulatedAws

from . import playbook
from .fixtures import HOME, IMAGE, OTHER_REGIONS, OWNER, consumers, fixture
from .measuring import Scale
from .results import Sample, Series

CALLER_INFO = "amazon.aws.aws_caller_info"
PING = "ansible.builtin.ping"
ROLE = "role share, nothing to do"
CASE = "start"
ROUNDS = 7


def measure(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """All modules in turn, in rounds of one playbook; each with its time as a multiple of the smallest."""
    aws.reset()
    aws.load_fixture(fixture(accounts=1))
    rounds = scale.size(ROUNDS, 3)
    done = playbook.run(aws, OWNER, [*_first(aws), *_tasks(aws) * rounds])
    seconds: dict[str, Sequence[float]] = {
        name: [task.seconds for task in done.tasks if task.name == name] for name in _modules(aws)
    }
    seconds[ROLE] = _role_seconds(done.tasks)
    for name, each in seconds.items():
        times = zip(each, seconds[CALLER_INFO], strict=True)
        yield Series(CASE, name, tuple(_sample(ours, theirs) for ours, theirs in times))


def _sample(seconds: float, smallest: float) -> Sample:
    return Sample(seconds, 0, 0, 0, facts={"times_caller_info": seconds / smallest})


def _modules(aws: SimulatedAws) -> dict[str, Mapping[str, Any]]:
    region = OTHER_REGIONS[0]
    new = {"images": {region: None}, "account_ids": consumers(1)}
    return {
        CALLER_INFO: {},
        PING: {},
        "golden.images.ami_share, in check mode": new,
        "golden.images.ami_copy_regions, nothing to do": _copy(aws),
        "golden.images.ami_kms_grant, in check mode": new,
        "golden.images.distribution_report": {"copy_results": ["{{ copied }}"]},
    }


def _copy(aws: SimulatedAws) -> Mapping[str, Any]:
    image_id = aws.description()["images"][IMAGE]["image_id"]
    return {"source_image_id": image_id, "source_region": HOME, "regions": [OTHER_REGIONS[0]]}


def _first(aws: SimulatedAws) -> list[dict[str, Any]]:
    """A copy that is shared, so that nothing is left to do."""
    share = {"images": "{{ copied.images }}", "account_ids": consumers(1)}
    return [
        {"name": "copy", "golden.images.ami_copy_regions": _copy(aws), "register": "copied"},
        {"name": "share", "golden.images.ami_share": share},
    ]


def _tasks(aws: SimulatedAws) -> list[dict[str, Any]]:
    modules = [
        {"name": name, name.partition(",")[0]: arguments, "check_mode": name.endswith("check mode")}
        for name, arguments in _modules(aws).items()
    ]
    role = {
        "name": ROLE,
        "ansible.builtin.include_role": {"name": "golden.images.share"},
        "vars": {"share_images": "{{ copied.images }}", "share_account_ids": consumers(1)},
    }
    return [*modules, role]


def _role_seconds(tasks: Sequence[playbook.Task]) -> list[float]:
    """From the start of the role's first task to the end of its last, for each time that it was included."""
    found: list[float] = []
    started = None
    for task in tasks:
        if task.name == ROLE:
            started = task.start
        elif started is not None and task.name.startswith("golden.images.share : "):
            ended = task.start + task.seconds
        elif started is not None:
            found.append(ended - started)
            started = None
    return [*found, *([] if started is None else [ended - started])]
