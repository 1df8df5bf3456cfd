# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find out whether Ansible's output is for a person or a program, and whether a person watches it."""

from __future__ import annotations

import os
import sys

from ansible import constants

_JSON_CALLBACKS = ("json", "jsonl")
# ansible-runner, and so AWX, sets this for each run (ansible_runner/config/_base.py).
_OF_RUNNER = "AWX_ISOLATED_DATA_DIR"


def is_json():
    """Whether the stdout callback writes JSON, which any other line would make invalid."""
    return constants.DEFAULT_STDOUT_CALLBACK.rpartition(".")[2] in _JSON_CALLBACKS


def has_events():
    """Whether ansible-runner, and so AWX, stores the result of each task as an event."""
    return _OF_RUNNER in os.environ


def has_default_display():
    """Whether Ansible's own callback ``default`` is the only one, and displays the results."""
    return (
        constants.DEFAULT_STDOUT_CALLBACK.rpartition(".")[2] == "default" and not constants.CALLBACKS_ENABLED
    )


def is_watched():
    """Whether the standard output is the terminal of a person.

    ansible-runner, which stores the output, runs Ansible on a terminal, too.
    """
    return sys.stdout.isatty() and not has_events()
