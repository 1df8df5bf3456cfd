# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``cleanup_report``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...option import FLAG, MAPPING, TEXT, option
from ...option_groups import LocalReportOptions

PLAN = "plan"
"""The directory in ``report_dir`` for reports of check mode."""


@dataclass(frozen=True, kw_only=True)
class CleanupReportOptions(LocalReportOptions):
    """The options of ``cleanup_report``."""

    cleanup_result: Mapping[str, Any] = option(MAPPING, required=True)
    from_check_mode: bool = option(FLAG)
    prices: Mapping[str, Any] = option(MAPPING, default={})
    currency: str = option(TEXT, default="USD")

    @property
    def folder(self) -> str | None:
        """Return the directory of the report, which is one of its own for a plan.

        So a plan overwrites no report: the role runs this in check mode before it retires images.
        """
        if self.report_dir and self.from_check_mode:
            return f"{self.report_dir.rstrip('/')}/{PLAN}"
        return self.report_dir
