# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuses tags with which a playbook of this collection would do nothing, without a process."""

from __future__ import annotations

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Fails if the tags of the run select no task of the play, whose other tasks have none."""

    _requires_connection = False
    _supports_check_mode = True
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        self.validate_argument_spec({})
        # Ansible sets it for plays of an imported playbook. The one that imports it may have any tags.
        result["imported"] = self._task.get_play()._included_path is not None
        tags, skipped = task_vars["ansible_run_tags"], task_vars["ansible_skip_tags"]
        if not (result["imported"] or selects_untagged(tags, skipped)):
            without = f", skipping {', '.join(skipped)}" if skipped else ""
            raise AnsibleActionFail(
                f"No task of this playbook has tags, so that it would do nothing with the tags {', '.join(tags)}"
                f"{without}. Run it without tags. Nothing was changed."
            )
        return result


def selects_untagged(tags, skipped):
    """Whether a run with these tags, and without those of ``skipped``, runs tasks that have no tags.

    Ansible documentation, "Tags", special tags: ``all``, ``untagged``, ``tagged``, ``always`` and ``never``.
    """
    special = {"all", "untagged"}
    return not special.isdisjoint(tags) and special.isdisjoint(skipped)
