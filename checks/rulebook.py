# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment that rulebooks run in, apart from the checkout's: see requirements/rulebook.in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from checks.apart import Apart, newer_python
from checks.commands import Unfit, run
from checks.oldest_boto import link_collection
from checks.paths import CHECKOUT

# The oldest Python of the locked Ansible.
OLDEST_PYTHON = (3, 12)
_JAVA = 17


def scripts() -> Path:
    """The directory of ansible-rulebook and of the ansible-playbook that it starts.

    Raises:
        Unfit: there is no Java, or no Python, that is new enough.
        CheckError: the environment could not be set up.
    """
    _require_java()
    return ENVIRONMENT.scripts(_python)


def check(*options: str) -> None:
    """Run the tests of the rulebook.

    Raises:
        Unfit: there is no Java, or no Python, that is new enough.
        CheckError: a test failed, or the environment could not be set up.
    """
    scripts()
    run("python", "-m", "pytest", *options, "-m", "rulebook", "tests/integration")


ENVIRONMENT = Apart(CHECKOUT / ".venv" / "rulebook", link_collection)


def _python() -> str:
    """A Python for the environment."""
    return newer_python(OLDEST_PYTHON)


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
