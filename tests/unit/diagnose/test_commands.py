# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands for what accounts lack: no account gets more than the findings are about."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._diagnose.checks import MEANINGS
from ansible_collections.golden.images.plugins.module_utils._diagnose.commands import render_fixes

EU, US = "eu-west-1", "us-east-1"
WEB, BATCH = "111111111111", "222222222222"


def finding(
    code: str, account_id: str = WEB, region: str = EU, image_id: str | None = "ami-1"
) -> dict[str, Any]:
    return {"account_id": account_id, "code": code, "image_id": image_id, "region": region}


EVERYWHERE = [
    finding("not_shared", account, region, f"ami-{region}") for account in (WEB, BATCH) for region in (EU, US)
]


def run(*findings: dict[str, Any], parameter: str | None = "/golden/web") -> list[tuple[str, dict[str, Any]]]:
    """The playbook or module of each command, and its values."""
    commands = [shlex.split(command) for command in render_fixes(findings, parameter)]
    return [
        (next(word for word in words if word.startswith("golden.images.")), json.loads(words[-1]))
        for words in commands
    ]


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        pytest.param(
            EVERYWHERE,
            [{"share_images": {EU: f"ami-{EU}", US: f"ami-{US}"}, "share_account_ids": [WEB, BATCH]}],
            id="the same accounts in two regions",
        ),
        pytest.param(
            [finding("not_shared"), finding("not_shared", BATCH, US, "ami-2")],
            [
                {"share_images": {EU: "ami-1"}, "share_account_ids": [WEB]},
                {"share_images": {US: "ami-2"}, "share_account_ids": [BATCH]},
            ],
            id="each in its own region",
        ),
        pytest.param(
            [finding("not_shared"), finding("not_shared", image_id="ami-2")],
            [
                {"share_images": {EU: "ami-1"}, "share_account_ids": [WEB]},
                {"share_images": {EU: "ami-2"}, "share_account_ids": [WEB]},
            ],
            id="two images of a region",
        ),
    ],
)
def test_images_are_shared(findings: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert run(*findings) == [("golden.images.share_ami", values) for values in expected]


@pytest.mark.parametrize("code", ["missing_key_access", "missing_create_grant"])
def test_keys_are_granted(code: str) -> None:
    assert run(finding(code)) == [
        ("golden.images.ami_kms_grant", {"images": {EU: "ami-1"}, "account_ids": [WEB]})
    ]


@pytest.mark.parametrize("code", ["parameter_not_advanced", "parameter_not_shared"])
def test_the_parameter_is_published_for_the_account_too(code: str) -> None:
    values = {"publish_images": {EU: "ami-1"}, "publish_parameter": "/golden/web", "publish_share": [WEB]}
    assert run(finding(code)) == [("golden.images.publish_ami", values)]
    # A report of a verification does not name the parameter.
    assert run(finding(code), parameter=None) == []


def test_what_no_command_gives_has_none() -> None:
    fixed = {"not_shared", "missing_key_access", "missing_create_grant"}
    others = set(MEANINGS) - fixed - {"parameter_not_advanced", "parameter_not_shared"}
    assert len(others) == len(MEANINGS) - 5
    assert run(*map(finding, others), finding("not_shared", image_id=None)) == []
