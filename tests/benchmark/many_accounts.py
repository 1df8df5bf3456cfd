# SPDX-License-Identifier: GPL-3.0-or-later
"""Sharing one image with a thousand accounts: the number of calls."""

from __future__ import annotations

from collections.abc import Iterator

from simulated_aws.client import SimulatedAws

from . import playbook
from .fixtures import HOME, IMAGE, OWNER, consumers, fixture
from .measuring import GOLDEN, LATENCY, Scale, repeated, sample
from .results import Sample, Series

ACCOUNTS = 1000
CASE = "one image shared with 1,000 accounts"


def measure(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """The number of accounts that an image can be shared with (EC2 User Guide, Quotas for AMIs)."""
    yield Series(CASE, GOLDEN, repeated(scale, lambda: share(aws, scale.size(ACCOUNTS, 20))))


def share(aws: SimulatedAws, accounts: int) -> Sample:
    """A play of one task that shares a new image with accounts."""
    aws.reset()
    aws.load_fixture(fixture(accounts))
    aws.set_latency(LATENCY)
    image = aws.description()["images"][IMAGE]
    options = {"images": {HOME: image["image_id"]}, "account_ids": consumers(accounts)}
    aws.clear_calls()
    done = playbook.run(aws, OWNER, [{"name": "share", "golden.images.ami_share": options}])
    return sample(done.used, aws.calls())
