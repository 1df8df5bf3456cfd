# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an account that can launch the image can copy it, too."""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import BlocksLaunch, Finding
from ..check import SHARING, Cause, Check, Evidence
from ..state import UNREAD

_MISSING_PERMISSION = Cause(
    code="missing_volume_permission",
    table=SHARING,
    blocks_launch=BlocksLaunch.HARMLESS,
    meaning="The account can launch the image, but not copy it.",
    remedy="If the account has to copy it, share its snapshots, too (`ami_share` with `share_snapshots`)",
)


def _find(evidence: Evidence) -> Iterator[Finding]:
    image, launch, account_id = evidence.image, evidence.launch, evidence.account_id
    if image is None or launch is None or not (launch.public or account_id in launch.account_ids):
        return
    block = evidence.owner.snapshot_block
    # Block public access, which may be on if it could not be read, hides that a snapshot is public.
    is_hidden = block == UNREAD or (block is not None and block.state == "block-all-sharing")
    missing = [
        snapshot_id
        for snapshot_id, sharing in evidence.owner.volume_permissions.items()
        if account_id not in sharing.account_ids and (is_hidden or not sharing.public)
    ]
    if missing:
        unread = " Whether block public access for snapshots is on could not be read."
        yield _MISSING_PERMISSION.finding(
            f"Account {account_id} may not create volumes from {', '.join(missing)}: "
            f"it can launch {image.image_id}, but not copy it.{unread if block == UNREAD else ''}",
            f"If {account_id} should copy the image, share the snapshots, too (ami_share with "
            "share_snapshots: true).",
        )


CHECK = Check((_MISSING_PERMISSION,), _find)
