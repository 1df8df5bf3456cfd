# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands to paste into a shell: a playbook or a module, with its values as JSON, or one of the AWS CLI."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping
from typing import Any

# A line has 80 columns at most.
_WIDTH, _INDENT = 80, "  "
# On a terminal, a longer command hides what is above it.
_MOST_LINES = 24
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
# What would break a line within a text, or end the shell's quotes, as escapes of JSON.
_ESCAPES = str.maketrans({" ": "\\u0020", "'": "\\u0027"})


def render_playbook_command(playbook: str, variables: Mapping[str, Any], *arguments: str) -> str:
    """Return the command that runs a playbook of this collection with these variables."""
    words = ("ansible-playbook -i localhost,", f"golden.images.{playbook}", *arguments)
    return _render(" ".join(words), "-e", variables)


def render_module_command(module: str, options: Mapping[str, Any], *arguments: str) -> str:
    """Return the command that runs a module of this collection with these options, on the controller."""
    words = ("ansible localhost", *arguments, "-m", f"golden.images.{module}")
    return _render(" ".join(words), "-a", options)


def render_cli_command(operation: str, region: str, option: str, value: str) -> str:
    """Return a command of the AWS CLI about one resource, for what no role of this collection does."""
    return f"aws {operation} --region {region} \\\n{_INDENT}--{option} {value}"


def fits_screen(command: str) -> bool:
    """Whether a command is short enough for a terminal, and no value makes a line too wide."""
    lines = command.splitlines()
    return len(lines) <= _MOST_LINES and max(map(len, lines)) <= _WIDTH


def _render(command: str, option: str, values: Mapping[str, Any]) -> str:
    """Return a command in lines for a terminal, of which each value begins one.

    They are broken only between values of the JSON, which the shell's quotes and JSON allow.
    """
    entries = [f"{_escape(json.dumps(name))}: {_escape(json.dumps(value))}" for name, value in values.items()]
    beginning, end = f"{option} '{{", "}'"
    lines: list[str] = []
    for number, entry in enumerate(entries or [""]):
        text = f"{entry}{end if number >= len(entries) - 1 else ','}"
        lines += textwrap.wrap(
            text if number else f"{beginning}{text}",
            _WIDTH,
            initial_indent=_INDENT * (2 if number else 1),
            subsequent_indent=_INDENT * 3,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join([f"{command} \\", *lines])


def _escape(text: str) -> str:
    """Return JSON whose texts have no space and no quote of the shell, but the escapes of these."""
    return _STRING.sub(lambda match: match[0].translate(_ESCAPES), text)
