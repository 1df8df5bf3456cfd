# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in for AWX's API refuses what AWX refuses, as AWX's own source says."""

from __future__ import annotations

from typing import Any

import pytest

from .rules import BadRequestError, check_rrule, check_survey
from .stand_in import Awx, NotFoundError, Object

pytestmark = pytest.mark.nightly

QUESTION = {"question_name": "Regions", "variable": "regions", "type": "text", "required": True}
DAILY = "DTSTART;TZID=UTC:20260101T020000 RRULE:FREQ=DAILY;INTERVAL=1"


def survey(*questions: Any) -> dict[str, Any]:
    """A survey of these questions."""
    return {"name": "A survey", "description": "", "spec": list(questions)}


def test_a_survey_of_each_type_is_taken() -> None:
    kinds = ("text", "textarea", "password", "integer", "float")
    plain = [{**QUESTION, "variable": kind, "type": kind} for kind in kinds]
    chosen = [
        {**QUESTION, "variable": kind, "type": kind, "choices": ["a", "b"], "default": "a"}
        for kind in ("multiplechoice", "multiselect")
    ]
    check_survey(survey(*plain, *chosen))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ([], "doesn't contain any items"),
        (["regions"], "not a json object"),
        ([{name: value for name, value in QUESTION.items() if name != "required"}], "'required' missing"),
        ([{**QUESTION, "required": "yes"}], "expected to be bool"),
        ([{**QUESTION, "type": "list"}], "not one of the allowed question types"),
        ([QUESTION, QUESTION], "duplicated in survey question 1"),
        ([{**QUESTION, "default": 5}], "Default value 5"),
        ([{**QUESTION, "type": "integer", "default": "5"}], "expected to be integer"),
        ([{**QUESTION, "max": "100"}], "The max limit"),
        ([{**QUESTION, "type": "multiplechoice"}], "must specify choices"),
        (
            [{**QUESTION, "type": "multiplechoice", "choices": ["a"], "default": "b"}],
            "from the choices listed",
        ),
        ([{**QUESTION, "type": "multiplechoice", "choices": ["a", "b"], "default": "a\nb"}], "one default"),
        ([{**QUESTION, "default": "$encrypted$"}], "reserved keyword"),
    ],
)
def test_an_invalid_survey_is_refused(asked: list[Any], message: str) -> None:
    with pytest.raises(BadRequestError, match=message):
        check_survey(survey(*asked))


def test_a_survey_without_a_description_is_refused() -> None:
    with pytest.raises(BadRequestError, match="Field 'description' is missing"):
        check_survey({"name": "A survey", "spec": [QUESTION]})


@pytest.mark.parametrize(
    "rule",
    [
        "RRULE:FREQ=DAILY;INTERVAL=1",
        "DTSTART:20260101T020000 RRULE:FREQ=DAILY;INTERVAL=1",
        "DTSTART:20260101T020000Z RRULE:FREQ=DAILY",
        "DTSTART:20260101T020000Z RRULE:FREQ=SECONDLY;INTERVAL=1",
        "DTSTART:20260101T020000Z RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=1MO",
        "DTSTART:20260101T020000Z RRULE:FREQ=DAILY;INTERVAL=1;COUNT=1000",
        "DTSTART:20260101T020000Z RRULE:FREQ=DAILY;INTERVAL=1 EXDATE:20260102T020000Z",
        "DTSTART:20260101T020000Z RRULE:FREQ=NEVER;INTERVAL=1",
    ],
)
def test_an_invalid_schedule_is_refused(rule: str) -> None:
    check_rrule(DAILY)
    with pytest.raises(BadRequestError, match="rrule"):
        check_rrule(rule)


@pytest.fixture
def awx() -> Awx:
    """An AWX with an organization, and a project whose update has finished."""
    awx = Awx(("playbooks/a.yml",))
    organization = awx.create("organizations", {"name": "O"})["id"]
    project = {
        "name": "P",
        "organization": organization,
        "scm_type": "git",
        "scm_url": "https://git.example.org/p",
    }
    awx.finish_update(awx.create("projects", project)["id"])
    awx.create("inventories", {"name": "I", "organization": organization})
    return awx


def job_template(awx: Awx, **fields: Any) -> Object:
    """Create a job template."""
    project, inventory = awx.named("projects", "P"), awx.named("inventories", "I")
    base = {
        "name": "J",
        "project": project["id"],
        "inventory": inventory["id"],
        "playbook": "playbooks/a.yml",
    }
    return awx.create("job_templates", {**base, **fields})


def node(awx: Awx, identifier: str, **fields: Any) -> Object:
    """Create a node of the workflow W, which is created with the first."""
    if not awx.find("workflow_job_templates", {"name": "W"}):
        awx.create("workflow_job_templates", {"name": "W"})
    workflow = awx.named("workflow_job_templates", "W")["id"]
    return awx.create(
        "workflow_job_template_nodes", {"identifier": identifier, "workflow_job_template": workflow, **fields}
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"project": None}, "must have a project"),
        ({"inventory": None}, "set a default value or ask to prompt"),
        ({"playbook": ""}, "Must select playbook"),
        ({"playbook": "playbooks/b.yml"}, "Playbook not found"),
        ({"scm_branch": "main"}, "does not allow overriding branch"),
        ({"extra_vars": "- a"}, "Cannot parse"),
        ({"name": ""}, "This field is required"),
        ({"execution_environment": 99}, "object does not exist"),
    ],
)
def test_an_invalid_job_template_is_refused(awx: Awx, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequestError, match=message):
        job_template(awx, **fields)


