# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the key's grants and policy let the account use the key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..._finding import BlocksLaunch, Finding
from ..._keys.access import NEEDED, Access, KeyDryRun, denied_operations
from ..._keys.grants import OPERATIONS
from ..._keys.simulation import permissions
from ..check import KEYS, Cause, Check
from ..keys import ONLY_A_LAUNCH_SHOWS, KeyAccess, KeyEvidence

_GRANT_IT = "Grant access (`ami_kms_grant`)"
_MISSING_ACCESS = Cause(
    code="missing_key_access",
    table=KEYS,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning="No grant and no key policy statement allows the account to use the key.",
    remedy=_GRANT_IT,
)
_MISSING_CREATE_GRANT = Cause(
    code="missing_create_grant",
    table=KEYS,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning="The account may use the key, but EBS cannot use it for the account.",
    remedy=_GRANT_IT,
)
_MISSING_OPERATIONS = Cause(
    code="missing_key_operations",
    table=KEYS,
    blocks_launch=BlocksLaunch.BLOCKING,
    otherwise=BlocksLaunch.UNKNOWN,
    meaning="The account lacks operations on the key that AWS lists as needed.",
    details=(
        "Without `Decrypt` no instance starts; for "
        "[the others](encrypted-images.md#what-the-consumers-have-to-do) this is unknown."
    ),
    remedy=_GRANT_IT,
)
_DENIED_BY_POLICY = Cause(
    code="key_denied_by_policy",
    table=KEYS,
    blocks_launch=BlocksLaunch.BLOCKING,
    otherwise=BlocksLaunch.UNKNOWN,
    meaning=(
        "A statement of the key policy denies the account the use of the key; an explicit deny overrides any "
        "grant."
    ),
    details="Unknown if it denies neither `CreateGrant` nor `Decrypt`, without which no instance starts.",
    remedy="Change that statement of the key policy",
)
_FOR_ROLES_ONLY = Cause(
    code="key_for_roles_only",
    table=KEYS,
    blocks_launch=BlocksLaunch.UNKNOWN,
    otherwise=BlocksLaunch.HARMLESS,
    meaning="Only specific roles or users of the account can use the key.",
    details="Harmless if dry runs of `consumer_role_name` succeed.",
    remedy="Launch as one of these, or grant access to the account (`ami_kms_grant`)",
)
_UNKNOWN = Cause(
    code="key_access_unknown",
    table=KEYS,
    blocks_launch=BlocksLaunch.UNKNOWN,
    meaning=(
        "Whether the account can use the key depends on conditions that cannot be evaluated, on its "
        "organization, or on access that the key's owner cannot see."
    ),
    details=(
        "There is access that the owner cannot see if the account's dry runs succeed where grants and policy "
        "allow nothing."
    ),
    remedy=(
        "Set `consumer_role_name`, to check the account itself; if it is set, launch the image to be sure "
        "(`ami_launch_probe`)"
    ),
)
_GRANT_ACCESS = (
    "Grant the account access to the key: rerun golden.images.distribute_ami with the account in "
    "distribute_account_ids, or use ami_kms_grant."
)


@dataclass(frozen=True)
class _MissingOperations:
    """The operations of a launch that grants, the key policy and the account's dry runs do not allow.

    ``is_contradicted`` is whether KMS allows operations for which the owner sees no permission, so that the
    denied operations may be allowed, too.
    """

    denied: list[str]
    explicitly_denied: list[str]
    undetermined: list[str]
    is_contradicted: bool


def _find(evidence: KeyEvidence) -> Iterator[Finding]:
    if evidence.is_decided and not evidence.is_own:
        finding = _evaluate(evidence.access, evidence.dry_run)
        if finding is not None:
            yield finding


def _evaluate(access: KeyAccess, dry_run: KeyDryRun | None) -> Finding | None:
    """Return the finding about operations that are not allowed, by the first row that applies.

    =====================================================  ====================================
    Policies or the account's dry runs allow all of it     none, or key_for_roles_only (harmless)
    They allow a part, and none of the rest is certain     key_access_unknown
    A statement explicitly denies CreateGrant or Decrypt   key_denied_by_policy
    CreateGrant and Decrypt are denied                     missing_key_access, or
                                                           key_for_roles_only (unknown)
    CreateGrant is denied                                  missing_create_grant
    Decrypt is denied                                      missing_key_operations
    A statement explicitly denies another operation        key_denied_by_policy (unknown)
    Another operation is denied                            missing_key_operations (unknown)
    An operation is undetermined                           key_access_unknown
    =====================================================  ====================================
    """
    missing = _find_missing(access, dry_run)
    denied, explicitly = set(missing.denied), set(missing.explicitly_denied)
    if not (denied or missing.undetermined):
        return _report_roles(access, BlocksLaunch.HARMLESS) if access.denied and access.roles else None
    if missing.is_contradicted:
        return _report_contradiction(access, missing.denied)
    if explicitly & NEEDED:
        return _report_denial(access, missing.explicitly_denied, BlocksLaunch.BLOCKING)
    if denied >= NEEDED:
        return _report_roles(access, BlocksLaunch.UNKNOWN) if access.roles else _report_no_access(access)
    if "CreateGrant" in denied:
        return _report_no_create_grant(access)
    if "Decrypt" in denied:
        return _report_missing_operations(access, missing.denied, BlocksLaunch.BLOCKING)
    if explicitly:
        return _report_denial(access, missing.explicitly_denied, BlocksLaunch.UNKNOWN)
    if denied:
        return _report_missing_operations(access, missing.denied, BlocksLaunch.UNKNOWN)
    return _report_undetermined(access, missing.undetermined, dry_run)


