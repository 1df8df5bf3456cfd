# SPDX-License-Identifier: GPL-3.0-or-later

"""The notifications of awx/messages.yml: AWX takes them, and they say what a job has found."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from ..fixture import OWNER
from ..playbook import Ansible, Run
from ..survey_cleanup import CLEANUP
from .notifications import of_approval, of_job, read_messages, render
from .rules import check_messages

pytestmark = pytest.mark.nightly

VERIFIED = Run(
    0,
    "",
    "",
    (),
    {
        "verify_artifacts": {
            "images": {"eu-west-1": "ami-1", "us-east-1": "ami-2"},
            "level": "launched",
            "text": "Verified: 12 accounts in 2 regions.\nConsole: https://s3.example.org/report",
        }
    },
)
PLANNED = Run(0, "", "", (), {"cleanup_artifacts": {"counts": {"deregister": 2}, "text": "Check mode: <2>"}})
# A playbook of one's own, and a role that has failed before its result.
FAILED = Run(2, "", "", (), {"own": "text"})
NAME = "Golden images: verify #42: successful"


@pytest.fixture
def messages(tmp_path: Path) -> dict[str, Any]:
    """The messages by the type of the notification."""
    return read_messages(Ansible({"PATH": "/usr/bin:/bin"}, tmp_path))


def test_awx_takes_all_messages(messages: dict[str, Any]) -> None:
    assert {"email", "slack", "webhook"} < {*messages}
    for of_type in messages.values():
        check_messages(of_type)


def test_a_job_says_what_it_has_found(messages: dict[str, Any]) -> None:
    assert render(messages["slack"]["success"]["message"], of_job("verify", VERIFIED)).split("\n") == [
        NAME,
        "```",
        "Verified: 12 accounts in 2 regions.",
        "Console: https://s3.example.org/report",
        "eu-west-1: ami-1",
        "us-east-1: ami-2",
        "```",
        "https://awx.example.org/#/jobs/playbook/42",
    ]
    context = of_job("verify", VERIFIED)
    # The subject of a mail is one line.
    assert render(messages["email"]["success"]["message"], context) == NAME
    mail = render(messages["email"]["success"]["body"], context)
    assert "\n\nVerified: 12 accounts in 2 regions.\n" in mail
    posted = json.loads(render(messages["webhook"]["success"]["body"], context))
    assert posted == {"text": render(messages["slack"]["success"]["message"], context)}


def test_a_plan_is_a_plan_and_a_failure_has_what_there_is(messages: dict[str, Any]) -> None:
    planned = render(messages["webhook"]["success"]["body"], of_job("cleanup", PLANNED, "check"))
    assert json.loads(planned)["text"].startswith(
        "Golden images: cleanup #42 in check mode: successful\n```\nCheck mode: <2>\n```\n"
    )
    failed = render(messages["slack"]["error"]["message"], of_job("audit", FAILED))
    assert failed == "Golden images: audit #42: failed\nhttps://awx.example.org/#/jobs/playbook/42"


def test_an_approval_has_the_variables_of_the_workflow(messages: dict[str, Any]) -> None:
    variables = {
        "distribute_regions": "eu-west-1\nus-east-1",
        "distribute_external_id": "$encrypted$",
    }
    context = of_approval("Publish the images?", variables)
    text = render(messages["slack"]["workflow_approval"]["running"]["message"], context)
    assert text.split("\n") == [
        '"Publish the images?" waits for an approval: https://awx.example.org/#/jobs/workflow/41',
        "Variables of the workflow: "
        + json.dumps({**variables, "distribute_regions": "eu-west-1, us-east-1"}),
    ]
    posted = render(messages["webhook"]["workflow_approval"]["running"]["body"], context)
    assert json.loads(posted) == {"text": text}
    mail = messages["email"]["workflow_approval"]["running"]
    assert render(mail["message"], context) == text.split("\n")[0]
    assert render(mail["body"], context) == text


def test_the_plan_of_a_cleanup_lists_the_images_that_go(
    messages: dict[str, Any], aws: SimulatedAws, tmp_path: Path
) -> None:
    job = CLEANUP["rules"](aws, tmp_path)
    ansible = Ansible(job.fixture.environment(OWNER), tmp_path)
    planned = ansible.run(job.playbook, dict(job.values), "--check")
    assert planned.code == 0, planned.text
    stats = planned.task("Show the result").result["ansible_stats"]["data"]
    assert stats["cleanup_artifacts"]["status"] == "planned"
    context = of_job("cleanup", dataclasses.replace(planned, artifacts=stats), "check")
    text = render(messages["slack"]["success"]["message"], context)
    going = [one for one in planned.facts["cleanup_results"] if one["decision"] == "deregister"]
    assert going
    for image in going:
        assert image["image_id"] in text
    assert "in check mode" in text
