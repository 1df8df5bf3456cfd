# SPDX-License-Identifier: GPL-3.0-or-later

"""The stages and their clocks: every boundary, what others bring about, and what others undo."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.stages import (
    Clocks,
    Step,
    choose_deprecation_date,
    find_former_deprecation,
    find_step,
    has_lost_permissions,
    is_own_deprecation,
    list_dated_marks,
    list_marks,
    parse_time,
    render_deprecation_tag,
    render_time,
)
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import OwnImage

from tests.unit.cleanup.examples import NOW, ago, own

CHOSEN = "golden.images:cleanup-chosen"
DEPRECATED = "golden.images:cleanup-deprecated"
DISABLED = "golden.images:cleanup-disabled"
DEPRECATION = "golden.images:cleanup-deprecation-date"
TODAY = render_time(NOW)
ALL = Clocks(deprecate=10, disable=20, deregister=30)
SECOND = 1 / 86_400


def marked(
    state: str = "available", *, deprecated: bool = False, launched: float | None = None, **days: float
) -> OwnImage:
    """An image with marks of so many days ago, named ``chosen``, ``deprecation`` and ``disabling``.

    ``launched`` is how many days ago the image was launched last.
    """
    keys = {"chosen": CHOSEN, "deprecation": DEPRECATED, "disabling": DISABLED}
    tags = {keys[name]: render_time(ago(days=count)) for name, count in days.items()}
    return own(
        state=state,
        tags=tags,
        deprecation_time=render_time(ago(days=1)) if deprecated else None,
        last_launched=None if launched is None else ago(days=launched),
    )


def wait(stage: str, days: float, marks: dict[str, str] | None = None, drop: tuple[str, ...] = ()) -> Step:
    """To wait for a stage."""
    return Step(None, marks or {}, drop, stage, NOW + timedelta(days=days))


def next_of(image: OwnImage, clocks: Clocks) -> Step:
    """The step without the stages after the next one, which have a test of their own."""
    return replace(find_step(image, clocks, NOW), later=())


DISABLED_NOW = Step("disable", {DISABLED: TODAY}, (), "deregister", NOW + timedelta(days=30))
CLOCKS: list[tuple[OwnImage, Clocks, Step]] = [
    # Each clock begins with the choice, or with the stage before, and ends on the second.
    (marked(), ALL, wait("deprecate", 10, {CHOSEN: TODAY})),
    (marked(chosen=4), ALL, wait("deprecate", 6)),
    (marked(chosen=10 - SECOND), ALL, wait("deprecate", SECOND)),
    (marked(chosen=10), ALL, Step("deprecate", {DEPRECATED: TODAY}, (), "disable", NOW + timedelta(days=20))),
    (marked(deprecated=True, chosen=29, deprecation=19), ALL, wait("disable", 1)),
    (
        marked(deprecated=True, chosen=30, deprecation=20),
        ALL,
        Step("disable", {DISABLED: TODAY}, (), "deregister", NOW + timedelta(days=30)),
    ),
    (marked("disabled", chosen=60, deprecation=50, disabling=29), ALL, wait("deregister", 1)),
    (marked("disabled", chosen=60, deprecation=50, disabling=30), ALL, Step("deregister")),
    # A stage that is left out takes no time.
    (marked(), Clocks(deregister=5), wait("deregister", 5, {CHOSEN: TODAY})),
    (marked(chosen=5), Clocks(deregister=5), Step("deregister")),
    (marked(), Clocks(deregister=0), Step("deregister")),
    (marked(), Clocks(), Step()),
    (marked(), Clocks(disable=0), Step("disable", {DISABLED: TODAY})),
    (marked("disabled", disabling=9), Clocks(disable=0), Step()),
    (marked(deprecated=True, deprecation=3), Clocks(deprecate=0), Step()),
    # Stages due together are one.
    (marked(), Clocks(deprecate=0, disable=0), Step("disable", {DEPRECATED: TODAY, DISABLED: TODAY})),
    (marked(), Clocks(deprecate=0, disable=0, deregister=0), Step("deregister")),
    (marked(chosen=4), Clocks(deprecate=10, disable=0, deregister=30), wait("disable", 6)),
    (marked(chosen=4), Clocks(deprecate=10, disable=0, deregister=0), wait("deregister", 6)),
    # A stage that others performed counts from when it is first seen.
    (marked(deprecated=True), ALL, wait("disable", 20, {DEPRECATED: TODAY})),
    (marked("disabled"), ALL, wait("deregister", 30, {DEPRECATED: TODAY, DISABLED: TODAY})),
    (marked("disabled"), Clocks(deregister=7), wait("deregister", 7, {CHOSEN: TODAY})),
    # A stage that others undid starts again.
    (
        marked(deprecated=True, chosen=90, deprecation=80, disabling=50),
        ALL,
        wait("disable", 20, {CHOSEN: TODAY}, (DISABLED,)),
    ),
    (marked(deprecated=True, chosen=5, deprecation=80), ALL, wait("disable", 15)),
    (marked(chosen=90, deprecation=80), ALL, wait("deprecate", 10, {CHOSEN: TODAY}, (DEPRECATED,))),
    # The days start again after a launch.
    (
        marked(deprecated=True, deprecation=60, launched=2),
        Clocks(0, 60, 30),
        wait("disable", 60, {DEPRECATED: TODAY}),
    ),
    (marked(deprecated=True, deprecation=60, launched=60), Clocks(0, 60, 30), DISABLED_NOW),
    (marked(deprecated=True, deprecation=60, launched=61), Clocks(0, 60, 30), DISABLED_NOW),
    (marked(chosen=10, launched=2), ALL, wait("deprecate", 10, {CHOSEN: TODAY})),
    (marked("failed", chosen=30, launched=2), ALL, wait("deregister", 30, {CHOSEN: TODAY})),
    # Enabled, launched, and disabled by hand.
    (
        marked("disabled", deprecation=100, disabling=40, launched=2),
        Clocks(0, 60, 30),
        wait("deregister", 30, {DEPRECATED: TODAY, DISABLED: TODAY}),
    ),
    # Enabled and launched: the mark of the stage that was undone goes all the same.
    (
        marked(deprecated=True, deprecation=100, disabling=40, launched=2),
        Clocks(0, 60, 30),
        wait("disable", 60, {DEPRECATED: TODAY, CHOSEN: TODAY}, (DISABLED,)),
    ),
    # What failed can only be deregistered.
    (marked("failed"), ALL, wait("deregister", 30, {CHOSEN: TODAY})),
    (marked("failed", chosen=30), ALL, Step("deregister")),
]


@pytest.mark.parametrize(("image", "clocks", "todo"), CLOCKS)
def test_step(image: OwnImage, clocks: Clocks, todo: Step) -> None:
    assert next_of(image, clocks) == todo


@pytest.mark.parametrize(
    ("image", "clocks", "later"),
    [
        (marked(chosen=4), ALL, [("disable", 26), ("deregister", 56)]),
        (marked(chosen=10), ALL, [("deregister", 50)]),
        (marked(deprecated=True, chosen=29, deprecation=19), ALL, [("deregister", 31)]),
        (marked(chosen=4), Clocks(deprecate=10, deregister=30), [("deregister", 36)]),
        # Of stages that are due together, only the last is taken.
        (marked(chosen=4), Clocks(deprecate=10, disable=20, deregister=0), [("deregister", 26)]),
        (marked("disabled", chosen=60, deprecation=50, disabling=29), ALL, []),
        (marked("failed"), ALL, []),
        (marked(), Clocks(disable=0), []),
        (marked(), Clocks(), []),
    ],
)
def test_the_stages_after_the_next_one_are_due_after_it(
    image: OwnImage, clocks: Clocks, later: list[tuple[str, int]]
) -> None:
    expected = tuple((stage, NOW + timedelta(days=days)) for stage, days in later)
    assert find_step(image, clocks, NOW).later == expected


@pytest.mark.parametrize(
    "image",
    [
        marked(deprecated=True, deprecation=60, launched=2),
        marked("disabled", deprecation=100, disabling=40, launched=2),
        marked(chosen=50, launched=2),
        marked(deprecated=True, chosen=100, deprecation=90, disabling=40, launched=2),
    ],
)
def test_after_a_launch_the_next_run_counts_from_the_marks_of_this_one(image: OwnImage) -> None:
    clocks = Clocks(deprecate=5, disable=60, deregister=30)
    todo = find_step(image, clocks, NOW)
    kept = {key: value for key, value in image.image.tags.items() if key not in todo.drop}
    after = replace(image, image=replace(image.image, tags={**kept, **todo.marks}))
    assert todo.due is not None
    again = find_step(after, clocks, NOW + timedelta(hours=1))
    assert again == Step(None, {}, (), todo.next_stage, todo.due, todo.later)
    assert find_step(after, clocks, todo.due).stage == todo.next_stage


def test_a_date_that_is_none_counts_as_missing() -> None:
    image = own(tags={CHOSEN: "last week"})
    assert next_of(image, ALL) == wait("deprecate", 10, {CHOSEN: TODAY})


@pytest.mark.parametrize(("age", "waits"), [(5, True), (40 - SECOND, True), (40, False), (90, False)])
def test_dates_that_a_copy_took_over_from_its_source_are_not_its_own(age: float, waits: bool) -> None:
    """CopyImage copies tags on request; an image was not chosen before it was made."""
    image = own(days=age, tags={CHOSEN: render_time(ago(days=40))})
    clocks = Clocks(deregister=30)
    assert find_step(image, clocks, NOW) == (
        wait("deregister", 30, {CHOSEN: TODAY}) if waits else Step("deregister")
    )


def test_the_second_in_which_an_image_was_made_can_be_that_of_its_choice() -> None:
    image = own(days=0, tags={CHOSEN: TODAY})
    image = replace(image, created=NOW + timedelta(milliseconds=900))
    assert find_step(image, Clocks(deregister=0), NOW) == Step("deregister")
    assert find_step(image, Clocks(deregister=1), NOW) == wait("deregister", 1)


def test_without_a_creation_date_no_mark_is_known_to_be_its_own() -> None:
    image = replace(own(tags={CHOSEN: render_time(ago(days=40))}), created=None)
    assert find_step(image, Clocks(deregister=30), NOW) == wait("deregister", 30, {CHOSEN: TODAY})


def test_a_deprecation_that_others_have_set_for_later_does_not_count() -> None:
    image = own(
        tags={CHOSEN: render_time(ago(days=10))}, deprecation_time=render_time(NOW + timedelta(days=300))
    )
    assert find_step(image, ALL, NOW).stage == "deprecate"


@pytest.mark.parametrize("seconds", [0, 30, 59.9])
def test_what_was_just_deprecated_is_so_already_in_the_next_run(seconds: float) -> None:
    moment = NOW.replace(second=0) + timedelta(seconds=seconds)
    at = choose_deprecation_date(moment)
    assert moment + timedelta(hours=1) < at <= moment + timedelta(hours=1, minutes=1)
    assert at.second == at.microsecond == 0
    image = own(tags={DEPRECATED: render_time(moment)}, deprecation_time=render_time(at))
    assert find_step(image, Clocks(deprecate=0), moment) == Step()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-24T12:00:30Z", NOW),
        ("2026-11-24T12:00:30.000Z", NOW),
        ("2026-11-24T13:00:30+01:00", NOW),
        ("2026-11-24T12:00:30", NOW),
        ("soon", None),
        ("", None),
    ],
)
def test_moments_are_read_as_aws_and_tags_write_them(text: str, moment: Any) -> None:
    assert parse_time(text) == moment


@pytest.mark.parametrize(
    ("state", "tags", "lost"),
    [
        ("disabled", (), True),
        ("available", (), False),
        ("available", (CHOSEN, DEPRECATED), False),
        ("available", (DISABLED,), True),
        ("available", ("golden.images:restoring",), True),
    ],
)
def test_permissions_are_lost_while_disabled_or_tagged(state: str, tags: tuple[str, ...], lost: bool) -> None:
    assert has_lost_permissions(state, tags) == lost


@pytest.mark.parametrize(
    ("tag", "deprecated", "is_own"),
    [
        ("2026-11-24T13:01:00Z 2027-06-01T00:00:00.000Z", "2026-11-24T13:01:00.000Z", True),
        ("2026-11-24T13:01:00Z", "2026-11-24T13:01:00.000Z", True),
        ("2026-11-24T13:01:00Z", "2026-11-24T13:02:00.000Z", False),
        ("2026-11-24T13:01:00Z", None, False),
        ("soon", "2026-11-24T13:01:00.000Z", False),
        (None, "2026-11-24T13:01:00.000Z", False),
        (None, None, False),
    ],
)
def test_a_deprecation_is_a_cleanups_if_it_has_the_date_that_this_one_set(
    tag: str | None, deprecated: str | None, is_own: bool
) -> None:
    tags = {DEPRECATION: tag} if tag else {}
    assert is_own_deprecation(own(tags=tags, deprecation_time=deprecated).image) == is_own


@pytest.mark.parametrize(
    ("former", "again"),
    [
        (None, None),
        ("2027-06-01T00:00:00.000Z", "2027-06-01T00:00:00.000Z"),
        ("2026-11-24T14:00:00.000Z", "2026-11-24T14:00:00.000Z"),
        # It is reached before AWS is called.
        ("2026-11-24T13:00:00.000Z", "2026-10-01T00:01:00.000Z"),
        ("2026-11-01T00:00:00.000Z", "2026-10-01T00:01:00.000Z"),
    ],
)
def test_the_tag_of_a_deprecation_has_the_date_that_it_replaces(
    former: str | None, again: str | None
) -> None:
    date = parse_time("2026-10-01T00:01:00Z")
    assert date
    tag = render_deprecation_tag(own(deprecation_time=former).image, date)
    after = own(tags={DEPRECATION: tag}, deprecation_time="2026-10-01T00:01:00.000Z").image
    assert is_own_deprecation(after)
    assert find_former_deprecation(after, NOW) == again


def test_only_the_dates_of_stages_are_marks() -> None:
    # An image that is needed again is still deprecated.
    image = own(tags={DISABLED: "x", CHOSEN: "y", DEPRECATION: TODAY, "golden.images:source": "z"})
    assert list_marks(image) == (CHOSEN, DISABLED)


def test_dates_from_before_the_image_are_of_its_source() -> None:
    created = own().created
    assert created is not None
    earlier, later = (render_time(created + timedelta(days=days)) for days in (-1, 1))
    image = own(tags={CHOSEN: earlier, DEPRECATED: later, DISABLED: "x"})
    assert list_dated_marks(image) == (DEPRECATED,)
