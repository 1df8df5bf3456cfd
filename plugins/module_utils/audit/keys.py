# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings about keys: access that a shared image needs, and access that no image needs any more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

from ..arns import account_of
from ..finding import Finding
from ..keys import access as key_access
from ..keys import policy_statements as key_policy
from ..keys.grants import (
    DELETED_PRINCIPAL,
    NEW_GRANT_TIMEOUT,
    OPERATIONS,
    is_of_volume,
    is_own_by_issuer,
)
from ..keys.needed import names_of, of_principals, shared_by_name, unused_key_access
from ..keys.policy_audience import StatementAudience, audiences
from ..keys.policy_statements import PolicyConsumers
from ..model import PUBLIC, UNREAD_GRANTEE, Grant, Image, KeySeen, Sharing, Target
from ..structure import as_list
from .findings import finding
from .options import AuditOptions
from .state import RegionSeen

# What principals of other accounts can do with a symmetric key, other than read what kind of key it is
# (botocore service kms, "Cross-account use" of each operation). To revoke a grant, they need only its ID. Who
# may retire it is decided by the grant itself (botocore operation RetireGrant).
_USES = OPERATIONS - {"DescribeKey"} | {
    "Encrypt",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "RevokeGrant",
}
# A new grant may take so long until it is consistent (``NEW_GRANT_TIMEOUT``).
_NEW = timedelta(seconds=NEW_GRANT_TIMEOUT)
_REVOKE_OWN = (
    " To revoke what this collection created, use ami_kms_grant with state: absent and revoke_in_use: true."
)


def findings(wanted: AuditOptions, target: Target, seen: RegionSeen, now: datetime) -> Iterator[Finding]:
    """The findings about every key of a region that was read, and about the images under it."""
    under, associated = _by_key(seen, seen.key_arns), _by_key(seen, seen.associated_key_arns)
    for arn, key in seen.keys.items():
        yield from _of_key(wanted, target, key, under.get(arn, []), associated.get(arn, []), seen)
        if key.key.account_id == target.account_id and not key.key.aws_managed:
            yield from _stale(target, key, now)


def results(target: Target, seen: RegionSeen) -> Iterator[dict[str, Any]]:
    """Every key of a region as the module returns it, by ARN."""
    under = _by_key(seen, seen.key_arns)
    for arn, key in sorted(seen.keys.items()):
        sharings = _sharings(target, under.get(arn, []), seen)
        yield _result(target, key, reduce(Sharing.__or__, sharings.values(), Sharing()))


def _by_key(seen: RegionSeen, arns_of: Callable[[Image], list[str]]) -> dict[str, list[Image]]:
    found: dict[str, list[Image]] = {}
    for listed in seen.images:
        for arn in arns_of(listed.image):
            found.setdefault(arn, []).append(listed.image)
    return found


def _sharings(target: Target, images: Iterable[Image], seen: RegionSeen) -> dict[str, Sharing]:
    """Who else than the owner each image is shared with, by image ID, as far as it was read."""
    return {
        image.image_id: seen.sharing[image.image_id].without(target.account_id)
        for image in images
        if image.image_id in seen.sharing
    }


def _result(target: Target, key: KeySeen, sharing: Sharing) -> dict[str, Any]:
    """A key's grants, who the statements of its policy give access to, and who may have access or not."""
    own = [
        _statement(access.consumers, access.operations, created_by_collection=True)
        for access in (key_policy.accesses_in_own_form(key.policy) if key.policy else ())
    ]
    of_others = [
        _statement(named, audience.operations, created_by_collection=False, public=audience.public)
        for audience in _audiences(key)
        if audience.operations and not audience.is_own
        if (named := _foreign(audience.named, target.account_id)) or audience.public
    ]
    return {
        "account_id": target.account_id,
        "aws_managed": key.key.aws_managed,
        "grants": [_grant(item, key) for item in sorted(key.grants, key=lambda item: item.grant_id)],
        "kms_key_arn": key.key.arn,
        "policy_statements": [*own, *of_others],
        "region": target.region,
        "state": key.key.state,
        "undetermined_principals": sorted(
            principal
            for principal, found in key_access.access_of_consumers(key, sharing).items()
            if found is key_access.Access.UNKNOWN
        ),
    }


def _statement(
    consumers: PolicyConsumers,
    operations: Iterable[str],
    created_by_collection: bool,
    public: bool = False,
) -> dict[str, Any]:
    units = sorted(consumers.units)
    return {
        "created_by_collection": created_by_collection,
        "operations": sorted(operations),
        "org_ids": sorted(consumers.org_ids),
        "org_unit_ids": sorted(unit_id for _org_id, unit_id in units),
        "org_units": [{"org_id": org_id, "org_unit_id": unit_id} for org_id, unit_id in units],
        "principals": sorted(consumers.principals),
        "public": public,
    }


