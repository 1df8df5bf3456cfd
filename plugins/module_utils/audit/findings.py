# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an audit finds: a stable code with its severity, a sentence, and what to do."""

from __future__ import annotations

from ..finding import Finding, Severity
from ..model import Target

# Stable: scripts match on them. ``MEANINGS`` explains each.
CODES: dict[str, Severity] = {
    "access_remains_through_organization": Severity.LOW,
    "account_unreadable": Severity.HIGH,
    "block_public_access_unreadable": Severity.MEDIUM,
    "default_key": Severity.LOW,
    "grant_without_share": Severity.MEDIUM,
    "image_unreadable": Severity.HIGH,
    "key_not_enabled": Severity.MEDIUM,
    "key_of_other_account": Severity.LOW,
    "missing_key_access": Severity.MEDIUM,
    "key_unreadable": Severity.MEDIUM,
    "public": Severity.HIGH,
    "region_unreadable": Severity.HIGH,
    "shared_but_disabled": Severity.MEDIUM,
    "snapshot_public": Severity.HIGH,
    "snapshot_unreadable": Severity.HIGH,
    "snapshot_wider_than_image": Severity.MEDIUM,
    "stale_principal": Severity.LOW,
    "statement_without_share": Severity.MEDIUM,
    "unknown_account": Severity.HIGH,
    "unknown_organization": Severity.HIGH,
    "unknown_organizational_unit": Severity.HIGH,
}

# What each code means, for reports and for docs/auditing.md, whose table says the same.
MEANINGS: dict[str, str] = {
    "access_remains_through_organization": (
        "An account that is not allowed has a permission of its own, and the image is shared with an "
        "organization or unit as well: if the account is in it, withdrawing its own permission changes "
        "nothing."
    ),
    "account_unreadable": (
        "Nothing of the account could be read, and nothing is known of it. Only reports say so: the audit "
        "itself ends without any findings then."
    ),
    "block_public_access_unreadable": "The state of block public access could not be read.",
    "default_key": (
        "The image is encrypted under a key that AWS manages, so that no other account can ever use it."
    ),
    "grant_without_share": (
        "A grant that this collection made lets somebody use the key, but no image under the key is shared "
        "with that account any more."
    ),
    "image_unreadable": "Whom the image is shared with could not be read.",
    "key_not_enabled": "The image is shared, but its key is disabled or is to be deleted.",
    "key_of_other_account": (
        "The image is shared, but its key belongs to another account, which alone is told who may use it."
    ),
    "missing_key_access": (
        "The image is shared with somebody who, by all that can be told, cannot use its key."
    ),
    "key_unreadable": "The key, its grants or its policy could not be read.",
    "public": "Everybody can launch the image.",
    "region_unreadable": "The images of the region could not be listed.",
    "shared_but_disabled": (
        "The image is disabled, but it or its snapshots can still be used by others: disabling takes only "
        "launch permissions away."
    ),
    "snapshot_public": "Everybody can read the snapshot.",
    "snapshot_unreadable": "Whom the snapshot is shared with could not be read.",
    "snapshot_wider_than_image": (
        "An account can read the snapshot that may launch none of the images it belongs to."
    ),
    "stale_principal": "A grant or the key policy names a role or user that no longer exists.",
    "statement_without_share": (
        "A statement that this collection wrote into the key policy lets somebody use the key, but no image "
        "under the key is shared with them any more."
    ),
    "unknown_account": "The image or snapshot is shared with an account that is not allowed.",
    "unknown_organization": "The image is shared with an organization that is not allowed.",
    "unknown_organizational_unit": (
        "The image is shared with a unit that is not allowed, nor is its organization."
    ),
}


UNREADABLE = frozenset(code for code in CODES if code.endswith("_unreadable"))
"""The codes of what could not be read."""


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
