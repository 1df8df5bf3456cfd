# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide what consumers lose that leave: each image, snapshot and key that names them.

Nothing is removed that does not name them. What they can still use because it names an organization, an
organizational unit or the public is returned, and so is key access that this collection did not make.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import reduce
from typing import Any

from .._arns import account_of
from .._failures import Failure, invalid_option
from .._keys import policy_statements as key_policy
from .._keys.needed import SHARED, names_of, select_needing, split_by_name
from .._keys.policy_statements import PolicyConsumers
from .._listing import count, join_texts
from .._model import PUBLIC, Sharing
from .kept import KeptAccess
from .state import AuditedAccount, Loss, Named, Resource, Scope

# How many names a message has as examples.
_EXAMPLES = 3


@dataclass(frozen=True)
class OtherAccess:
    """Access that those who leave may still have: the name that it is given to, and what it is about."""

    principal: str
    resources: tuple[Resource, ...]
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Return the access as the module returns it."""
        by_region: dict[str, list[str]] = {}
        for resource in self.resources:
            by_region.setdefault(resource.region, []).append(resource.resource_id)
        return {"message": self.message, "principal": self.principal, "resources": by_region}


@dataclass(frozen=True)
class Departure:
    """What is lost, the key access that is kept because shared images need it, and other access."""

    losses: tuple[Loss, ...] = ()
    kept: tuple[KeptAccess, ...] = ()
    other: tuple[OtherAccess, ...] = ()


def refuse_selection(
    leaving: Sharing, name_patterns: Iterable[str], audited: AuditedAccount
) -> Iterator[Failure]:
    """Refuse the owner of the images, and a pattern that no image matches unless a region was not read."""
    if audited.account_id in leaving.account_ids:
        yield invalid_option(
            "account_ids",
            f"account_ids: {audited.account_id} owns the images, and always has access.",
            "Remove it, or use the credentials of the account that owns the images.",
        )
    for pattern in name_patterns:
        if not audited.unread_regions and not any(
            fnmatchcase(image.name, pattern) for image in audited.images.values()
        ):
            yield invalid_option(
                "name_patterns",
                f"name_patterns: no image has a name like '{pattern}'.",
                "Correct the pattern; * stands for any text, and upper and lower case differ.",
            )


def select(images: tuple[Named, ...], name_patterns: tuple[str, ...], audited: AuditedAccount) -> Scope:
    """Return the images that are named or have a matching name; everything if neither is given."""
    if not name_patterns:
        return Scope.of(audited, images)
    matching = (
        Named(resource.resource_id, resource.region)
        for resource, image in audited.images.items()
        if any(fnmatchcase(image.name, pattern) for pattern in name_patterns)
    )
    listed = (*images, *matching)
    scope = Scope.of(audited, listed) if listed else Scope(frozenset())
    # Images with such a name may be in a region that could not be read.
    return replace(scope, regions=scope.regions | {None})


def depart(leaving: Sharing, audited: AuditedAccount, scope: Scope, *, revoke_in_use: bool) -> Departure:
    """Decide what those who leave lose, keep and can use otherwise, in the scope."""
    unshared = tuple(_list_unshared(leaving, audited, scope))
    after = audited.without(unshared)
    revoked: list[Loss] = []
    kept: list[KeptAccess] = []
    for resource, key in sorted(audited.keys.items()):
        if not scope.covers(resource):
            continue
        for name, holder in split_by_name(_select(key.holders, leaving)):
            images = () if revoke_in_use else _images_that_need(holder, resource, after)
            if images:
                kept.append(KeptAccess(resource, name, SHARED, images))
            else:
                revoked.append((resource, name))
    losses = (*unshared, *dict.fromkeys(revoked))
    return Departure(losses, tuple(kept), tuple(_other_access(leaving, after, scope)))


def _list_unshared(leaving: Sharing, audited: AuditedAccount, scope: Scope) -> Iterator[Loss]:
    launch = ((resource, image.launch) for resource, image in audited.images.items())
    for resource, sharing in (*launch, *audited.volume_permissions.items()):
        if sharing is not None and scope.covers(resource):
            yield from ((resource, name) for name in sorted((sharing & leaving).names))


def _select(holders: PolicyConsumers, leaving: Sharing) -> PolicyConsumers:
    """Return those of the holders of a key that leave: accounts with their roles and users."""
    units = {key_policy.unit_ids(arn) for arn in leaving.org_unit_arns}
    return PolicyConsumers(
        frozenset(name for name in holders.principals if account_of(name) in leaving.account_ids),
        holders.org_ids & {key_policy.organization_id(arn) for arn in leaving.org_arns},
        frozenset(unit for unit in holders.units if unit in units),
    )


def _images_that_need(holder: PolicyConsumers, key: Resource, after: AuditedAccount) -> tuple[str, ...]:
    """Return the images under a key for which the holder needs it once the losses are made.

    What could not be read counts as not shared: ``ami_kms_grant`` reads it again, and keeps the access.
    """
    return tuple(
        resource.resource_id
        for resource in after.users.get(key, ())
        if select_needing(holder, _sharing_of_image(resource, after))
    )


def _sharing_of_image(resource: Resource, audited: AuditedAccount) -> Sharing:
    image = audited.images[resource]
    volumes = (audited.volume_permissions.get(snapshot) for snapshot in image.snapshots)
    known = (sharing for sharing in (image.launch, *volumes) if sharing is not None)
    return reduce(Sharing.__or__, known, Sharing())


def _other_access(leaving: Sharing, after: AuditedAccount, scope: Scope) -> Iterator[OtherAccess]:
    """Yield what those who leave may still use."""
    for principal, images in sorted(_images_by_principal(after, scope).items()):
        if why := _why_usable(principal, leaving, len(images)):
            regions = {image.region for image in images}
            named = join_texts([image.resource_id for image in images], _EXAMPLES)
            stay = "stays" if len(images) == 1 else "stay"
            what = f"{count(len(images), 'image')} in {count(len(regions), 'region')} {stay}"
            yield OtherAccess(principal, tuple(images), f"{what} {why.format(images=named)}")
    for principal, keys in sorted(_keys_of_others(leaving, after, scope).items()):
        named = join_texts([resource.resource_id for resource in keys], _EXAMPLES)
        text = (
            f"{principal} keeps access to {count(len(keys), 'key')} through a grant or a statement that this "
            f"collection did not make: {named}. Remove it with the tool that made it."
        )
        yield OtherAccess(principal, tuple(keys), text)


def _why_usable(principal: str, leaving: Sharing, number: int) -> str:
    """Return why those who leave may still use images of a principal; empty if they cannot be in it."""
    it, them = ("it", "the image") if number == 1 else ("them", "the images")
    if principal == PUBLIC:
        return f"public: every account can use {it} ({{images}}). Make {them} private."
    organization = _organization_of(principal)
    if organization in map(_organization_of, leaving.org_arns):
        return (
            f"shared with {principal}, which is in an organization that leaves: its accounts can still use "
            f"{it} ({{images}}). Unshare {them} from it, too."
        )
    units = sorted(arn for arn in leaving.org_unit_arns if _organization_of(arn) == organization)
    inside = [*sorted(leaving.account_ids), *units]
    if not inside:
        return ""
    who = inside[0] if len(inside) == 1 else f"one of {join_texts(inside, _EXAMPLES)}"
    if units:
        return (
            f"shared with {principal}: if {who} is in it, accounts that leave can still use {it} "
            f"({{images}}). Unshare {them} from it, too."
        )
    return (
        f"shared with {principal}: if {who} is in it, the account can still use {it} ({{images}}). "
        f"Take the account out of it, or unshare {them} from it, too."
    )


def _organization_of(arn: str) -> str:
    """Return the ID of the organization that an ARN names or whose unit it names."""
    return key_policy.unit_ids(arn)[0] if ":ou/" in arn else key_policy.organization_id(arn)


def _images_by_principal(after: AuditedAccount, scope: Scope) -> dict[str, list[Resource]]:
    """Return the images that an organization, an organizational unit or the public can use."""
    found: dict[str, list[Resource]] = defaultdict(list)
    for resource in sorted(after.images):
        if scope.covers(resource):
            sharing = _sharing_of_image(resource, after)
            public = (PUBLIC,) if sharing.public else ()
            for principal in (*sharing.org_arns, *sharing.org_unit_arns, *public):
                found[principal].append(resource)
    return found


def _keys_of_others(leaving: Sharing, after: AuditedAccount, scope: Scope) -> dict[str, list[Resource]]:
    found: dict[str, list[Resource]] = defaultdict(list)
    for resource, key in sorted(after.keys.items()):
        if scope.covers(resource):
            for name in names_of(_select(key.of_others, leaving)):
                found[name].append(resource)
    return found
