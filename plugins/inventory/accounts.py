# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: accounts
version_added: 0.1.0
short_description: The accounts of an AWS organization as hosts
description:
  - Adds every active account of the organization as a host, and groups the hosts by organizational unit, tag and state.
  - Ansible does not log in to these hosts. They run their tasks on the controller (C(ansible_connection=local), with the
    controller's Python), so that a play runs modules for each account, which C(account_id) identifies.
  - The file name must end with C(golden_accounts.yml) or C(golden_accounts.yaml).
author:
  - golden.images contributors !UNKNOWN
options:
  plugin:
    description:
      - The name of this plugin.
    type: str
    required: true
    choices: [golden.images.accounts]
  statuses:
    description:
      - The states of accounts to include. V(all) includes all states.
      - By default, accounts that are suspended, closed or pending closure are excluded, because they cannot be used.
    type: list
    elements: str
    choices: [ACTIVE, PENDING_ACTIVATION, SUSPENDED, PENDING_CLOSURE, CLOSED, all]
    default: [ACTIVE]
  hostname:
    description:
      - The source of host names. Account names can contain spaces. Characters that are not shown, such as those that control a
        terminal, are replaced by their code points. The inventory fails if several accounts have the same name, which AWS
        allows.
    type: str
    choices: [account_id, account_name]
    default: account_id
  include_email:
    description:
      - Whether hosts have the variable C(email), the email address of the account's root user.
    type: bool
    default: false
  include_tags:
    description:
      - Whether to read the accounts' tags. This needs one call for each account, in addition to two calls for each
        organizational unit.
    type: bool
    default: true
  group_by:
    description:
      - The criteria of groups.
      - V(ou) creates a group such as C(ou_workloads_prod) for each organizational unit with accounts, as a child of its
        parent's group, so that C(ou_workloads) contains the accounts of all organizational units below it, too.
      - V(tags) creates groups such as C(tag_environment_prod), V(status) such as C(status_active).
      - Underscores replace characters that group names cannot contain. If two organizational units or two tags result in
        the same name, the ID or a hash is appended to each.
      - The group C(aws_accounts) always contains all accounts.
    type: list
    elements: str
    choices: [ou, tags, status]
    default: [ou, tags, status]
requirements:
  - python >= 3.11
  - boto3 >= 1.41.0
  - botocore >= 1.41.0
extends_documentation_fragment:
  - inventory_cache
  - constructed
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
  - amazon.aws.assume_role.plugins
notes:
  - The options of this plugin, other than those that it shares with other plugins, have the forms of a module's options. A
    list can be separated by commas or lines, and null and blank text count as not set.
  - Only the organization's management account and delegated administrators can list accounts. From other accounts, use
    O(assume_role_arn) to assume a role in one of these. The required permissions are C(organizations:ListRoots),
    C(organizations:ListOrganizationalUnitsForParent), C(organizations:ListAccountsForParent) and
    C(organizations:ListTagsForResource).
  - The variables of each host are C(account_id), C(account_name), C(status), C(ou_path) (such as C(/workloads/prod)), C(ou_id),
    C(account_tags) unless O(include_tags=false), and C(email) if O(include_email=true).
  - A cached result is used only with the profile, access key, role and endpoint with which it was read.
  - The inventory contains either all accounts or none. By default, Ansible only warns about an inventory that cannot be
    read. Set C(any_unparsed_is_failed) in the section C(inventory) of its configuration to fail instead.
"""

EXAMPLES = r"""
# golden_accounts.yml: all active accounts by ID, with the credentials of the environment
plugin: golden.images.accounts
---
# With a role in the management account, a cache of one hour, and a group for each value of one tag
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

import hashlib
import json
import os
import sys

from ansible_collections.amazon.aws.plugins.plugin_utils.inventory import AWSInventoryBase
from ansible_collections.golden.images.plugins.module_utils._aws import errors
from ansible_collections.golden.images.plugins.module_utils._aws.clients import organizations_config
from ansible_collections.golden.images.plugins.module_utils._aws.iam_actions import name_actions
from ansible_collections.golden.images.plugins.module_utils._aws.web_pages import refuse_web_pages
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._organization import read as read_accounts
from ansible_collections.golden.images.plugins.module_utils._organization.inventory import (
    STATES,
    InventoryOptions,
    NamingOptions,
    groups,
    host_variables,
    hosts,
)
from ansible_collections.golden.images.plugins.plugin_utils._option_forms import (
    ReadsOptions,
    read_documented_options,
)

# Settings that select credentials, without secrets: the options of amazon.aws, which it also reads from the
# environment, and variables that only the SDK reads (AWS SDKs and Tools Reference Guide, "Environment
# variables").
_CONNECTION = ("profile", "access_key", "assume_role_arn", "endpoint_url")
_ENVIRONMENT = (
    *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ROLE_ARN"),
    *("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ORGANIZATIONS"),
)
# The region of requests to Organizations if none is set: each partition has one endpoint.
_ASSUMED_REGION = "us-east-1"


class InventoryModule(ReadsOptions, AWSInventoryBase):
    """An inventory that reads all accounts from AWS or the cache before it adds the first host."""

    NAME = "golden.images.accounts"
    own_options = read_documented_options(DOCUMENTATION)
    INVENTORY_FILE_SUFFIXES = ("golden_accounts.yml", "golden_accounts.yaml")

    def parse(self, inventory, loader, path, cache=True):
        """Fill the inventory from the file at ``path``."""
        super().parse(inventory, loader, path, cache=cache)
        statuses = self.get_option("statuses")
        options = InventoryOptions(
            states=STATES if "all" in statuses else tuple(statuses),
            email=self.get_option("include_email"),
            tags=self.get_option("include_tags"),
            connection=self._hash_connection(),
        )
        naming = NamingOptions(self.get_option("hostname"), tuple(self.get_option("group_by")))
        try:
            accounts = hosts(self._read_accounts(options, path, cache), naming)
            host_groups = groups(accounts, naming)
        except errors.AWS_ERRORS as exception:
            self.fail_aws("The accounts cannot be listed", exception)
        except ValidationError as error:
            self.fail_aws(str(error))
        self._add_hosts(accounts, options)
        self._add_groups(host_groups)
        self._construct(accounts)

    def client(self, *arguments, **options):
        """Return a client of AWS, also to amazon.aws, which assumes the role."""
        client = super().client(*arguments, **options)
        refuse_web_pages(client.meta.events, client.meta.endpoint_url)
        name_actions(client.meta.events)
        return client

    def fail_aws(self, message, exception=None):
        """Fail with the remedy of an error of AWS, even if amazon.aws caught it as it assumed the role."""
        if isinstance(exception, errors.AWS_ERRORS):
            failure = errors.failure(exception, None, "AssumeRole")
            if not self.region:
                failure = errors.without_region(failure, _ASSUMED_REGION)
            message = f"{message}: {failure.sentence()}"
            exception = None
        super().fail_aws(message, exception)

    def _set_frozen_credentials(self):
        """Do nothing: amazon.aws would assume the role here, which a cached result does not need."""

    def _hash_connection(self):
        settings = [self.get_option(name) for name in _CONNECTION]
        settings += [os.environ.get(name) for name in _ENVIRONMENT]
        return hashlib.sha256(json.dumps(settings).encode()).hexdigest()

    def _read_accounts(self, options, path, cache):
        is_cached, cached = self.get_cached_result(path, cache)
        accounts = options.from_cache(cached) if is_cached else None
        if accounts is None:
            accounts = self._list_accounts(options)
            # This replaces a cached result that must not be used or has other options.
            self.update_cached_result(path, False, options.as_cache(accounts))
        return accounts

    def _list_accounts(self, options):
        try:
            super()._set_frozen_credentials()
            client = self.client("organizations", config=organizations_config())
            return read_accounts.accounts(client, options)
        except errors.AWS_ERRORS:
            raise
        except errors.UNREADABLE as exception:
            raise ValidationError([errors.unreadable(exception, "ListRoots")]) from exception

    def _add_hosts(self, accounts, options):
        on_controller = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        for name, account in accounts.items():
            self.inventory.add_host(name)
            for variable, value in {**on_controller, **host_variables(account, options)}.items():
                self.inventory.set_variable(name, variable, value)

    def _add_groups(self, host_groups):
        for name in host_groups:
            self.inventory.add_group(name)
        for name, group in host_groups.items():
            for child in (*group.children, *group.hosts):
                self.inventory.add_child(name, child)

    def _construct(self, accounts):
        strict = self.get_option("strict")
        for name in accounts:
            variables = self.inventory.get_host(name).get_vars()
            self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
            # Groups can use composed variables.
            variables = self.inventory.get_host(name).get_vars()
            self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
            self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict=strict)
