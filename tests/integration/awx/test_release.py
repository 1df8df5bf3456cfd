# SPDX-License-Identifier: GPL-3.0-or-later

"""The jobs of the workflow release, one after another, with what AWX hands from one to the next."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from simulated_aws.client import SimulatedAws

from .. import observed, publishing
from ..fixture import HOME, OWNER, STRANGER, Fixture
from ..playbook import CHECKOUT, Ansible, Run
from ..publishing import AWAY
from .notifications import of_job, read_messages, render

pytestmark = pytest.mark.nightly

_AWX = CHECKOUT / "awx"
STEPS = ("distribute", "verify", "publish")
# YAML reads these digits as 1402434204.
_OCTAL = "012345671234"


class Loader(yaml.SafeLoader):
    """Reads a file of Ansible, whose templates are text that AWX stores."""


Loader.add_constructor("!unsafe", lambda _loader, node: node.value)


def _template(name: str, settled: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The extra vars of a job template, and the defaults of its survey, which AWX prefers to them.

    awx/main/models/mixins.py of AWX 24.6.1, SurveyJobTemplateMixin._update_unified_job_kwargs.
    """
    text = (_AWX / "job_templates.yml").read_text(encoding="utf-8")
    (found,) = [one for one in yaml.load(text, Loader)["setup_job_templates"] if one["name"] == name]
    answered = [settled.get(found.get(one), {}) for one in ("follows", "role")]
    asked = _defaults(found["role"])
    defaults = {name: value for name, value in asked.items() if name not in answered[1]}
    return {**found.get("handed_over", {}), **answered[0], **answered[1], **defaults}


def _defaults(survey: str) -> dict[str, Any]:
    asked = yaml.safe_load((_AWX / "surveys" / f"{survey}.yml").read_text(encoding="utf-8"))["spec"]
    return {one["variable"]: one["default"] for one in asked if "default" in one}


@dataclasses.dataclass
class Workflow:
    """A job of the workflow, whose survey has been answered, except for what the setup has ``settled``.

    awx/main/models/workflow.py, WorkflowJobNode.get_job_kwargs: the artifacts of the jobs before are extra
    vars of a job, and the workflow's extra vars take precedence.
    """

    ansible: Ansible
    answers: Mapping[str, Any]
    settled: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    artifacts: dict[str, Any] = dataclasses.field(default_factory=dict)

    def job(self, name: str) -> Run:
        """Run the job of a node."""
        given = {**self.artifacts, **_defaults("release"), **self.answers}
        run = self.ansible.job(f"golden.images.{name}_ami", given, _template(name, self.settled))
        self.artifacts |= run.artifacts
        return run


@pytest.fixture
def answers(fixture: Fixture) -> dict[str, Any]:
    """The answers of a person who releases an image."""
    publishing.with_role(fixture)
    given = publishing.in_consumers(fixture)
    return {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": f"{HOME}\n{AWAY}\n",
        "distribute_account_ids": "\n".join(f'"{one}"' for one in given["account_ids"]),
        "distribute_consumer_role_name": given["consumer_role_name"],
        "distribute_external_id": given["external_id"],
        "verify_level": "visible",
        "publish_parameter": publishing.PARAMETER,
    }


def test_a_release_is_distributed_verified_and_published(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, answers: dict[str, Any]
) -> None:
    workflow = Workflow(ansible, answers)
    runs = [workflow.job(name) for name in STEPS]
    assert [run.code for run in runs] == [0, 0, 0], runs[-1].text
    (copy,) = observed.own_images(aws, OWNER, AWAY)
    images = {HOME: fixture.image_id, AWAY: copy["ImageId"]}
    verified = {(one["account_id"], one["region"]) for one in runs[1].facts["verify_results"]}
    (consumer,) = fixture.account_ids(publishing.CONSUMER)
    assert verified == {(consumer, region) for region in images}
    assert publishing.values(aws) == [images[region] for _account, region in publishing.EVERYWHERE]
    labeled = publishing.value(aws, publishing.CONSUMER, AWAY, f":source-{fixture.image_id}")
    assert labeled == images[AWAY]
    messages = read_messages(ansible)["slack"]["success"]["message"]
    told = [render(messages, of_job(name, run)) for name, run in zip(STEPS, runs, strict=True)]
    for text in told[:2]:
        # What an approver has to know.
        assert all(f"{region}" in text and image_id in text for region, image_id in images.items())
        assert "1 account" in text
    published = workflow.artifacts["publish_artifacts"]
    assert (published["status"], published["images"]) == ("published", images)


