# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``ami_launch_probe`` reads in the accounts, and what it returns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import attempts
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._launch_probe import flow as launch_probe
from ansible_collections.golden.images.plugins.module_utils._launch_probe import read as instances
from ansible_collections.golden.images.plugins.module_utils._launch_probe.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._model import Image, Target
from ansible_collections.golden.images.plugins.module_utils._progress import reporter
from ansible_collections.golden.images.plugins.module_utils._runner import Outcome
from botocore.credentials import Credentials

from tests.unit.clock import Clock
from tests.unit.examples import CONSUMER, OWNER, STRANGER
from tests.unit.kms_grant.kms_in_memory import refused
from tests.unit.launch_probe.examples import NOW, REGION, image, instance, params

SILENT = reporter(None, print)


@dataclass
class World:
    """An account with the image, the accounts whose roles it can assume, and the clients that were opened.

    ``invisible`` is how many reads do not find the image yet. ``given`` are the credentials of the clients.
    """

    account_id: str = OWNER
    default_region: str = "us-east-1"
    shown: Image | None = field(default_factory=image)
    invisible: int = 0
    refuses: Exception | None = None
    others: dict[str, World] = field(default_factory=dict)
    opened: list[tuple[str, str]] = field(default_factory=list)
    given: Credentials | None = None

    def open(self, service: str, regions: list[str]) -> None:
        self.opened += [(service, region) for region in regions]

    def partition_of(self, _region: str) -> str:
        return "aws"

    def sts(self, _region: str) -> World:
        return self

    def get_caller_identity(self) -> dict[str, str]:
        if self.refuses:
            raise self.refuses
        return {"Account": self.account_id, "Arn": f"arn:aws:iam::{self.account_id}:user/build"}

    def credentials(self) -> Credentials:
        return Credentials(self.account_id, "not-a-secret")

    def role_credentials(self, role_arn: str, _external_id: str | None, _region: str) -> Credentials:
        return Credentials(role_arn.split(":")[4], "not-a-secret")

    def with_credentials(self, credentials: Credentials) -> World:
        return replace(self, given=credentials)

    def ec2(self, region: str) -> World:
        assert ("ec2", region) in self.opened
        account_id = self.given.get_frozen_credentials().access_key if self.given else self.account_id
        return self if account_id == self.account_id else self.others[account_id]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.of(monkeypatch, attempts)


@pytest.fixture(autouse=True)
def reads(monkeypatch: pytest.MonkeyPatch) -> None:
    def shown(ec2: World, _image_id: str) -> Image | None:
        if ec2.refuses:
            raise ec2.refuses
        if ec2.invisible:
            ec2.invisible -= 1
            return None
        return ec2.shown

    monkeypatch.setattr(launch_probe.read, "image", shown)
    monkeypatch.setattr(instances, "read_probes", lambda _ec2: (instance("2026-11-24T12:00:00Z"),))


def test_an_account_that_cannot_be_read_does_not_stop_the_others() -> None:
    closed = World(refuses=refused("AccessDenied", "AssumeRole"))
    aws: Any = World(others={CONSUMER: closed, STRANGER: World(shown=None)})
    want = FLOW.options.read(params(account_ids=[CONSUMER, OWNER, STRANGER]), False)
    seen = FLOW.read(aws, want)
    plan = FLOW.plan(want, seen)
    assert {(action.target.account_id, action.operation, action.resource) for action in plan.actions} == {
        (OWNER, "RunInstances", None),
        (OWNER, "TerminateInstances", "i-old"),
        (OWNER, "TerminateInstances", None),
        (STRANGER, "TerminateInstances", "i-old"),
    }
    results = FLOW.result(want, seen, plan, Outcome())["results"]
    assert [
        (one["account_id"], one["level"], [item["code"] for item in one["findings"]]) for one in results
    ] == [
        (CONSUMER, None, ["consumer_unreadable"]),
        (OWNER, "visible", []),
        (STRANGER, None, ["not_visible"]),
    ]


@pytest.mark.parametrize(("is_plan", "level", "waited"), [(False, "visible", 4), (True, None, 0)])
def test_an_image_that_was_just_shared_is_waited_for(
    clock: Clock, is_plan: bool, level: str | None, waited: int
) -> None:
    """That its owner reads the permission says nothing of the account's view."""
    aws: Any = World(others={CONSUMER: World(invisible=2)})
    want = FLOW.options.read(params(account_ids=[CONSUMER]), is_plan)
    started = clock.now
    seen = FLOW.read(aws, want)
    assert clock.now == started + waited
    (result,) = FLOW.result(want, seen, FLOW.plan(want, seen), Outcome())["results"]
    assert result["level"] == level


def test_another_account_fails_without_a_role() -> None:
    want = FLOW.options.read(params(consumer_role_name=None), False)
    seen = FLOW.read(World(), want)
    assert {target.account_id: failure.error_code for target, failure in seen.problems.items()} == {
        CONSUMER: "missing_consumer_role"
    }
    assert {probe.target.account_id for probe in seen.images} == {OWNER}


def test_refused_credentials_stop_the_module() -> None:
    with pytest.raises(ValidationError) as caught:
        FLOW.read(
            World(refuses=refused("ExpiredToken", "GetCallerIdentity")), FLOW.options.read(params(), False)
        )
    assert [failure.action for failure in caught.value.failures] == ["GetCallerIdentity"]


def test_the_deadline_counts_from_the_launch_and_not_from_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accounts wait for each other: another run would terminate what the last one has just launched."""
    tags: list[str] = []

    def launch(_clients: Any, _options: Any, actions: Any, _runs: Any) -> None:
        tags.extend(one.parameters["TagSpecifications"][0]["Tags"][0]["Value"] for one in actions.values())

    monkeypatch.setattr(launch_probe, "run_probes", launch)
    aws: Any = World(others={CONSUMER: World()})
    want = FLOW.options.read(params(account_ids=[CONSUMER]), False)
    seen = replace(FLOW.read(aws, want), now=NOW, instances={Target(CONSUMER, REGION): ()})
    before = datetime.now(UTC)
    FLOW.apply(aws, want, seen, FLOW.plan(want, seen), SILENT)
    (tag,) = tags
    assert 599 <= (datetime.fromisoformat(tag) - before).total_seconds() < 660


def test_an_unexpected_error_is_a_failure_of_its_account(monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(clients: World, *_arguments: Any) -> None:
        if not clients.ec2(REGION).others:
            raise ZeroDivisionError

    monkeypatch.setattr(launch_probe, "run_probes", mistaken)
    monkeypatch.setattr(launch_probe, "terminate_leftovers", lambda *_arguments: None)
    aws: Any = World(others={CONSUMER: World()})
    want = FLOW.options.read(params(), False)
    seen = FLOW.read(aws, want)
    outcome = FLOW.apply(aws, want, seen, FLOW.plan(want, seen), SILENT)
    assert [(failure.account_id, failure.error_code) for failure in outcome.failures] == [
        (CONSUMER, "unexpected_error")
    ]
