# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the trails that log the calls of a region.

One call lists the trails, one reads the status of each, and one the event selectors of each trail of the
account that has its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from ... import _arns as arns
from ..._aws.answers import unless_gone
from ..._aws.clients import Clients
from ..._aws.errors import AWS_ERRORS, failure
from ..._failures import Failure
from .options import MonitoringVerifyOptions
from .state import Trail

# A trail without event selectors of its own logs all management events (botocore shape EventSelector).
_ALL: Mapping[str, Any] = {"EventSelectors": [{}]}
# botocore operations GetTrailStatus and GetEventSelectors, errors: deleted since it was listed.
_GONE = ("TrailNotFoundException",)


class TrailReads(NamedTuple):
    """The trails, None if not all could be read, and the failures of reads."""

    trails: tuple[Trail, ...] | None
    failures: tuple[Failure, ...] = ()


def read_trails(clients: Clients, options: MonitoringVerifyOptions) -> TrailReads:
    """Read the trails of the region, if events of any service are expected."""
    if not options.event_sources:
        return TrailReads(None)
    try:
        return TrailReads(tuple(_read_each_trail(clients, options)))
    except AWS_ERRORS as exception:
        return TrailReads(None, (failure(exception, options.target, "DescribeTrails"),))


def _read_each_trail(clients: Clients, options: MonitoringVerifyOptions) -> Iterator[Trail]:
    cloudtrail = _client(clients, options.target.region)
    # By default, the answer includes shadow trails: those of other regions and of the organization.
    for described in cloudtrail.describe_trails().get("trailList", []):
        if described.get("IsMultiRegionTrail") or described.get("HomeRegion") == options.target.region:
            trail = unless_gone(partial(_read_trail, clients, options, described), _GONE)
            yield from [trail] if trail else []


def _read_trail(clients: Clients, options: MonitoringVerifyOptions, described: Mapping[str, Any]) -> Trail:
    # botocore operation GetTrailStatus: a shadow trail has to be named by its ARN.
    arn = str(described.get("TrailARN"))
    cloudtrail = _client(clients, options.target.region)
    status = cloudtrail.get_trail_status(Name=arn)
    is_logging = bool(status.get("IsLogging"))
    return Trail(
        arn,
        is_logging,
        _parse_log_group(described.get("CloudWatchLogsLogGroupArn", "")),
        status.get("LatestCloudWatchLogsDeliveryError") or None,
        _read_selectors(clients, options, described) if is_logging else None,
    )


def _read_selectors(
    clients: Clients, options: MonitoringVerifyOptions, described: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """Read the event selectors in the trail's home region; None for a trail of another account.

    A member of an organization cannot read the event selectors of its trails
    (https://github.com/turbot/steampipe-plugin-aws/issues/577).
    """
    if described.get("HasCustomEventSelectors") is False:
        return _ALL
    arn = str(described.get("TrailARN"))
    if arn.split(":")[4:5] != [options.target.account_id]:
        return None
    cloudtrail = _client(clients, str(described.get("HomeRegion") or options.target.region))
    answer: Mapping[str, Any] = cloudtrail.get_event_selectors(TrailName=arn)
    return answer


def _parse_log_group(text: str) -> tuple[str, str, str] | None:
    """Return the region, account and name in the ARN of a log group."""
    if not arns.is_arn(text):
        return None
    arn = arns.parse(text)
    return arn.region, arn.account_id, arn.resource.removeprefix("log-group:").removesuffix(":*")


def _client(clients: Clients, region: str) -> Any:
    clients.open("cloudtrail", [region])
    return clients.client("cloudtrail", region)
