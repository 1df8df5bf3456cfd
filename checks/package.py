# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive holds what it should, installs, shows its documentation, and its playbooks parse by name."""

from __future__ import annotations

import json
import os
import tarfile
import tempfile
from pathlib import Path

from checks import collection
from checks.commands import CheckError, run

# What ansible-galaxy adds to the files of the checkout.
GENERATED = {"MANIFEST.json", "FILES.json"}
REQUIRED = {"LICENSE", "README.md", "meta/runtime.yml"}
# Folders that only a checkout has a use for.
CHECKOUT_ONLY = (".ci/", ".cache/", ".venv/", "checks/", "demo/", "requirements/", "simulated_aws/", "tests/")
SHIPPED_ALL_THE_SAME = {"tests/config.yml"}


def _compare_files(archive: Path) -> None:
    """Raise CheckError where the archive lacks a file, or holds one that only a checkout has or needs."""
    listed = run(
        "/usr/bin/env", "git", "ls-files", "--cached", "--others", "--exclude-standard", quiet=True
    ).splitlines()
    with tarfile.open(archive) as tar:
        packed = {member.name for member in tar.getmembers() if member.isfile()} - GENERATED
    strays = sorted(
        (packed - set(listed))
        | {name for name in packed - SHIPPED_ALL_THE_SAME if name.startswith(CHECKOUT_ONLY)}
    )
    if missing := sorted(REQUIRED - packed):
        raise CheckError(f"the archive lacks {', '.join(missing)}")
    if strays:
        raise CheckError(f"build_ignore in galaxy.yml lets in {', '.join(strays[:5])}")
    print(f"{archive.name}: {len(packed)} files, {archive.stat().st_size // 1024} KiB")


def _show_documentation(root: Path, env: dict[str, str]) -> None:
    """Raise CheckError unless ansible-doc reads every plugin from the installed collection."""
    for kind, folder in (("module", "modules"), ("inventory", "inventory")):
        names = sorted(
            f"golden.images.{path.stem}"
            for path in (root / "plugins" / folder).glob("*.py")
            if path.stem != "__init__"
        )
        if kind == "module" and not names:
            raise CheckError("the collection has no module")
        if not names:
            continue
        docs = json.loads(run("ansible-doc", "--type", kind, "--json", *names, env=env, quiet=True))
        for name in names:
            if not Path(docs[name]["doc"]["filename"]).is_relative_to(root):
                raise CheckError(f"ansible-doc read {name} from {docs[name]['doc']['filename']}")
        print(f"ansible-doc: {', '.join(names)}")


def _parse_playbooks(root: Path, env: dict[str, str]) -> None:
    """Raise CheckError unless each installed playbook parses by its full name; there must be one."""
    names = sorted(f"golden.images.{path.stem}" for path in (root / "playbooks").glob("*.yml"))
    if not names:
        raise CheckError("the collection has no playbook")
    run("ansible-playbook", "--syntax-check", "--inventory", "localhost,", *names, env=env, quiet=True)
    print(f"ansible-playbook --syntax-check: {', '.join(names)}")


def check() -> None:
    """Build and install in a temporary folder, and use what is there.

    Raises:
        CheckError: a step failed, or there was nothing to try it on.
    """
    with tempfile.TemporaryDirectory(prefix="golden-images-") as name:
        folder = Path(name).resolve()
        archive = collection.build(folder / "build")
        _compare_files(archive)
        root = collection.install(archive, folder / "tree")
        env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(folder / "tree")}
        _show_documentation(root, env)
        _parse_playbooks(root, env)
