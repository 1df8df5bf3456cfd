# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges, as far as an owner can see, whether consumers may use the keys that an image is encrypted under."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..model import KeySeen, Sharing
from . import key_policy

# Without these no instance starts and no copy is made; EBS User Guide, "Share the KMS key used to encrypt a
# shared EBS snapshot".
_NEEDED = frozenset({"CreateGrant", "Decrypt"})


def granted(key: KeySeen) -> frozenset[str]:
    """The principals (accounts as their id) that a grant gives what launching needs."""
    return frozenset(
        key_policy.short(grant.grantee)
        for grant in key.grants
        if grant.operations >= _NEEDED and not grant.constrained
    )


def without_access(keys: Iterable[KeySeen], sharing: Sharing) -> list[str]:
    """Those of ``sharing`` who, by grants and statements of a known shape, cannot use every one of the keys.

    An account gets the benefit of the doubt where a policy speaks of organizations, which it may be in.
    """
    return sorted({consumer for key in keys for consumer in _without(key, sharing)})


def _without(key: KeySeen, sharing: Sharing) -> Iterator[str]:
    allowed = key_policy.decrypting(key.policy) if key.policy is not None else key_policy.PolicyConsumers()
    if not (allowed.org_ids or allowed.units):
        yield from sharing.account_ids - granted(key) - allowed.principals
    for arn in sharing.org_arns:
        if key_policy.organization_id(arn) not in allowed.org_ids:
            yield arn
    for arn in sharing.org_unit_arns:
        org_id, unit_id = key_policy.unit_ids(arn)
        if (org_id, unit_id) not in allowed.units and org_id not in allowed.org_ids:
            yield arn
