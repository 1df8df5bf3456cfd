# SPDX-License-Identifier: GPL-3.0-or-later

"""Which calls block an image and open it again, and what the record keeps, by what was read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._model import (
    ImageRef,
    Sharing,
    SnapshotRef,
    Target,
)
from ansible_collections.golden.images.plugins.module_utils._publish.state import TargetState
from ansible_collections.golden.images.plugins.module_utils._recall.block import (
    ImagePlan,
    find_losing,
    open_state,
    plan_blocks,
    plan_openings,
)
from ansible_collections.golden.images.plugins.module_utils._recall.breaking import Adoption, Use, Withdrawal
from ansible_collections.golden.images.plugins.module_utils._recall.plan import RecallPlan, plan
from ansible_collections.golden.images.plugins.module_utils._recall.record import Access, Record, Stored
from ansible_collections.golden.images.plugins.module_utils._recall.state import RecallState
from ansible_collections.golden.images.plugins.module_utils._share.state import Shared

from tests.unit.examples import CONSUMER, OWNER
from tests.unit.recall.examples import (
    AWAY,
    BAD,
    GOOD,
    HERE,
    HOME,
    NOW,
    OTHER,
    SOURCE,
    copy,
    image,
    options,
    state_of,
)

OTHER_ACCOUNT = "444455556666"
REF, SNAPSHOT = ImageRef(AWAY, BAD), "snap-0123456789abcdef0"
UNIT = "arn:aws:organizations::111122223333:ou/o-a1b2c3d4e5/ou-ab12-11111111"
ALONE, ACCOUNT, PUBLIC = Sharing(), Sharing(frozenset({CONSUMER})), Sharing(public=True)
WIDE = Sharing(frozenset({CONSUMER}), org_unit_arns=frozenset({UNIT}), public=True)
REMOVAL = [("ModifyImageAttribute", "Remove"), ("ModifySnapshotAttribute", "Remove")]
ADDITION = [("ModifySnapshotAttribute", "Add"), ("ModifyImageAttribute", "Add")]


def shared(launch: Sharing = ACCOUNT, volumes: Sharing = ACCOUNT, state: str = "available") -> Shared:
    """An image of the release with these permissions."""
    return Shared(replace(image(BAD), state=state), launch, {SNAPSHOT: volumes})


def calls(planned: ImagePlan) -> list[Any]:
    """The operations of a plan; of permissions whether they are added or removed."""
    found: list[Any] = []
    for action in planned.actions:
        name = {
            "ModifyImageAttribute": "LaunchPermission",
            "ModifySnapshotAttribute": "CreateVolumePermission",
        }
        lists = action.parameters.get(name.get(action.operation, ""), {})
        found.append((action.operation, *lists) if lists else action.operation)
    return found


@pytest.mark.parametrize(
    ("current", "disables", "expected", "disabled"),
    [
        (shared(), False, REMOVAL, False),
        (shared(WIDE, PUBLIC), False, REMOVAL, False),
        (shared(ALONE), False, REMOVAL[1:], False),
        (shared(ALONE, ALONE), False, [], False),
        (shared(), True, ["DisableImage", REMOVAL[1]], True),
        (shared(ALONE, ALONE), True, ["DisableImage"], True),
        (shared(ALONE, ACCOUNT, "disabled"), True, REMOVAL[1:], False),
        (shared(ALONE, ALONE, "disabled"), True, [], False),
        (shared(ALONE, ALONE, "pending"), True, [], False),
    ],
)
def test_what_is_there_is_taken(current: Shared, disables: bool, expected: list[Any], disabled: bool) -> None:
    (planned,) = plan_blocks(OWNER, {REF: current}, disables)
    assert calls(planned) == expected
    assert planned.taken == Access(REF, OWNER, current.launch, current.volume_permissions, disabled)
    after = planned.planned.after.get("images", {}).get(BAD)
    assert (after is not None) == bool(expected)
    if after:
        assert after["launch_permissions"] == Sharing().to_dict()
        assert after["state"] == ("disabled" if disabled else current.image.state)


COPY_REF = ImageRef(HOME, OTHER)
COPIED = Access(COPY_REF, CONSUMER, Sharing(frozenset({OTHER_ACCOUNT})), {}, True)


def copied(state: str = "available", launch: Sharing = COPIED.launch, **tags: str) -> Shared:
    """An image of a consumer that comes from the release."""
    return Shared(copy(OTHER, state=state, tags=tags), launch)


@pytest.mark.parametrize(
    ("current", "blocked", "expected", "left"),
    [
        (copied(), (), ["DisableImage"], ""),
        # A run was killed, or the consumer has enabled it again.
        (copied(), (COPY_REF,), ["DisableImage"], ""),
        (copied("disabled", ALONE), (COPY_REF,), [], ""),
        (copied("disabled", ALONE), (), [], "is disabled, not by the recall"),
        (copied("failed"), (), [], "is failed"),
        (copied(**{"aws:backup:source-resource": "i-1"}), (), [], "is managed by AWS Backup"),
        # AWS Backup does not tag each of its images, but names them.
        (Shared(copy(OTHER, name="AwsBackup_i-1_1", tags={})), (), [], "is managed by AWS Backup"),
        (copied(**{"golden.images:source": "x"}), (), ["DisableImage"], ""),
    ],
)
@pytest.mark.parametrize("disables", [False, True])
def test_an_image_of_a_consumer_is_disabled_in_its_account(
    current: Shared, blocked: tuple[ImageRef, ...], expected: list[Any], left: str, disables: bool
) -> None:
    own, planned = plan_blocks(OWNER, {COPY_REF: current, REF: shared()}, disables, {}, blocked)
    assert own.ref == REF
    assert (calls(planned), planned.left, planned.failures) == (expected, left, ())
    assert planned.planned.target == Target(CONSUMER, HOME)
    if expected:
        assert planned.taken == COPIED
        assert find_losing([planned]) == {COPY_REF: Sharing(frozenset({CONSUMER, OTHER_ACCOUNT}))}


def test_an_image_of_a_consumer_that_is_pending_keeps_its_permissions() -> None:
    (planned,) = plan_blocks(OWNER, {COPY_REF: copied("pending")}, True)
    assert (calls(planned), planned.left) == ([], "")
    (failure,) = planned.failures
    assert (failure.error_code, failure.account_id) == ("image_not_available", CONSUMER)


def test_an_image_of_a_consumer_gets_back_what_the_block_has_taken() -> None:
    (planned,) = plan_openings([COPIED], {COPY_REF: copied("disabled", ALONE)})
    assert calls(planned) == ["EnableImage", ("ModifyImageAttribute", "Add")]
    assert {action.target for action in planned.actions} == {Target(CONSUMER, HOME)}
    # A parameter of its account can name it again.
    access = {COPY_REF: copied("disabled", ALONE)}
    named = open_state(TargetState(), Target(CONSUMER, HOME), [planned], access).named
    assert {name: view.state for name, view in named.items()} == {OTHER: "available"}
    assert open_state(TargetState(), Target(OWNER, HOME), [planned], access).named == {}
    (gone,) = plan_openings([COPIED], {})
    assert (calls(gone), gone.left, gone.failures) == ([], "does not exist any more", ())


@pytest.mark.parametrize(
    ("taken", "unread", "opened"),
    [
        (COPIED, None, True),
        # It was not disabled: it has lost nothing.
        (replace(COPIED, disabled=False), None, False),
        (COPIED, Target(CONSUMER, HOME), False),
        (COPIED, Target(OWNER, HOME), True),
        (Access(REF, OWNER), Target(CONSUMER, AWAY), True),
        (Access(REF, OWNER), Target(OWNER, AWAY), False),
    ],
)
def test_what_was_not_read_is_none_that_is_gone(taken: Access, unread: Target | None, opened: bool) -> None:
    failures = (Failure.at(unread, "AssumeRole", "AccessDenied", "No.", "Allow it."),) if unread else ()
    record = Record(OWNER, ImageRef(HOME, SOURCE), NOW).add_blocked([taken])
    state = state_of(record=record, unread=failures)
    assert state.to_open == ((taken,) if opened else ())
    assert state.blocked_copies == ({COPY_REF: CONSUMER} if opened and taken.account_id == CONSUMER else {})


def test_all_entries_are_removed() -> None:
    (planned,) = plan_blocks(OWNER, {REF: shared(WIDE, PUBLIC)}, False)
    of_image, of_snapshot = (action.parameters for action in planned.actions)
    assert Sharing.of_entries(of_image["LaunchPermission"]["Remove"]) == WIDE
    assert Sharing.of_entries(of_snapshot["CreateVolumePermission"]["Remove"]) == PUBLIC


def test_a_snapshot_that_another_image_has_keeps_its_permissions() -> None:
    others = {SnapshotRef(AWAY, SNAPSHOT): GOOD}
    (planned,) = plan_blocks(OWNER, {REF: shared()}, False, others)
    assert (calls(planned), planned.taken) == (REMOVAL[:1], Access(REF, OWNER, ACCOUNT))
    (warning,) = planned.warnings
    assert (SNAPSHOT in warning, GOOD in warning) == (True, True)
    volumes = planned.planned.after["images"][BAD]["volume_permissions"]
    assert volumes[SNAPSHOT]["account_ids"] == [CONSUMER]
    # Nothing is said of a snapshot that has none, or of one in another region.
    for current, region in ((shared(ALONE, ALONE), AWAY), (shared(), HOME)):
        (planned,) = plan_blocks(OWNER, {REF: current}, False, {SnapshotRef(region, SNAPSHOT): GOOD})
        assert planned.warnings == ()


def test_an_image_that_is_pending_cannot_be_disabled_yet() -> None:
    early = shared(ALONE, ALONE, "pending")
    (failure,) = plan_blocks(OWNER, {REF: early}, True)[0].failures
    assert (failure.error_code, failure.region) == ("image_not_available", AWAY)
    assert plan_blocks(OWNER, {REF: early}, False)[0].failures == ()


@pytest.mark.parametrize(
    ("current", "disables", "losing"),
    [
        (shared(), False, ACCOUNT),
        (shared(Sharing(frozenset({CONSUMER, OWNER}))), False, ACCOUNT),
        (shared(), True, Sharing(frozenset({CONSUMER, OWNER}))),
        # Who can only copy it launches nothing.
        (shared(ALONE), False, None),
        (shared(ALONE, ACCOUNT, "disabled"), True, None),
    ],
)
def test_who_loses_an_image(current: Shared, disables: bool, losing: Sharing | None) -> None:
    found = find_losing(plan_blocks(OWNER, {REF: current}, disables))
    assert found == ({} if losing is None else {REF: losing})


TAKEN = Access(REF, OWNER, WIDE, {SNAPSHOT: Sharing(frozenset({CONSUMER}), public=True)})


@pytest.mark.parametrize(
    ("taken", "current", "expected", "left"),
    [
        (TAKEN, shared(ALONE, ALONE), ADDITION, ""),
        (replace(TAKEN, disabled=True), shared(ALONE, ALONE, "disabled"), ["EnableImage", *ADDITION], ""),
        # A run was killed before it disabled the image, or another client has enabled it.
        (replace(TAKEN, disabled=True), shared(WIDE, ACCOUNT), ADDITION, ""),
        # What AWS still returns may be what a run has just removed.
        (TAKEN, shared(replace(WIDE, public=False), ACCOUNT), ADDITION, ""),
        (Access(REF, OWNER, ALONE, {SNAPSHOT: ALONE}), shared(WIDE, ACCOUNT), [], ""),
        (TAKEN, shared(ALONE, ALONE, "disabled"), [], "is disabled, not by the recall"),
        (TAKEN, shared(ALONE, ALONE, "pending"), [], "is pending"),
        (TAKEN, shared(ALONE, ALONE, "deregistered"), [], "does not exist any more"),
        (TAKEN, None, [], "does not exist any more"),
    ],
)
def test_what_was_taken_is_given_back(
    taken: Access, current: Shared | None, expected: list[Any], left: str
) -> None:
    (planned,) = plan_openings([taken], {REF: current} if current else {})
    assert (calls(planned), planned.left) == (expected, left)
    # An image that exists can be opened later: the recall stays open for it.
    waits = left.startswith("is ")
    assert [item.error_code for item in planned.failures] == ["image_not_available"] * waits


def test_nothing_becomes_public_again() -> None:
    (planned,) = plan_openings([TAKEN], {REF: shared(ALONE, ALONE)})
    assert not any("Group" in str(action.parameters) for action in planned.actions)
    assert (planned.launch.public, planned.launch.org_unit_arns) == (False, {UNIT})
    (warning,) = planned.warnings
    assert BAD in warning
    assert SNAPSHOT in warning
    (still,) = plan_openings([TAKEN], {REF: shared(WIDE, PUBLIC)})
    assert still.warnings == ()


def test_what_was_added_since_stays() -> None:
    added = Sharing(frozenset({"444455556666"}))
    (planned,) = plan_openings([Access(REF, OWNER, ACCOUNT)], {REF: shared(added, added)})
    assert planned.launch == ACCOUNT | added
    assert planned.planned.after["images"][BAD]["volume_permissions"][SNAPSHOT]["account_ids"] == [
        "444455556666"
    ]


@pytest.mark.parametrize(
    ("account_id", "region", "launch", "sees"),
    [
        (OWNER, AWAY, ALONE, True),
        (CONSUMER, AWAY, ACCOUNT, True),
        (CONSUMER, AWAY, Sharing(org_unit_arns=frozenset({UNIT})), True),
        (CONSUMER, AWAY, PUBLIC, False),
        (CONSUMER, AWAY, ALONE, False),
        (CONSUMER, HOME, ACCOUNT, False),
    ],
)
def test_who_sees_an_image_that_is_opened_again(
    account_id: str, region: str, launch: Sharing, sees: bool
) -> None:
    access = {REF: shared(ALONE, ALONE, "disabled")}
    plans = plan_openings([Access(REF, OWNER, launch, {}, True)], access)
    found = open_state(TargetState(), Target(account_id, region), plans, access)
    assert {name: view.state for name, view in found.named.items()} == ({BAD: "available"} if sees else {})


def blocking(state: RecallState, **given: Any) -> RecallPlan:
    """The plan of a recall that blocks."""
    return plan(options(level="block", parameter="", launch_templates=(), **given), state)


def test_a_result_about_images_of_another_account_refuses_all() -> None:
    state = replace(state_of(), access={REF: shared()})
    read = frozenset({SOURCE})
    assert blocking(state, adoption_result=Adoption(CONSUMER, read)).refusals
    assert not blocking(state, adoption_result=Adoption(OWNER, read)).refusals


@pytest.mark.parametrize(
    ("check_mode", "moves", "refused"),
    [(False, False, True), (False, True, True), (True, False, True), (True, True, False)],
)
def test_check_mode_refuses_uses_unless_it_has_planned_to_move_something(
    check_mode: bool, moves: bool, refused: bool
) -> None:
    state = replace(state_of(), access={REF: shared()})
    use = Use(CONSUMER, REF, "fleet", ("fleet-1",), 1)
    adoption = Adoption(OWNER, frozenset({SOURCE}), regions={CONSUMER: frozenset({AWAY})}, uses=(use,))
    given = {"adoption_result": adoption, "withdrawal_result": Withdrawal(moves)}
    planned = blocking(state, check_mode=check_mode, **given)
    codes = [failure.error_code for failure in planned.failures]
    assert codes == (["launches_would_break"] if refused else [])
    assert bool(planned.images) != refused
    assert any("would launch the images next" in text for text in planned.warnings) != refused


@pytest.mark.parametrize(("check_mode", "tags"), [(True, False), (False, True)])
def test_check_mode_does_not_plan_the_tags_of_an_earlier_task_again(check_mode: bool, tags: bool) -> None:
    state = replace(state_of(), access={REF: shared()})
    withdrawal = Withdrawal(tagged=frozenset(state.release.images))
    planned = blocking(state, check_mode=check_mode, withdrawal_result=withdrawal, accept_breaking=("all",))
    assert bool(planned.tags) == tags
    assert bool(blocking(state, check_mode=check_mode, accept_breaking=("all",)).tags)


@pytest.mark.parametrize(("accepted", "warned"), [((OTHER_ACCOUNT,), True), ((OTHER_ACCOUNT, "all"), False)])
def test_a_confirmation_that_fits_nobody_is_named_if_the_block_is_refused(
    accepted: tuple[str, ...], warned: bool
) -> None:
    state = replace(state_of(), access={REF: shared()})
    planned = blocking(state, accept_breaking=accepted)
    assert any(f"has {OTHER_ACCOUNT}, which would not break" in text for text in planned.warnings) == warned


def begun(planned: RecallPlan) -> Record:
    """The record that is written right before the images of a plan are blocked."""
    assert planned.record is not None
    return planned.record.begin_block((plan.taken for plan in planned.images), NOW)


def test_a_block_is_recorded_before_and_keeps_what_was_there_before_the_first_run() -> None:
    state = replace(state_of(), access={REF: shared(WIDE)})
    planned = blocking(state, accept_breaking=("all",))
    (away,) = (target for target in planned.targets if target.target == HERE)
    assert [action.operation for action in away.actions] == [
        "CreateTags",
        *(name for name, _change in REMOVAL),
    ]
    assert planned.actions[0].to_dict()["action"] == "WriteTombstone"
    first = begun(planned)
    assert first.blocked == (Access(REF, OWNER, WIDE, {SNAPSHOT: ACCOUNT}),)
    # An account that got permission since, and the image, which is now disabled.
    later = Sharing(frozenset({"444455556666"}))
    state = replace(state_of(record=first), access={REF: shared(later, ALONE)})
    again = begun(blocking(state, accept_breaking=("all",), block_method="disable"))
    assert again.blocked == (Access(REF, OWNER, WIDE | later, {SNAPSHOT: ACCOUNT}, True),)
    assert [item.disabled for item in again.end_block(()).blocked] == [True]
    # DisableImage failed: whoever disables the image later, it is not the recall.
    again = again.end_block({REF})
    assert (again.blocked[0].disabled, again.blocking_since) == (False, None)
    # Nothing is left to take.
    state = replace(state_of(record=again), access={REF: shared(ALONE, ALONE, "disabled")})
    assert blocking(state, block_method="disable").record == again
    # The run that has blocked it was killed.
    killed = replace(again, blocking_since=NOW)
    planned = blocking(replace(state, stored=Stored(killed)), block_method="disable")
    assert (planned.record, len(planned.actions) > 0) == (again, True)
    assert plan(options(), state_of(record=again)).record == again


@pytest.mark.parametrize(
    ("given", "own", "is_ended"),
    [
        ({"level": "block"}, shared(ALONE, ALONE), True),
        ({"level": "block"}, shared(), False),
        ({"level": "block", "block_method": "disable"}, shared(ALONE, ALONE, "pending"), False),
        # It blocks nothing.
        ({"level": "block", "withdraw_only": True}, shared(ALONE, ALONE), False),
        ({}, shared(ALONE, ALONE), False),
    ],
)
def test_a_block_that_was_killed_after_its_last_image_is_ended_by_a_rerun(
    given: dict[str, Any], own: Shared, is_ended: bool
) -> None:
    taken = [COPIED, Access(REF, OWNER, ACCOUNT, {}, True)]
    record = Record(OWNER, ImageRef(HOME, SOURCE), NOW).begin_block(taken, NOW)
    access = {COPY_REF: copied("disabled", ALONE), REF: own}
    state = state_of(record=record, access=access, copies=frozenset({COPY_REF}))
    planned = plan(options(accept_breaking=("all",), **given), state)
    # The recall has disabled it.
    assert {item.ref: item.left for item in planned.images}.get(COPY_REF, "") == ""
    assert planned.record is not None
    assert planned.record.blocking_since == (None if is_ended else NOW)
    # What is available was not disabled, or not by the recall.
    disabled = {item.ref: item.disabled for item in planned.record.blocked}
    assert disabled == {COPY_REF: True, REF: not is_ended}


def test_nothing_is_blocked_or_recorded_that_breaks_a_consumer() -> None:
    planned = blocking(replace(state_of(), access={REF: shared()}))
    assert [failure.error_code for failure in planned.failures] == ["consumers_not_looked_at"]
    assert {action.operation for target in planned.targets for action in target.actions} == {"CreateTags"}
    assert planned.record is not None
    assert planned.record.blocked == ()
    assert [item.consumer for item in planned.breaking] == [CONSUMER]


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("accepted", [(), (CONSUMER,)])
def test_what_launches_its_own_copy_must_be_confirmed(asked: bool, accepted: tuple[str, ...]) -> None:
    """Without the option, the copy is named and neither read nor disabled."""
    launch = Use(CONSUMER, COPY_REF, "launch_template", ("web",), 1, (SOURCE,), ImageRef(AWAY, BAD))
    regions = {CONSUMER: frozenset({AWAY, HOME}), OTHER_ACCOUNT: frozenset({AWAY, HOME})}
    read = Adoption(OWNER, frozenset({SOURCE}), regions=regions, unread={CONSUMER: ()}, uses=(launch,))
    copies = {COPY_REF: copied()} if asked else {}
    state = replace(state_of(), access={REF: shared(), **copies}, copies=frozenset(copies))
    accounts = (CONSUMER, OTHER_ACCOUNT)
    given = {"account_ids": accounts, "consumer_role_name": "golden", "block_consumer_copies": asked}
    planned = blocking(state, adoption_result=read, accept_breaking=accepted, **given)
    is_refused = asked and not accepted
    assert [failure.error_code for failure in planned.failures] == ["launches_would_break"] * is_refused
    assert [item.consumer for item in planned.breaking] == [CONSUMER] * asked
    assert [plan.ref for plan in planned.images] == ([] if is_refused else sorted(state.access))
    assert any("images of their own" in text for text in planned.warnings) != asked
    assert any(f"found are not blocked: {OTHER_ACCOUNT} (" in text for text in planned.warnings) == asked
    if asked and accepted:
        assert begun(planned).blocked[-1] == COPIED or begun(planned).blocked[0] == COPIED


def test_a_recall_is_taken_back_in_the_other_order() -> None:
    record = Record(OWNER, ImageRef(HOME, SOURCE), NOW).add([REF], []).add_blocked([TAKEN])
    state = replace(state_of(record=record), access={REF: shared(ALONE, ALONE)})
    tagged = {REF: image(BAD, recalled=NOW)}
    state = replace(state, release=replace(state.release, images=tagged))
    planned = plan(options(state="absent"), state)
    assert [action.operation for target in planned.targets for action in target.actions] == [
        *(name for name, _change in ADDITION),
        "DeleteTags",
    ]
    assert planned.record is not None
    assert planned.record.taken_back_at == NOW
    # An image that could not be read is none that does not exist.
    unread = Failure.at(HERE, "DescribeImageAttribute", "AccessDenied", "No.", "Allow it.")
    planned = plan(options(state="absent"), replace(state, access={}, unread=(unread,)))
    assert (planned.images, planned.record) == ((), record)
