# SPDX-License-Identifier: GPL-3.0-or-later

"""Callback that writes to a file what each task returned and what a person sees."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from ansible import constants
from ansible.plugins.callback.default import CallbackModule as DefaultCallback
from ansible.utils.display import Display

DOCUMENTATION = """
name: behaviour
type: aggregate
short_description: Record results and screen
description:
  - Writes the tasks with their results, and the screen of the callback C(default), to a file in the folder
    that the environment variable E(RECORD_BEHAVIOUR) names.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
"""
_EVENT = '{"_event":'


class _File:
    """The file of this process: a JSON value in each line."""

    def __init__(self) -> None:
        name = f"{time.time_ns()}-{os.getpid()}.jsonl"
        self._path = Path(os.environ["RECORD_BEHAVIOUR"], name)

    def write(self, **value) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(value, default=str) + "\n")


class _Screen:
    """A display that writes to the file only."""

    def __init__(self, display, file) -> None:
        self._display, self._file = display, file

    def __getattr__(self, name):
        return getattr(self._display, name)

    def display(self, msg, log_only=False, **_options) -> None:
        if not log_only:
            self._file.write(screen=msg)

    def banner(self, msg, **_options) -> None:
        stars = max(self._display.columns - len(msg.strip()), 3)
        self.display(f"\n{msg.strip()} {'*' * stars}")


class CallbackModule(DefaultCallback):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "behaviour"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._file = _File()
        self._file.write(command=["ansible-playbook", *sys.argv[1:]])
        self._is_shown = not constants.DEFAULT_STDOUT_CALLBACK.endswith("jsonl")
        self._tee(Display())
        self._display = _Screen(Display(), self._file)
        if self._is_shown:
            # What the callback of standard output displays is what a person sees.
            self._display.display = lambda *_arguments, **_options: None

    def _tee(self, display) -> None:
        """Write to the file what passes the display of this process, to which workers send theirs."""
        displayed, pid = display.display, os.getpid()

        def display_and_write(msg, *arguments, log_only=False, **options):
            if os.getpid() == pid and not log_only and not msg.startswith(_EVENT):
                self._file.write(screen=msg)
            return displayed(msg, *arguments, log_only=log_only, **options)

        display.display = display_and_write

    def _write(self, status, result) -> None:
        self._file.write(
            task=result.task.get_name().strip(),
            action=result.task.action,
            host=result.host.get_name(),
            status=status,
            result=dict(result.result),
        )

    def v2_runner_on_ok(self, result) -> None:
        self._write("ok", result)
        super().v2_runner_on_ok(result)

    def v2_runner_on_failed(self, result, ignore_errors=False) -> None:
        self._write("failed", result)
        super().v2_runner_on_failed(result, ignore_errors)

    def v2_runner_on_skipped(self, result) -> None:
        self._write("skipped", result)
        super().v2_runner_on_skipped(result)

    def v2_runner_on_unreachable(self, result) -> None:
        self._write("unreachable", result)
        super().v2_runner_on_unreachable(result)
