# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``verification_report``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..option import ACCOUNT_IDS, MAPPING, Kind, choice, option
from ..option_groups import GIVEN_TEXTS, LocalReportOptions
from .report import LEVELS

_BOOLEAN_OR_ACCOUNT_IDS: Kind[Any] = Kind(
    {"type": "raw", "context": {"type": "bool_or_account_ids"}}, lambda given, _refuse: given
)


@dataclass(frozen=True, kw_only=True)
class VerificationReportOptions(LocalReportOptions):
    """The options of ``verification_report``."""

    level: str = option(choice(*LEVELS), required=True)
    regions: tuple[str, ...] = option(GIVEN_TEXTS, required=True)
    account_ids: tuple[str, ...] = option(ACCOUNT_IDS)
    diagnosis_result: Mapping[str, Any] = option(MAPPING, default={})
    probe_result: Mapping[str, Any] = option(MAPPING, default={})
    publish_uncertain: Any = option(_BOOLEAN_OR_ACCOUNT_IDS)
