# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How to act in other accounts: documents ``arguments.CONSUMER_ROLE_SPEC``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  consumer_role_name:
    description:
      - The name of a role in each of the other accounts that these credentials may assume.
      - Its credentials stay inside the module and are in no result and no log.
    type: str
  external_id:
    description:
      - The external id that the roles ask for.
    type: str
"""
