# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``role_failure``: fail with a message, if there is one. Ansible's own ``fail`` displays it twice."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.golden.images.plugins.plugin_utils._result_display import shorten

_SPEC = {"msg": {"type": "str", "required": True}}


class ActionModule(ActionBase):
    """An action that fails unless the message is empty."""

    _requires_connection = False
    _supports_check_mode = True
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validation, given = self.validate_argument_spec(argument_spec=_SPEC)
        result["changed"] = False
        return (
            shorten({**result, "failed": True, "msg": given["msg"]}, self._task) if given["msg"] else result
        )
