# SPDX-License-Identifier: GPL-3.0-or-later
"""The time to start a module of this collection, compared with the smallest module of amazon.aws."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from typing import Any

from simulated_aws.client import SimulatedAws

from . import playbook
from .figures import Figure
from .fixtures import HOME, IMAGE, OTHER_REGIONS, OWNER, consumers, fixture

ROUNDS = 7
MOST = 1.3
"""As a multiple of aws_caller_info's time."""


def measure(aws: SimulatedAws) -> Iterator[Figure]:
    """The median ratio over the rounds of one playbook that runs all modules in turn."""
    aws.load_fixture(fixture(accounts=1))
    image_id = aws.description()["images"][IMAGE]["image_id"]
    region = OTHER_REGIONS[0]
    copy = {"source_image_id": image_id, "source_region": HOME, "regions": [region]}
    modules: dict[str, Mapping[str, Any]] = {
        "amazon.aws.aws_caller_info": {},
        "golden.images.ami_share, in check mode": {"images": {region: None}, "account_ids": consumers(1)},
        "golden.images.ami_copy_regions, nothing to do": copy,
        "golden.images.ami_kms_grant, in check mode": {"images": {region: None}, "account_ids": consumers(1)},
        "golden.images.distribution_report": {"copy_result": "{{ copied }}"},
    }
    tasks = [
        {"name": name, name.partition(",")[0]: arguments, "check_mode": name.endswith("check mode")}
        for name, arguments in modules.items()
    ]
    first = {"name": "copy", "golden.images.ami_copy_regions": copy, "register": "copied"}
    done = playbook.run(aws, OWNER, [first, *tasks * ROUNDS])
    seconds = {name: [task.seconds for task in done.tasks if task.name == name] for name in modules}
    base, *others = modules
    yield Figure(f"{base}, one task", statistics.median(seconds[base]), "s")
    for name in others:
        ratios = [ours / theirs for ours, theirs in zip(seconds[name], seconds[base], strict=True)]
        yield Figure(f"{name}, in tasks of it", statistics.median(ratios), "×", MOST)
