# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a diagnosis finds: a stable code, a sentence, what to do, and what it means for a launch."""

from __future__ import annotations

from collections.abc import Iterable

from ..finding import BlocksLaunch, Finding, Severity

# Stable: scripts match on them. docs/diagnosing.md adds when each counts, and what to do.
MEANINGS = {
    "allowed_images_audit_mode": (
        "The account's Allowed AMIs settings would hide the image, but are in audit mode."
    ),
    "block_public_access": (
        "The image stays public although that is blocked, but once withdrawn it cannot be made public again."
    ),
    "consumer_unreadable": "The account could not be asked in that region.",
    "create_grant_denied": (
        "The account's role may not create grants on the key itself. EC2 may all the same, if the role's "
        "policy allows that to AWS services alone."
    ),
    "default_key": "The image is under a key that AWS manages, which no other account can ever use.",
    "image_deprecated": "The image can be launched, but others find it only by its id.",
    "dry_run_inconclusive": "The dry run failed for its network or its instance type.",
    "hidden_by_allowed_images": "The account's Allowed AMIs settings hide the image.",
    "image_disabled": "The image is disabled: nobody can launch it, and its launch permissions are lost.",
    "image_not_available": "The image is pending or failed.",
    "image_not_found": "The account that the image should be in does not see it in that region.",
    "image_planned": "The image is a copy that is only planned.",
    "key_access_unknown": (
        "Whether the account can use the key depends on conditions that cannot be judged, or on its "
        "organization."
    ),
    "key_denied_by_policy": (
        "A statement of the key policy denies the account the use of the key, which goes before every grant."
    ),
    "key_for_roles_only": "Only single roles or users of the account can use the key.",
    "key_not_enabled": "The key is disabled, or is to be deleted.",
    "missing_key_access": "No grant and no statement of the key policy lets the account use the key.",
    "missing_key_operations": "The account lacks operations on the key that AWS names as needed.",
    "key_access_denied": (
        "The key's owner lets the account use it, but KMS refuses the account's role: its own account does "
        "not allow it."
    ),
    "key_unreadable": "The key could not be looked at, or not be tried.",
    "missing_create_grant": "The account may use the key, but not let EBS use it.",
    "launch_denied": "The account's role may not launch instances.",
    "launch_refused": "AWS would refuse the account the launch of the image.",
    "missing_volume_permission": "The account can launch the image, not copy it.",
    "not_shared": "The image is neither public nor shared with the account, an organization or a unit.",
    "not_owner": (
        "The image belongs to another account than was asked, which alone is told whom it is shared with."
    ),
    "not_visible": "The account does not see the image, although it is shared, or its owner cannot tell.",
    "outside_organization": "The image is shared with organizations or units that do not hold the account.",
    "owner_unreadable": "The owner's side of the image could not be asked.",
    "public": "Every AWS account can launch the image.",
    "shared_through_organization": (
        "Only organizations or units that may hold the account can launch the image, and it can never copy "
        "it."
    ),
    "wrong_region": "The image is one of another of the named regions.",
}
_SEVERITIES = {
    BlocksLaunch.BLOCKING: Severity.HIGH,
    BlocksLaunch.UNKNOWN: Severity.MEDIUM,
    BlocksLaunch.HARMLESS: Severity.LOW,
}
FAIL_ON: dict[str, frozenset[BlocksLaunch]] = {
    "none": frozenset(),
    "unknown": frozenset({BlocksLaunch.BLOCKING, BlocksLaunch.UNKNOWN}),
    "blocking": frozenset({BlocksLaunch.BLOCKING}),
}
"""The values of the option ``fail_on``, each with the findings that fail the task."""

# As bad as in an audit, although the account can launch the image.
_EXPOSING = frozenset({"public"})


def finding(
    code: str, message: str, remedy: str, blocks_launch: BlocksLaunch = BlocksLaunch.BLOCKING
) -> Finding:
    """A finding of a diagnosis; raises ``ValueError`` for a code that ``MEANINGS`` does not explain."""
    if code not in MEANINGS:
        raise ValueError(f"{code} is not the code of a finding.")
    severity = Severity.HIGH if code in _EXPOSING else _SEVERITIES[blocks_launch]
    return Finding(code, severity, message, remedy, blocks_launch=blocks_launch)


def can_launch(findings: Iterable[Finding]) -> str:
    """``no`` if anything stands in the way, ``unknown`` if something may, else ``yes``."""
    found = {item.blocks_launch for item in findings}
    if BlocksLaunch.BLOCKING in found:
        return "no"
    return "unknown" if BlocksLaunch.UNKNOWN in found else "yes"
