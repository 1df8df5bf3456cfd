# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: accounts
version_added: 0.1.0
short_description: The accounts of an AWS organization as hosts
description:
  - Makes every active account of the organization a host, and groups them by organizational unit, tag and state.
  - Nothing is logged in to. Hosts run their tasks on the controller (C(ansible_connection=local), with the controller's
    Python), so that a play over accounts runs modules for each of them, with C(account_id) to say which.
  - The file's name must end in C(golden_accounts.yml) or C(golden_accounts.yaml).
author:
  - golden.images contributors !UNKNOWN
options:
  plugin:
    description:
      - Says that the file is for this plugin.
    type: str
    required: true
    choices: [golden.images.accounts]
  statuses:
    description:
      - The states of accounts to list; V(all) stands for all of them.
      - Accounts that are suspended, closed or being closed cannot be used, and are left out unless they are asked for.
    type: list
    elements: str
    choices: [ACTIVE, PENDING_ACTIVATION, SUSPENDED, PENDING_CLOSURE, CLOSED, all]
    default: [ACTIVE]
  hostname:
    description:
      - What hosts are called. Names may hold blanks, and AWS lets several accounts have the same one, which is refused.
    type: str
    choices: [account_id, account_name]
    default: account_id
  include_email:
    description:
      - Whether hosts have the variable C(email), the address of the account's root user.
    type: bool
    default: false
  include_tags:
    description:
      - Whether to read the accounts' tags. That is one call for each account; all else is two for each unit.
    type: bool
    default: true
  group_by:
    description:
      - By what to group.
      - V(ou) makes a group such as C(ou_workloads_prod) of each unit that has accounts, inside the group of the unit around
        it, so that C(ou_workloads) holds the accounts of all units inside.
      - V(tags) makes groups such as C(tag_environment_prod), V(status) such as C(status_active).
      - Characters that cannot be in a group's name become underscores. Where two units or two tags come to the same name,
        each has the unit's id, or a hash, added.
      - The group C(aws_accounts) always holds all.
    type: list
    elements: str
    choices: [ou, tags, status]
    default: [ou, tags, status]
extends_documentation_fragment:
  - inventory_cache
  - constructed
  - amazon.aws.boto3
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
  - amazon.aws.assume_role.plugins
notes:
  - AWS lists accounts to the organization's management account and to delegated administrators only. O(assume_role_arn) lets
    others act as one of these. The actions C(organizations:ListRoots), C(organizations:ListOrganizationalUnitsForParent),
    C(organizations:ListAccountsForParent) and C(organizations:ListTagsForResource) are needed.
  - Variables of each host are C(account_id), C(account_name), C(status), C(ou_path) (such as C(/workloads/prod)), C(ou_id),
    C(account_tags) unless O(include_tags=false), and C(email) if O(include_email=true).
  - Either all accounts are listed or none. By default Ansible only warns of an inventory that could not be read; set
    C(any_unparsed_is_failed) in the section C(inventory) of its configuration to end there.
"""

EXAMPLES = r"""
# golden_accounts.yml: all active accounts, by id, with the credentials of the environment
plugin: golden.images.accounts
---
# As a role of the management account, kept for an hour, with a group for each value of one tag
plugin: golden.images.accounts
assume_role_arn: arn:aws:iam::111122223333:role/list-accounts
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/golden-accounts
cache_timeout: 3600
group_by: [ou]
keyed_groups:
  - key: account_tags.environment
    prefix: env
    default_value: unknown
compose:
  golden_region: "'eu-central-1' if account_tags.home == 'eu' else 'us-east-1'"
groups:
  production: ou_path.startswith('/workloads/prod')
"""

import sys

from ansible_collections.amazon.aws.plugins.plugin_utils.inventory import AWSInventoryBase
from ansible_collections.golden.images.plugins.module_utils.aws.clients import organizations_config
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.organization import read as read_accounts
from ansible_collections.golden.images.plugins.module_utils.organization.inventory import (
    STATES,
    InventoryOptions,
    NamingOptions,
    groups,
    host_variables,
    hosts,
)


class InventoryModule(AWSInventoryBase):
    """Reads all accounts, or takes them from the cache, before it adds the first host."""

    NAME = "golden.images.accounts"
    INVENTORY_FILE_SUFFIXES = ("golden_accounts.yml", "golden_accounts.yaml")

    def parse(self, inventory, loader, path, cache=True):
        """Fill the inventory from the file at ``path``."""
        super().parse(inventory, loader, path, cache=cache)
        statuses = self.get_option("statuses")
        asked = InventoryOptions(
            states=STATES if "all" in statuses else tuple(statuses),
            email=self.get_option("include_email"),
            tags=self.get_option("include_tags"),
        )
        naming = NamingOptions(self.get_option("hostname"), tuple(self.get_option("group_by")))
        try:
            named = hosts(self._accounts(asked, path, cache), naming)
        except Refused as refused:
            self.fail_aws(str(refused))
        self._add_hosts(named, asked)
        self._add_groups(groups(named, naming))
        self._construct(named)

    def _accounts(self, asked, path, cache):
        found, cached = self.get_cached_result(path, cache)
        accounts = asked.from_cache(cached) if found else None
        if accounts is None:
            client = self.client("organizations", config=organizations_config())
            accounts = read_accounts.accounts(client, asked)
            # What is kept already was not asked for in the same way, or is not to be used: it is replaced.
            self.update_cached_result(path, False, asked.as_cache(accounts))
        return accounts

    def _add_hosts(self, named, asked):
        on_controller = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        for name, account in named.items():
            self.inventory.add_host(name)
            for variable, value in {**on_controller, **host_variables(account, asked)}.items():
                self.inventory.set_variable(name, variable, value)

    def _add_groups(self, grouped):
        for name in grouped:
            self.inventory.add_group(name)
        for name, group in grouped.items():
            for child in (*group.children, *group.hosts):
                self.inventory.add_child(name, child)

    def _construct(self, named):
        strict = self.get_option("strict")
        for name in named:
            variables = self.inventory.get_host(name).get_vars()
            self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
            # Groups see what was composed.
            variables = self.inventory.get_host(name).get_vars()
            self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
            self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict=strict)
