# SPDX-License-Identifier: GPL-3.0-or-later

"""A record as files: JSON, one for each test, laid out so that a person can read it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# In characters. What fits is on one line.
_WIDTH = 120
_LONGEST_NAME = 150


def write(folder: Path, test: str, outcome: str, steps: Sequence[Mapping[str, Any]]) -> None:
    """Write the record of a test, by its node ID."""
    module, _, name = test.partition("::")
    path = folder / Path(module).stem / f"{_safe(name)}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"test": test, "outcome": outcome, "steps": steps}
    path.write_text(readable(content) + "\n", encoding="utf-8")


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """The record in a folder: tests by node ID.

    Raises:
        FileNotFoundError: there is none.
    """
    paths = sorted(folder.rglob("*.json"))
    if not paths:
        raise FileNotFoundError(f"there is no record in {folder}")
    tests = (json.loads(path.read_text(encoding="utf-8")) for path in paths)
    return {test["test"]: test for test in tests}


def readable(value: Any, indent: str = "") -> str:
    """JSON, with a line for each part that fits into one."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (Mapping, list, tuple)) or not value or len(indent) + len(line) <= _WIDTH:
        return line
    inner = indent + " "
    if isinstance(value, Mapping):
        parts = [f"{json.dumps(name)}: {readable(one, inner)}" for name, one in value.items()]
        opened, closed = "{}"
    else:
        parts = [readable(one, inner) for one in value]
        opened, closed = "[]"
    return f"{opened}\n{inner}" + f",\n{inner}".join(parts) + f"\n{indent}{closed}"


def _safe(name: str) -> str:
    return re.sub(r"[^\w.,=\[\]-]", "_", name)[:_LONGEST_NAME]
