# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that the archive has the right files, installs, shows its documentation, and that playbooks parse."""

from __future__ import annotations

import json
import os
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

from checks import collection
from checks.commands import CheckError, run

# The files that ansible-galaxy adds to those of the checkout.
GENERATED = {"MANIFEST.json", "FILES.json"}
REQUIRED = {
    *("LICENSE", "README.md", "meta/runtime.yml"),
    # No import of Python asks for these.
    *(f"plugins/plugin_utils/_page/{name}" for name in ("page.css", "page.html.j2", "page.js")),
}
# All top-level entries of the archive: a new one is either added here or to build_ignore in galaxy.yml.
TOP_LEVEL = GENERATED | {
    *("CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "MAINTAINERS.md", "README.md", "SECURITY.md", "SUPPORT.md"),
    *("LICENSE", "LICENSES", "REUSE.toml"),
    *("bindep.txt", "execution-environment.yml", "requirements.txt"),
    *("bootstrap", "changelogs", "docs", "extensions", "meta", "playbooks", "plugins", "roles", "tests"),
}
# The changelog is there from the first release on.
OPTIONAL = {"CHANGELOG.md"}
# The only files below tests/ that the archive has: they configure ansible-test.
TESTS = {"tests/config.yml", *(f"tests/sanity/ignore-{version}.txt" for version in ("2.19", "2.20", "2.21"))}


def check_top_level(members: Iterable[str]) -> None:
    """Raise CheckError unless the top-level entries of these paths are exactly TOP_LEVEL, and OPTIONAL.

    So a new folder of the checkout can't get into the archive unnoticed.
    """
    found = {name.removeprefix("./").partition("/")[0] for name in members}
    if extra := sorted(found - TOP_LEVEL - OPTIONAL):
        raise CheckError(
            f"the archive has the top-level entries {', '.join(extra)}; "
            "add them to build_ignore in galaxy.yml, or to TOP_LEVEL in checks/package.py if users need them"
        )
    if missing := sorted(TOP_LEVEL - found):
        raise CheckError(f"the archive lacks the top-level entries {', '.join(missing)}")


def _compare_files(archive: Path) -> None:
    """Raise CheckError if the archive lacks a required file or has one that it should not have."""
    listed = run(
        "/usr/bin/env", "git", "ls-files", "--cached", "--others", "--exclude-standard", quiet=True
    ).splitlines()
    with tarfile.open(archive) as tar:
        members = {member.name for member in tar.getmembers() if member.isfile()}
    check_top_level(members)
    packed = members - GENERATED
    extra = sorted((packed - set(listed)) | {name for name in packed - TESTS if name.startswith("tests/")})
    if missing := sorted(REQUIRED - packed):
        raise CheckError(f"the archive lacks {', '.join(missing)}")
    if extra:
        raise CheckError(f"the archive has {', '.join(extra[:5])}; add them to build_ignore in galaxy.yml")
    print(f"{archive.name}: {len(packed)} files, {archive.stat().st_size // 1024} KiB")


def _show_documentation(root: Path, env: dict[str, str]) -> None:
    """Raise CheckError unless ansible-doc reads every plugin from the installed collection."""
    folders = {"module": "modules", "filter": "filter", "inventory": "inventory", "lookup": "lookup"}
    for kind, folder in folders.items():
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
    """Build the archive in a temporary directory, and check it.

    Raises:
        CheckError: a step failed, or there was nothing to try it on.
    """
    with tempfile.TemporaryDirectory(prefix="golden-images-") as name:
        check_archive(collection.build(Path(name).resolve() / "build"))


def check_archive(archive: Path) -> None:
    """Install an archive in a temporary directory, and use what is there.

    Raises:
        CheckError: a step failed, or there was nothing to try it on.
    """
    _compare_files(archive)
    with tempfile.TemporaryDirectory(prefix="golden-images-") as name:
        folder = Path(name).resolve()
        root = collection.install(archive, folder / "tree")
        env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(folder / "tree")}
        _show_documentation(root, env)
        _parse_playbooks(root, env)
