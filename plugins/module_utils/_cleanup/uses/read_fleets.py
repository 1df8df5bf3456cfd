# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EC2 Fleets that launch images."""

from __future__ import annotations

from collections.abc import Iterator

from ..._aws import read
from ..._aws.answers import require_member
from .read import Place, Read, Source
from .read_launchers import ENDED, find_name, list_named_resources
from .users import User

_KIND = "fleet"


def _read_fleets(place: Place) -> Iterator[User]:
    """Yield every EC2 Fleet that can launch instances.

    Fleets of type instant are not listed (botocore shape DescribeFleetsRequest, FleetIds): they launch once.
    One without a state can launch instances.
    """
    operation = "DescribeFleets"
    for page in place.ec2.get_paginator("describe_fleets").paginate(PaginationConfig=read.PAGE):
        for item in require_member(page, "Fleets", operation):
            if not item.get("FleetState", "").startswith(ENDED):
                fleet_id = require_member(item, "FleetId", operation)
                resources = list_named_resources(operation, item.get("LaunchTemplateConfigs", ()))
                yield User(_KIND, fleet_id, *resources, given_name=find_name(item))


SOURCE = Source(_KIND, "in overrides", (Read(_read_fleets, ("ec2:DescribeFleets",)),))
