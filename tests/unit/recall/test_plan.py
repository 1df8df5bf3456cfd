# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls of a recall, and of taking it back, by what was read."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, Target
from ansible_collections.golden.images.plugins.module_utils._publish.state import TargetState
from ansible_collections.golden.images.plugins.module_utils._recall.decide import choose_restored
from ansible_collections.golden.images.plugins.module_utils._recall.plan import RecallPlan, plan
from ansible_collections.golden.images.plugins.module_utils._recall.record import Record
from ansible_collections.golden.images.plugins.module_utils._recall.state import (
    Left,
    Release,
    Unit,
    without_recall,
)
from ansible_collections.golden.images.plugins.module_utils._tags import RECALLED_TAG

from tests.unit.examples import CONSUMER, OWNER, volumes
from tests.unit.recall.examples import (
    AWAY,
    BAD,
    GOOD,
    HERE,
    HOME,
    NAME,
    NOW,
    OLDER,
    OTHER,
    SOURCE,
    THERE,
    image,
    options,
    parameter,
    pointer,
    state_of,
    template,
    unit_of,
)

MOVE = ["PutParameter", "LabelParameterVersion", "CreateLaunchTemplateVersion", "ModifyLaunchTemplate"]
PUBLISHING = options().publishing(NAME, (AWAY,), source_image_id=SOURCE)
RECORD = Record(OWNER, ImageRef(HOME, SOURCE), "2026-11-30T00:00:00Z")


def operations(planned: RecallPlan) -> list[str]:
    """The calls, without the record."""
    return [action.to_dict()["action"] for action in planned.actions]


def test_the_record_is_first_then_tags_then_pointers() -> None:
    unit = unit_of(parameter(GOOD, BAD), template(BAD))
    planned = plan(options(), state_of(unit))
    assert operations(planned) == ["WriteTombstone", "CreateTags", *MOVE, "CreateTags"]
    assert [action.parameters["Tags"][0]["Value"] for action in planned.tags] == [NOW] * 2
    assert [(item.before, item.after) for item in planned.record.pointers] == [
        ((BAD, 1), (GOOD, None)),
        ((BAD, 2), (GOOD, None)),
    ]
    assert (planned.failures, planned.refusals) == ((), ())


def test_a_record_is_continued_with_its_time_unless_it_is_taken_back() -> None:
    for record, time in ((RECORD, RECORD.recalled_at), (replace(RECORD, taken_back_at=NOW), NOW)):
        planned = plan(options(), state_of(record=record))
        assert [action.parameters["Tags"][0]["Value"] for action in planned.tags] == [time] * 2
        assert planned.record.recalled_at == time
        assert planned.record.taken_back_at is None


def test_taking_back_says_nothing_of_keys() -> None:
    """It moves pointers back to an image that was launched before."""
    encrypted = replace(image(GOOD), devices=volumes("snap-1", encrypted=True), owner_id=CONSUMER)
    unit = unit_of(parameter(GOOD, BAD), launch_templates=(), images=(encrypted,), target=THERE)
    assert "earlier images" in " ".join(plan(options(), state_of(unit)).warnings)
    assert "earlier images" not in " ".join(
        plan(options(state="absent"), state_of(unit, record=RECORD)).warnings
    )


def test_a_second_run_has_nothing_to_do() -> None:
    images = {ref: image(ref.image_id, recalled=NOW) for ref in state_of().release.images}
    release = Release(frozenset(images), images, frozenset(images))
    record = RECORD.add(images, [pointer()])
    unit = unit_of(parameter(GOOD, BAD, GOOD), recorded=(pointer(),), launch_templates=())
    planned = plan(options(), replace(state_of(unit, record=record), release=release))
    assert (planned.actions, planned.record, planned.refusals) == ((), record, ())


def test_a_target_without_an_earlier_image_stops_no_other_one() -> None:
    bad, good = (
        unit_of(parameter(*values), target=target, launch_templates=())
        for values, target in (((BAD,), HERE), ((GOOD, BAD), THERE))
    )
    planned = plan(options(), state_of(bad, good))
    assert planned.refusals == ()
    assert [failure.error_code for failure in planned.failures] == ["no_earlier_image"]
    assert operations(planned).count("PutParameter") == 1
    assert [left.key.target for left in planned.left] == [HERE]
    assert [item.key.target for item in planned.record.pointers] == [THERE]


def test_nothing_changes_if_no_target_has_an_earlier_image() -> None:
    current = state_of(unit_of(parameter(OLDER, BAD), launch_templates=()))
    planned = plan(options(), current)
    assert [failure.error_code for failure in planned.refusals] == ["no_earlier_image"]
    planned = plan(options(level="block"), current)
    assert ([failure.error_code for failure in planned.failures], planned.refusals) == (
        ["no_earlier_image"],
        (),
    )
    assert operations(planned) == ["WriteTombstone", *["CreateTags"] * 2]
    # Without a pointer, images are tagged.
    assert operations(plan(options(parameter=""), state_of())) == ["WriteTombstone", *["CreateTags"] * 2]


