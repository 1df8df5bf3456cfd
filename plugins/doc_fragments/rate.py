# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rate of calls: documents ``option_groups.RateOptions``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  max_calls_per_second:
    description:
      - The most calls per second of each operation in each region, for operations that the module calls for each image or
        snapshot. They begin at this rate, without a burst.
      - By default the module is as fast as AWS admits calls, and other callers in the account share what AWS admits. Set it to
        leave them a part of it.
    type: float
"""
