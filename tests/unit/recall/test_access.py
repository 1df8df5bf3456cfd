# SPDX-License-Identifier: GPL-3.0-or-later

"""Permissions of images that are changed in parallel: one that fails stops no other one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.read import Caller
from ansible_collections.golden.images.plugins.module_utils._failures import CONSUMER_REJECTED, Failure
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, Sharing
from ansible_collections.golden.images.plugins.module_utils._plan import Action, Performed, TargetPlan
from ansible_collections.golden.images.plugins.module_utils._recall import write_access
from ansible_collections.golden.images.plugins.module_utils._recall.block import ImagePlan
from ansible_collections.golden.images.plugins.module_utils._recall.record import Access

from tests.unit.examples import CONSUMER, OWNER
from tests.unit.recall.examples import AWAY, BAD, GOOD, HERE, OTHER

ACCOUNT, SNAPSHOT = Sharing(frozenset({CONSUMER})), "snap-0123456789abcdef0"
CLIENTS: Any = SimpleNamespace(
    default_region=AWAY,
    open=lambda *_names: None,
    ec2=lambda region: region,
    rate_limited=lambda _operation: CLIENTS,
)
CALLER = Caller(OWNER, "aws")


def plan_of(image_id: str, *operations: str) -> ImagePlan:
    """The plan of an image with these calls."""
    ref = ImageRef(AWAY, image_id)
    actions = tuple(Action(HERE, operation, {"ImageId": image_id}, image_id) for operation in operations)
    return ImagePlan(ref, TargetPlan(HERE, actions), Access(ref, OWNER))


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
