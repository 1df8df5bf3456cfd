# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter: a registered result with what was left out of it because it is large."""

from __future__ import annotations

DOCUMENTATION = r"""
name: whole_result
version_added: 0.1.0
short_description: A registered result with what was left out of it because it is large
description:
  - Returns the registered result of a module of this collection. If values were left out of it because it is
    large, they are read from the file that its C(result_path) names, on the controller.
  - The modules of this collection need no filter for registered results that they are given as a whole.
  - Fails if the file cannot be read, for example because the result was registered in another job.
author:
  - golden.images contributors !UNKNOWN
options:
  _input:
    description:
      - The registered result. Any other value is returned as it is.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Show each copy
  ansible.builtin.debug:
    msg: "{{ item.account_id }} has {{ item.image_id }} in {{ item.region }}"
  loop: "{{ (copies | golden.images.whole_result).images }}"
"""

RETURN = r"""
_value:
  description:
    - The whole result.
  type: dict
"""

from ansible.errors import AnsibleFilterError
from ansible_collections.golden.images.plugins.plugin_utils._large_results import (
    UnreadableResultError,
    read_whole,
)


def whole_result(result):
    """Return a registered result with what was left out of it."""
    try:
        return read_whole(result)
    except UnreadableResultError as error:
        raise AnsibleFilterError(f"whole_result: {error}") from None


class FilterModule:
    """The filters of this file."""

    def filters(self):
        """Return the filters by name."""
        return {"whole_result": whole_result}
