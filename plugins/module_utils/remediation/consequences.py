# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an audit would find as soon as images and snapshots are withdrawn: that others are left over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..audit.keys import account_of, names_of
from ..keys import policy_statements as key_policy
from ..keys.policy_statements import PolicyConsumers
from ..model import Sharing
from .state import Audited, Place, sharing_of

Loss = tuple[Place, str]
"""An image, snapshot or key, and the principal that loses it."""


@dataclass(frozen=True)
class LeftKey:
    """A key that is then open in vain to ``vain``, of whom ``losing`` are, or are in, those who lose images.

    Others may only have been reached through an organization or because an image was public.
    """

    place: Place
    vain: PolicyConsumers
    losing: frozenset[str]


def then_wider(audited: Audited, losses: Iterable[Loss]) -> list[Loss]:
    """The snapshots of the images that are withdrawn, and the accounts that have no image to go with them."""
    given = list(losses)
    after = audited.without(given)
    images = {place for place, _principal in given if place.kind == "image"}
    snapshots = {one for place in images for one in audited.images[place].snapshots}
    return [(place, account_id) for place in snapshots for account_id in after.wider(place)]


def then_in_vain(audited: Audited, losses: Iterable[Loss]) -> list[LeftKey]:
    """The keys that are open to somebody in vain, and were not before."""
    given = [(place, principal) for place, principal in losses if place.kind != "key"]
    after = audited.without(given)
    losers: dict[Place, set[str]] = {}
    for place, principal in given:
        for image in audited.users.get(place, (place,)):
            for key in audited.images[image].keys:
                losers.setdefault(key, set()).add(principal)
    left = []
    for key in losers.keys() & audited.keys.keys():
        vain = after.in_vain(key) - audited.in_vain(key)
        left.append(LeftKey(key, vain, frozenset(names_of(_among(vain, sharing_of(losers[key]))))))
    return left


def _among(vain: PolicyConsumers, losers: Sharing) -> PolicyConsumers:
    org_ids = {key_policy.organization_id(arn) for arn in losers.org_arns}
    org_ids |= {key_policy.unit_ids(arn)[0] for arn in losers.org_unit_arns}
    return PolicyConsumers(
        frozenset(one for one in vain.principals if account_of(one) in losers.account_ids),
        vain.org_ids & org_ids,
        frozenset(unit for unit in vain.units if unit[0] in org_ids),
    )
