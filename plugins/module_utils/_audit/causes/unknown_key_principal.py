# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Principals that are not allowed and that statements or grants let use a key or revoke its grants."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from ..._arns import account_of
from ..._finding import Severity
from ..._keys import policy_statements as key_policy
from ..._keys.grants import is_of_volume
from ..._keys.needed import names_of
from ..._keys.policy_audience import StatementAudience
from ..._keys.policy_statements import PolicyConsumers
from ..._model import UNREAD_GRANTEE, Grant, Sharing
from ..cause import Cause, Evidence
from ..keys import USES, AuditedKey, of_other_accounts
from ..region import AuditedRegion

REVOKE_OWN = (
    " To revoke what this collection created, use ami_kms_grant with state: absent and revoke_in_use: true."
)
"""The end of the remedy if this collection created some of the access."""


def _find(region: AuditedRegion) -> Iterator[Evidence]:
    return (evidence for key in region.own_keys for evidence in _of_key(key))


def _of_key(key: AuditedKey) -> Iterator[Evidence]:
    """Yield the principals, without those whose access by this collection is ``explained``.

    These have other findings: an image or snapshot is shared with them, or they have the access for no image
    at all, or what may show which of the two it is was not read.
    """
    allowed = reduce(Sharing.__or__, map(key.options.allowed_for, key.images), key.options.allowed)
    explained = key.explained
    places: dict[str, list[str]] = {}
    own: set[str] = set()
    for consumers, is_own, place in _access(key, allowed):
        names = names_of(consumers - explained if is_own else consumers)
        own.update(names if is_own else ())
        for principal in names:
            places.setdefault(principal, []).append(place)
    for principal, where in places.items():
        yield Evidence(
            key.arn,
            f"{principal}, which is not allowed, can use the key or revoke its grants: {', '.join(where)}.",
            "Remove it there (PutKeyPolicy, RevokeGrant), or allow it in the audit."
            + (REVOKE_OWN if principal in own else ""),
            key.image_id,
            principal,
        )


def _access(key: AuditedKey, allowed: Sharing) -> Iterator[tuple[PolicyConsumers, bool, str]]:
    """Yield who has access without being allowed, whether this collection gave it, and what gives it."""
    owner = key.target.account_id
    for audience in key.audiences:
        if audience.operations & USES:
            consumers = _not_allowed(audience, allowed, owner)
            yield consumers, audience.is_own, f"statement {audience.name} of the key policy"
    for grant in key.current.grants:
        # A grant of EC2's own is a consequence of access, and retired with the volume's use. Any other
        # constraint is chosen by the caller of CreateGrant.
        if grant.operations & USES and not is_of_volume(grant):
            yield _grant_users(grant, allowed, owner), key.is_own(grant), f"grant {grant.grant_id}"


def _not_allowed(audience: StatementAudience, allowed: Sharing, owner: str) -> PolicyConsumers:
    """Return the consumers of the statement that are not allowed; none if one of its limits is allowed."""
    not_allowed = [_remove_allowed(limit, allowed, owner) for limit in audience.limits]
    return not_allowed[0] if not_allowed and all(not_allowed) else PolicyConsumers()


def _remove_allowed(consumers: PolicyConsumers, allowed: Sharing, owner: str) -> PolicyConsumers:
    """Return the consumers that are not allowed. An allowed organization includes its units."""
    org_ids = frozenset(map(key_policy.organization_id, allowed.org_arns))
    units = frozenset(map(key_policy.unit_ids, allowed.org_unit_arns))
    others = of_other_accounts(consumers, owner)
    return PolicyConsumers(
        frozenset(
            principal for principal in others.principals if account_of(principal) not in allowed.account_ids
        ),
        others.org_ids - org_ids,
        frozenset(unit for unit in others.units - units if unit[0] not in org_ids),
    )


def _grant_users(grant: Grant, allowed: Sharing, owner: str) -> PolicyConsumers:
    """Return who is not allowed and may use the key by this grant.

    A service uses it on behalf of the account whose resource the grant names, else of the account that issued
    the grant. A grantee that could not be read may be anyone.
    """
    if grant.grantee == UNREAD_GRANTEE:
        return PolicyConsumers(frozenset({UNREAD_GRANTEE}))
    of_service = grant.source_arn or (grant.issuer if _is_service(grant.grantee) else None)
    source = account_of(of_service) if of_service else None
    principals = frozenset({key_policy.short(grant.grantee), *([source] if source else [])})
    return _remove_allowed(PolicyConsumers(principals), allowed, owner)


def _is_service(grantee: str) -> bool:
    """Whether a grantee is the name of an AWS service, such as ``ec2.amazonaws.com``."""
    return "." in grantee and account_of(grantee) is None


CAUSE = Cause(
    code="unknown_key_principal",
    severity=Severity.MEDIUM,
    meaning="A grant or key policy statement lets a principal that is not allowed use the key or revoke its "
    "grants. If this collection created it: no image or snapshot under the key names this principal. It may "
    "have access through an organization.",
    remedy="Remove the principal from the key policy, or revoke its grant, or allow it in the audit. The "
    "collection revokes only grants and statements of its own. If an organization keeps the image, use "
    "`ami_kms_grant` with `state: absent` and `revoke_in_use: true`.",
    find=_find,
    remediated="Remove the principal from the statement, or revoke the grant. Other tools may depend on "
    "them. If this collection created them, a member of an organization that keeps the image may depend on "
    "them; `ami_kms_grant` with `state: absent` and `revoke_in_use: true` revokes these. If the key is "
    "shared through AWS RAM, remove the principal from the resource share.",
)
