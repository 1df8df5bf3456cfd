# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run modules on the controller without a process, where the result is the same."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import sys
import traceback
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ansible import constants
from ansible.errors import AnsibleValueOmittedError
from ansible.module_utils.common.json import Direction, get_module_encoder
from ansible.module_utils.common.yaml import yaml_load
from ansible_collections.golden.images.plugins.module_utils._failures import invalid_option
from ansible_collections.golden.images.plugins.module_utils._reports.document import COLLECTION_VERSION
from ansible_collections.golden.images.plugins.module_utils._runner import (
    ATTACHED,
    preload,
    refusal,
    run_here,
)
from ansible_collections.golden.images.plugins.module_utils._variables import options_of, with_text_keys
from ansible_collections.golden.images.plugins.plugin_utils._large_results import (
    UnreadableResultError,
    read_whole_options,
)
from ansible_collections.golden.images.plugins.plugin_utils._result_display import (
    ShortFailures,
    count_results,
)

# The types that JSON text becomes, besides dict and list.
_TEXT = frozenset({str})
_SCALARS = _TEXT | {int, float, bool, type(None)}


class RunsHere(ShortFailures):
    """An action that runs ``_flow``, that of the task's module, in this process if possible, or the module.

    Starting a process takes longer than most modules run. A module reads and writes files on its host, as its
    user and with its environment, which are those of this process only if the connection is local and the
    task changes neither. A module that calls AWS needs the boto3 of its host's Python, which must be the
    Python of this process.

    As from a process, the output of libraries is lost, and an exception is a failed result.
    """

    _flow = None
    _has_module = True

    def __init_subclass__(cls, **kwargs):
        """Load the libraries of modules that call AWS, before Ansible forks a process for each task.

        Ansible's strategies import the action that has the name of a task before they fork. What is imported
        later is imported again for the next task: Ansible compiles a collection's files at each import.

        All objects that exist by then, which stay, are left out of garbage collections: a collection writes
        to each object, and the process of a task copies each page of memory that it writes to.
        """
        super().__init_subclass__(**kwargs)
        if cls._flow and cls._flow.needs_aws:
            # A task fails with its own message without the collection amazon.aws or the models.
            with contextlib.suppress(ImportError, OSError, ValueError):
                preload()
        gc.freeze()

    def run(self, tmp=None, task_vars=None):
        variables = task_vars or {}
        options = options_of(self._flow.options.argument_spec())
        self._task.args, unreadable = with_text_keys(options, self._task.args)
        if unreadable:
            return self._shorten_result({"failed": True, **refusal(unreadable)})
        try:
            self._task.args = read_whole_options(self._task.args)
        except UnreadableResultError as error:
            unread = invalid_option(str(error).partition(":")[0], str(error), "")
            return self._shorten_result({"failed": True, **refusal([unread])})
        if not self._can_run_here(variables):
            self._task.args = {**self._task.args, **read_attachments(self._flow.attaches)}
            return super().run(tmp, task_vars)
        _collect_rarely()
        # The options of a module that does not need AWS are results of other modules, which can be large.
        with_invocation = self._flow.needs_aws and _injects_invocation(variables)
        # The module's process would start in this directory, to which relative paths belong.
        with contextlib.chdir(self._loader.get_basedir()), _without_output():
            try:
                result = run_here(self._flow, self._arguments(), with_invocation)
            except Exception as exception:  # noqa: BLE001  (not swallowed: it is the result)
                # failed_when, until and the tasks of always apply to a failed result.
                result = _crash_result(exception)
        result = _serialize(result, Direction.MODULE_TO_CONTROLLER)
        return self._shorten_result(result, count_results(variables))

    def _can_run_here(self, task_vars):
        task, connection = self._task, self._connection
        return not self._has_module or (
            connection.transport == "local"
            and not connection.become
            and not task.async_val
            # The threads of the flow would go on after the timeout.
            and not task.timeout
            and not any(task.environment or ())
            and (not self._flow.calls_aws(task.args) or self._can_call_aws_here(task_vars))
        )

    def _can_call_aws_here(self, task_vars):
        # With these, amazon.aws lets botocore log requests with their secrets, which Ansible's log file would
        # have, also for later tasks.
        option = self._task.args.get("debug_botocore_endpoint_logs")
        logs = option or os.environ.get("ANSIBLE_DEBUG_BOTOCORE_LOGS")
        # On macOS, botocore's look-up of proxies must not be called between fork and exec.
        is_mac = sys.platform == "darwin"
        return not logs and not is_mac and self._has_boto3(task_vars)

    def _has_boto3(self, task_vars):
        """Whether the module's Python is the Python of this process, and has boto3."""
        delegate = self._task.delegate_to
        variables = task_vars["ansible_delegated_vars"][delegate] if delegate else task_vars
        # Without a setting, Ansible discovers a Python, which need not be the one that runs Ansible.
        interpreter = constants.config.get_config_value("INTERPRETER_PYTHON", variables=variables)
        try:
            python = self._templar.template(interpreter)
        except AnsibleValueOmittedError:
            return False
        return python == sys.executable and find_spec("boto3") is not None

    def _arguments(self):
        internal = {
            "check_mode": self._task.check_mode,
            "diff": self._task.diff,
            "module_name": self._task.action,
            "verbosity": self._display.verbosity,
        }
        # Each option is serialized by itself: in one mapping, all would be copied because of the names' tags.
        options = {
            str(name): _serialize(value, Direction.CONTROLLER_TO_MODULE)
            for name, value in self._task.args.items()
        }
        internal_options = {f"_ansible_{name}": value for name, value in internal.items()}
        return {**options, **internal_options, **read_attachments(self._flow.attaches)}


