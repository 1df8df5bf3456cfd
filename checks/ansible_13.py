# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible 13, between the oldest and the newest Ansible of requirements/dev.in, tried with playbooks."""

from __future__ import annotations

from checks.apart import Apart, newer_python
from checks.oldest_boto import link_collection, run_playbooks
from checks.paths import CHECKOUT

# What ansible-core 2.20 needs.
OLDEST_PYTHON = (3, 12)
ENVIRONMENT = Apart(CHECKOUT / ".venv" / "ansible-13", link_collection)


def python() -> str:
    """A Python that is new enough.

    Raises:
        Unfit: this machine has none.
    """
    return newer_python(OLDEST_PYTHON)


def check(*options: str) -> None:
    """Run the marked integration tests with the environment's Ansible.

    Raises:
        CheckError: a test failed, or the environment could not be set up.
        Unfit: this machine has no Python that is new enough.
    """
    ENVIRONMENT.scripts(python)
    run_playbooks(ENVIRONMENT, "ansible_13", *options)
