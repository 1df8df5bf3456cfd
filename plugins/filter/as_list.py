# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter: a variable that is a list, or text of a survey that means one."""

from __future__ import annotations

DOCUMENTATION = r"""
name: as_list
version_added: 0.1.0
short_description: Turn the text of a survey's answer into a list
description:
  - AWX and automation controller send the answer to a survey question as text. This filter splits it, so that a variable
    can be a list in a playbook and an answer in a survey.
author:
  - golden.images contributors !UNKNOWN
positional: _input
options:
  _input:
    description:
      - A list, or text whose items are separated by commas or lines, or nothing.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Share with the accounts of a survey's answer
  golden.images.ami_share:
    images: "{{ images }}"
    account_ids: "{{ account_ids | golden.images.as_list }}"
  vars:
    account_ids: |
      012345678901
      222222222222
"""

RETURN = r"""
_value:
  description:
    - The items without surrounding space. Empty lines of text are dropped. A list keeps its empty items, which modules
      refuse.
    - Lists and mappings among the items become JSON text, so that modules can refuse them as they are written.
    - Empty for null and for empty text.
  type: list
  elements: raw
"""

import json


def as_list(value):
    """The list that ``value`` means; one that is neither text nor a list is its only item."""
    if value is None:
        return []
    if isinstance(value, str):
        items = (item.strip() for line in value.splitlines() for item in line.split(","))
        return [item for item in items if item]
    given = value if isinstance(value, (list, tuple)) else [value]
    return [_item(item) for item in given]


def _item(item):
    if isinstance(item, (list, tuple, dict)):
        try:
            # YAML has dates, which JSON lacks.
            return json.dumps(item, default=str)
        except (RecursionError, TypeError, ValueError):
            return str(item)
    return item.strip() if isinstance(item, str) else item


class FilterModule:
    """The filters of this file."""

    def filters(self):
        """Name to filter."""
        return {"as_list": as_list}
