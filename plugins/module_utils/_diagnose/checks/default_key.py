# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the image is encrypted under a key that no other account can use."""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import BlocksLaunch, Finding
from ..check import KEYS, Cause, Check
from ..keys import KeyEvidence

_DEFAULT_KEY = Cause(
    code="default_key",
    table=KEYS,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning="The image is encrypted under an AWS managed key, which no other account can use.",
    remedy=(
        "Copy it under a key of your own (`ami_copy_regions`), then grant access to the key and share the "
        "copy (`ami_kms_grant`, `ami_share`)"
    ),
)


def _find(evidence: KeyEvidence) -> Iterator[Finding]:
    if evidence.key.key.aws_managed and not evidence.is_own:
        yield _DEFAULT_KEY.finding(
            f"{evidence.image.image_id} is encrypted under {evidence.arn}, an AWS managed key: no other "
            "account can use it.",
            "Copy the image under a customer managed key (kms_key_id of ami_copy_regions, within a region "
            "with reencrypt_source: true), grant access to that key (ami_kms_grant) and share the copy "
            "(ami_share).",
        )


CHECK = Check((_DEFAULT_KEY,), find_of_key=_find)
