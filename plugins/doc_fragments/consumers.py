# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom an image is shared with: documents ``arguments.CONSUMERS_SPEC``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  account_ids:
    description:
      - AWS accounts, each 12 digits as text.
      - Put each in quotes. YAML reads unquoted digits as a number, which loses a leading zero, so a number is refused.
    type: list
    elements: raw
    default: []
  org_arns:
    description:
      - Full ARNs of AWS organizations.
    type: list
    elements: str
    default: []
  org_unit_arns:
    description:
      - Full ARNs of organizational units. One covers the units nested in it.
    type: list
    elements: str
    default: []
"""
