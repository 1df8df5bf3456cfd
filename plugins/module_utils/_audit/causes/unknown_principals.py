# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images and snapshots that are shared with accounts and organizations that are not allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ..._finding import Severity
from ..._model import Sharing
from ..cause import Cause, Evidence, Remediation
from ..region import AuditedRegion
from .remedies import UNSHARE_IMAGE, UNSHARE_SNAPSHOT

_TITLE = "{who} {is} not allowed, but {can} use {resources}."


def _of_images(
    region: AuditedRegion, noun: str, principals_of: Callable[[Sharing], Iterable[str]]
) -> Iterator[Evidence]:
    for image in region.images:
        for principal in principals_of(image.not_allowed):
            yield Evidence(
                image.image_id,
                f"{image} is shared with the {noun} {principal}.",
                UNSHARE_IMAGE,
                image.image_id,
                principal,
            )


def _accounts(region: AuditedRegion) -> Iterator[Evidence]:
    yield from _of_images(region, "account", lambda sharing: sharing.account_ids)
    for snapshot in region.snapshots:
        for account_id in snapshot.not_allowed.account_ids:
            yield Evidence(
                snapshot.snapshot_id,
                f"{snapshot}, is shared with the account {account_id}.",
                UNSHARE_SNAPSHOT if snapshot.images else f"Delete it. Or: {UNSHARE_SNAPSHOT}",
                snapshot.image_id,
                account_id,
            )


def _organizations(region: AuditedRegion) -> Iterator[Evidence]:
    return _of_images(region, "organization", lambda sharing: sharing.org_arns)


def _units(region: AuditedRegion) -> Iterator[Evidence]:
    return _of_images(region, "organizational unit", lambda sharing: sharing.org_unit_arns)


ACCOUNT = Cause(
    code="unknown_account",
    severity=Severity.HIGH,
    meaning="The image or snapshot is shared with an account that is not allowed.",
    remedy="Unshare it with `remediate_ami_sharing`, or allow the account, see "
    "[remediating](remediating.md).",
    find=_accounts,
    remediation=Remediation.BY_DEFAULT,
    remediated="the image or snapshot from the account",
    title=_TITLE,
    title_of_snapshots="{who} {is} not allowed, but {can} read the snapshots of {resources}.",
    title_of_unused="{who} {is} not allowed, but {can} read {resources}.",
    same_images=True,
)
ORGANIZATION = Cause(
    code="unknown_organization",
    severity=Severity.HIGH,
    meaning="The image is shared with an organization that is not allowed.",
    remedy="Unshare it with `remediate_ami_sharing`, or allow the organization, see "
    "[remediating](remediating.md).",
    find=_organizations,
    remediation=Remediation.BY_DEFAULT,
    remediated="the image from the organization",
    title=_TITLE,
    noun="organization",
    same_images=True,
)
UNIT = Cause(
    code="unknown_organizational_unit",
    severity=Severity.HIGH,
    meaning="The image is shared with an organizational unit that is not allowed, nor is its organization.",
    remedy="Unshare it with `remediate_ami_sharing`, or allow the organizational unit, see "
    "[remediating](remediating.md).",
    find=_units,
    remediation=Remediation.BY_DEFAULT,
    remediated="the image from the organizational unit",
    title=_TITLE,
    noun="organizational unit",
    same_images=True,
)
