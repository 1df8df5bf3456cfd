# SPDX-License-Identifier: GPL-3.0-or-later
"""Galaxy's own importer accepts the built archive, without an error or a warning that is not expected."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

from checks import collection
from checks.commands import CheckError, run

# galaxy_importer.main: the last line of an import that was not broken off.
_DONE = "Importer processing completed successfully"
# The check sanity sees to it that these files ignore nothing but actions without a module.
_IGNORE_FILES = r"WARNING: Ignore files skip ansible-test sanity tests, found ignore-[0-9.]+\.txt "
_COMPLAINT = re.compile(rf"^(?!{_IGNORE_FILES})(?:ERROR|WARNING|CRITICAL): .*", re.MULTILINE)


def judge(output: str) -> None:
    """Raise CheckError unless the importer's output shows an import without complaint.

    Its exit status is 0 after errors, too.
    """
    if complaints := _COMPLAINT.findall(output):
        raise CheckError("; ".join(complaints))
    if _DONE not in output:
        raise CheckError(f"galaxy-importer did not complete: {output.strip()[-500:]}")


def check() -> None:
    """Build the archive and import it.

    Raises:
        CheckError: the importer complained or broke off.
    """
    with tempfile.TemporaryDirectory(prefix="golden-images-") as name:
        check_archive(collection.build(Path(name).resolve() / "build"))


def check_archive(archive: Path) -> None:
    """Import an archive.

    Raises:
        CheckError: the importer complained or broke off.
    """
    with tempfile.TemporaryDirectory(prefix="golden-images-") as name:
        folder = Path(name).resolve()
        # It unpacks below the home's .ansible, and writes its result into the working directory.
        env = {
            **os.environ,
            "GALAXY_IMPORTER_ANSIBLE_LOCAL_TMP": str(folder / "tmp"),
            # The check ansible-lint is stricter; here, a busy machine would exceed its limit of 180 seconds.
            "GALAXY_IMPORTER_RUN_ANSIBLE_LINT": "false",
        }
        python = Path(sys.executable)
        output = run(python, "-m", "galaxy_importer.main", archive, cwd=folder, env=env, quiet=True)
        judge(output)
    print(f"{archive.name}: {output.splitlines()[0]}, no error, no warning")
