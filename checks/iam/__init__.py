# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that ``docs/iam`` and the templates in ``bootstrap`` are those that ``policies.py`` declares.

python -m checks.iam          lists the files that are not up to date
python -m checks.iam --write  writes them
"""

from __future__ import annotations

from pathlib import Path

from checks.commands import CheckError, run
from checks.iam import cloudformation, documents, terraform
from checks.paths import CHECKOUT

FOLDER = Path("docs/iam")
CLOUDFORMATION = Path("bootstrap/cloudformation")
TERRAFORM = Path("bootstrap/terraform")


def files() -> dict[Path, str]:
    """Return path to text of all generated files."""
    return {
        folder / name: text
        for folder, texts in (
            (FOLDER, documents.files()),
            (CLOUDFORMATION, cloudformation.files()),
            (TERRAFORM, terraform.files()),
        )
        for name, text in texts.items()
    }


def outdated(root: Path) -> list[str]:
    """The files that are missing, differ from what they should be, or should not be there."""
    wanted = files()
    present = {path: (root / path).read_text(encoding="utf-8") for path in _present(root)}
    return sorted(
        path.as_posix() for path in wanted.keys() | present.keys() if wanted.get(path) != present.get(path)
    )


def write(root: Path) -> None:
    """Write all files, and remove the others from the directories."""
    wanted = files()
    for path in _present(root):
        if path not in wanted:
            (root / path).unlink()
    for path, text in wanted.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def _present(root: Path) -> list[Path]:
    """Return the files below the directories of generated files."""
    return [
        path.relative_to(root)
        for folder in (FOLDER, CLOUDFORMATION, TERRAFORM)
        for path in (root / folder).rglob("*")
        if path.is_file()
    ]


def check() -> None:
    """Fail if a file is not up to date, or cfn-lint finds something.

    Raises:
        CheckError: with the files.
    """
    if found := outdated(CHECKOUT):
        raise CheckError(f"not up to date: {', '.join(found)}; run `make policies`")
    # One Region: resource types differ little, and each Region takes seconds.
    run("cfn-lint", "--regions", "us-east-1", "--", *sorted((CHECKOUT / CLOUDFORMATION).glob("*.json")))
