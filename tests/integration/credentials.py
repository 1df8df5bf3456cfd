# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials that cannot be read."""

from __future__ import annotations

from .playbook import Ansible


def without_credentials(ansible: Ansible) -> dict[str, str]:
    """The environment of a profile whose program for credentials does not exist."""
    config = ansible.folder / "aws-config"
    config.write_text("[default]\ncredential_process = /nonexistent/login\n", encoding="utf-8")
    kept = {
        name: value
        for name, value in ansible.environment.items()
        if name not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    }
    return {**kept, "AWS_CONFIG_FILE": str(config)}
