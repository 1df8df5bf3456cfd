# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sentences that the remedies of several causes have."""

from __future__ import annotations

from ..._model import PublicAccessBlock

UNSHARE_IMAGE = "Unshare it (golden.images.remediate_ami_sharing), or allow it in the audit."
UNSHARE_SNAPSHOT = "Remove the permission (golden.images.remediate_ami_sharing), or allow it in the audit."


def then_block(block: PublicAccessBlock | None) -> str:
    """Return the end of a remedy: what keeps it from becoming public again."""
    if block is not None and block.is_on:
        return f". Block public access ({block}) keeps it private then."
    if block is not None and block.by_policy:
        return ", then change the declarative policy that allows public sharing: the account cannot."
    return ", then enable block public access."
