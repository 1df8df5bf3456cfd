# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether Ansible's output is for a person or for a program."""

from __future__ import annotations

from ansible import constants

_JSON_CALLBACKS = ("json", "jsonl")


def is_json():
    """Whether the stdout callback writes JSON: other lines would break it, and programs read all of it."""
    return constants.DEFAULT_STDOUT_CALLBACK.rpartition(".")[2] in _JSON_CALLBACKS
