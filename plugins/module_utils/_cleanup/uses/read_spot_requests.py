# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Spot requests that launch images."""

from __future__ import annotations

from collections.abc import Iterator

from ..._aws import read
from ..._aws.answers import require_member
from .read import Place, Read, Source
from .read_launchers import find_name, list_named_resources
from .users import User

_KIND = "spot_request"
# The states of Spot requests that launch no more instances (botocore shape SpotInstanceState). A disabled
# request waits until its stopped instance is started.
_CLOSED = ("closed", "cancelled", "failed")


def _read_spot_requests(place: Place) -> Iterator[User]:
    """Yield every Spot request that can launch instances.

    A persistent one stays without its instance, and launches another one when there is capacity again, until
    it expires or is canceled (EC2 User Guide, "Spot Instance request states"). One without a state can launch
    instances.
    """
    operation = "DescribeSpotInstanceRequests"
    pages = place.ec2.get_paginator("describe_spot_instance_requests").paginate(PaginationConfig=read.PAGE)
    for page in pages:
        for item in require_member(page, "SpotInstanceRequests", operation):
            if item.get("State", "open") not in _CLOSED:
                request_id = require_member(item, "SpotInstanceRequestId", operation)
                resources = list_named_resources(operation, [item.get("LaunchSpecification", {})])
                yield User(_KIND, request_id, *resources, given_name=find_name(item))


SOURCE = Source(
    _KIND,
    "that is open, active or disabled, with an instance or not",
    (Read(_read_spot_requests, ("ec2:DescribeSpotInstanceRequests",)),),
)
