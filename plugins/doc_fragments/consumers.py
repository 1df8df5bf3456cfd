# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The consumers that an image is shared with: documents ``option_groups.SharedImageOptions``."""

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
  consumer_copy_result:
    description:
      - The registered result of M(golden.images.ami_copy_regions), with C(account_ids), for the copies of those in
        O(copy_result) that accounts own. The one of a task that was skipped counts as none.
      - An account in O(account_ids) that owns an available copy in each region of O(copy_result) needs no access any more, and
        is left out. One of which a copy failed, or could not be read, is not.
      - Requires O(copy_result), and is refused with O(state=absent).
    type: dict
"""
