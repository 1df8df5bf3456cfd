# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the variables of the role that runs it: a role's first task, after the one that resets its facts.

It is an action without a module, and not public: only the roles of this collection use it.
"""

from __future__ import annotations

import os

from ansible.errors import AnsibleActionFail, AnsibleValueOmittedError
from ansible.module_utils.common.yaml import yaml_load
from ansible.plugins.action import ActionBase
from ansible.template import Templar, trust_as_template
from ansible_collections.golden.images.plugins.module_utils._failures import summary
from ansible_collections.golden.images.plugins.module_utils._read_yaml import parse_yaml
from ansible_collections.golden.images.plugins.module_utils._role_variables import RoleVariables, with_paths
from ansible_collections.golden.images.plugins.plugin_utils._result_display import shorten

_SPEC = {"hosts": {"type": "list", "elements": "str"}}

# Ansible imports this action before it forks a process for its task. The filters and tests of templates, and
# their lexer, are loaded once here; each process that needs them would otherwise load them again.
Templar().template(trust_as_template("{{ [] | length is even }}"))


class ActionModule(ActionBase):
    """An action that returns the role's variables as ``options``, or fails with all problems at once.

    Its result has ``check_mode``: whether the role's tasks run in check mode. With ``hosts``, the variables
    are those of these hosts, for tasks that run once for all of them; ``hosts`` of the result has what each
    has of its own. To read all in this process takes a tenth of what a task on each host does.
    """

    _requires_connection = False
    _supports_check_mode = True
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        self.validate_argument_spec(_SPEC)
        role = self._task._role
        if role is None:
            raise AnsibleActionFail("golden.images.role_variables is for the tasks of a role.")
        role = load_variables(role._role_path)
        own_host = task_vars.get("inventory_hostname")
        settings = {
            host: task_vars if host == own_host else self._settings_of(host)
            for host in self._task.args.get("hosts") or [own_host]
        }
        values, own, failures, warnings = role.read_hosts(
            {
                host: self._template_all(role.names, variables, host == own_host)
                for host, variables in settings.items()
            },
            {host: list_names(role.prefix, variables) for host, variables in settings.items()},
            parse_yaml,
        )
        if warnings:
            result["warnings"] = [*warnings]
        if failures:
            message = f"{summary(failures)}\nThis task changed nothing."
            return shorten({**result, "failed": True, "msg": message}, self._task)
        values = with_paths(role.variables, values, make_absolute)
        # This task is in check mode if the role's other tasks are. ansible_check_mode is only the option --check,
        # and keywords of plays, blocks and roles differ from it.
        result["check_mode"] = bool(self._task.check_mode)
        result["options"] = {name.removeprefix(role.prefix): value for name, value in values.items()}
        if own:
            result["hosts"] = own
        # The role registers the values, so the result has them; nothing may print a secret.
        result["_ansible_no_log"] = any(
            variable.no_log and values[variable.name] for variable in role.variables
        )
        return result

    def _settings_of(self, host):
        """Return the variables of another host of the play, as a task of it would have them."""
        task = self._task.copy()
        task.delegate_to = host
        manager = task.get_play().get_variable_manager()
        # The variables of a delegated task, whose inventory_hostname is that of the host that delegates, given
        # here. hostvars lacks those of the play and of the role.
        given = {"inventory_hostname": host}
        delegated, _name = manager.get_delegated_vars_and_hostname(self._templar, task, given)
        return delegated["ansible_delegated_vars"][host]

    def _template_all(self, names, settings, is_own):
        """Return the values of the variables that are set."""
        templar = self._templar if is_own else self._templar.copy_with_new_env(available_variables=settings)
        return {name: _evaluate(templar, settings[name]) for name in names if name in settings}


def _evaluate(templar, value):
    try:
        return templar.template(value)
    except AnsibleValueOmittedError:
        return None


def list_names(prefix, settings):
    """Return the names of the variables with the role's prefix that are set."""
    return [name for name in settings if name.startswith(prefix) and settings[name] not in (None, "")]


def make_absolute(path):
    """Return the path, if relative, below the directory in which Ansible was started.

    Modules on the controller run in the directory of the playbook (``_low_level_execute_command`` in
    ``ansible.plugins.action``), which is that of the installed collection for a playbook by its full name.
    """
    return os.path.abspath(os.path.expanduser(os.path.expandvars(path)))


def load_variables(role_path):
    """Return the variables of the role in a directory."""
    spec, table = (_load(role_path, name) for name in ("argument_specs.yml", "variables.yml"))
    return RoleVariables.declared(os.path.basename(role_path), spec, table)


def _load(role_path, name):
    with open(os.path.join(role_path, "meta", name), encoding="utf-8") as stream:
        return yaml_load(stream)
