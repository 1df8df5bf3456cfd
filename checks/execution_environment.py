# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-builder takes execution-environment.yml, and finds what the installed collection needs."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from checks import collection
from checks.commands import CheckError, run
from checks.paths import CHECKOUT

# They stand in requirements.txt.
PYTHON_PACKAGES = frozenset({"boto3", "botocore"})
_REQUIREMENT = re.compile(r"^(\w+).*# from collection golden\.images$", re.MULTILINE)


def judge(requirements: str) -> None:
    """Raise CheckError unless ansible-builder collected every Python package of golden.images.

    A line is ``boto3>=1.41.0  # from collection golden.images``.
    """
    if missing := sorted(PYTHON_PACKAGES - set(_REQUIREMENT.findall(requirements))):
        raise CheckError(f"ansible-builder finds no requirement {', '.join(missing)} of golden.images")


def check() -> None:
    """Create the context of a build, and introspect the installed collection.

    Raises:
        CheckError: ansible-builder fails, or finds other requirements.
    """
    with tempfile.TemporaryDirectory(prefix="golden-images-") as name:
        folder = Path(name).resolve()
        run(
            "ansible-builder", "create", "--file", CHECKOUT / "execution-environment.yml",
            "--context", folder / "context", "--output-filename", "Containerfile",
            quiet=True,
        )  # fmt: skip
        lines = (folder / "context" / "Containerfile").read_text(encoding="utf-8").splitlines()
        print(f"Containerfile: {len(lines)} lines")
        collection.install(collection.build(folder / "build"), folder / "tree")
        found = folder / "requirements.txt"
        run("ansible-builder", "introspect", folder / "tree", "--write-pip", found, quiet=True)
        judge(found.read_text(encoding="utf-8"))
        print(found.read_text(encoding="utf-8"))
