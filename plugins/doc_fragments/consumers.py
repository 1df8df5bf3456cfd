# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The consumers that an image is shared with: documents ``option_groups.ConsumerOptions``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  account_ids:
    description:
      - IDs of AWS accounts, 12 digits each.
      - Quote each ID. YAML reads unquoted digits as a number. One of 12 digits is accepted; one with fewer digits has lost a
        leading zero and is refused.
    type: list
    elements: str
    default: []
  org_arns:
    description:
      - Full ARNs of AWS organizations.
    type: list
    elements: str
    default: []
  org_unit_arns:
    description:
      - Full ARNs of organizational units. An organizational unit includes those nested in it.
    type: list
    elements: str
    default: []
"""
