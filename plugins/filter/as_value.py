# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter: a variable that is a mapping or a list of mappings, or text of a survey that means one."""

from __future__ import annotations

DOCUMENTATION = r"""
name: as_value
version_added: 0.1.0
short_description: Turn the text of a survey's answer into a mapping or a list
description:
  - AWX and automation controller send the answer to a survey question as text. This filter reads it as YAML, which
    includes JSON, so that a variable can be a mapping in a playbook and an answer in a survey.
author:
  - golden.images contributors !UNKNOWN
positional: _input
options:
  _input:
    description:
      - A value, or its text, or nothing.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Share the images of a survey's answer
  golden.images.ami_share:
    images: "{{ images | golden.images.as_value }}"
    account_ids: ["012345678901"]
  vars:
    images: |
      eu-west-1: ami-0123456789abcdef0
"""

RETURN = r"""
_value:
  description:
    - The value that the text means, and any other value as it is.
    - Text that is not YAML, or a date or another value that JSON lacks, stays text, which modules refuse with the name of
      the variable.
  type: raw
"""

import json

import yaml

# What PyYAML raises for text such as "[", "2026-13-45", "!!bool x", "!!timestamp x" and thousands of "[", and
# the json module for dates, sets and aliases of themselves: no variable has such a value.
_NO_VALUE = (yaml.YAMLError, AttributeError, KeyError, RecursionError, TypeError, ValueError)


def as_value(value):
    """The value that ``value`` means, if it is text."""
    if not isinstance(value, str):
        return value
    try:
        meant = yaml.safe_load(value)
        json.dumps(meant)
    except _NO_VALUE:
        return value
    return meant


class FilterModule:
    """The filters of this file."""

    def filters(self):
        """Name to filter."""
        return {"as_value": as_value}