def test_an_earlier_image_that_cannot_be_used_leaves_the_target() -> None:
    unit = unit_of(parameter(GOOD, BAD), launch_templates=())
    hidden = replace(unit, state=replace(unit.state, image=None))
    other = unit_of(parameter(OTHER, BAD), target=THERE, launch_templates=())
    planned = plan(options(), state_of(hidden, other))
    assert [failure.error_code for failure in planned.failures] == ["image_not_found"]
    assert operations(planned).count("PutParameter") == 1
    assert operations(planned).count("CreateTags") == 2


UNREAD = Failure.at(THERE, "AssumeRole", "AccessDenied", "No.", "Allow it.")


def test_unread_targets_are_named_with_a_refusal() -> None:
    unit = unit_of(parameter(OLDER, BAD), launch_templates=())
    planned = plan(options(), state_of(unit, unread=(UNREAD,)))
    assert [failure.error_code for failure in planned.refusals] == ["no_earlier_image", "AccessDenied"]


def test_a_rerun_goes_on_where_some_targets_have_no_earlier_image() -> None:
    unit = unit_of(parameter(OLDER, BAD), launch_templates=())
    elsewhere = unit_of(parameter(BAD, GOOD), target=THERE, launch_templates=())
    for state in (state_of(unit, record=RECORD.add((), [pointer()])), state_of(unit, elsewhere)):
        planned = plan(options(), state)
        assert planned.refusals == ()
        assert [failure.error_code for failure in planned.failures] == ["no_earlier_image"]
        assert operations(planned) == ["WriteTombstone", "CreateTags", "CreateTags"]


def test_a_template_that_stays_fails_and_stops_nothing_else() -> None:
    unit = unit_of(parameter(GOOD, BAD), template(BAD, OTHER, default=1))
    planned = plan(options(), state_of(unit))
    assert [failure.error_code for failure in planned.failures] == ["launch_template_versions_differ"]
    assert operations(planned) == ["WriteTombstone", "CreateTags", *MOVE[:2], "CreateTags"]
    assert [item.key.kind for item in planned.record.pointers] == ["parameter"]


def _taken_back(
    *units: Unit, failures: tuple[Failure, ...] = (), other: str = RECORD.recalled_at
) -> RecallPlan:
    images = {ref: image(ref.image_id, recalled=RECORD.recalled_at) for ref in state_of().release.images}
    images[ImageRef(AWAY, OTHER)] = image(OTHER, recalled=other)
    state = state_of(*units, record=RECORD.add(images, [pointer()]), unread=failures)
    return plan(options(state="absent"), replace(state, release=Release(images=images)))


def test_the_tags_of_all_images_are_removed_and_the_record_completed() -> None:
    left = Left(pointer().key, NAME, OTHER, "was changed since")
    planned = _taken_back(Unit(HERE, PUBLISHING, TargetState(), left=(left,)))
    assert [(action.operation, action.resource) for action in planned.tags] == [
        ("DeleteTags", BAD),
        ("DeleteTags", OTHER),
        ("DeleteTags", SOURCE),
    ]
    # EC2 removes a tag with a value only if it has that.
    tag = {"Key": RECALLED_TAG, "Value": RECORD.recalled_at}
    assert all(action.parameters["Tags"] == [tag] for action in planned.tags)
    assert planned.record.taken_back_at == NOW


def test_the_tag_of_another_recall_is_left_and_named() -> None:
    left = Left(pointer().key, NAME, OTHER, "was changed since")
    planned = _taken_back(Unit(HERE, PUBLISHING, TargetState(), left=(left,)), other=NOW)
    assert [action.resource for action in planned.tags] == [BAD, SOURCE]
    (warning,) = planned.warnings
    assert OTHER in warning


def test_a_region_keeps_its_tags_until_all_its_pointers_are_known() -> None:
    # The failure of an account whose role cannot be assumed has only one of its regions.
    planned = _taken_back(failures=(Failure.at(Target(CONSUMER, "us-west-2"), "AssumeRole", "No", "", ""),))
    assert [action.resource for action in planned.tags] == [SOURCE]
    assert planned.record.taken_back_at is None


def test_a_region_that_failed_keeps_its_tags_and_the_record_stays_open() -> None:
    failure = Failure.at(HERE, "GetParameterHistory", "AccessDenied", "No.", "Allow it.")
    planned = _taken_back(failures=(failure,))
    assert [action.resource for action in planned.tags] == [SOURCE]
    assert planned.record.taken_back_at is None
    assert planned.failures == (failure,)


def test_the_tag_that_is_about_to_be_removed_keeps_no_pointer_from_going_back() -> None:
    tagged = image(BAD, recalled=RECORD.recalled_at, source=f"{HOME}/{SOURCE}")
    there = unit_of(parameter(GOOD, BAD, GOOD), images=(tagged,), launch_templates=()).state

    def is_put_back(state: TargetState) -> bool:
        planned = _taken_back(*choose_restored(PUBLISHING, HERE, state, (pointer(),)))
        return "PutParameter" in operations(planned)

    assert not is_put_back(there)
    untagged = without_recall(replace(there, image=tagged))
    assert is_put_back(untagged)
    assert untagged.image == image(BAD, source=f"{HOME}/{SOURCE}")
