# SPDX-License-Identifier: GPL-3.0-or-later
"""The oldest botocore that the collection supports, tried with playbooks: see oldest-boto.in."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from checks.apart import Apart
from checks.commands import run
from checks.paths import CHECKOUT


def link_collection(environment: Path) -> None:
    """Link the checkout into the environment's Ansible as the collection golden.images."""
    (site,) = environment.glob("lib/python3.*/site-packages")
    link = site / "ansible_collections" / "golden" / "images"
    link.parent.mkdir()
    link.symlink_to(CHECKOUT, target_is_directory=True)


ENVIRONMENT = Apart(
    CHECKOUT / ".venv" / "oldest-boto",
    link_collection,
    locks=CHECKOUT / "requirements" / "oldest" / "boto",
)


def check(*options: str) -> None:
    """Run the marked integration tests with the environment's Ansible and boto3.

    Raises:
        CheckError: a test failed, or the environment could not be set up.
    """
    ENVIRONMENT.scripts(lambda: sys.executable)
    run_playbooks(ENVIRONMENT, "oldest_boto", *options)


def run_playbooks(environment: Apart, marker: str, *options: str) -> None:
    """Run the integration tests with a marker, whose playbooks use the Ansible of an environment.

    Raises:
        CheckError: a test failed.
    """
    run(
        "python", "-m", "pytest", *options, "-m", marker, "tests/integration",
        env={**os.environ, "PLAYBOOK_ENVIRONMENT": str(environment.folder)},
    )  # fmt: skip
