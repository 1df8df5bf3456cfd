# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an audit would find once images and snapshots are unshared: access that nothing needs any more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..arns import account_of
from ..keys import policy_statements as key_policy
from ..keys.needed import names_of
from ..keys.policy_statements import PolicyConsumers
from ..model import Sharing
from .state import Audited, Resource, sharing_of

Loss = tuple[Resource, str]
"""An image, snapshot or key, and the principal that loses it."""


@dataclass(frozen=True)
class OrphanedKeyAccess:
    """Access to a key that ``unused`` have although nothing under it is shared with them any more.

    ``losing`` are those of them that are, or are in, the principals that lose images or snapshots. The others
    had access only through an organization, or because an image was public.
    """

    resource: Resource
    unused: PolicyConsumers
    losing: frozenset[str]


def resulting_snapshot_exposure(audited: Audited, losses: Iterable[Loss]) -> list[Loss]:
    """The snapshots of unshared images, each with an account that can then launch none of its images."""
    lost = list(losses)
    after = audited.without(lost)
    images = {resource for resource, _principal in lost if resource.kind == "image"}
    snapshots = {one for resource in images for one in audited.images[resource].snapshots}
    return [(resource, account_id) for resource in snapshots for account_id in after.wider(resource)]


def resulting_unused_key_access(audited: Audited, losses: Iterable[Loss]) -> list[OrphanedKeyAccess]:
    """The key access that the losses leave unused and that was used before."""
    lost = [(resource, principal) for resource, principal in losses if resource.kind != "key"]
    after = audited.without(lost)
    losing: dict[Resource, set[str]] = {}
    for resource, principal in lost:
        # A snapshot that no image uses decides on no key.
        for image in (resource,) if resource.kind == "image" else audited.users.get(resource, ()):
            for key in audited.images[image].keys:
                losing.setdefault(key, set()).add(principal)
    orphaned = []
    for key in losing.keys() & audited.keys.keys():
        unused = after.unused_key_access(key) - audited.unused_key_access(key)
        among = _members(unused, sharing_of(losing[key]))
        orphaned.append(OrphanedKeyAccess(key, unused, frozenset(names_of(among))))
    return orphaned


def _members(unused: PolicyConsumers, losing: Sharing) -> PolicyConsumers:
    """Those of ``unused`` that are, or are in, one of ``losing``."""
    org_ids = {key_policy.organization_id(arn) for arn in losing.org_arns}
    org_ids |= {key_policy.unit_ids(arn)[0] for arn in losing.org_unit_arns}
    return PolicyConsumers(
        frozenset(one for one in unused.principals if account_of(one) in losing.account_ids),
        unused.org_ids & org_ids,
        frozenset(unit for unit in unused.units if unit[0] in org_ids),
    )
