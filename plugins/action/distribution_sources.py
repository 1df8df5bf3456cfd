# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``distribution_sources``: select the source of a distribution, without a process."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible.utils.path import unfrackpath
from ansible_collections.golden.images.plugins.module_utils._distribution.sources import (
    File,
    check_forms,
    list_manifests,
    select_sources,
)
from ansible_collections.golden.images.plugins.module_utils._distribution.write_files import check_files
from ansible_collections.golden.images.plugins.module_utils._failures import summary
from ansible_collections.golden.images.plugins.module_utils._wording import file_reason
from ansible_collections.golden.images.plugins.plugin_utils._result_display import shorten

_SPEC = {
    "source_image_id": {"type": "str"},
    "source_parameter": {"type": "str"},
    "source_filters": {"type": "dict"},
    "packer_manifest": {"type": "str"},
    "packer_run_uuid": {"type": "str"},
    "packer_build": {"type": "str"},
    "source_region": {"type": "str"},
    "sources": {"type": "dict", "default": {}},
    "name": {"type": "str"},
    "tags": {"type": "dict"},
    "shared_tags": {"type": "dict"},
    "publish_parameter": {"type": "str"},
    "launch_templates": {"type": "list", "elements": "str"},
    "verify_instance_type": {"type": "str"},
    "report_path": {"type": "str"},
    "report_dir": {"type": "str"},
    "report_s3_uri": {"type": "str"},
    "output_files": {"type": "list", "elements": "str", "default": []},
}


class ActionModule(ActionBase):
    """An action that reads files of the controller, and fails with all problems at once."""

    _requires_connection = False
    _supports_check_mode = True
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validation, given = self.validate_argument_spec(argument_spec=_SPEC)
        # In an AWX survey, two quotes are an empty text, which is no value.
        given = {name: None if value == "" else value for name, value in given.items()}
        sources, problems = (), check_forms(given["sources"])
        if not problems:
            sources, problems = select_sources(
                given, {path: read_file(path) for path in list_manifests(given)}
            )
        paths = [unfrackpath(path, follow=False) for path in given["output_files"]]
        failures = [*problems, *check_files(paths)]
        result.update(changed=False, failures=[failure.to_dict() for failure in failures])
        if failures:
            message = f"{summary(failures)}\nThis task changed nothing."
            return shorten({**result, "failed": True, "msg": message}, self._task)
        return {**result, "sources": list(sources)}


def read_file(path):
    """Return a file of the controller; a relative path is below the current directory."""
    try:
        with open(unfrackpath(path, follow=False), encoding="utf-8") as stream:
            return File(stream.read())
    except (OSError, ValueError) as exception:
        return File(problem=file_reason(exception))
