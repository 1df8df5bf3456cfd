# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments apart from the checkout's own, for tools that need other versions than requirements/dev.in.

Each is one for all Pythons, set up from the lock of its name below requirements/ by whatever first needs it.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from checks.commands import Unfit, run
from checks.paths import CHECKOUT, SCRIPTS, VERSION


@dataclass(frozen=True)
class Apart:
    """The environment in ``folder``, ``.venv/<name>``.

    ``finish`` adds what the lock does not install; ``inputs`` are the files that it reads. ``locks`` is the
    folder of the lock.
    """

    folder: Path
    finish: Callable[[Path], object] | None = None
    inputs: tuple[Path, ...] = ()
    locks: Path = CHECKOUT / "requirements"

    def scripts(self, python: Callable[[], str]) -> Path:
        """The directory of its programs; ``python`` gives the Python to set it up with, if that is needed.

        Raises:
            CheckError: the environment could not be set up.
        """
        self.folder.parent.mkdir(exist_ok=True)
        with (self.folder.parent / f".{self.folder.name}.lock").open("w") as held:
            # Tests run in several processes.
            fcntl.flock(held, fcntl.LOCK_EX)
            if not self._is_ready():
                self._set_up(python())
                self.stamp.write_text(self.wanted_state(), encoding="utf-8")
        return self.folder / "bin"

    @property
    def lock(self) -> Path:
        """The lock that it is installed from."""
        return self.locks / f"{self.folder.name}.txt"

    @property
    def stamp(self) -> Path:
        """The file with the state that it was set up for."""
        return self.folder / ".golden-images-ready"

    def wanted_state(self) -> str:
        """A digest of its inputs: the lock, other files, this one and the checkout's path."""
        digest = hashlib.sha256(str(CHECKOUT).encode())
        for path in (self.lock, *self.inputs, Path(__file__)):
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def _is_ready(self) -> bool:
        python = self.folder / "bin" / "python"
        stamped = self.stamp.read_text(encoding="utf-8") if self.stamp.is_file() else ""
        return python.exists() and stamped == self.wanted_state()

    def _set_up(self, python: str) -> None:
        run("uv", "--quiet", "venv", "--clear", "--python", python, self.folder, quiet=True)
        there = self.folder / "bin" / "python"
        run("uv", "--quiet", "pip", "sync", "--python", there, "--require-hashes", self.lock, quiet=True)
        if self.finish is not None:
            self.finish(self.folder)


def newer_python(oldest: tuple[int, int]) -> str:
    """This Python, or one of this version or newer that uv finds on this machine.

    Raises:
        Unfit: there is none.
    """
    if sys.version_info >= oldest:
        return sys.executable
    version = ".".join(map(str, oldest))
    command = ("uv", "python", "find", "--system", "--no-python-downloads", f">={version}")
    found = subprocess.run([SCRIPTS / command[0], *command[1:]], capture_output=True, text=True, check=False)
    if found.returncode:
        raise Unfit(f"it needs a Python {version} or newer on this machine, beside {VERSION}")
    return found.stdout.strip()
