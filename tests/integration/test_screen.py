# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person sees: progress, a table at the end of each role, and never a secret."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import observed
from .fixture import CONSUMERS, HOME, OWNER, Fixture
from .playbook import MODULES, Ansible, kill

FQCN = "golden.images.distribute_ami"
AWAY = "eu-west-1"
WIDTH = 80
NO_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


@pytest.fixture
def copying(fixture: Fixture) -> dict[str, Any]:
    """A task that copies and waits."""
    arguments = {"source_image_id": fixture.image_id, "source_region": HOME, "regions": [AWAY]}
    return {"name": "Copy and wait", MODULES + "ami_copy_regions": arguments}


@pytest.mark.per_python
@pytest.mark.quick
def test_progress_is_on_the_screen_while_copies_are_running(
    aws: SimulatedAws, ansible: Ansible, copying: dict[str, Any]
) -> None:
    aws.update_settings(copy_seconds=8)
    play = ansible.write_play([copying])
    process = ansible.start(play, environment={"ANSIBLE_STDOUT_CALLBACK": "default"})
    assert process.stdout is not None
    try:
        line = next((line for line in process.stdout if f"{AWAY} " in line and "%" in line), "")
        (copy,) = observed.own_images(aws, OWNER, AWAY)
        assert line.startswith(f"    {AWAY} ")
        assert copy["State"] == "pending"
        assert process.poll() is None
        remaining = process.stdout.read()
        assert f"{AWAY} available" in remaining
        assert process.wait() == 0
    finally:
        kill(process)


@pytest.mark.per_python
@pytest.mark.quick
@pytest.mark.parametrize(
    ("playbook", "message"),
    [
        ("distribute_ami", "distribute_regions: it is required"),
        ("cleanup_amis", "no stage is set"),
        ("audit_ami_sharing", "there is no region 'no-region-1'"),
    ],
)
def test_a_failure_is_told_once(ansible: Ansible, playbook: str, message: str) -> None:
    """By the first task of a role, by a module, and by the last task of a role."""
    environment = {"ANSIBLE_STDOUT_CALLBACK": "default"}
    run = ansible.run(f"golden.images.{playbook}", {"audit_regions": "no-region-1"}, environment=environment)
    assert run.code != 0
    assert run.text.count(message) == 1, run.text
    assert "See above, or -vvv." in run.text


