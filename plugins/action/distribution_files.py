# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``distribution_files``: write files for other tools on the controller, without a process."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible.utils.path import unfrackpath
from ansible_collections.golden.images.plugins.module_utils._distribution.output import Images
from ansible_collections.golden.images.plugins.module_utils._distribution.write_files import (
    render_changed_files,
    write_files,
)
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError, summary
from ansible_collections.golden.images.plugins.plugin_utils._result_display import shorten

_SPEC = {
    "output_files": {"type": "list", "elements": "str", "required": True},
    "images": {"type": "dict", "default": {}},
    "images_by_source": {"type": "dict", "default": {}},
}


class ActionModule(ActionBase):
    """An action that writes the files whose content changes."""

    _requires_connection = False
    _supports_check_mode = True
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validation, given = self.validate_argument_spec(argument_spec=_SPEC)
        images = Images(given["images"], given["images_by_source"])
        paths = [unfrackpath(path, follow=False) for path in given["output_files"]]
        try:
            texts = render_changed_files(paths, images)
        except ValidationError as error:
            written, failures = [], error.failures
        else:
            written, failures = (list(texts), []) if self._task.check_mode else write_files(texts)
        result.update(
            changed=bool(written), files=written, failures=[failure.to_dict() for failure in failures]
        )
        return (
            shorten({**result, "failed": True, "msg": summary(failures)}, self._task) if failures else result
        )
