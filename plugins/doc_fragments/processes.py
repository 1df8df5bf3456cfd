# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The number of processes: documents ``option_groups.ProcessesOptions``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  max_processes:
    description:
      - The most processes that read accounts in parallel, at least 1. There are never more than 8, nor more than the CPUs that
        the module may use.
      - Only a run that reads about a thousand images in accounts, each account and region counted, uses more than one.
    type: int
    default: 8
"""