@pytest.mark.nightly
def test_ansible_runner_reports_progress_as_events(
    aws: SimulatedAws, ansible: Ansible, copying: dict[str, Any], tmp_path: Path
) -> None:
    regions = {AWAY: 3, "us-west-2": 4, "ap-southeast-2": 6}
    aws.update_settings(copy_seconds_by_region=regions)
    copying[MODULES + "ami_copy_regions"]["regions"] = [*regions]
    folder = tmp_path / "runner"
    (folder / "project").mkdir(parents=True)
    shutil.copy(ansible.write_play([copying]), folder / "project" / "play.yml")
    environment = {
        name: value for name, value in ansible.environment.items() if name != "ANSIBLE_STDOUT_CALLBACK"
    }
    done = subprocess.run(
        ["ansible-runner", "run", str(folder), "--playbook", "play.yml", "--ident", "one", "--quiet"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    files = (folder / "artifacts" / "one" / "job_events").glob("*.json")
    events = sorted(
        (json.loads(file.read_text(encoding="utf-8")) for file in files), key=lambda event: event["counter"]
    )
    shown = [event["counter"] for event in events if " available" in event["stdout"]]
    (ended,) = [event for event in events if event["event"] == "runner_on_ok"]
    assert shown
    assert shown[0] < ended["counter"]
    copies = {region: observed.own_images(aws, OWNER, region)[0]["ImageId"] for region in regions}
    assert ended["event_data"]["res"]["images"] == copies
    # The first, one after ten seconds if the machine is slow, and the last; a terminal shows more than twice
    # as many.
    progress = [line for event in events for line in event["stdout"].splitlines() if line.startswith("    ")]
    assert 2 <= len(progress) <= 3, progress


def test_the_action_group_takes_credentials_and_no_output_shows_a_secret(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    given = fixture.environment(OWNER)
    access_key, secret = given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"]
    profile = ansible.folder / "credentials"
    profile.write_text(
        f"[owner]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret}\n", encoding="utf-8"
    )
    share = {
        MODULES + "ami_share": {"image_id": fixture.image_id, "account_ids": fixture.account_ids(*CONSUMERS)}
    }
    copy = {MODULES + "ami_copy_regions": {"source_image_id": fixture.image_id, "regions": [AWAY]}}
    endpoint = {"endpoint_url": aws.url, "region": HOME}
    keys = {**endpoint, "access_key": access_key, "secret_key": secret}
    token = {**keys, "session_token": "a-token-that-is-not-checked"}
    tasks = [
        {
            "name": f"{name} with {how}",
            "module_defaults": {"group/golden.images.aws": defaults},
            **task,
        }
        for how, defaults in (("keys", token), ("a profile", {**endpoint, "profile": "owner"}))
        for name, task in (("share", share), ("copy", copy))
    ]
    refused = {
        "name": "a refusal",
        "module_defaults": {"group/golden.images.aws": keys},
        MODULES + "ami_share": {"image_id": "ami-00000000000000000", "account_ids": []},
        "ignore_errors": True,
    }
    run = ansible.tasks(
        [*tasks, refused],
        "-vvvv",
        environment={
            **NO_CREDENTIALS,
            "AWS_ENDPOINT_URL": "",
            "AWS_REGION": "",
            "AWS_DEFAULT_REGION": "",
            "AWS_SHARED_CREDENTIALS_FILE": str(profile),
            # From ansible-core 2.21 on, what a module was given is shown on request only.
            "ANSIBLE_INJECT_INVOCATION": "true",
        },
    )
    assert run.code == 0, run.text
    assert run.changed == ["share with keys", "copy with keys"]
    assert run.task("a refusal").codes == [(HOME, "image_not_found")]
    # -vvvv really shows what the modules were given.
    assert access_key in run.stdout
    for hidden in (secret, token["session_token"]):
        assert hidden not in run.text


@pytest.mark.per_python
@pytest.mark.quick
def test_secrets_of_the_environment_stay_there_when_a_region_fails(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    aws.add_fault("error", action="CopyImage", times=0, code="InternalFailure", status=400)
    variables = {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": [AWAY],
    }
    run = ansible.run(FQCN, variables, "-vvvv", "--diff", environment={"ANSIBLE_STDOUT_CALLBACK": "default"})
    assert run.code != 0
    assert "InternalFailure" in run.stdout
    assert fixture.environment(OWNER)["AWS_SECRET_ACCESS_KEY"] not in run.text


@pytest.fixture
def distributing(fixture: Fixture) -> dict[str, Any]:
    """The variables of a distribution to another region and two accounts."""
    return {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": [HOME, AWAY],
        "distribute_account_ids": fixture.account_ids(*CONSUMERS),
    }


@pytest.mark.per_python
@pytest.mark.quick
def test_a_distribution_ends_with_a_table_of_its_regions(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, distributing: dict[str, Any]
) -> None:
    colored = {
        "ANSIBLE_STDOUT_CALLBACK": "default",
        "ANSIBLE_NOCOLOR": "false",
        "ANSIBLE_FORCE_COLOR": "true",
    }
    planned = _table(ansible.run(FQCN, distributing, "--check", environment=colored).stdout)
    assert planned[0] == f"\x1b[0;32mCheck mode: {fixture.image_id} would be distributed to 2 regions.\x1b[0m"
    assert [line.split() for line in planned[1:4]] == [
        ["region", "image", "copy", "shared"],
        ["us-east-1", fixture.image_id, "source", "planned"],
        ["eu-west-1", "(new)", "planned", "planned"],
    ]

    run = ansible.run(FQCN, distributing, environment={"ANSIBLE_STDOUT_CALLBACK": "default"})
    assert run.code == 0, run.text
    (copy,) = observed.own_images(aws, OWNER, AWAY)
    assert _table(run.stdout) == [
        f"Distributed {fixture.image_id} to 2 regions.",
        "region     image                  copy    shared",
        f"us-east-1  {fixture.image_id}  source  2/2",
        f"eu-west-1  {copy['ImageId']}  copied  2/2",
        "Shared with 2 accounts.",
    ]


def test_a_distribution_that_fails_ends_with_its_table(
    aws: SimulatedAws, ansible: Ansible, distributing: dict[str, Any]
) -> None:
    aws.add_fault("error", action="CopyImage", times=0, code="InternalFailure", status=400)
    run = ansible.run(FQCN, distributing, environment={"ANSIBLE_STDOUT_CALLBACK": "default"})
    assert run.code != 0
    lines = _table(run.stdout)
    assert all(len(line) <= WIDTH for line in lines), lines
    assert lines[0].startswith("Failed: ")
    assert lines[2].startswith(f"{AWAY} ")
    # The task that failed has said why.
    before, _name, after = run.stdout.partition(" : Show the result]")
    assert "InternalFailure" in before
    assert "InternalFailure" not in after


def test_a_refused_distribution_says_why_before_anything_else(
    aws: SimulatedAws, ansible: Ansible, distributing: dict[str, Any]
) -> None:
    publishing = {
        "distribute_publish_parameter": "/golden/web",
        "distribute_launch_templates": ["web"],
    }
    default = {"ANSIBLE_STDOUT_CALLBACK": "default"}
    run = ansible.run(FQCN, {**distributing, **publishing}, environment=default)
    assert run.code != 0
    _before, _name, after = run.stdout.partition(" : Check where the image will be published]")
    place = f"{AWAY}, {HOME} in account {aws.account_id(OWNER)}"
    assert f"{place}: launch_templates: web does not exist." in after.splitlines()[1]


def _table(stdout: str) -> list[str]:
    """The lines that role_result displays."""
    _before, _name, after = stdout.partition(" : Show the result]")
    shown, _ok, _recap = after.partition("ok: [localhost]")
    return [line for line in shown.splitlines()[1:] if line]


@pytest.mark.per_python
@pytest.mark.quick
def test_a_job_passes_its_artifacts_to_the_next_one_of_a_workflow(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, distributing: dict[str, Any]
) -> None:
    passed = ansible.job(FQCN, distributing).artifacts
    (copy,) = observed.own_images(aws, OWNER, AWAY)
    assert passed == {
        "distribute_artifacts": {
            "copies": "[]",
            "failed_regions": [],
            "images": {HOME: fixture.image_id, AWAY: copy["ImageId"]},
            "report_path": None,
            "report_s3_uri": None,
            "report_url": None,
            "source_image_id": fixture.image_id,
            "source_region": HOME,
            "status": "distributed",
            "text": passed["distribute_artifacts"]["text"],
        }
    }
    assert f"Distributed {fixture.image_id} to 2 regions." in passed["distribute_artifacts"]["text"]
    template = {
        "verify_images": "{{ distribute_artifacts }}",
        "verify_account_ids": [aws.account_id(OWNER)],
        "verify_level": "visible",
    }
    verified = ansible.job("golden.images.verify_ami", passed, template).artifacts["verify_artifacts"]
    assert (verified["status"], verified["failed_regions"]) == ("verified", [])
    assert verified["images"] == passed["distribute_artifacts"]["images"]


@pytest.mark.nightly
def test_a_job_that_fails_passes_what_it_did(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, distributing: dict[str, Any]
) -> None:
    aws.add_fault("error", action="ModifyImageAttribute", region=AWAY, times=0, code="Nope", status=400)
    passed = ansible.job(FQCN, distributing).artifacts["distribute_artifacts"]
    assert passed["status"] == "partial"
    assert passed["failed_regions"] == [AWAY]
    assert passed["images"] == {HOME: fixture.image_id}


@pytest.mark.nightly
def test_the_text_of_a_role_that_fails_can_be_sent_to_a_chat(fixture: Fixture, ansible: Ansible) -> None:
    role = {"ansible.builtin.include_role": {"name": "golden.images.share"}}
    text = "{{ share_summary.text }} / {{ share_summary.failure }}"
    sent = {"name": "Send", "ansible.builtin.debug": {"msg": text}}
    images = {HOME: fixture.image_id, AWAY: "ami-00000000000000000"}
    variables = {"share_images": images, "share_account_ids": fixture.account_ids(*CONSUMERS)}
    run = ansible.tasks([{"name": "Share", "block": [role], "always": [sent]}], vars=variables)
    assert run.code != 0
    shown, failure = run.task("Send").result["msg"].split(" / ")
    assert shown == run.task("Show the result").result["text"]
    assert AWAY in shown.splitlines()[2]
    assert failure.startswith(f"{AWAY}: ")
