# SPDX-License-Identifier: GPL-3.0-or-later

"""The rulebook in a real ansible-rulebook: which events run the playbook, and what the playbook removes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.golden.images.plugins.module_utils._audit.causes import NOT_ALLOWED

from checks import rulebook
from checks.commands import Unfit
from simulated_aws.client import SimulatedAws

from . import observed, trail
from .fixture import HOME, OWNER, STRANGER, Fixture
from .playbook import CHECKOUT, kill

AWAY = "eu-west-1"
QUEUE = "golden-images-sharing"
# The process takes some seconds to start, and so does each playbook.
TIMEOUT = 180
# The samples that run the playbook, in order.
SHARES = (
    "image-add-account",
    "image-add-organization",
    "image-add-organizational-unit",
    "image-add-public-among-others",
    "image-add-public",
    "image-operation-add-account",
    "image-operation-add-organization",
    "image-operation-add-organizational-unit",
    "image-operation-add-public",
    "image-restore-request",
    "image-restore",
    "snapshot-add-account",
    "snapshot-add-public",
    "snapshot-operation-add-account",
    "snapshot-operation-add-public",
    "snapshot-restore-request",
    "snapshot-restore",
)
UNHIDDEN = ("snapshot-block-disabled", "snapshot-block-relaxed")
OMITTED = ("image-add-omitted", "image-add-without-parameters", "snapshot-add-without-parameters")
HIDDEN_CODES = ("snapshot_public", "snapshot_public_blocked")
DISKS = [{"device_name": "/dev/xvda", "size": 8}]

# Replaces ansible-playbook: records the playbook and its variables.
RECORDER = """\
#!{python}
import json, sys, yaml
(extra,) = [word[1:] for word in sys.argv if word.startswith("@")]
with open(extra) as variables, open({record!r}, "a") as record:
    print(json.dumps([sys.argv[-1], yaml.safe_load(variables)]), file=record)
