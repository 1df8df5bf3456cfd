# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the key of the image is enabled."""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import BlocksLaunch, Finding
from ..check import KEYS, Cause, Check, Evidence
from ..keys import KeyEvidence

_NOT_ENABLED = Cause(
    code="key_not_enabled",
    table=KEYS,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning="The key is disabled, pending deletion, or in another state that permits no use.",
    remedy="Enable the key (EnableKey, after CancelKeyDeletion if it is pending deletion)",
)
_ENABLE = "Enable the key, or cancel its deletion; or copy the image under another key (ami_copy_regions)."


def _find_by_owner(evidence: KeyEvidence) -> Iterator[Finding]:
    key = evidence.key.key
    if not key.is_enabled:
        yield _NOT_ENABLED.finding(
            f"{key.arn}, under which {evidence.image.image_id} is encrypted, is in the state {key.state}.",
            _ENABLE,
        )


def _find_by_dry_run(evidence: Evidence) -> Iterator[Finding]:
    image, checked = evidence.owner.image, evidence.checked
    if image is None or checked is None:
        return
    for arn, dry_run in checked.keys.items():
        if dry_run.unusable is not None:
            yield _NOT_ENABLED.finding(
                f"Account {evidence.account_id} cannot use {arn}, under which {image.image_id} is encrypted: "
                f"{dry_run.unusable}",
                _ENABLE,
            )


CHECK = Check((_NOT_ENABLED,), find_of_key=_find_by_owner)
BY_DRY_RUN = Check((_NOT_ENABLED,), _find_by_dry_run)
