# SPDX-License-Identifier: GPL-3.0-or-later
"""Which parts of ``make nightly`` have passed on which commit, so that it goes on where it was stopped."""

from __future__ import annotations

import subprocess

from checks.paths import CHECKOUT, VERSION

FOLDER = CHECKOUT / ".cache" / "nightly"


def commit() -> str | None:
    """The commit that is checked out; None if files differ from it, so that nothing can be said of it."""
    changed = _git("status", "--porcelain")
    return None if changed else _git("rev-parse", "HEAD")


def has_passed(name: str, on: str | None) -> bool:
    """Whether a check has passed on this Python and commit."""
    path = FOLDER / VERSION / name
    return on is not None and path.is_file() and path.read_text(encoding="utf-8") == on


def note(name: str, on: str | None) -> None:
    """Keep that a check has passed on this Python and commit."""
    if on is not None:
        path = FOLDER / VERSION / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(on, encoding="utf-8")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=CHECKOUT, check=True, capture_output=True, text=True)
    return done.stdout.strip()