def _grant(grant: Grant, key: KeySeen) -> dict[str, Any]:
    return {
        "grant_id": grant.grant_id,
        "grantee": grant.grantee,
        "name": grant.name or None,
        "operations": sorted(grant.operations),
        "created_by_collection": _is_own(grant, key),
    }


def _is_own(grant: Grant, key: KeySeen) -> bool:
    return is_own_by_issuer(grant, key.key.account_id)


def _of_key(
    wanted: AuditOptions,
    target: Target,
    key: KeySeen,
    encrypted: list[Image],
    associated: list[Image],
    seen: RegionSeen,
) -> Iterator[Finding]:
    """The findings about a key under which images are encrypted, or that is associated with their snapshots.

    An associated key gives access to a snapshot independently of the key that encrypts it, so a lack of
    access to one of the two proves nothing (botocore operation AssociateKmsKeyId).
    """
    images = [*encrypted, *associated]
    alone = [image for image in encrypted if not seen.associated_key_arns(image)]
    sharings = _sharings(target, images, seen)
    shared = [image for image in images if sharings.get(image.image_id)]
    if key.key.aws_managed:
        yield from _aws_managed(target, key, alone)
        return
    if key.key.account_id != target.account_id:
        yield from _of_other_account(target, key, shared, encrypted)
        return
    if not key.key.is_enabled:
        yield from _not_enabled(target, key, [image for image in shared if image in alone])
    else:
        yield from _unreachable(target, key, alone, sharings)
    yield from _public(target, key, images)
    held = _granted(key) | _named(key)
    sharing = _shared(images, sharings, seen) | _shared_unused(key.key.arn, seen)
    all_read = len(sharings) == len(images) and _all_snapshots_read(images, seen)
    unused = unused_key_access(held, sharing, target.account_id) if all_read else PolicyConsumers()
    yield from _unused_access(target, key, images, unused)
    # What was not read may explain any access that this collection gave.
    explained = unused | shared_by_name(held, sharing) if all_read else held
    yield from _unknown(wanted, target, key, images, explained)


def _aws_managed(target: Target, key: KeySeen, images: list[Image]) -> Iterator[Finding]:
    """Images that their owner cannot share."""
    for image in images:
        yield finding(
            target,
            "default_key",
            key.key.arn,
            f"{image.image_id} ({image.name}) is encrypted under an AWS managed key: no other account "
            "can use it.",
            "To share it, copy it under a customer managed key (kms_key_id of ami_copy_regions).",
            image.image_id,
        )


def _of_other_account(
    target: Target, key: KeySeen, shared: list[Image], encrypted: list[Image]
) -> Iterator[Finding]:
    """Shared images under a key whose grants and policy only its own account can read."""
    for image in shared:
        yield finding(
            target,
            "key_of_other_account",
            key.key.arn,
            f"{image.image_id} ({image.name}) is shared, but "
            + ("encrypted under" if image in encrypted else "its snapshots are associated with")
            + f" a key of account {key.key.account_id}; only that account can read who may use the key.",
            "Audit the key there, or copy the image under a key of the image's owner (kms_key_id of "
            "ami_copy_regions).",
            image.image_id,
        )


def _not_enabled(target: Target, key: KeySeen, images: list[Image]) -> Iterator[Finding]:
    """Shared images that no account can launch before their key is enabled."""
    for image in images:
        yield finding(
            target,
            "key_not_enabled",
            key.key.arn,
            f"{image.image_id} ({image.name}) is shared, but its key is in the state {key.key.state}.",
            "Enable the key, cancel its deletion, or unshare the image.",
            image.image_id,
        )


def _unreachable(
    target: Target, key: KeySeen, images: list[Image], sharings: Mapping[str, Sharing]
) -> Iterator[Finding]:
    """Principals that an image is shared with and that cannot use its key."""
    # Each consumer is evaluated once for the key, not once for every image.
    without = set(
        key_access.consumers_without_access([key], reduce(Sharing.__or__, sharings.values(), Sharing()))
    )
    for image in images:
        sharing = sharings.get(image.image_id, Sharing())
        named = sharing.account_ids | sharing.org_arns | sharing.org_unit_arns
        for principal in sorted(named & without):
            yield finding(
                target,
                "missing_key_access",
                key.key.arn,
                f"{image.image_id} ({image.name}) is shared with {principal}, which cannot use its key.",
                "Grant access to the key (golden.images.distribute_ami, or ami_kms_grant), or unshare the "
                "image (golden.images.unshare_ami).",
                image.image_id,
                principal,
            )


