# SPDX-License-Identifier: GPL-3.0-or-later
"""Grants, and the list of the grants of a key (KMS Developer Guide, Grants in AWS KMS)."""

from __future__ import annotations

import itertools
import json
import secrets
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..iam import principals
from ..iam.principals import NamedPrincipal, Principal
from ..settings import SETTINGS
from .errors import KmsError

EQUALS, SUBSET = "EncryptionContextEquals", "EncryptionContextSubset"
SOURCE_ARN = "SourceArn"
UNCONSTRAINED = frozenset({"CreateGrant", "DescribeKey", "RetireGrant"})
"""Operations without an encryption context (botocore shape CreateGrantRequest, Constraints)."""

_SERIALS = itertools.count(1)


class Terms(NamedTuple):
    """What two CreateGrant requests must have in common to refer to the same grant."""

    name: str
    grantee: NamedPrincipal
    retiring: NamedPrincipal | None
    operations: tuple[str, ...]
    constraints: Mapping[str, Any]
    issuing_account: str

    def fingerprint(self) -> str:
        """A text that is equal for equal terms."""
        retiring = self.retiring and self.retiring.principal.user_id
        who = (self.grantee.principal.user_id, retiring, self.issuing_account)
        return json.dumps([self.name, who, self.operations, self.constraints], sort_keys=True)


@dataclass(slots=True)
class Grant:
    """One grant; `created` is Unix time in seconds."""

    terms: Terms
    key_arn: str
    created: float
    id: str = field(default_factory=lambda: secrets.token_hex(32))
    serial: int = field(default_factory=_SERIALS.__next__)
    _text: str = ""

    def is_listed(self, now: float) -> bool:
        """Whether ListGrants returns the grant yet (KMS Developer Guide, Grants: Eventual consistency)."""
        return now >= self.created + SETTINGS.grant_listed_after_seconds

    def is_usable(self, now: float) -> bool:
        """Whether the grant gives access without its token (KMS Developer Guide, Using a grant token)."""
        return now >= self.created + SETTINGS.grant_usable_after_seconds

    def allows(self, operation: str, encryption_context: Mapping[str, str]) -> bool:
        """Whether the grant allows an operation with this encryption context."""
        if operation not in self.terms.operations:
            return False
        return operation in UNCONSTRAINED or meets(encryption_context, self.terms.constraints)

    def allows_child(self, operations: Iterable[str], constraints: Mapping[str, Mapping[str, str]]) -> bool:
        """Whether a grant that the grantee creates can have these operations and constraints.

        (KMS Developer Guide, Creating grants: Granting CreateGrant permission.)
        """
        return set(operations) <= set(self.terms.operations) and _is_as_strict(
            constraints, self.terms.constraints
        )

    def shown_grantee(self, now: float) -> str:
        """The grantee as ListGrants shows it: an ARN, a service, or a unique ID.

        A principal that was deleted, or created a moment ago, has its unique ID (aws/aws-sdk-go#1718).
        """
        return _shown(self.terms.grantee, now)

    def view(self, now: float) -> str:
        """The grant as ListGrants shows it, as JSON (botocore shape GrantListEntry)."""
        named = [self.terms.grantee, *([self.terms.retiring] if self.terms.retiring else [])]
        if SETTINGS.new_grantee_by_unique_id_seconds:
            return json.dumps(self._view(now))
        if not self._text or not all(one.principal.exists() for one in named):
            self._text = json.dumps(self._view(now))
        return self._text

    def _view(self, now: float) -> dict[str, Any]:
        terms = self.terms
        shown: dict[str, Any] = {
            "KeyId": self.key_arn,
            "GrantId": self.id,
            "Name": terms.name,
            "CreationDate": self.created,
            _member("Grantee", terms.grantee): _shown(terms.grantee, now),
            "IssuingAccount": terms.issuing_account,
            "Operations": list(terms.operations),
        }
        if terms.retiring:
            shown[_member("Retiring", terms.retiring)] = _shown(terms.retiring, now)
        if terms.constraints:
            shown["Constraints"] = terms.constraints
        return shown


class Grants:
    """The grants of a key in the order of their creation."""

    def __init__(self) -> None:
        self._ordered: list[Grant] = []
        self._by_id: dict[str, Grant] = {}
        self._by_fingerprint: dict[str, Grant] = {}
        self._by_grantee: dict[str, dict[str, Grant]] = defaultdict(dict)

    def __len__(self) -> int:
        return len(self._ordered)

    def add(self, key_arn: str, terms: Terms, now: float) -> Grant:
        """Create a grant; return the existing one if the terms have a name and are the same."""
        fingerprint = terms.fingerprint()
        if terms.name and fingerprint in self._by_fingerprint:
            return self._by_fingerprint[fingerprint]
        if len(self) >= SETTINGS.grants_per_key_quota:
            message = f"The key has reached its quota of {SETTINGS.grants_per_key_quota} grants"
            raise KmsError("LimitExceededException", message)
        grant = Grant(terms, key_arn, now - SETTINGS.new_grant_age_seconds)
        self._ordered.append(grant)
        self._by_id[grant.id] = grant
        self._by_fingerprint[fingerprint] = grant
        self._by_grantee[terms.grantee.principal.user_id][grant.id] = grant
        return grant

    def get(self, grant_id: str) -> Grant | None:
        """The grant with this ID."""
        return self._by_id.get(grant_id)

    def remove(self, grant: Grant) -> None:
        """Remove a grant of this key."""
        del self._ordered[bisect_right(self._ordered, grant.serial, key=_serial) - 1]
        del self._by_id[grant.id]
        del self._by_grantee[grant.terms.grantee.principal.user_id][grant.id]
        fingerprint = grant.terms.fingerprint()
        if self._by_fingerprint.get(fingerprint) is grant:
            del self._by_fingerprint[fingerprint]

    def after(self, serial: int) -> Iterable[Grant]:
        """The grants created after the one with this serial number."""
        start = bisect_right(self._ordered, serial, key=_serial)
        return itertools.islice(self._ordered, start, None)

    def to(self, principal: Principal) -> list[Grant]:
        """The grants whose grantee is the principal's session, role, user or account."""
        ids = dict.fromkeys((principal.unique_id, principal.user_id, principal.account_id))
        return [grant for one in ids if one in self._by_grantee for grant in self._by_grantee[one].values()]


def meets(encryption_context: Mapping[str, str], constraints: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether an encryption context meets the constraints."""
    if EQUALS in constraints and dict(encryption_context) != dict(constraints[EQUALS]):
        return False
    return encryption_context.items() >= constraints.get(SUBSET, {}).items()


def _is_as_strict(child: Mapping[str, Mapping[str, str]], parent: Mapping[str, Mapping[str, str]]) -> bool:
    if EQUALS in parent and child.get(EQUALS) != parent[EQUALS]:
        return False
    fixed = {**child.get(SUBSET, {}), **child.get(EQUALS, {})}
    return fixed.items() >= parent.get(SUBSET, {}).items()


def _shown(named: NamedPrincipal, now: float) -> str:
    created = principals.created(named.principal)
    if created is not None and now < created + SETTINGS.new_grantee_by_unique_id_seconds:
        return named.principal.user_id
    return named.shown()


def _member(kind: str, named: NamedPrincipal) -> str:
    """The member of GrantListEntry that has the grantee or the retiring principal."""
    return f"{kind}{'Principal' if named.principal.account_id else 'ServicePrincipal'}"


def _serial(grant: Grant) -> int:
    return grant.serial
