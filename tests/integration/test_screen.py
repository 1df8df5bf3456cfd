# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person sees: progress while copies are running, and never a secret."""

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

pytestmark = pytest.mark.every_python

FQCN = "golden.images.distribute_ami"
AWAY = "eu-west-1"
NO_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


@pytest.fixture
def copying(fixture: Fixture) -> dict[str, Any]:
    """A task that copies and waits; its name is what its progress begins with."""
    arguments = {"source_image_id": fixture.image_id, "source_region": HOME, "regions": [AWAY]}
    return {"name": "Copy and wait", MODULES + "ami_copy_regions": arguments}


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
        assert copying["name"] in line
        assert copy["State"] == "pending"
        assert process.poll() is None
        remaining = process.stdout.read()
        assert f"{AWAY} available" in remaining
        assert process.wait() == 0
    finally:
        kill(process)


def test_ansible_runner_hands_progress_on_as_events(
    aws: SimulatedAws, ansible: Ansible, copying: dict[str, Any], tmp_path: Path
) -> None:
    aws.update_settings(copy_seconds=3)
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
    shown = [event["counter"] for event in events if f"{AWAY} available" in event["stdout"]]
    (ended,) = [event for event in events if event["event"] == "runner_on_ok"]
    assert shown
    assert shown[0] < ended["counter"]
    (copy,) = observed.own_images(aws, OWNER, AWAY)
    assert ended["event_data"]["res"]["images"] == {AWAY: copy["ImageId"]}


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
