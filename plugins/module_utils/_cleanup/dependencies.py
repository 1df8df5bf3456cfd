# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The images to deregister before a snapshot is deleted or a grant is revoked."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable

from .._failures import Failure
from .._model import KeyRef
from .._plan import Action
from .decisions import Decision
from .state import CleanupState

# Region to snapshot or grant to the resources that have to be removed before it.
Dependencies = dict[str, dict[str, set[str]]]

# "The snapshot snap-… is currently in use by ami-…" (boto/boto#3019).
_USER = re.compile(r"\bin use by (ami-[0-9a-f]+)")


def find_dependencies(
    state: CleanupState, decisions: Iterable[Decision], actions: Iterable[Action]
) -> Dependencies:
    """Return the images to deregister before a snapshot or a grant is removed, by region.

    A grant on a key depends on all images that are deregistered under the key, or that it is associated with.
    An example: under one key,
    ami-1 with snap-1 is deregistered, snap-9, which has no image, is deleted, and the grant g-1 is revoked::

        {"eu-west-1": {"snap-1": {"ami-1"}, "g-1": {"ami-1", "snap-9"}}}

    So if ami-1 could not be deregistered, snap-1 and g-1 stay. snap-9 depends on no image; g-1 depends on it
    as on an image.
    """
    needed: Dependencies = defaultdict(lambda: defaultdict(set))
    under_key: dict[KeyRef, set[str]] = defaultdict(set)

    def add_under_key(region: str, snapshot_id: str, resource: str) -> None:
        for key_arn in state.regions[region].snapshots[snapshot_id].key_arns:
            under_key[KeyRef(region, key_arn)].add(resource)

    for decision in decisions:
        region, image_id = decision.ref.region, decision.ref.image_id
        for snapshot in decision.snapshots:
            needed[region][snapshot.snapshot_id].add(image_id)
            add_under_key(region, snapshot.snapshot_id, image_id)
    actions = tuple(actions)
    for action in actions:
        region, resource = action.target.region, str(action.resource)
        if action.operation == "DeleteSnapshot" and resource not in needed[region]:
            add_under_key(region, resource, resource)
    for action in actions:
        if action.operation == "RevokeGrant":
            region = action.target.region
            needed[region][str(action.resource)] |= under_key[KeyRef(region, action.parameters["KeyId"])]
    return needed


def is_still_in_use(problem: Failure, deregistered: Collection[str]) -> bool:
    """Whether AWS refuses to delete a snapshot only because of an image that is ``deregistered``.

    DeleteSnapshot may see the image for up to a few minutes longer (boto/boto#3019, hashicorp/packer#8614;
    EC2 Developer Guide, "Eventual consistency"). If the message names another image, or none, this is no such
    refusal.
    """
    user = _USER.search(problem.message)
    return problem.error_code == "InvalidSnapshot.InUse" and user is not None and user[1] in deregistered
