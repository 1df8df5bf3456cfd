# SPDX-License-Identifier: GPL-3.0-or-later

"""What a recall records and removes where only a part of its calls has succeeded."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import Failure, ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, Sharing
from ansible_collections.golden.images.plugins.module_utils._plan import Performed
from ansible_collections.golden.images.plugins.module_utils._publish.apply import PublishRun
from ansible_collections.golden.images.plugins.module_utils._recall import flow
from ansible_collections.golden.images.plugins.module_utils._recall.breaking import Adoption, Withdrawal
from ansible_collections.golden.images.plugins.module_utils._recall.decide import choose_restored
from ansible_collections.golden.images.plugins.module_utils._recall.plan import RecallPlan, plan
from ansible_collections.golden.images.plugins.module_utils._recall.record import Access, Record, Stored
from ansible_collections.golden.images.plugins.module_utils._recall.state import Release, without_recall
from ansible_collections.golden.images.plugins.module_utils._recall.write_access import Changed
from ansible_collections.golden.images.plugins.module_utils._runner import Outcome
from ansible_collections.golden.images.plugins.module_utils._share.state import Shared

from tests.unit.examples import CONSUMER, OWNER
from tests.unit.kms_grant.kms_in_memory import refused
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
BLOCK = {"level": "block", "accept_breaking": ("all",), "block_consumer_copies": True}
UNWRITTEN = Failure("Another run.", "Rerun.", "concurrent_change", "tombstone_path")


def run(
    monkeypatch: pytest.MonkeyPatch,
    given: Any,
    state: Any,
    planned: RecallPlan,
    publish: Publish,
    untaggable: str = "",
    unwritten: int = -1,
    awaited: list[str] | None = None,
) -> tuple[Outcome, list[Record]]:
    """Apply a plan with these publications; return the outcome and the records that were written.

    ``untaggable`` is an image whose tags cannot be changed, ``unwritten`` the position of a record that
    another run has replaced. ``awaited`` gets the images that must be visible before they are published.
    """
    written: list[Record] = []
    visible: list[str] = [] if awaited is None else awaited

    def publish_visible(*request: Any) -> Outcome:
        for target in request[3].targets:
            assert request[5]({"ec2": None}, target.target) == {}
        return publish(request[3])

    def write(_clients: Any, _options: Any, record: Record, stored: Stored, _remedy: str) -> Any:
        written.append(record)
        return (stored, (UNWRITTEN,)) if len(written) - 1 == unwritten else (Stored(record), ())

    def change_tags(**request: Any) -> dict[str, Any]:
        if request["Resources"] == [untaggable]:
            raise refused("UnauthorizedOperation", "CreateTags")
        return {}

    monkeypatch.setattr(flow, "write_record", write)
    monkeypatch.setattr(flow.publication, "apply", publish_visible)
    monkeypatch.setattr(flow, "find_changed", lambda *_given: {})
    monkeypatch.setattr(flow, "visible_image", lambda _ec2, image_id: visible.append(image_id))
    ec2 = SimpleNamespace(create_tags=change_tags, delete_tags=change_tags)
    clients: Any = SimpleNamespace(open=lambda *_names: None, ec2=lambda _region: ec2)
    return flow.apply(clients, given, state, planned, lambda _text: None), written  # type: ignore[arg-type]


def nothing(_planned: Any) -> Outcome:
    """Publish nothing."""
    return Outcome()


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


def test_a_pointer_that_did_not_move_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = Failure.at(HERE, "PutParameter", "AccessDeniedException", "No.", "Allow it.")
    result, outcome, written = recall(
        monkeypatch, lambda _planned: Outcome(failures=(failure,), state={HERE: PublishRun([], [failure])})
    )
    assert outcome.failures == (failure,)
    assert result["results"] == []
    assert [item.after.version for item in written[-1].pointers] == [None, None]


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
    given = options(**BLOCK)
    state = replace(state_of(), access={ref: Shared(copy(OTHER))}, copies=frozenset({ref}))
    failure = Failure("No.", "Rerun.", code, "DisableImage", HOME, CONSUMER, source=source)
    failed = Changed(Performed(failures=(failure,)), frozenset({ref}))
    monkeypatch.setattr(flow, "change_access", lambda *_given: failed)
    _outcome, written = run(monkeypatch, given, state, plan(given, state), nothing)
    assert [taken.disabled for record in written[1:] for taken in record.blocked] == [True, is_kept]


SHARED = Sharing(frozenset({CONSUMER}))
SOURCE_REF, BAD_REF, COPY_REF = ImageRef(HOME, SOURCE), ImageRef(AWAY, BAD), ImageRef(HOME, OTHER)
BLOCKED = replace(
    state_of(),
    access={
        SOURCE_REF: Shared(image(SOURCE), SHARED),
        BAD_REF: Shared(image(BAD), SHARED),
        COPY_REF: Shared(copy(OTHER)),
    },
    copies=frozenset({COPY_REF}),
)
DENIED = Failure("No.", "Allow it.", "UnauthorizedOperation", "DisableImage", HOME, CONSUMER)


def change_images(monkeypatch: pytest.MonkeyPatch, failed: Collection[ImageRef] = ()) -> list[list[ImageRef]]:
    """Change the permissions of all images but these; return the images that are changed, in this list."""
    changed: list[list[ImageRef]] = []

    def change(_clients: Any, _caller: Any, _role: Any, plans: Any, *_given: Any) -> Changed:
        given = {item.ref: item for item in plans if item.actions}
        changed.append(sorted(given))
        done = tuple(action for ref, item in given.items() if ref not in failed for action in item.actions)
        failures = tuple(DENIED for ref in given if ref in failed)
        return Changed(
            Performed(done, ({},) * len(done), failures), frozenset(failed) & given.keys(), ("Wait.",)
        )

    monkeypatch.setattr(flow, "change_access", change)
    return changed


def test_images_of_consumers_are_blocked_last_and_what_fails_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changed = change_images(monkeypatch, [COPY_REF])
    given = options(**BLOCK)
    planned = plan(given, BLOCKED)
    outcome, written = run(monkeypatch, given, BLOCKED, planned, nothing)
    assert changed == [sorted([SOURCE_REF, BAD_REF]), [COPY_REF]]
    (failure,) = outcome.failures
    assert (failure.error_code, CONSUMER in failure.message) == ("UnauthorizedOperation", True)
    assert outcome.warnings == ("Wait.",)
    operations = [action.to_dict()["action"] for action in outcome.performed]
    assert operations == ["WriteTombstone", *["CreateTags"] * 2, *["ModifyImageAttribute"] * 2]
    # AWS has refused to disable it: taking the recall back must not enable it.
    assert {taken.ref: taken.disabled for taken in written[-1].blocked}[COPY_REF] is False
    change_images(monkeypatch)
    _outcome, written = run(monkeypatch, given, BLOCKED, planned, nothing)
    assert {taken.ref: taken.disabled for taken in written[-1].blocked}[COPY_REF] is True
    assert written[-1].blocking_since is None


def test_an_image_without_the_tag_is_not_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    changed, given = change_images(monkeypatch), options(**BLOCK)
    outcome, _written = run(monkeypatch, given, BLOCKED, plan(given, BLOCKED), nothing, untaggable=BAD)
    assert changed == [[SOURCE_REF], [COPY_REF]]
    (failure,) = outcome.failures
    assert (failure.action, "is not blocked" in failure.remedy) == ("CreateTags", True)


@pytest.mark.parametrize("is_readable", [True, False])
def test_a_recall_that_is_taken_back_during_the_block_is_open_again(
    monkeypatch: pytest.MonkeyPatch, is_readable: bool
) -> None:
    change_images(monkeypatch)
    given = options(**BLOCK)
    ended = Record(OWNER, SOURCE_REF, NOW).take_back(NOW)

    def read(*_given: Any) -> Stored:
        if not is_readable:
            raise ValidationError([REFUSED])
        return Stored(ended)

    monkeypatch.setattr(flow, "read_record", read)
    outcome, written = run(monkeypatch, given, BLOCKED, plan(given, BLOCKED), nothing, unwritten=2)
    assert outcome.failures == ((UNWRITTEN,) if is_readable else (UNWRITTEN, REFUSED))
    began, reopened = written[1], written[3:]
    assert reopened == ([ended.reopen(began.blocked)] if is_readable else [])
    assert began.blocked


@pytest.mark.parametrize(
    ("failed", "published", "untagged", "visible"),
    [
        # The parameter is to name it again.
        ([BAD_REF], False, [SOURCE], []),
        # Nothing names it.
        ([SOURCE_REF], True, [BAD], [BAD]),
        ([], True, [BAD, SOURCE], [BAD]),
    ],
)
def test_where_an_image_stays_blocked_its_pointers_and_tags_stay(
    monkeypatch: pytest.MonkeyPatch,
    failed: list[ImageRef],
    published: bool,
    untagged: list[str],
    visible: list[str],
) -> None:
    images = {ref: image(ref.image_id, recalled=NOW) for ref in (SOURCE_REF, BAD_REF)}
    taken = [Access(ref, OWNER, SHARED) for ref in images]
    record = Record(OWNER, SOURCE_REF, NOW).add(images, [pointer()]).add_blocked(taken)
    given = options(state="absent")
    there = unit_of(parameter(GOOD, BAD, GOOD), launch_templates=()).state
    publishing = given.publishing(NAME, (AWAY,), source_image_id=SOURCE)
    units = choose_restored(publishing, HERE, without_recall(there), record.pointers)
    access = {ref: Shared(item) for ref, item in images.items()}
    state = replace(state_of(*units, record=record, access=access), release=Release(images=images))
    awaited: list[str] = []

    def publish(planned: Any) -> Outcome:
        (target,) = planned.targets
        run_there = PublishRun(list(target.actions), version=4)
        return Outcome(tuple(target.actions), warnings=("Slow.",), state={HERE: run_there})

    change_images(monkeypatch, failed)
    outcome, written = run(monkeypatch, given, state, plan(given, state), publish, awaited=awaited)
    operations = [action.to_dict()["action"] for action in outcome.performed]
    assert ("PutParameter" in operations, "Slow." in outcome.warnings) == (published, published)
    tags = [action.resource for action in outcome.performed if action.to_dict()["action"] == "DeleteTags"]
    assert (sorted(tags), awaited) == (sorted(untagged), visible)
    assert [failure.error_code for failure in outcome.failures] == ["UnauthorizedOperation"] * len(failed)
    assert [ended.taken_back_at for ended in written] == ([] if failed else [NOW])


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
