# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads and requests AWS's usage reports of the owner's images."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from .._aws import errors
from .._aws.clients import Clients
from .._cleanup.read_usage import read_usage_reports
from .._cleanup.sharing import is_unsupported_report
from .._cleanup.state import UsageReport
from .._failures import Failure
from .._fanout import map_parallel
from .._model import ImageRef, Target
from .._plan import Action, batches
from .usage_reports import REQUEST, without_recipes

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

# EC2 API Reference, DescribeImageUsageReports: images per request.
_BATCH = 200


def read_reports(
    clients: Clients, account_id: str, images: Collection[ImageRef]
) -> tuple[dict[ImageRef, UsageReport], dict[str, Failure]]:
    """Return the newest report of each image that has one, and the failures by region."""
    regions = sorted({ref.region for ref in images})

    def work(region: str) -> dict[ImageRef, UsageReport]:
        ids = [ref.image_id for ref in images if ref.region == region]
        return {
            ImageRef(region, image_id): report
            for batch in batches(ids, _BATCH)
            for image_id, report in read_usage_reports(clients.ec2(region), batch).items()
        }

    done, failed = map_parallel(regions, work)
    return (
        {ref: report for of_region in done.values() for ref, report in of_region.items()},
        {
            region: errors.failure(exception, Target(account_id, region), "DescribeImageUsageReports")
            for region, exception in failed.items()
        },
    )


def request_reports(
    clients: Clients, actions: Iterable[Action]
) -> tuple[tuple[Action, ...], tuple[Failure, ...]]:
    """Request the reports; return the requests that AWS accepted, and why it refused the others.

    A request that is sent again returns the same report.
    """
    by_region: dict[str, list[Action]] = {}
    for action in actions:
        by_region.setdefault(action.target.region, []).append(action)
    limited = clients.rate_limited(REQUEST)
    limited.open("ec2", by_region)

    def work(region: str) -> tuple[list[Action], list[Failure]]:
        requested, refused = [], []
        for action in by_region[region]:
            try:
                _request(limited.ec2(region), action)
            except errors.AWS_ERRORS as exception:
                refused.append(errors.failure(exception, action.target, REQUEST))
            else:
                requested.append(action)
        return requested, refused

    done, failed = map_parallel(by_region, work)
    return (
        tuple(action for requested, _refused in done.values() for action in requested),
        (
            *(failure for _requested, refused in done.values() for failure in refused),
            *(
                errors.failure(exception, by_region[region][0].target, REQUEST)
                for region, exception in failed.items()
            ),
        ),
    )


def _request(ec2: EC2Client, action: Action) -> None:
    """Request a report, one without the types of Image Builder in a region that refuses these."""
    try:
        ec2.create_image_usage_report(**action.parameters)
    except errors.ClientError as exception:
        if not is_unsupported_report(errors.failure(exception, action.target, REQUEST)):
            raise
        ec2.create_image_usage_report(**without_recipes(action).parameters)
