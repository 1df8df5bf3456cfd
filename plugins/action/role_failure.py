# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``role_failure``: fail with a message, if there is one. Ansible's own ``fail`` displays it twice."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.golden.images.plugins.module_utils._verification.outcome import list_messages
from ansible_collections.golden.images.plugins.plugin_utils._result_display import shorten

_SPEC = {
    "msg": {"type": "str"},
    "results": {"type": "list", "elements": "dict"},
}


class ActionModule(ActionBase):
    """An action that fails with the message, or with those of registered results, unless there is none."""

    _requires_connection = False
    _supports_check_mode = True
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validation, given = self.validate_argument_spec(
            argument_spec=_SPEC, required_one_of=[("msg", "results")], mutually_exclusive=[("msg", "results")]
        )
        result["changed"] = False
        message = given["msg"] or "\n".join(list_messages(given["results"] or ()))
        return shorten({**result, "failed": True, "msg": message}, self._task) if message else result
