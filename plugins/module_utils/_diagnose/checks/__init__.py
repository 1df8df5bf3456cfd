# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of the diagnosis, in the order of their findings; each has a file."""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import Finding
from ..check import Check, Evidence
from . import (
    allowed_images,
    block_public_access,
    consumer_unreadable,
    copying,
    default_key,
    deprecation,
    dry_run,
    key_policy,
    key_refusals,
    key_state,
    key_unreadable,
    missing_image,
    not_visible,
    parameter,
    sharing,
    state,
)

_OF_IMAGE = (
    missing_image.CHECK,
    state.CHECK,
    sharing.CHECK,
    copying.CHECK,
    block_public_access.CHECK,
    deprecation.CHECK,
)
_OF_KEYS = (
    key_state.CHECK,
    default_key.CHECK,
    key_policy.CHECK,
    key_unreadable.CHECK,
    key_refusals.CHECK,
    key_state.BY_DRY_RUN,
)
_OF_ACCOUNT = (
    consumer_unreadable.CHECK,
    allowed_images.CHECK,
    not_visible.CHECK,
    dry_run.CHECK,
)
_OF_PARAMETER = (parameter.CHECK,)

CAUSES = tuple(
    dict.fromkeys(
        cause for check in (*_OF_IMAGE, *_OF_KEYS, *_OF_ACCOUNT, *_OF_PARAMETER) for cause in check.causes
    )
)
MEANINGS = {cause.code: cause.meaning for cause in CAUSES}
"""The meaning of each code, for reports."""


def find_in_image(evidence: Evidence) -> Iterator[Finding]:
    """Yield the findings about the image that its owner can read, except about keys."""
    yield from _run_checks(_OF_IMAGE, evidence)


def find_in_keys(evidence: Evidence) -> Iterator[Finding]:
    """Yield the findings about the keys of the image, key by key."""
    for key in evidence.keys:
        for check in _OF_KEYS:
            yield from check.find_of_key(key)
    yield from _run_checks(_OF_KEYS, evidence)


def find_in_account(evidence: Evidence) -> Iterator[Finding]:
    """Yield the findings that the account itself can read, except about keys."""
    yield from _run_checks(_OF_ACCOUNT, evidence)


def find_in_parameter(evidence: Evidence) -> Iterator[Finding]:
    """Yield the findings about the parameter by which the account launches the image, if one is selected."""
    yield from _run_checks(_OF_PARAMETER, evidence)


def _run_checks(checks: tuple[Check, ...], evidence: Evidence) -> Iterator[Finding]:
    for check in checks:
        yield from check.find(evidence)