def _public(target: Target, key: KeySeen, images: list[Image]) -> Iterator[Finding]:
    statements = [one.name for one in _audiences(key) if one.public and one.operations & _USES]
    if statements:
        yield finding(
            target,
            "key_public",
            key.key.arn,
            "The key policy allows every AWS account to use the key or to revoke its grants: statement "
            f"{', '.join(statements)}.",
            "Name the accounts as principals, or require aws:PrincipalOrgID, aws:PrincipalAccount or "
            "kms:CallerAccount in a condition (PutKeyPolicy).",
            images[0].image_id if images else None,
            PUBLIC,
        )


def _unknown(
    wanted: AuditOptions, target: Target, key: KeySeen, images: list[Image], explained: PolicyConsumers
) -> Iterator[Finding]:
    """Principals that are not allowed and that statements or grants let use the key or revoke its grants.

    Those of this collection may have ``explained`` ones. Other findings are about these principals: an image
    or snapshot is shared with them, or they have the access for no image at all, or something was not read
    that may show which of the two it is.
    """
    allowed = reduce(Sharing.__or__, map(wanted.allowed_for, images), wanted.allowed)
    found: dict[str, list[str]] = {}
    own: set[str] = set()
    for consumers, is_ours, place in _not_allowed_access(key, allowed, target.account_id):
        names = names_of(consumers - explained if is_ours else consumers)
        own.update(names if is_ours else ())
        for principal in names:
            found.setdefault(principal, []).append(place)
    for principal, where in sorted(found.items()):
        yield finding(
            target,
            "unknown_key_principal",
            key.key.arn,
            f"{principal}, which is not allowed, can use the key or revoke its grants: {', '.join(where)}.",
            "Remove it there (PutKeyPolicy, RevokeGrant), or allow it in the audit."
            + (_REVOKE_OWN if principal in own else ""),
            images[0].image_id if images else None,
            principal,
        )


def _not_allowed(audience: StatementAudience, allowed: Sharing, owner: str) -> PolicyConsumers:
    """Those that the statement names and that are not allowed; none if any of its limits is all allowed."""
    beyond = [_beyond(limit, allowed, owner) for limit in audience.limits]
    return beyond[0] if beyond and all(beyond) else PolicyConsumers()


def _beyond(consumers: PolicyConsumers, allowed: Sharing, owner: str) -> PolicyConsumers:
    """The consumers that are not allowed. An allowed organization includes its organizational units."""
    org_ids = frozenset(map(key_policy.organization_id, allowed.org_arns))
    units = frozenset(map(key_policy.unit_ids, allowed.org_unit_arns))
    others = _foreign(consumers, owner)
    return PolicyConsumers(
        frozenset(one for one in others.principals if account_of(one) not in allowed.account_ids),
        others.org_ids - org_ids,
        frozenset(unit for unit in others.units - units if unit[0] not in org_ids),
    )


def _foreign(consumers: PolicyConsumers, owner: str) -> PolicyConsumers:
    """The consumers without the owner's own principals, and without principals that no longer exist."""
    kept = (one for one in consumers.principals if account_of(one) not in (owner, None))
    return PolicyConsumers(frozenset(kept), consumers.org_ids, consumers.units)


def _not_allowed_access(
    key: KeySeen, allowed: Sharing, account_id: str
) -> Iterator[tuple[PolicyConsumers, bool, str]]:
    """Who is not allowed and has access to the key, whether this collection gave it, and by what."""
    for audience in _audiences(key):
        if audience.operations & _USES:
            consumers = _not_allowed(audience, allowed, account_id)
            yield consumers, audience.is_own, f"statement {audience.name} of the key policy"
    for grant in key.grants:
        # A grant of EC2's own is a consequence of access, and retired with the volume's use. Any other
        # constraint is chosen by the caller of CreateGrant.
        if grant.operations & _USES and not is_of_volume(grant):
            yield _grant_users(grant, allowed, account_id), _is_own(grant, key), f"grant {grant.grant_id}"


def _grant_users(grant: Grant, allowed: Sharing, account_id: str) -> PolicyConsumers:
    """Who is not allowed and may use the key by this grant.

    A service uses it on behalf of the account whose resource the grant names, otherwise of the one under
    which it was issued. A grantee that could not be read may be anyone.
    """
    if grant.grantee == UNREAD_GRANTEE:
        return PolicyConsumers(frozenset({UNREAD_GRANTEE}))
    of_service = grant.source_arn or (grant.issuer if _is_service(grant.grantee) else None)
    source = account_of(of_service) if of_service else None
    principals = frozenset({key_policy.short(grant.grantee), *([source] if source else [])})
    return _beyond(PolicyConsumers(principals), allowed, account_id)


