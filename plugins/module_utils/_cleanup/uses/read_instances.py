# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instances that use images."""

from __future__ import annotations

from collections.abc import Iterator

from ..._aws import read
from ..._aws.answers import require_member
from .read import Place, Read, Source
from .users import User

# EC2 User Guide, "Amazon EC2 instance state changes": all states but terminated.
LIVING_STATES = ["pending", "running", "shutting-down", "stopping", "stopped"]
_KIND = "instance"


def _read_instances(place: Place) -> Iterator[User]:
    """Yield every instance that is not terminated, hidden ones included where botocore can read them."""
    pages = place.ec2.get_paginator("describe_instances").paginate(
        Filters=[{"Name": "instance-state-name", "Values": LIVING_STATES}],
        PaginationConfig=read.PAGE,
    )
    operation = "DescribeInstances"
    for page in pages:
        for reservation in require_member(page, "Reservations", operation):
            for item in require_member(reservation, "Instances", operation):
                state = require_member(require_member(item, "State", operation), "Name", operation)
                user = User(
                    _KIND,
                    require_member(item, "InstanceId", operation),
                    (require_member(item, "ImageId", operation),),
                    detail=state,
                )
                if state != "terminated":
                    yield user


SOURCE = Source(
    _KIND,
    "in any state but terminated",
    (Read(_read_instances, ("ec2:DescribeInstances",)),),
    can_be_hidden=True,
)
