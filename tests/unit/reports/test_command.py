# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands that a shell runs as they are displayed."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._reports.command import (
    fits_screen,
    render_cli_command,
    render_module_command,
    render_playbook_command,
)
from hypothesis import given
from hypothesis import strategies as st

NAMES = {f"account{number}": f"{number:012}" for number in range(12)}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        pytest.param(
            {"share_account_ids": ["012345678901"]},
            "ansible-playbook -i localhost, golden.images.share_ami --check \\\n"
            '  -e \'{"share_account_ids": ["012345678901"]}\'',
            id="short",
        ),
        pytest.param(
            {"name": "it's two words"},
            "ansible-playbook -i localhost, golden.images.share_ami --check \\\n"
            '  -e \'{"name": "it\\u0027s\\u0020two\\u0020words"}\'',
            id="quotes and spaces",
        ),
    ],
)
def test_a_command(variables: dict[str, Any], expected: str) -> None:
    assert render_playbook_command("share_ami", variables, "--check") == expected


def test_a_long_one_is_broken_between_values() -> None:
    lines = render_playbook_command("share_ami", {"share_account_ids": [*NAMES.values()]}).splitlines()
    assert len(lines) > 2
    assert max(map(len, lines)) <= 80
    assert all(line.endswith((",", "\\", "'")) for line in lines)


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text())))
def test_the_shell_gives_ansible_the_same_variables(variables: dict[str, Any]) -> None:
    words = shlex.split(render_playbook_command("share_ami", variables))
    assert words[:3] == ["ansible-playbook", "-i", "localhost,"]
    assert json.loads(words[-1]) == variables


def test_a_module_runs_on_the_controller() -> None:
    assert render_module_command("ami_kms_grant", {"state": "absent"}, "--check") == (
        'ansible localhost --check -m golden.images.ami_kms_grant \\\n  -a \'{"state": "absent"}\''
    )


def test_a_command_of_the_aws_cli_about_one_resource() -> None:
    arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    command = render_cli_command("kms enable-key", "eu-west-1", "key-id", arn)
    assert shlex.split(command.replace("\\\n", "")) == [
        *("aws", "kms", "enable-key", "--region", "eu-west-1", "--key-id", arn)
    ]


@pytest.mark.parametrize(
    ("command", "fits"),
    [("x" * 80, True), ("x" * 81, False), ("x\n" * 24, True), ("x\n" * 25, False)],
    ids=["as wide as a terminal", "too wide", "as long as a terminal", "too long"],
)
def test_whether_a_command_fits_a_terminal(command: str, fits: bool) -> None:
    assert fits_screen(command) is fits