"""

pytestmark = pytest.mark.rulebook


@pytest.fixture(scope="module")
def scripts() -> Path:
    """The directory of ansible-rulebook."""
    try:
        return rulebook.scripts()
    except Unfit as unfit:
        pytest.skip(str(unfit))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A working directory with a short path: Ansible creates sockets in it, whose paths are limited."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


class Queue:
    """The queue in ``HOME`` that the rulebook reads."""

    def __init__(self, aws: SimulatedAws) -> None:
        self._sqs = aws.client("sqs", OWNER, HOME)
        self._url = self._sqs.create_queue(QueueName=QUEUE)["QueueUrl"]

    def send(self, *messages: Any) -> None:
        """Send messages: events as EventBridge sends them, or any text."""
        for message in messages:
            text = message if isinstance(message, str) else json.dumps(message)
            self._sqs.send_message(QueueUrl=self._url, MessageBody=text)


class Rulebook:
    """A running ansible-rulebook; it and its playbooks are killed when the block ends."""

    def __init__(self, path: list[Path], fixture: Fixture, folder: Path, allowed: list[str]) -> None:
        inventory = {"all": {"hosts": {"localhost": {"remediate_allowed_account_ids": allowed}}}}
        _write(folder / "policy.yml", inventory)
        variables = {"queue_name": QUEUE, "queue_region": HOME, "drools_db_file_path": str(folder / "state")}
        _write(folder / "variables.yml", variables)
        self._folder = folder
        self._path = path
        kept = {k: v for k, v in fixture.environment(OWNER).items() if not k.startswith("ANSIBLE_")}
        self._environment = kept | {
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
            "ANSIBLE_HOME": str(folder / "home"),
            "PATH": os.pathsep.join([*map(str, path), kept["PATH"]]),
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(folder),
        }
        self.output = ""

    def __enter__(self) -> Rulebook:
        self._log = (self._folder / "log").open("w+")
        project = self._folder / "project"
        project.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            [
                *("ansible-rulebook", "--rulebook", "golden.images.ami_sharing"),
                *("--vars", "../variables.yml", "--inventory", "../policy.yml"),
                *("--persistence-id", "golden-images-sharing"),
            ],
            cwd=project,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        # A playbook survives the termination of ansible-rulebook.
        kill(self._process)
        self._log.close()
        self.output = self.so_far

    @property
    def so_far(self) -> str:
        """The output until now."""
        return (self._folder / "log").read_text(encoding="utf-8")

    def wait_until(self, reached: Callable[[], bool]) -> None:
        """Wait until `reached`; AssertionError with the output after a timeout or if the process ends."""
        end = time.monotonic() + TIMEOUT
        while not reached():
            if self._process.poll() is not None or time.monotonic() > end:
                raise AssertionError(self.so_far)
            time.sleep(0.1)


def _write(path: Path, content: object) -> None:
    path.write_text(yaml.safe_dump(content), encoding="utf-8")


def test_each_sharing_event_runs_the_playbook_and_no_other_does(
    scripts: Path, aws: SimulatedAws, fixture: Fixture, folder: Path
) -> None:
    recorder, record = folder / "bin" / "ansible-playbook", folder / "record"
    recorder.parent.mkdir()
    recorder.write_text(RECORDER.format(python=scripts / "python", record=str(record)), encoding="utf-8")
    recorder.chmod(0o755)
    samples = {name: _own_ids(number, found) for number, (name, found) in enumerate(trail.records())}
    share, last = samples["image-add-account"], _own_ids(len(samples), samples["image-add-public"])
    queue = Queue(aws)

    queue.send(*map(trail.event, samples.values()))
    # The same event again: the image may have been shared again.
    queue.send(trail.event(share))
    queue.send(*_invalid(share))
    queue.send(trail.event(last))
    with Rulebook([recorder.parent, scripts], fixture, folder, []) as running:
        running.wait_until(lambda: record.exists() and _id(last) in record.read_text(encoding="utf-8"))

    runs = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    assert {name for name, _ in runs} == {"golden.images.remediate_ami_sharing"}
    given = [{name: value for name, value in extra.items() if name != "ansible_eda"} for _, extra in runs]
    regional = {
        **{
            name: {"remediate_regions": [HOME], "remediate_finding_codes": [*HIDDEN_CODES]}
            for name in UNHIDDEN
        },
        **{
            name: {"remediate_regions": [HOME], "remediate_finding_codes": [*NOT_ALLOWED]} for name in OMITTED
        },
    }
    assert given == [
        *(
            regional.get(name) or {"remediate_images": [_place(samples[name])]}
            for name in sorted((*SHARES, *regional), key=[*samples].index)
        ),
        *({"remediate_images": [_place(one)]} for one in (share, last)),
    ]
    assert running.output.count("Set RawMessageDelivery") == 1


def test_a_killed_process_loses_no_event(
    scripts: Path, aws: SimulatedAws, fixture: Fixture, folder: Path
) -> None:
    recorder, record = folder / "bin" / "ansible-playbook", folder / "record"
    recorder.parent.mkdir()
    slowly = RECORDER.format(python=scripts / "python", record=str(record)) + "import time; time.sleep(1)\n"
    recorder.write_text(slowly, encoding="utf-8")
    recorder.chmod(0o755)
    shares = [_own_ids(number, dict(trail.records())["image-add-account"]) for number in range(8)]
    queue = Queue(aws)

    def started() -> set[str]:
        """The IDs of the images whose playbook has started."""
        lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
        return {json.loads(line)[1]["remediate_images"][0]["image_id"] for line in lines}

    queue.send(*map(trail.event, shares))
    with Rulebook([recorder.parent, scripts], fixture, folder, []) as running:
        running.wait_until(lambda: len(started()) >= 2)
    assert len(started()) < len(shares)
    with Rulebook([recorder.parent, scripts], fixture, folder, []) as running:
        running.wait_until(lambda: started() == {_id(one) for one in shares})


def test_one_run_removes_access_that_is_not_allowed_and_keeps_the_rest(
    scripts: Path, aws: SimulatedAws, fixture: Fixture, folder: Path
) -> None:
    allowed, stranger = fixture.account_ids("web-prod", STRANGER)
    sharing = {"accounts": ["web-prod"], "snapshot_accounts": ["web-prod"]}
    added = fixture.add_images(
        {
            name: {"account": OWNER, "region": region, "devices": DISKS, "sharing": sharing}
            for name, region in (("home", HOME), ("away", AWAY))
        }
    )
    queue = Queue(aws)
    (snapshot,) = observed.snapshot_ids(observed.image(aws, OWNER, AWAY, added["away"]))
    home, away = (aws.client("ec2", OWNER, region) for region in (HOME, AWAY))
    to_stranger = {"Add": [{"UserId": stranger}]}

    aws.clear_calls()
    home.modify_image_attribute(ImageId=added["home"], LaunchPermission=to_stranger)
    (shared,) = _changes(aws)
    # The whole event is a variable of the playbook, and the caller controls its content.
    template = "{{ lookup('ansible.builtin.pipe', 'touch " + str(folder / "evaluated") + "') }}"
    queue.send(trail.event({**shared, "userAgent": template}))
    with Rulebook([scripts], fixture, folder, [allowed]) as running:
        running.wait_until(lambda: observed.launch_permissions(aws, OWNER, HOME, added["home"]) == {allowed})
        # CloudTrail records the removal too, which must run no playbook before the next share.
        (_, removal) = _changes(aws)
        queue.send(trail.event(removal))
        away.modify_snapshot_attribute(SnapshotId=snapshot, CreateVolumePermission=to_stranger)
        queue.send(trail.event(_changes(aws)[-1]))
        running.wait_until(lambda: observed.volume_permissions(aws, OWNER, AWAY, snapshot) == {allowed})
        running.wait_until(lambda: running.so_far.count("PLAY RECAP") == 2)

    assert not (folder / "evaluated").exists()
    removed = {"remove": {"items": [{"userId": stranger}]}}
    assert removal["requestParameters"] == {"imageId": added["home"], "launchPermission": removed}
    assert running.output.count("PLAY [") == 2
    assert running.output.count("failed=0") == 2


def _own_ids(number: int, record: dict[str, Any]) -> dict[str, Any]:
    """A record with unique IDs."""
    text = re.sub(r"\b(ami|snap)-[0-9a-f]{17}\b", rf"\1-{number:017x}", json.dumps(record))
    own: dict[str, Any] = json.loads(text)
    return own


def _id(record: dict[str, Any]) -> str:
    (found,) = {*re.findall(r"\b(?:ami|snap)-[0-9a-f]{17}\b", json.dumps(record))}
    return str(found)


def _place(record: dict[str, Any]) -> dict[str, str]:
    """The image or snapshot of a record, as in remediate_images."""
    image_id = _id(record)
    kind = "image_id" if image_id.startswith("ami-") else "snapshot_id"
    return {"region": record["awsRegion"], kind: image_id}


def _invalid(share: dict[str, Any]) -> Iterator[Any]:
    """Messages that must run no playbook: templates as IDs, other structures, no JSON."""
    for image_id in ("{{ lookup('pipe', 'true') }}", "ami-0 {{ 1 }}", "ami-xyz", "", None, 5, ["ami-0"]):
        parameters = {**share["requestParameters"], "imageId": image_id}
        yield trail.event({**share, "requestParameters": parameters})
    yield {**trail.event(share), "region": "{{ lookup('pipe', 'true') }}"}
    yield {**trail.event(share), "source": "mine.ec2"}
    yield {"Type": "Notification", "Message": json.dumps(trail.event(share))}
    yield from ("no JSON", "5", "[]", "{}", "null")


def _changes(aws: SimulatedAws) -> list[dict[str, Any]]:
    """The records of all calls so far that changed something of an image or snapshot."""
    return [trail.recorded(call) for call in aws.calls(service="ec2") if call.action.startswith("Modify")]
