# SPDX-License-Identifier: GPL-3.0-or-later

"""What roles say about their changes, held against the calls that the simulated AWS has recorded."""

from __future__ import annotations

from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import publishing
from .convergence import changing_calls
from .fixture import CONSUMERS, HOME, Fixture
from .playbook import Ansible, Run

DONE = {"share": "shared", "publish": "published"}


def _variables(role: str, fixture: Fixture) -> dict[str, Any]:
    if role == "share":
        return {
            "share_images": {HOME: fixture.image_id},
            "share_account_ids": fixture.account_ids(CONSUMERS[0]),
        }
    return {
        "publish_images": {HOME: fixture.image_id},
        "publish_parameter": publishing.PARAMETER,
        "publish_require_shared": False,
    }


def _said(run: Run, role: str) -> tuple[str, str]:
    """The first line that the role displays, and the status that it passes on."""
    shown = run.task(f"{role} : Show the result").result
    passed = shown["ansible_stats"]["data"][f"{role}_artifacts"]
    return shown["text"].splitlines()[0], passed["status"]


@pytest.mark.parametrize("role", ["share", pytest.param("publish", marks=pytest.mark.nightly)])
def test_a_role_says_that_it_changed_something_only_if_it_did(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, role: str
) -> None:
    variables, playbook = _variables(role, fixture), f"golden.images.{role}_ami"
    moments = [
        (("--check",), "Check mode: ", "planned", False),
        ((), "", DONE[role], True),
        ((), "Nothing to change: ", DONE[role], False),
        (("--check",), "Nothing to change: ", "planned", False),
    ]
    for options, begins, status, changes in moments:
        aws.clear_calls()
        run = ansible.run(playbook, variables, *options)
        assert run.code == 0, run.text
        sentence, passed = _said(run, role)
        assert (passed, bool(changing_calls(aws))) == (status, changes), sentence
        assert sentence.startswith(begins), sentence
        assert sentence.startswith("Nothing") is (begins == "Nothing to change: ")


@pytest.mark.parametrize("role", ["share", pytest.param("publish", marks=pytest.mark.nightly)])
def test_a_role_that_is_refused_changes_nothing_and_says_so(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, role: str
) -> None:
    of_nobody = {HOME: "ami-0123456789abcdef0"}
    aws.clear_calls()
    run = ansible.run(f"golden.images.{role}_ami", {**_variables(role, fixture), f"{role}_images": of_nobody})
    assert run.code != 0
    assert "This task changed nothing." in run.text
    assert changing_calls(aws) == []
    assert _said(run, role)[1] == "failed"