class RunsOnlyHere(RunsHere):
    """Action without a module: it runs ``_flow``, which calls no AWS, on the controller only."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _has_module = False
    # The templates of a role read each of its values.
    _limits_result = False


@cache
def _collect_rarely():
    """Leave Ansible's many objects out of garbage collections, and collect only after 10,000 new ones.

    The clients of a module are most of its new objects, and stay until its end. Only once: one process runs
    all items of a loop, and objects of earlier items must not stay.
    """
    gc.freeze()
    gc.set_threshold(10_000)


@cache
def read_attachments(folder):
    """Return the argument with the files in this folder of ``plugin_utils``; empty without a folder."""
    if not folder:
        return {}
    paths = sorted(Path(__file__).with_name(folder).iterdir())
    files = {path.name: path.read_text(encoding="utf-8") for path in paths}
    return {ATTACHED: {**files, COLLECTION_VERSION: _read_collection_version()}}


def _read_collection_version():
    """Return the version in the manifest of the installed collection, or in galaxy.yml of a checkout."""
    root = Path(__file__).parents[2]
    with contextlib.suppress(FileNotFoundError):
        return json.loads((root / "MANIFEST.json").read_text(encoding="utf-8"))["collection_info"]["version"]
    return str(yaml_load((root / "galaxy.yml").read_text(encoding="utf-8"))["version"])


@contextlib.contextmanager
def _without_output():
    """Drop the output of libraries, which Ansible would display as a warning."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def _crash_result(exception):
    return {
        "changed": False,
        "exception": "".join(traceback.format_exception(exception)),
        "failed": True,
        "msg": f"{type(exception).__name__}: {exception}",
    }


def _injects_invocation(variables):
    """Whether a module returns its options: always before ansible-core 2.21, by a setting since then."""
    name, config = "INJECT_INVOCATION", constants.config
    return config.get_configuration_definition(name) is None or config.get_config_value(
        name, variables=variables
    )


def _serialize(values, direction):
    """Return options or a result as from another process: plain JSON values, without Ansible's tags."""
    if _is_plain(values):
        return values
    try:
        # Ansible's encoder takes long for large values, and has an effect only on types that JSON lacks.
        text = json.dumps(values)
    except TypeError:
        text = json.dumps(values, cls=get_module_encoder("legacy", direction))
    return json.loads(text)


def _is_plain(values):
    """Whether all parts have the types that JSON text becomes.

    Plain values need no copy, which is 50 MB for the audit of ten thousand images.
    """
    waiting = [values]
    while waiting:
        value = waiting.pop()
        kind = type(value)
        if kind is dict:
            if not {*map(type, value)} <= _TEXT:
                return False
            parts = value.values()
        elif kind is list:
            parts = value
        elif kind in _SCALARS:
            continue
        else:
            return False
        waiting.extend(part for part in parts if type(part) not in _SCALARS)
    return True
