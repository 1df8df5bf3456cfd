# SPDX-License-Identifier: GPL-3.0-or-later
"""Sharing one image with a thousand accounts: the number of calls."""

from __future__ import annotations

from collections.abc import Iterator

from simulated_aws.client import SimulatedAws

from . import playbook
from .figures import Figure
from .fixtures import HOME, IMAGE, OWNER, consumers, fixture

ACCOUNTS = 1000


def measure(aws: SimulatedAws) -> Iterator[Figure]:
    """The number of accounts that an image can be shared with (EC2 User Guide, Quotas for AMIs)."""
    aws.load_fixture(fixture(ACCOUNTS))
    image = aws.description()["images"][IMAGE]
    task = {
        "name": "share",
        "golden.images.ami_share": {"images": {HOME: image["image_id"]}, "account_ids": consumers(ACCOUNTS)},
    }
    done = playbook.run(aws, OWNER, [task])
    snapshots = len(image["snapshot_ids"])
    yield Figure("ModifyImageAttribute", len(aws.calls(action="ModifyImageAttribute")), "calls", 1)
    # At most 500 changes a request (EC2 API Reference, ModifySnapshotAttribute).
    modified = len(aws.calls(action="ModifySnapshotAttribute")) / snapshots
    yield Figure("ModifySnapshotAttribute, a snapshot", modified, "calls", 2)
    yield Figure("the task", done.tasks[0].seconds, "s")
