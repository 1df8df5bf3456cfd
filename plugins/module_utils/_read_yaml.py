# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read YAML text with PyYAML. Ansible needs it where it runs, but a managed host may lack it."""

from __future__ import annotations

from typing import Any

from ._variables import Unreadable


def parse_yaml(text: str) -> Any:
    """Return the value of YAML text with all scalars as text.

    An alias, which could repeat its anchor without end, is an error.

    Raises:
        ValueError: it is not YAML.
        Unreadable: this Python has no PyYAML.
    """
    # Imported only if needed: JSON, and text of commas and lines, are read without it.
    try:
        import yaml
    except ImportError as error:
        problem = "YAML text needs PyYAML, which the Python that runs this task does not have."
        raise Unreadable(problem, "Write JSON, or run the task on localhost.") from error
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.BaseLoader)):
            raise ValueError("an alias")
        return yaml.load(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"not YAML: {error}") from error
