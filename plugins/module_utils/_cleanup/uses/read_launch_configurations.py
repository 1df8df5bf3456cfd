# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Launch configurations that launch images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from .read import Place, Read, Source
from .read_launchers import list_mapped_snapshots
from .users import Group, User

_KIND = "launch_configuration"


def _read_launch_configurations(place: Place) -> Iterator[User]:
    """Yield every launch configuration, with the Auto Scaling groups that use it."""
    used_by: dict[str, list[str]] = defaultdict(list)
    for user in place.users:
        if isinstance(user, Group):
            used_by[user.configuration].append(user.name)
    for page in place.client("autoscaling").get_paginator("describe_launch_configurations").paginate():
        for item in page["LaunchConfigurations"]:
            name = item["LaunchConfigurationName"]
            yield User(
                _KIND,
                name,
                (item.get("ImageId", ""),),
                snapshot_ids=list_mapped_snapshots(item),
                detail=", ".join(used_by.get(name, ())) or "no group",
            )


SOURCE = Source(
    _KIND,
    "used by a group or not",
    reads=(),
    later_reads=(Read(_read_launch_configurations, ("autoscaling:DescribeLaunchConfigurations",)),),
)
