# SPDX-License-Identifier: GPL-3.0-or-later

"""What a recall records and removes where only a part of its calls has succeeded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import Failure, ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef
from ansible_collections.golden.images.plugins.module_utils._plan import Performed
from ansible_collections.golden.images.plugins.module_utils._publish.apply import PublishRun
from ansible_collections.golden.images.plugins.module_utils._recall import flow
from ansible_collections.golden.images.plugins.module_utils._recall.breaking import Adoption, Withdrawal
from ansible_collections.golden.images.plugins.module_utils._recall.decide import choose_restored
from ansible_collections.golden.images.plugins.module_utils._recall.plan import RecallPlan, plan
from ansible_collections.golden.images.plugins.module_utils._recall.record import Record, Stored
from ansible_collections.golden.images.plugins.module_utils._recall.state import Release, without_recall
from ansible_collections.golden.images.plugins.module_utils._recall.write_access import Changed
from ansible_collections.golden.images.plugins.module_utils._runner import Outcome
from ansible_collections.golden.images.plugins.module_utils._share.state import Shared

from tests.unit.examples import CONSUMER, OWNER
from tests.unit.recall.examples import (
    AWAY,
    BAD,
    GOOD,
    HERE,
    HOME,
    NAME,
    NOW,
    OTHER,
    SOURCE,
    TEMPLATE_ID,
    copy,
    image,
    options,
    parameter,
    pointer,
    state_of,
    template,
    unit_of,
)

Publish = Callable[[Any], Outcome]


def run(
    monkeypatch: pytest.MonkeyPatch, given: Any, state: Any, planned: RecallPlan, publish: Publish
) -> tuple[Outcome, list[Record]]:
    """Apply a plan with these publications; return the outcome and the records that were written."""
    written: list[Record] = []

    def write(_clients: Any, _options: Any, record: Record, *_more: Any) -> Any:
        written.append(record)
        return Stored(record), ()

    monkeypatch.setattr(flow, "write_record", write)
    monkeypatch.setattr(flow.publication, "apply", lambda *request: publish(request[3]))
    ec2 = SimpleNamespace(create_tags=lambda **_request: {}, delete_tags=lambda **_request: {})
    clients: Any = SimpleNamespace(open=lambda *_names: None, ec2=lambda _region: ec2)
    return flow.apply(clients, given, state, planned, lambda _text: None), written  # type: ignore[arg-type]


def recall(monkeypatch: pytest.MonkeyPatch, publish: Publish) -> tuple[dict[str, Any], Outcome, list[Record]]:
    """Recall a release from a parameter and a template; return the result, too."""
    state = state_of(unit_of(parameter(GOOD, BAD), template(BAD)))
    planned = plan(options(), state)
    outcome, written = run(monkeypatch, options(), state, planned, publish)
    return flow.result(options(), state, planned, outcome), outcome, written


def test_a_parameter_that_moved_keeps_its_number_if_its_template_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def publish(planned: Any) -> Outcome:
        (target,) = planned.targets
        done = [action for action in target.actions if action.service == "ssm"]
        failure = Failure.at(HERE, "CreateLaunchTemplateVersion", "UnauthorizedOperation", "No.", "Allow it.")
        return Outcome(tuple(done), (failure,), state={HERE: PublishRun(done, [failure], version=3)})

    result, _outcome, written = recall(monkeypatch, publish)
    # A later version with the same image is somebody else's.
    assert {item.key.kind: item.after.version for item in written[-1].pointers} == {
        "parameter": 3,
        "launch_template": None,
    }
    assert [(item["name"], item["after"]["version"]) for item in result["results"]] == [(NAME, 3)]


def test_a_version_that_another_client_has_added_in_between_is_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def publish(planned: Any) -> Outcome:
        (target,) = planned.targets
        done = list(target.actions)
        return Outcome(tuple(done), state={HERE: PublishRun(done, version=4, defaults={TEMPLATE_ID: 3})})

    _result, outcome, _written = recall(monkeypatch, publish)
    assert [(item.error_code, item.action, item.message.split(" from ")[0]) for item in outcome.failures] == [
        ("concurrent_change", "PutParameter", f"{NAME} got version 3"),
        ("concurrent_change", "ModifyLaunchTemplate", f"{TEMPLATE_ID} got version 2"),
    ]


def test_only_images_whose_tag_was_added_are_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_planned: Any) -> Outcome:
        raise ValidationError([Failure.at(HERE, "AssumeRole", "AccessDenied", "No.", "Allow it.")])

    result, outcome, _written = recall(monkeypatch, fail)
    assert {item["image_id"]: item["changed"] for item in result["images"]} == {SOURCE: True, BAD: True}
    state = state_of(unit_of(parameter(GOOD, BAD), template(BAD)))
    denied = replace(outcome, performed=())
    result = flow.result(options(), state, plan(options(), state), denied)
    assert {item["changed"] for item in result["images"]} == {False}


def test_a_region_whose_pointers_could_not_be_moved_back_keeps_its_tags(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images = {ref: image(ref.image_id, recalled=NOW) for ref in state_of().release.images}
    record = Record(OWNER, ImageRef(HOME, SOURCE), NOW).add(images, [pointer()])
    given = options(state="absent")
    there = unit_of(parameter(GOOD, BAD, GOOD), launch_templates=()).state
    publishing = given.publishing(NAME, (AWAY,), source_image_id=SOURCE)
    units = choose_restored(publishing, HERE, without_recall(there), record.pointers)
    state = replace(state_of(*units, record=record), release=Release(images=images))

    def fail(_planned: Any) -> Outcome:
        # The role cannot be assumed, in whichever region that was tried.
        raise ValidationError([Failure("No.", "Allow it.", "AccessDenied", "AssumeRole", "us-west-2")])

    outcome, written = run(monkeypatch, given, state, plan(given, state), fail)
    assert [(action.operation, action.resource) for action in outcome.performed] == [("DeleteTags", SOURCE)]
    assert written == []


@pytest.mark.parametrize(
    ("code", "source", "is_kept"),
    [
        ("UnauthorizedOperation", "aws", False),
        # AWS may have disabled it: if it has, taking the recall back must enable it.
        ("ConnectTimeoutError", "sdk", True),
        ("InternalError", "aws", True),
    ],
)
def test_an_image_that_may_be_disabled_is_recorded_as_disabled(
    monkeypatch: pytest.MonkeyPatch, code: str, source: str, is_kept: bool
) -> None:
    ref = ImageRef(HOME, OTHER)
    given = options(level="block", accept_breaking=("all",), block_consumer_copies=True)
    state = replace(state_of(), access={ref: Shared(copy(OTHER))}, copies=frozenset({ref}))
    failure = Failure("No.", "Rerun.", code, "DisableImage", HOME, CONSUMER, source=source)
    failed = Changed(Performed(failures=(failure,)), frozenset({ref}))
    monkeypatch.setattr(flow, "change_access", lambda *_given: failed)
    _outcome, written = run(monkeypatch, given, state, plan(given, state), lambda _planned: Outcome())
    assert [taken.disabled for record in written[1:] for taken in record.blocked] == [True, is_kept]


REFUSED = Failure("No role.", "Set it.", "invalid_option", "consumer_role_name")
# What is read before anything is called.
NO_CLIENTS: Any = None


def test_a_block_after_a_withdrawal_without_images_calls_nothing() -> None:
    given = options(level="block", withdrawal_result=Withdrawal(has_images=False))
    state = flow.FLOW.read(NO_CLIENTS, given)
    assert plan(given, state) == RecallPlan()
    assert flow.result(given, state, RecallPlan(), Outcome())["blocked"] == []


def test_a_block_fails_as_the_reading_of_uses_has_failed() -> None:
    given = options(level="block", adoption_result=Adoption("", failures=(REFUSED,)))
    with pytest.raises(ValidationError) as refused:
        flow.FLOW.read(NO_CLIENTS, given)
    assert [*refused.value.failures] == [REFUSED]


@pytest.mark.parametrize(
    ("given", "accounts"),
    [
        ({"level": "block"}, [CONSUMER]),
        ({"level": "block", "block_method": "disable"}, [CONSUMER, OWNER]),
        ({"level": "block", "block_method": "disable", "account_ids": (OWNER, CONSUMER)}, [OWNER, CONSUMER]),
        ({"level": "block", "account_ids": ()}, []),
        ({"level": "withdraw"}, []),
        ({"level": "block", "state": "absent"}, []),
    ],
)
def test_what_launches_a_release_is_read_where_its_images_are(
    given: dict[str, Any], accounts: list[str]
) -> None:
    chosen = options(withdraw_only=True, **{"account_ids": (CONSUMER,), **given})
    for state, regions in ((state_of(), [AWAY, HOME]), (replace(state_of(), release=Release()), [])):
        found = flow.result(chosen, state, RecallPlan(), Outcome())["to_look_into"]
        expected = (accounts, regions) if accounts and regions else ([], [])
        assert (found["account_ids"], found["regions"]) == expected
