# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the collection's archive and install it, as users do."""

from __future__ import annotations

import shutil
from pathlib import Path

from checks.commands import CheckError, run
from checks.paths import CHECKOUT, SITE_COLLECTIONS


def build(folder: Path, source: Path = CHECKOUT) -> Path:
    """Build the archive of ``source`` into ``folder``, which is emptied first, and return its path."""
    shutil.rmtree(folder, ignore_errors=True)
    run("ansible-galaxy", "collection", "build", source, "--output-path", folder, quiet=True)
    archives = list(folder.glob("golden-images-*.tar.gz"))
    if len(archives) != 1:
        raise CheckError(f"one archive was expected in {folder}, not {len(archives)}")
    return archives[0]


def install(archive: Path, tree: Path) -> Path:
    """Install ``archive`` into the emptied ``tree`` beside the environment's amazon.aws and community.aws.

    Dependencies are resolved among the installed collections only, so one older than what galaxy.yml asks for
    is refused. Returns the collection's folder.
    """
    shutil.rmtree(tree, ignore_errors=True)
    run(
        "ansible-galaxy", "collection", "install", archive,
        "--collections-path", tree, "--offline", "--force",
        quiet=True,
    )  # fmt: skip
    for namespace in ("amazon", "community"):
        folder = tree / "ansible_collections" / namespace
        folder.mkdir()
        (folder / "aws").symlink_to(SITE_COLLECTIONS / namespace / "aws", target_is_directory=True)
    return tree / "ansible_collections" / "golden" / "images"
