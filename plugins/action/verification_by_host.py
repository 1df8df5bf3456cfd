# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``verification_by_host``: divide one verification of many accounts among the hosts of these accounts."""

from __future__ import annotations

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.golden.images.plugins.module_utils._verification.by_host import divide
from ansible_collections.golden.images.plugins.plugin_utils._large_results import (
    UnreadableResultError,
    limit_result,
    read_whole,
)

_SPEC = {
    "verify_result": {"type": "dict", "required": True},
    "hosts": {"type": "dict", "required": True},
}


class ActionModule(ActionBase):
    """An action that returns, as ``by_host``, the facts of each host and the message with which it fails.

    It is in a mapping of its own, so that it is left out of a large result as a whole.
    """

    _requires_connection = False
    _supports_check_mode = True
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        returned = super().run(tmp, task_vars)
        _validation, given = self.validate_argument_spec(argument_spec=_SPEC)
        try:
            result = read_whole(given["verify_result"])
            by_host = divide(result, given["hosts"], bool(self._task.check_mode))
        except UnreadableResultError as error:
            raise AnsibleActionFail(f"verify_result: {error}") from None
        except (AttributeError, LookupError, TypeError, ValueError):
            # Ansible would append the message of a cause.
            raise AnsibleActionFail(
                "verify_result: it is not a result of ami_verify with return_report, or hosts has not the accounts of "
                "each host. Pass what the role verify registered."
            ) from None
        return limit_result({**returned, "changed": False, "divided": {"by_host": by_host}})
