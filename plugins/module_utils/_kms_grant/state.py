# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys that ``ami_kms_grant`` has read, and the parameters of the grants that it creates on them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from .._failures import Failure
from .._keys.grants import NAME_PREFIX
from .._keys.needed import SharedUnderKey
from .._keys.policy_statements import short
from .._model import Grant, KeyRef, KeyState, Target


@dataclass(frozen=True)
class GrantState:
    """Each target's keys, and the targets whose image is not encrypted.

    ``shared`` is the sharing of other images under a key, for keys to which consumers may lose access.
    ``unread`` are the best-effort targets whose keys could not be read, which are not in ``keys``.
    """

    account_id: str
    partition: str
    keys: Mapping[Target, tuple[KeyState, ...]]
    unencrypted: frozenset[Target] = frozenset()
    shared: Mapping[KeyRef, SharedUnderKey] = field(default_factory=dict)
    unread: Mapping[Target, Failure] = field(default_factory=dict)

    def shared_under(self, region: str, key_arn: str) -> SharedUnderKey:
        """Return the sharing of other images under a key."""
        return self.shared.get(KeyRef(region, key_arn), SharedUnderKey(unread=("Nothing was read.",)))


def grant_request(
    key_arn: str, grantee: str, operations: frozenset[str], prefix: str = NAME_PREFIX
) -> dict[str, Any]:
    """Return the parameters of CreateGrant.

    For the same name and content KMS returns the existing grant, and for the same name and other content it
    creates another one (KMS API Reference, CreateGrant, Name), so the name is a hash of the content.
    """
    return {
        "GranteePrincipal": grantee,
        "KeyId": key_arn,
        "Name": prefix + _digest(grantee, operations),
        "Operations": sorted(operations),
    }


# The keys of all regions have grants to the same consumers.
@cache
def _digest(grantee: str, operations: frozenset[str]) -> str:
    return hashlib.sha256(json.dumps([grantee, sorted(operations)]).encode()).hexdigest()[:32]


def principal_arn(partition: str, principal: str) -> str:
    """Return the ARN of an account's root for an account ID; ARNs as they are."""
    return principal if principal.startswith("arn:") else f"arn:{partition}:iam::{principal}:root"


def group_by_name(grants: Iterable[Grant]) -> dict[str, tuple[Grant, ...]]:
    """Return the grants of each name. A key can have tens of thousands of them, and as many requests."""
    grants_of: dict[str, list[Grant]] = {}
    for grant in grants:
        grants_of.setdefault(grant.name, []).append(grant)
    return {name: tuple(named) for name, named in grants_of.items()}


def has_grant(grants: tuple[Grant, ...], request: Mapping[str, Any]) -> bool:
    """Whether a grant with this name and content exists; the name alone is not enough."""
    return any(
        grant.name == request["Name"]
        and short(grant.grantee) == short(request["GranteePrincipal"])
        and grant.operations == frozenset(request["Operations"])
        and not grant.constrained
        for grant in grants
    )
