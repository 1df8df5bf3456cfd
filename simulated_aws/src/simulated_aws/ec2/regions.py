# SPDX-License-Identifier: GPL-3.0-or-later
"""The existing Regions, and their opt-in status."""

from __future__ import annotations

from functools import cache

import botocore.session

from ..settings import SETTINGS

# Account Management Reference Guide, Enable or disable AWS Regions: enabled by default.
ALWAYS_ON = frozenset(
    {
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1"),
        *("ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2"),
        *("eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"),
    }
)


@cache
def _regions() -> dict[str, tuple[str, ...]]:
    """The Regions that have EC2, by partition; cached, because reading them takes a tenth of a second."""
    session = botocore.session.get_session()
    return {
        str(partition): tuple(session.get_available_regions("ec2", partition_name=partition))
        for partition in session.get_available_partitions()
    }


def partition_of(region: str) -> str | None:
    """The partition of a Region; None for an unknown Region."""
    return next((partition for partition, regions in _regions().items() if region in regions), None)


def regions_of(partition: str) -> tuple[str, ...]:
    """The Regions of a partition that have EC2."""
    return _regions()[partition]


def opt_in_status(region: str, account_id: str) -> str:
    """`opt-in-not-required`, `opted-in` or `not-opted-in` (botocore shape Region, OptInStatus)."""
    of_account = SETTINGS.not_opted_in_regions_by_account.get(account_id, ())
    if region in SETTINGS.not_opted_in_regions or region in of_account:
        return "not-opted-in"
    return "opt-in-not-required" if region in ALWAYS_ON else "opted-in"
