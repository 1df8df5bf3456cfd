# SPDX-License-Identifier: GPL-3.0-or-later

"""awx/setup.yml, with the real modules of awx.awx, against a stand-in for the API of AWX."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.playbook import CHECKOUT, Ansible, Run

from .stand_in import TOKEN, Awx, Object, serving

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(
        importlib.util.find_spec("ansible_collections.awx") is None,
        reason="the newest package ansible does not include awx.awx",
    ),
]

SETUP = CHECKOUT / "awx" / "setup.yml"
EXAMPLE = yaml.safe_load((CHECKOUT / "awx" / "variables.example.yml").read_text(encoding="utf-8"))
PLAYBOOKS = tuple(sorted(f"playbooks/{path.name}" for path in CHECKOUT.glob("playbooks/*.yml")))
LEAST = {name: EXAMPLE[name] for name in ("setup_project_url", "setup_execution_environment_image")}


@pytest.fixture
def awx() -> Awx:
    """An AWX as it is after its installation."""
    return Awx(PLAYBOOKS)


@pytest.fixture
def ansible(awx: Awx, tmp_path: Path) -> Iterator[Ansible]:
    """Ansible with the token of the AWX in its environment."""
    with serving(awx) as address:
        environment = {"PATH": "/usr/bin:/bin", "CONTROLLER_HOST": address, "CONTROLLER_OAUTH_TOKEN": TOKEN}
        ansible = Ansible(environment, tmp_path)
        # The setup runs 50 modules.
        ansible.timeout = 270
        yield ansible


def run(ansible: Ansible, variables: dict[str, Any], *options: str) -> Run:
    """Run the setup, which must succeed."""
    done = ansible.run(SETUP, variables, *options)
    assert done.code == 0, done.text
    return done


def template(awx: Awx, name: str) -> Object:
    """The job template or workflow of this name."""
    return awx.named("unified_job_templates", f"Golden images: {name}")


def test_the_setup_makes_everything_once(awx: Awx, ansible: Ansible) -> None:
    variables = {**EXAMPLE, "setup_credential_type": "Golden images AWS role"}
    run(ansible, variables)
    own = awx.named("credential_types", "Golden images AWS role")

    used = {one["playbook"] for one in awx.objects["job_templates"].values()}
    assert used == {*PLAYBOOKS}
    for one in awx.objects["job_templates"].values():
        assert one["survey_spec"]["spec"], one["name"]
        role = one["name"].removeprefix("Golden images: ")
        name = EXAMPLE["setup_role_credentials"].get(role, EXAMPLE["setup_credential"])
        credentials = awx.children("job_templates", one["id"], "credentials")
        assert credentials == [awx.named("credentials", name)["id"]]
        assert awx.children("job_templates", one["id"], "notification_templates_error") != []
    assert template(awx, "verify in slices")["job_slice_count"] == EXAMPLE["setup_verify_slices"]
    organization = awx.named("organizations", EXAMPLE["setup_organization"])
    for credential in awx.find("credentials", {"organization": str(organization["id"])}):
        assert (credential["inputs"], credential["credential_type"]) == ({}, own["id"])
    (source,) = awx.objects["inventory_sources"].values()
    inventory = awx.named("credentials", EXAMPLE["setup_role_credentials"]["inventory"])
    assert source["credential"] == inventory["id"]
    assert (CHECKOUT / source["source_path"]).is_file()

    _check_release(awx)
    _check_cleanup(awx)
    _check_launches(awx)
    _check_teams(awx)
    galaxy = awx.children("organizations", organization["id"], "galaxy_credentials")
    assert galaxy == [awx.named("credentials", "Ansible Galaxy")["id"]]

    awx.changes.clear()
    again = run(ansible, variables)
    assert (again.changed, awx.changes) == ([], [])


def test_schedules_that_are_switched_off_are_removed(awx: Awx, ansible: Ansible) -> None:
    _add(awx, "audit")
    _add(awx, "adoption")
    _add_weekly_cleanup(awx)
    last_tasks = ("--start-at-task", "Remove the workflow of the weekly cleanup")
    # Teams may see all templates, which do not exist here.
    variables = {**EXAMPLE, "setup_teams": []}
    run(ansible, variables, *last_tasks)
    assert [one["name"] for one in awx.find("schedules", {})] == [
        "Golden images: nightly audit",
        "Golden images: adoption report",
        "Golden images: weekly cleanup",
    ]

    never = {"setup_audit_schedule": "", "setup_adoption_schedule": "", "setup_cleanup_schedule": None}
    off = {**variables, **never}
    assert run(ansible, off, *last_tasks).changed == [
        "Schedule the audit",
        "Schedule the report on adoption",
        "Schedule the cleanup",
    ]
    assert awx.find("schedules", {}) == []

    awx.changes.clear()
    assert (run(ansible, off, *last_tasks).changed, awx.changes) == ([], [])


def _add(awx: Awx, name: str) -> None:
    """Add a job template, and what it needs if that is missing."""
    if not awx.find("projects", {}):
        organization = awx.create("organizations", {"name": "Golden images"})["id"]
        project = {"name": "Golden images", "organization": organization}
        awx.finish_update(awx.create("projects", project)["id"])
        inventory = {"name": "Golden images accounts", "organization": organization}
        awx.create("inventories", inventory)
    (project,), (inventory,) = awx.find("projects", {}), awx.find("inventories", {})
    body = {"project": project["id"], "inventory": inventory["id"], "playbook": PLAYBOOKS[0]}
    awx.create(
        "job_templates", {**body, "name": f"Golden images: {name}", "organization": project["organization"]}
    )


def _add_weekly_cleanup(awx: Awx) -> None:
    """Add a workflow, after a job template, with a node that approves."""
    (organization,) = awx.find("organizations", {})
    body = {"name": "Golden images: weekly cleanup", "organization": organization["id"]}
    workflow = awx.create("workflow_job_templates", body)
    node = {"workflow_job_template": workflow["id"], "identifier": "approve"}
    number = awx.create("workflow_job_template_nodes", node)["id"]
    awx.create_approval(number, {"name": "Clean up as planned?"})


def _only(ansible: Ansible, *names: str) -> Path:
    """A file with some of the job templates: each takes a second or two."""
    text = (CHECKOUT / "awx" / "job_templates.yml").read_text(encoding="utf-8")
    head, *templates = text.split("  - name: ")
    steps = ansible.folder / "steps.yml"
    kept = [one for one in templates if one.split("\n", 1)[0] in names]
    steps.write_text("  - name: ".join([head, *kept]), encoding="utf-8")
    return steps


def _check_release(awx: Awx) -> None:
    assert _path(awx, "release") == ["distribute", "verify", "approve", "publish"]
    verify = json.loads(template(awx, "verify")["extra_vars"])
    # The template is for the job: nothing of it is rendered here.
    assert verify["verify_images"] == "{{ distribute_artifacts | default('') }}"
    asked = {question["variable"] for question in template(awx, "release")["survey_spec"]["spec"]}
    assert {"distribute_regions", "verify_level", "publish_parameter"} <= asked
    assert (
        not {"distribute_source_region", "distribute_consumer_role_name", "distribute_publish_parameter"}
        & asked
    )
    # AWX would mark them as unsafe in the workflow, and Ansible reads unsafe digits as a number.
    assert json.loads(template(awx, "release")["extra_vars"]) == {}
    for follower in ("verify", "publish"):
        given = json.loads(template(awx, follower)["extra_vars"])
        assert given.items() >= EXAMPLE["setup_extra_vars"]["distribute"].items()


def _check_launches(awx: Awx) -> None:
    jobs = awx.objects["job_templates"].values()
    assert {_role(one) for one in jobs if one["allow_simultaneous"]} == {
        *("adoption", "distribute", "verify", "diagnose", "audit")
    }
    assert {_role(one) for one in jobs if one["ask_limit_on_launch"]} == {"verify", "verify in slices"}
    asked = [f"ask_{name}_on_launch" for name in ("credential", "verbosity", "job_type")]
    assert {one[name] for one in jobs for name in asked} == {True}
    hosts = json.loads(template(awx, "verify in slices")["extra_vars"])["verify_hosts"]
    assert hosts == "aws_accounts,!111122223333"
    announced = {
        _role(one)
        for one in jobs
        if awx.children("job_templates", one["id"], "notification_templates_success")
    }
    assert announced == {"distribute", "verify", "publish", "cleanup"}
    (notification,) = awx.objects["notification_templates"].values()
    assert "text" in notification["messages"]["success"]["body"]
    # A release that waits for its approval stops no other one; a second cleanup would plan the same.
    assert template(awx, "release")["allow_simultaneous"] is True
    assert template(awx, "weekly cleanup")["allow_simultaneous"] is False
    approval = awx.named("workflow_approval_templates", "Publish the images?")
    assert approval["timeout"] == EXAMPLE["setup_release_approval_timeout"]
    assert "verify" in approval["description"]


def _role(job_template: Object) -> str:
    return str(job_template["name"]).removeprefix("Golden images: ")


def _check_teams(awx: Awx) -> None:
    def teams(name: str, role: str) -> list[str]:
        workflow = name in ("release", "weekly cleanup")
        endpoint = "workflow_job_templates" if workflow else "job_templates"
        return awx.teams_of(endpoint, f"Golden images: {name}", role)

    both = ["Image releases", "Image approvals"]
    assert (teams("release", "execute"), teams("release", "approval")) == (both[:1], both[1:])
    assert (teams("weekly cleanup", "execute"), teams("weekly cleanup", "approval")) == ([], both[1:])
    assert (teams("audit", "execute"), sorted(teams("audit", "read"))) == (both[:1], sorted(both))
    assert teams("cleanup", "execute") == []


def _check_cleanup(awx: Awx) -> None:
    assert _path(awx, "weekly cleanup") == ["plan", "approve", "cleanup"]
    nodes = awx.objects["workflow_job_template_nodes"].values()
    types = {one["identifier"]: one["job_type"] for one in nodes if one["identifier"] in ("plan", "cleanup")}
    assert types == {"plan": "check", "cleanup": "run"}
    assert awx.named("workflow_approval_templates", "Clean up as planned?")["timeout"] == 259200
    scheduled = {one["unified_job_template"] for one in awx.objects["schedules"].values()}
    assert scheduled == {template(awx, name)["id"] for name in ("audit", "adoption", "weekly cleanup")}


def _path(awx: Awx, name: str) -> list[str]:
    """The nodes of a workflow in their order, each linked by success alone."""
    of_workflow = {"workflow_job_template": str(template(awx, name)["id"])}
    nodes = {one["id"]: one for one in awx.find("workflow_job_template_nodes", of_workflow)}
    following = {node: awx.children("workflow_job_template_nodes", node, "success_nodes") for node in nodes}
    (first,) = nodes.keys() - {child for children in following.values() for child in children}
    path = [first]
    for node in path:
        path += following[node]
    return [nodes[node]["identifier"] for node in path]


def test_a_check_before_the_first_run_changes_nothing(awx: Awx, ansible: Ansible) -> None:
    checked = run(ansible, LEAST, "--check")
    assert checked.changed == ["Show what would be created"]
    assert "Golden images: audit" in checked.text
    assert awx.changes == []


def test_the_least_setup_has_no_cleanup_and_no_slices(awx: Awx, ansible: Ansible) -> None:
    names = ("distribute", "verify", "publish", "audit", "adoption")
    steps = _only(ansible, *names)
    # An earlier setup had more.
    for name in ("audit", "adoption", "verify in slices"):
        _add(awx, name)
    _add_weekly_cleanup(awx)
    scheduled = {"nightly audit": "audit", "adoption report": "adoption", "weekly cleanup": "weekly cleanup"}
    for name, launched in scheduled.items():
        schedule = {"name": f"Golden images: {name}", "unified_job_template": template(awx, launched)["id"]}
        awx.create("schedules", {**schedule, "rrule": EXAMPLE["setup_audit_schedule"]})
    publishing = {"distribute": {"distribute_publish_parameter": "/golden/web"}}
    least = {**LEAST, "setup_credential": "", "setup_audit_schedule": "", "setup_extra_vars": publishing}
    # The repository cannot be read at first.
    awx.failing_updates = 1
    run(ansible, least, "--extra-vars", f"@{steps}")
    created = {one["name"] for one in awx.find("unified_job_templates", {})}
    expected = {*(f"Golden images: {name}" for name in (*names, "release")), "Publish the images?"}
    # The last one that publishes would win.
    assert template(awx, "distribute")["allow_simultaneous"] is False
    # The others are the project and the source of the inventory.
    assert expected < created
    assert len(created) == len(expected) + 2
    assert awx.objects["schedules"] == {}
    # That of AWX itself.
    assert [one["name"] for one in awx.objects["credentials"].values()] == ["Ansible Galaxy"]

    awx.changes.clear()
    checked = run(ansible, {**least, "setup_project_branch": "v1"}, "--extra-vars", f"@{steps}", "--check")
    assert (checked.changed, awx.changes) == (["Create the project"], [])


def test_a_missing_variable_is_named_before_anything_is_changed(awx: Awx, ansible: Ansible) -> None:
    refused = ansible.run(SETUP, {"setup_project_url": "https://git.example.org/golden/images.git"})
    assert refused.code != 0
    assert "setup_execution_environment_image" in refused.text
    assert awx.changes == []


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"setup_approval_timeout": 60}, "The setup has no variable setup_approval_timeout: correct or"),
        ({"setup_verify_excluded_account_ids": [12345678901]}, "each is 12 digits in quotes"),
        (
            {"setup_teams": [{"name": "T", "approve": ["weekly cleanup"]}]},
            "setup_teams, T: a team can launch distribute, verify,",
        ),
    ],
)
def test_what_would_be_ignored_is_refused(
    awx: Awx, ansible: Ansible, variables: dict[str, Any], message: str
) -> None:
    refused = ansible.run(SETUP, {**LEAST, **variables})
    assert refused.code != 0
    assert message in refused.text
    assert awx.changes == []


def test_a_release_of_copies_into_accounts_is_refused(awx: Awx, ansible: Ansible) -> None:
    asked = {"distribute": {"distribute_copy_into_accounts": True}}
    refused = ansible.run(SETUP, {**EXAMPLE, "setup_extra_vars": asked})
    assert refused.code != 0
    assert "not the accounts' own copies. Omit distribute_copy_into_accounts" in refused.text
    assert awx.changes == []


def test_a_credential_of_an_unknown_role_is_refused(awx: Awx, ansible: Ansible) -> None:
    refused = ansible.run(SETUP, {**LEAST, "setup_role_credentials": {"clean": "AWS cleanup"}})
    assert refused.code != 0
    assert "setup_role_credentials: clean is not a role. Use distribute," in refused.text
    assert awx.changes == []
