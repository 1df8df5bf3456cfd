# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a large audit: what it needs beyond a task that only returns the audit's result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from simulated_aws.client import SimulatedAws

from . import playbook
from .fixtures import HOME, OTHER_REGIONS, OWNER, consumers
from .measuring import GOLDEN, Scale, repeated, sample
from .results import Sample, Series

LARGE = "report of 10,000 images × 20 accounts"


def measure(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """The report of an audit of images in 20 regions that are all shared with 20 accounts that are allowed.

    Each tenth is also shared with another account, and so are its snapshots.
    """
    with TemporaryDirectory() as name:
        result = Path(name, "result.json")
        _audit(aws, scale.size(500, 20), (HOME, *OTHER_REGIONS[: scale.size(19, 1)]), result)
        yield Series(LARGE, GOLDEN, repeated(scale, lambda: _report(aws, result, Path(name))))


def _audit(aws: SimulatedAws, images: int, regions: tuple[str, ...], result: Path) -> None:
    """Audit the images of an account and write what the module returns."""
    aws.reset()
    *allowed, _stranger = ids = consumers(21)
    accounts = {f"consumer-{one}": one for one in ids}
    aws.load_fixture(
        {
            "accounts": {OWNER: "111111111111", **accounts},
            "images": {
                f"web-{region}-{number}": _image(region, list(accounts)[: 20 if number % 10 else 21])
                for region in regions
                for number in range(images)
            },
        }
    )
    aws.set_throttling(False)
    options = {"regions": list(regions), "allowed_account_ids": allowed}
    audit = {"golden.images.ami_share_audit": options, "register": "audited"}
    write = {"ansible.builtin.copy": {"content": "{{ audited | to_json }}", "dest": str(result)}}
    playbook.run(aws, OWNER, [{"name": "audit", **audit}, {"name": "write", **write}])


def _image(region: str, accounts: list[str]) -> dict[str, Any]:
    return {
        "account": OWNER,
        "region": region,
        "devices": [{"device_name": "/dev/xvda", "size": 8}],
        "sharing": {"accounts": accounts, "snapshot_accounts": accounts},
    }


def _report(aws: SimulatedAws, result: Path, folder: Path) -> Sample:
    base = _run(aws, {"read_result": {"path": str(result)}})
    done = _run(aws, {"report_result": {"path": str(result), "report_dir": str(folder / "reports")}})
    whole = sample(done.used, (), whole_cpu_seconds=done.used.cpu_seconds)
    return replace(
        whole, seconds=done.tasks[-1].seconds, cpu_seconds=done.used.cpu_seconds - base.used.cpu_seconds
    )


def _run(aws: SimulatedAws, task: dict[str, Any]) -> playbook.Run:
    return playbook.run(aws, OWNER, [{"name": "report", **task}])
