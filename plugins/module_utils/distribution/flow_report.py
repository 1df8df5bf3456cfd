# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`distribution_report`: what became of each region, as a file."""

from __future__ import annotations

from ..reports.flow import report_flow
from .report import distribution

FLOW = report_flow(
    lambda params: distribution(
        params["copied"],
        params["opened"],
        params["shared"],
        params["into_accounts"],
        params["verified"],
        params["published"],
        params["objection"],
    )
)
