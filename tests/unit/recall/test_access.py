# SPDX-License-Identifier: GPL-3.0-or-later

"""Permissions of images that are changed in parallel: one that fails stops no other one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.read import Caller
from ansible_collections.golden.images.plugins.module_utils._failures import CONSUMER_REJECTED, Failure
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, Target
from ansible_collections.golden.images.plugins.module_utils._plan import Action, Performed, TargetPlan
from ansible_collections.golden.images.plugins.module_utils._recall import write_access
from ansible_collections.golden.images.plugins.module_utils._recall.block import ImagePlan
from ansible_collections.golden.images.plugins.module_utils._recall.record import Access

from tests.unit.examples import CONSUMER, OWNER
from tests.unit.recall.examples import AWAY, BAD, GOOD, HERE, OTHER, THERE

CLIENTS: Any = SimpleNamespace(
    default_region=AWAY,
    open=lambda *_names: None,
    ec2=lambda region: region,
    rate_limited=lambda _operation: CLIENTS,
)
CALLER = Caller(OWNER, "aws")


def plan_of(image_id: str, *operations: str, target: Target = HERE) -> ImagePlan:
    """The plan of an image with these calls."""
    ref = ImageRef(AWAY, image_id)
    actions = tuple(Action(target, operation, {"ImageId": image_id}, image_id) for operation in operations)
    return ImagePlan(ref, TargetPlan(target, actions), Access(ref, target.account_id))


@pytest.mark.parametrize(
    ("code", "is_opening", "is_failure"),
    [
        ("UnauthorizedOperation", True, True),
        ("UnauthorizedOperation", False, True),
        # A closed account gets nothing back; one that may still have access is never a warning.
        (CONSUMER_REJECTED, True, False),
        (CONSUMER_REJECTED, False, True),
    ],
)
def test_one_image_that_fails_stops_no_other_one(
    monkeypatch: pytest.MonkeyPatch, code: str, is_opening: bool, is_failure: bool
) -> None:
    def perform(_ec2: Any, actions: tuple[Action, ...]) -> Performed:
        if any(action.resource == BAD for action in actions):
            return Performed(failures=(Failure.at(HERE, "ModifyImageAttribute", code, "No.", "Wait."),))
        return Performed(actions, ({},) * len(actions))

    late = Failure.at(HERE, "ModifyImageAttribute", "permission_not_removed", "Late.", "Rerun.")
    monkeypatch.setattr(write_access, "perform_all", perform)
    monkeypatch.setattr(write_access, "wait_until_returned", lambda *_given: ((late,), ("Wait.",)))
    plans = [plan_of(BAD, "ModifyImageAttribute"), plan_of(GOOD, "ModifyImageAttribute"), plan_of(OTHER)]
    changed = write_access.change_access(CLIENTS, CALLER, None, plans, lambda _text: None, is_opening)
    assert [action.resource for action in changed.performed.actions] == [GOOD]
    codes = [failure.error_code for failure in changed.performed.failures]
    assert codes == [*([code] if is_failure else []), "permission_not_removed"]
    assert changed.failed == ({ImageRef(AWAY, BAD)} if is_failure else frozenset())
    assert len(changed.warnings) == (1 if is_failure else 2)


@pytest.mark.parametrize("becomes_available", [True, False])
def test_an_image_is_shared_once_it_is_available(
    monkeypatch: pytest.MonkeyPatch, becomes_available: bool
) -> None:
    made: list[str] = []

    def perform(_ec2: Any, actions: tuple[Action, ...]) -> Performed:
        made.extend(action.operation for action in actions)
        return Performed(actions, ({},) * len(actions))

    def wait(_ec2: Any, _image_id: str) -> None:
        made.append("wait")
        if not becomes_available:
            raise write_access.errors.ClientError({"Error": {"Code": "Late"}}, "DescribeImages")

    monkeypatch.setattr(write_access, "perform_all", perform)
    monkeypatch.setattr(write_access, "wait_until_available", wait)
    monkeypatch.setattr(write_access, "wait_until_returned", lambda *_given: ((), ()))
    plan = plan_of(BAD, "EnableImage", "ModifyImageAttribute")
    changed = write_access.change_access(CLIENTS, CALLER, None, [plan], lambda _text: None, True)
    assert made == ["EnableImage", "wait", *(["ModifyImageAttribute"] if becomes_available else [])]
    assert bool(changed.failed) == (not becomes_available)


def test_each_account_changes_its_images_and_is_waited_for_with_its_own_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    performed: list[tuple[str, str]] = []
    awaited: dict[str, list[str | None]] = {}
    opened: list[list[str]] = []

    class Accounts:
        @contextmanager
        def as_account(self, account_id: str) -> Iterator[Any]:
            yield SimpleNamespace(ec2=lambda region: f"{account_id} {region}")

    def perform(ec2: Any, actions: tuple[Action, ...]) -> Performed:
        performed.extend((ec2, action.resource or "") for action in actions)
        return Performed(actions, ({},) * len(actions))

    def wait(get_client: Any, actions: list[Action]) -> Any:
        awaited[get_client(AWAY, "DescribeImageAttribute")] = [action.resource for action in actions]
        return (), ()

    monkeypatch.setattr(write_access, "open_accounts", lambda *_given: Accounts())
    monkeypatch.setattr(write_access, "open_regions", lambda _clients, regions: opened.append(regions))
    monkeypatch.setattr(write_access, "perform_all", perform)
    monkeypatch.setattr(write_access, "wait_until_returned", wait)
    monkeypatch.setattr(write_access, "get_client", lambda _clients, region, _read: f"paced {region}")
    own, theirs = plan_of(BAD, "ModifyImageAttribute"), plan_of(GOOD, "DisableImage", target=THERE)
    write_access.change_access(CLIENTS, CALLER, None, [own, theirs], lambda _text: None, False)
    assert opened == [[AWAY]]
    assert {*performed} == {(f"{OWNER} {AWAY}", BAD), (f"{CONSUMER} {AWAY}", GOOD)}
    assert awaited == {f"paced {AWAY}": [BAD], f"{CONSUMER} {AWAY}": [GOOD]}
