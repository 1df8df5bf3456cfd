# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The best-effort regions of tasks that share or publish images that another task has copied."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  best_effort_regions:
    description:
      - Regions whose failure neither fails the task nor stops the other regions. Regions without an image are ignored.
      - What AWS or a check refuses there leaves out only that region, and is listed in RV(failures). Changes there are waited
        for up to a minute longer than in the other regions.
    type: list
    elements: str
    default: []
"""