def test_accounts_that_the_setup_names_get_the_image_everywhere(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, answers: dict[str, Any]
) -> None:
    role = {"accounts": ["oldest"], "trusts": [OWNER], "external_id": publishing.EXTERNAL_ID}
    fixture.add(accounts={"oldest": _OCTAL}, roles={publishing.ROLE: role})
    settled = {"distribute_account_ids": [_OCTAL, *fixture.account_ids(publishing.CONSUMER)]}
    asked = {name: value for name, value in answers.items() if name not in settled}
    workflow = Workflow(ansible, asked, {"distribute": settled})
    runs = [workflow.job(name) for name in ("distribute", "verify", "publish")]
    assert [run.code for run in runs] == [0, 0, 0], runs[-1].text
    verified = {one["account_id"] for one in runs[1].facts["verify_results"]}
    assert verified == {*settled["distribute_account_ids"]}
    assert publishing.value(aws, "oldest", AWAY) == workflow.artifacts["publish_artifacts"]["images"][AWAY]


def test_a_release_that_does_not_reach_an_account_stops_before_the_approval(
    fixture: Fixture, ansible: Ansible, answers: dict[str, Any]
) -> None:
    # This account has no role, so what it sees is unknown.
    (stranger,) = fixture.account_ids(STRANGER)
    more = {"distribute_account_ids": f'{answers["distribute_account_ids"]}\n"{stranger}"'}
    workflow = Workflow(ansible, {**answers, **more})
    assert workflow.job("distribute").code == 0
    assert workflow.job("verify").code != 0
    verified = workflow.artifacts["verify_artifacts"]
    assert (verified["status"], verified["images"]) == ("incomplete", {})
    assert sorted(verified["failed_regions"]) == [AWAY, HOME]


def test_a_later_job_refuses_what_a_job_that_has_failed_passes_on(
    aws: SimulatedAws, ansible: Ansible, answers: dict[str, Any]
) -> None:
    """In a workflow of one's own, a node may run although the one before it failed."""
    workflow = Workflow(ansible, {**answers, "distribute_source_image_id": "ami-0123456789abcdef0"})
    assert workflow.job("distribute").code != 0
    assert workflow.artifacts["distribute_artifacts"]["status"] == "failed"
    aws.clear_calls()
    refused = workflow.job("verify")
    assert refused.code != 0
    assert "verify_images: this is the result of a job that has failed" in refused.text
    assert list(aws.calls()) == []


def test_later_jobs_take_the_ready_regions_and_name_the_others(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, answers: dict[str, Any]
) -> None:
    workflow = Workflow(ansible, {**answers, "distribute_best_effort_regions": AWAY})
    aws.add_fault("error", action="CopyImage", region=AWAY, times=0, code="InternalFailure", status=400)
    runs = [workflow.job(name) for name in ("distribute", "verify", "publish")]
    assert [run.code for run in runs] == [0, 0, 0], runs[-1].text
    assert workflow.artifacts["distribute_artifacts"]["status"] == "partial"
    assert workflow.artifacts["publish_artifacts"]["images"] == {HOME: fixture.image_id}
    warned = " ".join(runs[1].text.split())
    assert f"verify_images: left out, because the earlier job has not completed them: {AWAY}." in warned