def _find_missing(access: KeyAccess, dry_run: KeyDryRun | None) -> _MissingOperations:
    allowed = _list_allowed(dry_run)
    proven = {item for item in allowed if access.holds_through_ec2(item)}
    explicitly = denied_operations(access.key, access.consumer, set(access.denied) - proven)
    # The owner does not see what allows the account these operations, perhaps through EC2 as well.
    unseen = {item for item in allowed if access.direct_decision(item) is Access.DENIED} - set(explicitly)
    denied = [item for item in access.denied if item not in unseen]
    return _MissingOperations(
        denied=denied,
        explicitly_denied=explicitly,
        undetermined=sorted({*access.undetermined, *(unseen & set(access.denied))} - proven),
        is_contradicted=0 < len(denied) < len(access.denied) and not _is_certain(denied, dry_run),
    )


def _list_allowed(dry_run: KeyDryRun | None) -> frozenset[str]:
    """Return the operations of a launch that the account's dry runs allow in direct calls."""
    if dry_run is None:
        return frozenset()
    allowed = {permission for item in dry_run.allowed for permission in permissions(item)}
    if "GenerateDataKeyWithoutPlaintext" in allowed:
        # A launch needs only data keys without plaintext.
        allowed.add("GenerateDataKey")
    return OPERATIONS & allowed


def _is_certain(denied: list[str], dry_run: KeyDryRun | None) -> bool:
    """Whether KMS has refused the account one of these operations.

    A refusal of CreateGrant in a direct call proves nothing (KMS Developer Guide,
    "kms:GrantIsForAWSResource").
    """
    refused = set(dry_run.refused if dry_run is not None else ()) - {"CreateGrant"}
    return any(permission in denied for item in refused for permission in permissions(item))


def _report_denial(access: KeyAccess, operations: list[str], blocks_launch: BlocksLaunch) -> Finding:
    return _DENIED_BY_POLICY.finding(
        f"The policy of {access.arn} denies {', '.join(operations)} to {access.account}.",
        "Change the statement that denies it; an explicit deny overrides any grant.",
        blocks_launch,
    )


def _report_no_access(access: KeyAccess) -> Finding:
    return _MISSING_ACCESS.finding(
        f"Account {access.case.account_id} may not use {access.arn}: no grant and no key policy statement "
        "allows it.",
        _GRANT_ACCESS,
    )


def _report_no_create_grant(access: KeyAccess) -> Finding:
    return _MISSING_CREATE_GRANT.finding(
        f"Account {access.case.account_id} may use {access.arn}, but EBS cannot use it for the account, "
        "which lacks CreateGrant (in a grant that also has Decrypt); without it no instance starts.",
        _GRANT_ACCESS,
    )


def _report_missing_operations(
    access: KeyAccess, operations: list[str], blocks_launch: BlocksLaunch
) -> Finding:
    return _MISSING_OPERATIONS.finding(
        f"Account {access.case.account_id} lacks {', '.join(operations)} on {access.arn}, which AWS lists "
        "as needed for a launch.",
        _GRANT_ACCESS,
        blocks_launch,
    )


def _report_roles(access: KeyAccess, blocks_launch: BlocksLaunch) -> Finding:
    return _FOR_ROLES_ONLY.finding(
        f"In {access.account}, only these principals may be able to use {access.arn}: "
        f"{', '.join(sorted(access.roles))}.",
        f"Launch as one of these. Or: {_GRANT_ACCESS}",
        blocks_launch,
    )


def _report_undetermined(access: KeyAccess, operations: list[str], dry_run: KeyDryRun | None) -> Finding:
    ask_the_account = "Set consumer_role_name, so that the account itself is checked."
    return _UNKNOWN.finding(
        f"Whether {access.account} may use {access.arn} ({', '.join(operations)}) depends on "
        "conditions of the key policy that cannot be evaluated, or on the account's organization.",
        f"{ask_the_account if dry_run is None else ONLY_A_LAUNCH_SHOWS} Or: {_GRANT_ACCESS}",
    )


def _report_contradiction(access: KeyAccess, denied: list[str]) -> Finding:
    """Return the finding that the owner does not see all permissions of the account."""
    return _UNKNOWN.finding(
        f"No grant and no statement of the key policy allows {', '.join(denied)} on {access.arn} to "
        f"{access.account}, but KMS allows it other operations that these do not allow either.",
        f"{ONLY_A_LAUNCH_SHOWS} Or: {_GRANT_ACCESS}",
    )


CHECK = Check(
    (
        _MISSING_ACCESS,
        _MISSING_CREATE_GRANT,
        _MISSING_OPERATIONS,
        _DENIED_BY_POLICY,
        _FOR_ROLES_ONLY,
        _UNKNOWN,
    ),
    find_of_key=_find,
)
