# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules run in this process against the simulated AWS: one takes a thirtieth of a playbook's CPU time."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any
from unittest import mock

from ansible.module_utils.testing import patch_module_args
from ansible_collections.golden.images.plugins.module_utils import _runner
from ansible_collections.golden.images.plugins.plugin_utils._runs_here import read_attachments

from simulated_aws.client import SimulatedAws

from .playbook import MODULES, Ansible, Run, Task

_MODULES = "ansible_collections.golden.images.plugins.modules."


def run(
    aws: SimulatedAws, account: str, module: str, options: Mapping[str, Any], *, check: bool = False
) -> dict[str, Any]:
    """The result of a module with an account's credentials, as Ansible gets it from the module's process."""
    credentials = aws.environment(account)
    return without_aws(
        module,
        {
            "access_key": credentials["AWS_ACCESS_KEY_ID"],
            "secret_key": credentials["AWS_SECRET_ACCESS_KEY"],
            "endpoint_url": aws.url,
            "region": credentials["AWS_REGION"],
            **options,
        },
        check=check,
    )


def without_aws(module: str, options: Mapping[str, Any], *, check: bool = False) -> dict[str, Any]:
    """The result of a module that calls no AWS API."""
    arguments = {"_ansible_check_mode": check, "_ansible_diff": True, **options}
    printed = io.StringIO()
    main = importlib.import_module(_MODULES + module).main
    # The module exits after it has printed its result.
    with patch_module_args(arguments), contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        main()
    result: dict[str, Any] = json.loads(printed.getvalue())
    # In a process of its own, the module has the warnings of this run alone.
    return {name: value for name, value in result.items() if name != "warnings"}


def as_action(
    module: str, options: Mapping[str, Any], *, check: bool = False, diff: bool = False
) -> dict[str, Any]:
    """The result of a module as its action gets it, and its warnings; credentials are in the environment."""
    flow = importlib.import_module(_MODULES + module).FLOW
    modes = {"_ansible_check_mode": check, "_ansible_diff": diff}
    # As from a task: JSON values alone.
    arguments = json.loads(json.dumps({**options, **modes, **read_attachments(flow.attaches)}))
    warnings: list[str] = []
    with mock.patch.object(_runner, "warn", warnings.append):
        result: dict[str, Any] = json.loads(json.dumps(_runner.run_here(flow, arguments)))
    return {**result, **({"warnings": warnings} if warnings else {})}


class Modules(Ansible):
    """Runs tasks of this collection's modules as their actions run them, without a playbook.

    For tests of a module's work in AWS. Playbooks test what Ansible itself does with a task: templates, the
    screen, results that are too large for it.
    """

    def __init__(self, ansible: Ansible) -> None:
        self.folder, self.environment = ansible.folder, ansible.environment

    def tasks(
        self,
        tasks: Sequence[Mapping[str, Any]],
        *options: str,
        environment: Mapping[str, str] | None = None,
        **play: Any,
    ) -> Run:
        """Run tasks of modules, with no keywords but ``name``, ``check_mode`` and ``ignore_errors``."""
        assert {*options} <= {"--check", "--diff"}, options
        assert not environment
        assert not play
        done: list[Task] = []
        warnings: list[str] = []
        for task in tasks:
            (action,) = (name for name in task if name.startswith(MODULES))
            assert task.keys() <= {action, "name", "check_mode", "ignore_errors"}, task
            check = bool(task.get("check_mode", "--check" in options))
            with mock.patch.dict(os.environ, self.environment, clear=True), contextlib.chdir(self.folder):
                result = as_action(
                    action.removeprefix(MODULES), task[action], check=check, diff="--diff" in options
                )
            warnings += result.get("warnings", ())
            status = "failed" if result.get("failed") else "ok"
            done.append(Task(task.get("name", action), action, status, result))
            if status == "failed" and not task.get("ignore_errors"):
                break
        is_failed = done[-1].status == "failed" and not task.get("ignore_errors")
        shown = "\n".join(json.dumps(task.result) for task in done)
        return Run(2 if is_failed else 0, shown, "\n".join(warnings), tuple(done))
