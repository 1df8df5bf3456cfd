# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment that rulebooks run in, apart from the checkout's: see requirements/rulebook.in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from checks.apart import Apart
from checks.commands import CheckError, run
from checks.paths import CHECKOUT

# The oldest Python of the locked Ansible.
_OLDEST = (3, 12)
_JAVA = 17


class Unfit(Exception):
    """This machine cannot run rulebooks; the message says what is missing."""


def scripts() -> Path:
    """The folder of ansible-rulebook and of the ansible-playbook that it starts.

    Raises:
        Unfit: there is no Java, or no Python, that is new enough.
        CheckError: the environment could not be set up.
    """
    _require_java()
    return ENVIRONMENT.scripts(_python)


def _link_collection(environment: Path) -> None:
    (site,) = environment.glob("lib/python3.*/site-packages")
    link = site / "ansible_collections" / "golden" / "images"
    link.parent.mkdir()
    link.symlink_to(CHECKOUT, target_is_directory=True)


ENVIRONMENT = Apart(CHECKOUT / ".venv" / "rulebook", _link_collection)


def _python() -> str:
    """A Python for the environment: this one, or one that uv finds on this machine."""
    if sys.version_info >= _OLDEST:
        return sys.executable
    wanted = f">={'.'.join(map(str, _OLDEST))}"
    try:
        found = run("uv", "python", "find", "--system", "--no-python-downloads", wanted, quiet=True)
    except CheckError as error:
        raise Unfit(f"rulebooks need a Python {wanted} on this machine") from error
    # The lines before it are uv's notes about other ones.
    return found.splitlines()[-1]


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    printed = ""
    if java is not None:
        # It prints its version on standard error.
        done = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
        printed = done.stderr
    version = re.search(r'version "(\d+)', printed)
    if version is None or int(version[1]) < _JAVA:
        raise Unfit(
            f"rulebooks need Java {_JAVA} or newer, such as default-jre-headless of Debian and Ubuntu"
        )
