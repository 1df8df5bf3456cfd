# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of the files of a release, for pages that are read outside the repository.

Galaxy shows README.md and those of the roles on its own pages, where a link to another file leads nowhere.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

# The pages that Galaxy shows, and the beginning of a link or picture in them that is not external.
SHOWN = ("README.md", "roles/*/README.md")
_LINK = re.compile(r"(?P<before>!\[[^\]]*\]|\])\((?P<path>[^)\s#:]+)(?P<heading>#[^)\s]*)?\)")


def address_of(repository: str, version: str, path: str, kind: str = "blob") -> str:
    """The address of a path in a version: page (``blob``), content (``raw``), or directory (``tree``).

    On GitLab, there is a ``-`` before the kind.
    """
    below = kind if "github" in repository.split("/")[2] else f"-/{kind}"
    return f"{repository}/{below}/v{version}/{path}"


def with_addresses(text: str, folder: str, repository: str, version: str) -> str:
    """A page in a directory of the repository, with addresses in its links to files and in its pictures."""

    def absolute(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, found["path"]))
        kind = "raw" if found["before"].startswith("!") else "blob"
        return f"{found['before']}({address_of(repository, version, path, kind)}{found['heading'] or ''})"

    return _LINK.sub(absolute, text)


def write(root: Path, repository: str, version: str) -> None:
    """Write addresses into the pages that Galaxy shows."""
    for pattern in SHOWN:
        for path in root.glob(pattern):
            folder = path.parent.relative_to(root).as_posix()
            text = with_addresses(path.read_text(encoding="utf-8"), folder, repository, version)
            path.write_text(text, encoding="utf-8")
