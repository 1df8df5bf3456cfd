# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Spot Fleet requests that launch images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..._aws import read
from ..._aws.answers import require_member
from .read import Place, Read, Source
from .read_launchers import ENDED, find_name, list_named_resources
from .users import User

_KIND = "spot_fleet"
_OPERATION = "DescribeSpotFleetRequests"


def _read_spot_fleets(place: Place) -> Iterator[User]:
    """Yield every Spot Fleet request that can launch instances, which one without a state can."""
    pages = place.ec2.get_paginator("describe_spot_fleet_requests").paginate(PaginationConfig=read.PAGE)
    for page in pages:
        for item in require_member(page, "SpotFleetRequestConfigs", _OPERATION):
            if not item.get("SpotFleetRequestState", "").startswith(ENDED):
                request_id = require_member(item, "SpotFleetRequestId", _OPERATION)
                resources = list_named_resources(_OPERATION, _list_configurations(item))
                yield User(_KIND, request_id, *resources, given_name=find_name(item))


def _list_configurations(item: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what a Spot Fleet launches: its launch specifications, as overrides, and its launch templates."""
    config = require_member(item, "SpotFleetRequestConfig", _OPERATION)
    yield {"Overrides": config.get("LaunchSpecifications", ())}
    yield from config.get("LaunchTemplateConfigs", ())


SOURCE = Source(
    _KIND,
    "in overrides and launch specifications",
    (Read(_read_spot_fleets, ("ec2:DescribeSpotFleetRequests",)),),
)
