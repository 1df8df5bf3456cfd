# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The codes of a diagnosis's findings and what each means."""

from __future__ import annotations

from collections.abc import Iterable

from ..finding import BlocksLaunch, Finding, Severity

# Stable: scripts match on the codes. docs/diagnosing.md adds whether each blocks a launch, and the remedy.
MEANINGS = {
    "allowed_images_audit_mode": (
        "The account's Allowed AMIs settings would hide the image, but are in audit mode."
    ),
    "block_public_access": (
        "The image stays public although block public access is on, but once unshared it cannot be made "
        "public again."
    ),
    "consumer_unreadable": "The account could not be checked in that region.",
    "create_grant_denied": (
        "The account's role cannot create grants on the key directly. EC2 may still be able to, if the "
        "role's policy allows it for AWS services only."
    ),
    "default_key": "The image is encrypted under an AWS managed key, which no other account can use.",
    "direct_key_use_denied": (
        "KMS denies the account's role the use of the key in direct calls, though not by an explicit deny. "
        "EC2 may still be able to use it, if the role's policy allows it through EC2 only."
    ),
    "image_deprecated": "The image can be launched, but other accounts find it only by its ID.",
    "dry_run_inconclusive": (
        "The dry run failed because of its network or its instance type, or the account's subnets could not "
        "be read."
    ),
    "hidden_by_allowed_images": "The account's Allowed AMIs settings hide the image.",
    "image_disabled": "The image cannot be launched, and its launch permissions were removed.",
    "image_not_available": "The image is pending or failed.",
    "image_not_found": "The account that the image should be in cannot see it in that region.",
    "image_planned": "The image is a planned copy that does not exist yet.",
    "key_access_unknown": (
        "Whether the account can use the key depends on conditions that cannot be evaluated, on its "
        "organization, or on access that the key's owner cannot see."
    ),
    "key_denied_by_policy": (
        "A statement of the key policy denies the account the use of the key; an explicit deny overrides any "
        "grant."
    ),
    "key_for_roles_only": "Only specific roles or users of the account can use the key.",
    "key_not_enabled": "The key is disabled, pending deletion, or in another state that permits no use.",
    "missing_key_access": "No grant and no key policy statement allows the account to use the key.",
    "missing_key_operations": "The account lacks operations on the key that AWS lists as needed.",
    "key_access_denied": (
        "The key's owner allows the account to use the key, but an explicit deny in another policy denies it "
        "to the account's role."
    ),
    "key_use_denied": (
        "The policies of the account's role do not allow it to use the key, and not through EC2 either."
    ),
    "key_unreadable": "The key could not be read, or access to it could not be tested.",
    "missing_create_grant": "The account may use the key, but EBS cannot use it for the account.",
    "launch_denied": "The account's role is not allowed to launch instances.",
    "launch_refused": "AWS would reject a launch of the image by the account.",
    "missing_launch_permission": (
        "The account sees the image, but AWS finds no launch permission for it when the account launches it."
    ),
    "missing_subnet": "The account has no available subnet in the region, so it can launch no image there.",
    "missing_volume_permission": "The account can launch the image, but not copy it.",
    "not_shared": (
        "The image is neither public nor shared with the account, an organization or an organizational unit."
    ),
    "not_owner": (
        "The image belongs to another account, and only that account can read its launch permissions."
    ),
    "not_visible": "The account cannot see the image, although it is shared or may be.",
    "outside_organization": (
        "The image is shared with organizations or organizational units that the account is not in."
    ),
    "owner_unreadable": "The image could not be read in its owner's account.",
    "public": "Every AWS account can launch the image.",
    "shared_through_organization": (
        "The image is shared only with organizations or organizational units that the account may be in. The "
        "account cannot copy it, since snapshots cannot be shared with these."
    ),
    "wrong_region": "The image is in another one of the given regions.",
}
# As bad as in an audit, although the account can launch the image.
_EXPOSING = frozenset({"public"})


def finding(
    code: str,
    message: str,
    remedy: str,
    blocks_launch: BlocksLaunch = BlocksLaunch.BLOCKING,
    error_code: str | None = None,
) -> Finding:
    """A finding of a diagnosis; raises ``ValueError`` for a code that ``MEANINGS`` does not explain."""
    if code not in MEANINGS:
        raise ValueError(f"{code} is not the code of a finding.")
    severity = Severity.HIGH if code in _EXPOSING else blocks_launch.severity
    return Finding(code, severity, message, remedy, blocks_launch=blocks_launch, error_code=error_code)


def can_launch(findings: Iterable[Finding]) -> str:
    """``no`` if anything stands in the way, ``unknown`` if something may, else ``yes``."""
    found = {item.blocks_launch for item in findings}
    if BlocksLaunch.BLOCKING in found:
        return "no"
    return "unknown" if BlocksLaunch.UNKNOWN in found else "yes"
