# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that the IAM policies in ``docs/iam`` are those that ``policies.py`` declares.

python -m checks.iam          lists the files that are not up to date
python -m checks.iam --write  writes them
"""

from __future__ import annotations

from pathlib import Path

from checks.commands import CheckError
from checks.iam import documents
from checks.paths import CHECKOUT

FOLDER = Path("docs/iam")


def outdated(root: Path) -> list[str]:
    """The files that are missing, differ from what they should be, or should not be there."""
    folder = root / FOLDER
    wanted = documents.files()
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*")}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def write(root: Path) -> None:
    """Write all files, and remove the others from the directory."""
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    wanted = documents.files()
    for path in folder.glob("*"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


def check() -> None:
    """Fail if a file is not up to date.

    Raises:
        CheckError: with the files.
    """
    if found := outdated(CHECKOUT):
        raise CheckError(f"not up to date in {FOLDER}: {', '.join(found)}; run `make policies`")
