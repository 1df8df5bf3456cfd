# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the account's Allowed AMIs settings let it see the image."""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import BlocksLaunch, Finding
from ..allowed_images import Truth, matches_any
from ..check import ACCOUNT, Cause, Check, Evidence
from ..state import ConsumerView

_HIDDEN = Cause(
    code="hidden_by_allowed_images",
    table=ACCOUNT,
    blocks_launch=BlocksLaunch.BLOCKING,
    otherwise=BlocksLaunch.UNKNOWN,
    meaning="The account's Allowed AMIs settings hide the image.",
    details="Unknown if a criterion cannot be evaluated, such as the image provider `amazon`.",
    remedy=(
        "Let the account add a criterion with the owner as image provider to these settings, or change the "
        "organization's declarative policy"
    ),
)
_AUDIT_MODE = Cause(
    code="allowed_images_audit_mode",
    table=ACCOUNT,
    blocks_launch=BlocksLaunch.HARMLESS,
    meaning="The account's Allowed AMIs settings would hide the image, but are in audit mode.",
    remedy=(
        "Let the account add a criterion with the owner as image provider, before it enables the settings"
    ),
)


def allows(evidence: Evidence) -> Truth:
    """Whether the account's settings let it see the image; None if they cannot be evaluated."""
    settings = evidence.checked.allowed_images if evidence.checked is not None else None
    if settings is None or settings.state != "enabled" or evidence.is_own:
        return True
    if evidence.owner.image is None:
        return None
    return matches_any(settings.criteria, evidence.owner.image, evidence.now, settings.all_read)


def _find(evidence: Evidence) -> Iterator[Finding]:
    checked = evidence.checked
    if checked is None:
        return
    if checked.image is None:
        is_allowed = allows(evidence)
        if not is_allowed:
            yield _to_finding(evidence, checked, is_certain=is_allowed is False)
    elif checked.image.allowed is False:
        yield _AUDIT_MODE.finding(
            f"Allowed AMIs of account {evidence.account_id} are in audit mode in {evidence.region}: "
            f"once they are enabled, they hide {evidence.image_id}.",
            _advise(evidence, checked),
        )


def _to_finding(evidence: Evidence, checked: ConsumerView, is_certain: bool) -> Finding:
    """Return the finding, which is not certain if a criterion cannot be evaluated."""
    reason = "no criterion matches it" if is_certain else "whether a criterion matches it is unknown"
    return _HIDDEN.finding(
        f"Allowed AMIs of account {evidence.account_id} {'hide' if is_certain else 'may hide'} "
        f"{evidence.image_id} in {evidence.region}: {reason}.",
        _advise(evidence, checked),
        BlocksLaunch.BLOCKING if is_certain else BlocksLaunch.UNKNOWN,
    )


def _advise(evidence: Evidence, checked: ConsumerView) -> str:
    image, settings = evidence.owner.image, checked.allowed_images
    owner_id = image.owner_id if image is not None else evidence.case.image_target.account_id
    if settings is not None and settings.managed_by == "declarative-policy":
        return f"Let the organization's declarative policy for EC2 allow images of account {owner_id}."
    return (
        f"In account {evidence.account_id}, {evidence.region}, add a criterion with the image provider "
        f"{owner_id} (ReplaceImageCriteriaInAllowedImagesSettings, which takes all criteria)."
    )


CHECK = Check((_HIDDEN, _AUDIT_MODE), _find)
