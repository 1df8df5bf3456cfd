# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of ``audit_report``."""

from __future__ import annotations

from dataclasses import dataclass

from ...option_groups import AuditResultOptions, LocalReportOptions


@dataclass(frozen=True, kw_only=True)
class AuditReportOptions(LocalReportOptions, AuditResultOptions):
    """Options of ``audit_report``."""
