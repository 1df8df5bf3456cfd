# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``distribution_report``: the result of a distribution, as a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..reports.flow import report_flow
from .report import distribution


def content(params: Mapping[str, Any]) -> dict[str, Any]:
    """The report, from the module's options."""
    return distribution(
        params["copy_result"],
        params["grant_result"],
        params["share_result"],
        params["consumer_copy_result"],
        params["verification_results"],
        params["publish_result"],
        params["verification_error"],
    )


FLOW = report_flow(content)
