# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter: the names of the accounts that an inventory has."""

from __future__ import annotations

DOCUMENTATION = r"""
name: account_names
version_added: 0.1.0
short_description: The names of the accounts of an inventory
description:
  - Returns a mapping of account ID to name, such as O(golden.images.ami_share_audit#module:account_names) has.
  - An account is a host of the inventory with the variables C(account_id) and C(account_name), such as those of
    P(golden.images.accounts#inventory). Other hosts are left out.
author:
  - golden.images contributors !UNKNOWN
positional: names
options:
  _input:
    description:
      - The variable C(hostvars).
    type: dict
    required: true
  names:
    description:
      - Names of accounts by their IDs. They replace those of the inventory.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Audit with the names of the accounts on the page
  golden.images.ami_share_audit:
    regions: [us-east-1]
    report_dir: /var/lib/golden/audit
    account_names: "{{ hostvars | golden.images.account_names({'012345678901': 'sandbox'}) }}"
"""

RETURN = r"""
_value:
  description:
    - The names by account ID.
  type: dict
"""

import re

from jinja2 import Undefined

_ACCOUNT_ID = re.compile("[0-9]{12}")


def account_names(hostvars, names=None):
    """Return the names of the accounts of an inventory by their IDs, and ``names``, which replace them."""
    return {**dict(_list_accounts(hostvars)), **(names or {})}


def _list_accounts(hostvars):
    for host in hostvars:
        variables = hostvars[host]
        account_id, name = variables.get("account_id"), variables.get("account_name")
        # Ansible's value of a variable whose template needs one that is not set.
        if isinstance(account_id, Undefined) or isinstance(name, Undefined) or name is None:
            continue
        if _ACCOUNT_ID.fullmatch(str(account_id)):
            yield str(account_id), name


class FilterModule:
    """The filters of this file."""

    def filters(self):
        """Return the filters by name."""
        return {"account_names": account_names}
