# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the options of lookup and inventory plugins in the forms that the options of modules have."""

from __future__ import annotations

from ansible.module_utils.common.yaml import yaml_load
from ansible_collections.golden.images.plugins.module_utils._failures import summary
from ansible_collections.golden.images.plugins.module_utils._read_yaml import parse_yaml
from ansible_collections.golden.images.plugins.module_utils._variables import options_of, read_options


def read_documented_options(documentation):
    """Return the options that a plugin documents."""
    return options_of(yaml_load(documentation)["options"])


class ReadsOptions:
    """A plugin of amazon.aws that reads ``own_options`` before Ansible applies its types.

    Ansible would split a list at commas only, refuse text as a mapping and a choice in another case, and take
    a number as text.
    """

    own_options = ()

    def set_options(self, task_keys=None, var_options=None, direct=None):
        """Set the options of the plugin, or fail with all problems of its own options."""
        values, failures = read_options(self.own_options, direct or {}, parse_yaml)
        if failures:
            self.fail_aws(summary(failures))
        super().set_options(task_keys=task_keys, var_options=var_options, direct=values)
