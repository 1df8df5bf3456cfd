# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role to assume in other accounts: documents ``option_groups.ConsumerRoleOptions``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  consumer_role_name:
    description:
      - The name of a role that exists in each of the other accounts and that these credentials may assume.
      - The role's credentials are not returned and not logged.
    type: str
  external_id:
    description:
      - The external ID that the trust policies of the roles require.
    type: str
"""