def _audiences(key: KeySeen) -> tuple[StatementAudience, ...]:
    return audiences(key.policy, key.key.arn, OPERATIONS | _USES) if key.policy else ()


def _unused_access(
    target: Target, key: KeySeen, images: list[Image], unused: PolicyConsumers
) -> Iterator[Finding]:
    """Grants and statements of this collection for principals that nothing under the key is shared with.

    Other grants and statements may serve another purpose.
    """
    first = images[0].image_id if images else None

    def found(code: str, what: str, principal: str) -> Finding:
        message = (
            f"{what} allows {principal} to use the key, but no image or snapshot under the key that the "
            "audit reads is shared with it."
        )
        remedy = (
            "Revoke it (state: absent of ami_kms_grant), which keeps it for other snapshots that are shared. "
            "With consumer_role_name, the plan names what the account has under the key."
        )
        return finding(target, code, key.key.arn, message, remedy, first, principal)

    for grant in key.grants:
        principal = key_policy.short(grant.grantee)
        if _is_own(grant, key) and principal in unused.principals:
            yield found("grant_without_share", f"The grant {grant.grant_id}", principal)
    named = _named(key)
    for principal in names_of(named - (named - unused)):
        yield found("statement_without_share", "A statement of the key policy", principal)


def _shared(images: list[Image], sharings: Mapping[str, Sharing], seen: RegionSeen) -> Sharing:
    """Everyone that an image under the key or one of its snapshots is shared with, as far as was read."""
    volume_permissions = (
        seen.volume_permissions.get(one, Sharing()) for image in images for one in image.snapshot_ids
    )
    return reduce(Sharing.__or__, (*sharings.values(), *volume_permissions), Sharing())


def _shared_unused(key_arn: str, seen: RegionSeen) -> Sharing:
    """Everyone that a snapshot under the key that no image uses is shared with.

    Snapshots stay shared when their image is deregistered. A consumer needs the key to use them.
    """
    return reduce(
        Sharing.__or__,
        (
            sharing
            for one, sharing in seen.unused.items()
            if key_arn in (seen.key_of.get(one), *seen.associated_keys.get(one, ()))
        ),
        Sharing(),
    )


def _stale(target: Target, key: KeySeen, now: datetime) -> Iterator[Finding]:
    """The deleted principals that grants and the key policy name.

    ListGrants shows a new one by its unique ID, too, for about a minute (aws/aws-sdk-go#1718).
    """
    found = {
        grant.grantee: f"the grant {grant.grant_id}"
        for grant in key.grants
        if _is_stale(grant.grantee) and not _is_new(grant, now)
    }
    found |= {one: "the key policy" for one in _principals(key.policy) if _is_stale(one)}
    for principal, where in sorted(found.items()):
        yield finding(
            target,
            "stale_principal",
            key.key.arn,
            f"{principal}, which {where} names, is a role or user that no longer exists; a new one with the "
            "same name does not get its access.",
            "Remove it there (RevokeGrant, PutKeyPolicy).",
            None,
            principal,
        )


def _all_snapshots_read(images: list[Image], seen: RegionSeen) -> bool:
    """Whether all volume permissions are known, and no other snapshot may be under the key."""
    unread = {item.resource for item in seen.problems}
    others = any(item.is_snapshots_key or item.is_unused_snapshot for item in seen.problems)
    return not others and unread.isdisjoint(one for image in images for one in image.snapshot_ids)


def _granted(key: KeySeen) -> PolicyConsumers:
    """The grantees of this collection's grants."""
    return of_principals(grant.grantee for grant in key.grants if _is_own(grant, key))


def _named(key: KeySeen) -> PolicyConsumers:
    """The consumers that this collection's statements name."""
    accesses = key_policy.accesses_in_own_form(key.policy) if key.policy else ()
    return reduce(PolicyConsumers.__or__, (access.consumers for access in accesses), PolicyConsumers())


def _principals(policy: str | None) -> Iterator[str]:
    """The AWS principals that the statements of a policy name, including statements of others."""
    for statement in as_list(json.loads(policy).get("Statement", []) if policy else []):
        yield from key_policy.aws_principals(statement)


def _is_service(grantee: str) -> bool:
    """Return whether a grantee is the name of an AWS service, such as ``ec2.amazonaws.com``."""
    return "." in grantee and account_of(grantee) is None


def _is_new(grant: Grant, now: datetime) -> bool:
    return grant.created is not None and now - grant.created < _NEW


def _is_stale(principal: str) -> bool:
    return DELETED_PRINCIPAL.fullmatch(principal) is not None
