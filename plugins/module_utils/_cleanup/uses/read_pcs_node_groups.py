# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compute node groups of AWS PCS that launch images.

PCS API Reference, ComputeNodeGroup: ``amiId``, or else the image of a launch template, which the template
shows. A group has no instances as long as no job needs them, if its minimum is 0 (ScalingConfiguration).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ..._aws.answers import require_member, unless_gone
from .read import Place, Read, Source
from .users import User

_KIND = "pcs_compute_node_group"
# Groups that are never used again (botocore shape ComputeNodeGroupStatus). A deletion can fail.
_ENDED = "DELETED"
# botocore, the service's shape of this name: what was deleted since it was listed.
_GONE = ("ResourceNotFoundException",)
# botocore shape MaxResults: 1 to 100.
_PAGE = {"PageSize": 100}


def _read_groups(place: Place) -> Iterator[User]:
    """Yield every compute node group that can launch instances, with its image."""
    pcs = place.client("pcs")
    for page in pcs.get_paginator("list_clusters").paginate(PaginationConfig=_PAGE):
        for cluster in page["clusters"]:
            for group_id in unless_gone(partial(_list_group_ids, pcs, cluster["id"]), _GONE) or ():
                request = {"clusterIdentifier": cluster["id"], "computeNodeGroupIdentifier": group_id}
                answer = unless_gone(partial(pcs.get_compute_node_group, **request), _GONE)
                if answer is not None:
                    group = require_member(answer, "computeNodeGroup", "GetComputeNodeGroup")
                    yield User(_KIND, group["name"], (group.get("amiId", ""),), detail=cluster["name"])


def _list_group_ids(pcs: Any, cluster_id: str) -> tuple[str, ...]:
    """Return the IDs of the groups of a cluster that can launch instances."""
    pages = pcs.get_paginator("list_compute_node_groups").paginate(
        clusterIdentifier=cluster_id, PaginationConfig=_PAGE
    )
    groups = (group for page in pages for group in page["computeNodeGroups"])
    return tuple(group["id"] for group in groups if group["status"] != _ENDED)


SOURCE = Source(
    _KIND,
    "not deleted, with its own image (`amiId`)",
    (Read(_read_groups, ("pcs:ListClusters", "pcs:ListComputeNodeGroups", "pcs:GetComputeNodeGroup")),),
    only_of_owner=True,
    is_late=True,
)
