# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse files of Groovy, such as a Jenkinsfile, and say where the first mistake is.

It knows the language only: which sections and steps there are depends on a Jenkins and its plugins.

python -m checks.groovy PATH …
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from groovy_parser.parser import parse_groovy_content
from lark.exceptions import LarkError


def mistakes(paths: Sequence[Path]) -> list[str]:
    """A line for each file that is no Groovy, with the place of its first mistake."""
    return [f"{path}: {mistake}" for path in paths if (mistake := _mistake(path))]


def _mistake(path: Path) -> str:
    try:
        parse_groovy_content(path.read_text(encoding="utf-8"))
    except LarkError as error:
        # The other lines list what could stand there instead: dozens of tokens.
        return str(error).splitlines()[0]
    return ""


if __name__ == "__main__":
    found = mistakes([Path(name) for name in sys.argv[1:]])
    print(*found, sep="\n")
    sys.exit(1 if found else 0)
