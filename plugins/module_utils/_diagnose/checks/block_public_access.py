# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a public image could be made public again."""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import BlocksLaunch, Finding
from ..check import SHARING, Cause, Check, Evidence
from ..state import UNREAD

_BLOCKED = Cause(
    code="block_public_access",
    table=SHARING,
    blocks_launch=BlocksLaunch.HARMLESS,
    meaning=(
        "The image stays public although block public access is on, but once unshared it cannot be made "
        "public again."
    ),
    remedy=(
        "Share it with the accounts that need it (`ami_share` with `account_ids`) before you make it private"
    ),
)


def _find(evidence: Evidence) -> Iterator[Finding]:
    image, launch, block = evidence.image, evidence.launch, evidence.owner.image_block
    if image is None or launch is None or not launch.public or block is None or not block.is_on:
        return
    state, can = ("could not be read", "may not") if block == UNREAD else (f"is on ({block})", "cannot")
    yield _BLOCKED.finding(
        f"Block public access for AMIs {state}. {image.image_id} is public and stays public, but once "
        f"unshared it {can} be made public again.",
        "Share the image with the accounts that need it (ami_share), then make it "
        "private. Leave block public access on.",
    )


CHECK = Check((_BLOCKED,), _find)
