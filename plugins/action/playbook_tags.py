# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse tags with which a playbook of this collection would do nothing, without a process."""

from __future__ import annotations

import os

from ansible import context
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.playbook import Playbook
from ansible.plugins.action import ActionBase

# Actions that run with any tags and change nothing: this one, and the one that Ansible adds to roles with an
# argument spec.
_CHECKS = frozenset({"golden.images.playbook_tags", "ansible.builtin.validate_argument_spec"})


class ActionModule(ActionBase):
    """An action that fails if the tags of the run select no other task.

    No other task of this collection's plays has tags. A playbook that imports such a play can have any tags.
    """

    _requires_connection = False
    _supports_check_mode = True
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        self.validate_argument_spec({})
        play = self._task.get_play()
        # Ansible sets it for plays of an imported playbook.
        result["imported"] = play._included_path is not None
        tags, skipped = task_vars["ansible_run_tags"], task_vars["ansible_skip_tags"]
        if selects_untagged(tags, skipped):
            return result
        given = f"the tags {', '.join(tags)}" + (f", skipping {', '.join(skipped)}" if skipped else "")
        if not result["imported"]:
            raise AnsibleActionFail(
                f"No task of this playbook has tags, so that it would do nothing with {given}. "
                "Run it without tags. Nothing was changed."
            )
        if selects_nothing(context.CLIARGS.get("args", ()), play.get_variable_manager(), self._loader):
            raise AnsibleActionFail(
                f"The playbook would do nothing with {given}. Use tags that it has, as ansible-playbook "
                "--list-tags shows. Nothing was changed."
            )
        return result


def selects_untagged(tags, skipped):
    """Whether a run with these tags, and without the tags of ``skipped``, runs tasks without tags.

    Ansible documentation, "Tags", special tags: ``all``, ``untagged``, ``tagged``, ``always`` and ``never``.
    """
    special = {"all", "untagged"}
    return not special.isdisjoint(tags) and special.isdisjoint(skipped)


def selects_nothing(playbooks, variable_manager, loader):
    """Whether the tags of the run select no task of its playbooks, as ``--list-tasks`` would show.

    It is False if that is not certain, because a playbook is no regular file or cannot be read again.
    """
    if not (playbooks and all(map(os.path.isfile, playbooks))):
        return False
    try:
        return not any(
            _selects_task(play, variable_manager)
            for path in playbooks
            for play in Playbook.load(path, variable_manager=variable_manager, loader=loader).get_plays()
        )
    except AnsibleError:
        return False


def _selects_task(play, variable_manager):
    variables = variable_manager.get_vars(play=play)
    return any(
        not (task.implicit or task.action in _CHECKS)
        for block in play.compile()
        for task in block.filter_tagged_tasks(variables).get_tasks()
    )
