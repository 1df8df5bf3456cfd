# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Select and check regions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from ._failures import Failure, invalid_option
from ._model import Target

# AWS Account Management Reference Guide, "Enable or disable AWS Regions in your account": those that every
# account has. Other partitions have no opt-in regions.
ENABLED_BY_DEFAULT = frozenset(
    {
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1"),
        *("ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2"),
        *("eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"),
    }
)
# One of them, in which IAM and other global services are, too.
REGION_OF_EVERY_ACCOUNT = "us-east-1"


def list_enabled(known: Mapping[str, str]) -> tuple[str, ...]:
    """Return the enabled ones of ``known``, the partition's regions with their opt-in status."""
    return tuple(sorted(name for name, status in known.items() if status != "not-opted-in"))


def check_region(option: str, region: str, known: Mapping[str, str]) -> Iterator[Failure]:
    """Yield a failure if the region in ``option`` does not exist or is not enabled.

    ``known`` maps the partition's regions to their opt-in status (DescribeRegions with AllRegions).
    """
    if region not in known:
        yield invalid_option(option, f"{option}: there is no region '{region}'.", "Check the spelling.")
    elif known[region] == "not-opted-in":
        yield invalid_option(
            option,
            f"{option}: the account has not opted in to '{region}'.",
            "Enable the region in the account, or remove it from the option.",
        )


def refuse_partition(
    option: str, region: str, partition: str, own_partition: str, remedy: str | None = None
) -> Failure:
    """Return the failure for a region of another partition than that of the credentials."""
    return invalid_option(
        option,
        f"{option}: '{region}' is in partition {partition}, the credentials are for {own_partition}.",
        remedy or f"Remove the region, or use credentials of an account in {partition}.",
    )


def targets_in(regions: Collection[str], targets: Iterable[Target]) -> frozenset[Target]:
    """Return the targets in these regions."""
    return frozenset(target for target in targets if target.region in regions)
