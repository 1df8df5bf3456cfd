# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The codes of an audit's findings, with their severities and meanings."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TypeAlias

from ..finding import Finding, Severity
from ..model import Target

# Stable: scripts match on the codes. ``MEANINGS`` explains each.
CODES: dict[str, Severity] = {
    "access_remains_through_organization": Severity.LOW,
    "account_unreadable": Severity.HIGH,
    "block_public_access_unreadable": Severity.MEDIUM,
    "default_key": Severity.LOW,
    "grant_without_share": Severity.MEDIUM,
    "image_unreadable": Severity.HIGH,
    "key_not_enabled": Severity.MEDIUM,
    "key_of_other_account": Severity.LOW,
    "key_public": Severity.HIGH,
    "missing_key_access": Severity.MEDIUM,
    "key_unreadable": Severity.MEDIUM,
    "public": Severity.HIGH,
    "region_unreadable": Severity.HIGH,
    "shared_but_disabled": Severity.MEDIUM,
    "snapshot_public": Severity.HIGH,
    "snapshot_public_blocked": Severity.MEDIUM,
    "snapshot_unreadable": Severity.HIGH,
    "snapshot_wider_than_image": Severity.MEDIUM,
    "stale_principal": Severity.LOW,
    "statement_without_share": Severity.MEDIUM,
    "unknown_account": Severity.HIGH,
    "unknown_key_principal": Severity.MEDIUM,
    "unknown_organization": Severity.HIGH,
    "unknown_organizational_unit": Severity.HIGH,
    "unused_snapshots_unreadable": Severity.MEDIUM,
}

# The meaning of each code, in reports and in the table of docs/auditing.md.
MEANINGS: dict[str, str] = {
    "access_remains_through_organization": (
        "An account that is not allowed has its own launch permission, and the image is also shared with an "
        "organization or organizational unit: if the account is in it, unsharing the image from the account "
        "removes no access."
    ),
    "account_unreadable": (
        "Nothing in the account could be read. Only reports have this finding: the audit itself ends without "
        "findings then."
    ),
    "block_public_access_unreadable": "The block public access settings could not be read.",
    "default_key": ("The image is encrypted under an AWS managed key, so that no other account can use it."),
    "grant_without_share": (
        "A grant that this collection created allows a principal to use the key, but no image or "
        "snapshot under the key is shared with its account any more."
    ),
    "image_unreadable": "The launch permissions of the image could not be read.",
    "key_not_enabled": "The image is shared, but its key is disabled or pending deletion.",
    "key_of_other_account": (
        "The image is shared, but its key belongs to another account, and only that account can read who may "
        "use it."
    ),
    "key_public": (
        "The key policy allows every AWS account to use the key or to revoke its grants: a statement for all "
        "principals has no condition that names accounts, organizations or principals."
    ),
    "missing_key_access": (
        "The image is shared with a principal that cannot use its key, as far as the key's grants and policy "
        "show, nor can any role or user in it, other than its service-linked role for Auto Scaling."
    ),
    "key_unreadable": (
        "The key, its grants or its policy could not be read, or a snapshot's key is not known."
    ),
    "public": "Every AWS account can launch the image.",
    "region_unreadable": "The images of the region could not be listed.",
    "shared_but_disabled": (
        "The image is disabled, but other accounts can still use it or its snapshots: disabling removes "
        "launch permissions only."
    ),
    "snapshot_public": "Every AWS account can read the snapshot.",
    "snapshot_public_blocked": (
        "The snapshot is shared with the public, which only block public access of snapshots hides: without "
        "it, every AWS account could read the snapshot."
    ),
    "snapshot_unreadable": "The volume permissions of the snapshot could not be read.",
    "snapshot_wider_than_image": (
        "An account can read the snapshot, but may launch none of the images that use it."
    ),
    "stale_principal": "A grant or the key policy names a role or user that no longer exists.",
    "statement_without_share": (
        "A key policy statement that this collection wrote allows a principal to use the key, but no image "
        "or snapshot under the key is shared with it any more."
    ),
    "unknown_account": "The image or snapshot is shared with an account that is not allowed.",
    "unknown_key_principal": (
        "A grant or key policy statement lets a principal that is not allowed use the key or revoke its "
        "grants. If this collection created it: no image or snapshot under the key names this principal. It "
        "may have access through an organization."
    ),
    "unknown_organization": "The image is shared with an organization that is not allowed.",
    "unknown_organizational_unit": (
        "The image is shared with an organizational unit that is not allowed, nor is its organization."
    ),
    "unused_snapshots_unreadable": "The snapshots that no image uses could not be listed.",
}


NOT_ALLOWED = (
    "public",
    "snapshot_public",
    "snapshot_public_blocked",
    "unknown_account",
    "unknown_organization",
    "unknown_organizational_unit",
)
"""The codes for principals that have access to an image or snapshot and are not on the allowlist."""
BY_PRINCIPAL = frozenset({"unknown_account", "unknown_organization", "unknown_organizational_unit"})
"""The codes for one principal each. Those that can use the same images are shown as one cause."""
Resource: TypeAlias = "tuple[str | None, str | None]"
"""A region, and an image in it, or a snapshot that no image uses."""
WORST = ("public", "snapshot_public", "key_public")
"""The codes for access of every AWS account, the worst first."""
UNREADABLE = frozenset(code for code in CODES if code.endswith("_unreadable"))
"""The codes for what could not be read."""


def urgency(code: str) -> int:
    """The rank of a code among those of its severity: public access first, what could not be read last."""
    if code in WORST:
        return WORST.index(code)
    return len(WORST) + (code in UNREADABLE)


def same_resources(used: Iterable[tuple[Hashable, Resource]]) -> dict[Hashable, frozenset[Resource]]:
    """What each holder can use, from pairs of a holder and a resource.

    Equal sets are one object: thousands of findings are grouped by them, and comparing each set with another
    would take minutes.
    """
    resources: dict[Hashable, set[Resource]] = {}
    for holder, resource in used:
        resources.setdefault(holder, set()).add(resource)
    known: dict[frozenset[Resource], frozenset[Resource]] = {}
    found: dict[Hashable, frozenset[Resource]] = {}
    for holder, some in resources.items():
        one = frozenset(some)
        found[holder] = known.setdefault(one, one)
    return found


def finding(
    target: Target,
    code: str,
    resource: str,
    message: str,
    remedy: str,
    image_id: str | None = None,
    principal: str | None = None,
) -> Finding:
    """A finding in a target, with the severity of its code; raises ``KeyError`` for an unknown code."""
    return Finding(
        code, CODES[code], message, remedy, target.account_id, target.region, resource, image_id, principal
    )