def test_a_name_is_unique_and_playbooks_are_known_after_the_update(awx: Awx) -> None:
    job_template(awx)
    with pytest.raises(BadRequestError, match="already exists"):
        job_template(awx)
    other = awx.create("projects", {"name": "Q", "scm_type": "git", "scm_url": "https://git.example.org/q"})
    with pytest.raises(BadRequestError, match="Playbook not found"):
        job_template(awx, name="K", project=other["id"])


def test_a_node_takes_only_what_its_job_template_asks_for(awx: Awx) -> None:
    closed = job_template(awx)["id"]
    with pytest.raises(BadRequestError, match="not configured to prompt"):
        node(awx, "a", unified_job_template=closed, job_type="check")
    with pytest.raises(BadRequestError, match="not allowed on launch"):
        node(awx, "a", unified_job_template=closed, extra_data={"x": 1})
    asking = job_template(awx, name="K", ask_job_type_on_launch=True, ask_variables_on_launch=True)["id"]
    node(awx, "a", unified_job_template=asking, job_type="check", extra_data={"x": 1})


def test_nodes_have_one_link_and_no_circle(awx: Awx) -> None:
    first, second = node(awx, "a")["id"], node(awx, "b")["id"]
    nodes = "workflow_job_template_nodes"
    awx.associate(nodes, first, "success_nodes", second, remove=False)
    with pytest.raises(BadRequestError, match="Relationship not allowed"):
        awx.associate(nodes, first, "failure_nodes", second, remove=False)
    for parent, child in ((second, first), (first, first)):
        with pytest.raises(BadRequestError, match="Cycle detected"):
            awx.associate(nodes, parent, "always_nodes", child, remove=False)


def test_a_schedule_needs_the_required_answers(awx: Awx) -> None:
    asking = job_template(awx, survey_enabled=True)["id"]
    awx.set_survey("job_templates", asking, survey(QUESTION))
    schedule = {"name": "S", "unified_job_template": asking, "rrule": DAILY}
    with pytest.raises(BadRequestError, match="'regions' value missing"):
        awx.create("schedules", schedule)
    awx.create("schedules", {**schedule, "extra_data": {"regions": "eu-west-1"}})


def test_credentials_have_kinds(awx: Awx) -> None:
    organization = awx.named("organizations", "O")["id"]
    made = {
        name: awx.create(
            "credentials",
            {
                "name": name,
                "organization": organization,
                "credential_type": awx.named("credential_types", kind)["id"],
            },
        )["id"]
        for name, kind in (
            *(("a", "Amazon Web Services"), ("b", "Amazon Web Services")),
            *(("r", "Container Registry"), ("v", "Vault")),
        )
    }
    template = job_template(awx)["id"]
    awx.associate("job_templates", template, "credentials", made["a"], remove=False)
    for name, message in (
        ("b", "Cannot assign multiple Amazon"),
        ("r", "Cannot assign a Credential of kind"),
    ):
        with pytest.raises(BadRequestError, match=message):
            awx.associate("job_templates", template, "credentials", made[name], remove=False)
    with pytest.raises(BadRequestError, match="Only Container Registry"):
        awx.create("execution_environments", {"name": "E", "image": "e", "credential": made["a"]})
    source = {"name": "S", "inventory": awx.named("inventories", "I")["id"], "source": "scm"}
    with pytest.raises(BadRequestError, match="Project required"):
        awx.create("inventory_sources", source)
    source |= {"source_project": awx.named("projects", "P")["id"], "credential": made["v"]}
    with pytest.raises(BadRequestError, match="insights and vault"):
        awx.create("inventory_sources", source)


def test_a_notification_needs_its_configuration(awx: Awx) -> None:
    organization = awx.named("organizations", "O")["id"]
    template = {"name": "N", "organization": organization, "notification_type": "webhook"}
    with pytest.raises(BadRequestError, match="Missing required fields: url"):
        awx.create("notification_templates", template)


def test_a_template_is_deleted_with_its_schedules_and_nodes(awx: Awx) -> None:
    template = job_template(awx)
    workflow = awx.create("workflow_job_templates", {"name": "W"})
    nodes = [
        awx.create(
            "workflow_job_template_nodes", {"workflow_job_template": workflow["id"], "identifier": name}
        )
        for name in ("job", "approval")
    ]
    awx.update("workflow_job_template_nodes", nodes[0]["id"], {"unified_job_template": template["id"]})
    awx.create_approval(nodes[1]["id"], {"name": "A"})
    for name, one in (("S", template), ("T", workflow)):
        awx.create("schedules", {"name": name, "unified_job_template": one["id"], "rrule": DAILY})

    awx.delete("job_templates", template["id"])
    assert [one["name"] for one in awx.find("schedules", {})] == ["T"]
    # The node stays, without a job.
    assert nodes[0]["unified_job_template"] is None

    awx.delete("workflow_job_templates", workflow["id"])
    assert awx.find("schedules", {}) == []
    assert awx.find("workflow_job_template_nodes", {}) == []
    assert awx.find("workflow_approval_templates", {}) == []
    with pytest.raises(NotFoundError):
        awx.delete("workflow_job_templates", workflow["id"])
