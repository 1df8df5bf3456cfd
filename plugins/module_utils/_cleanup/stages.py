# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stages of retiring an image: each has its own clock, and its date is kept in a tag."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from .._model import Image
from .._tags import OWN_TAG_PREFIX
from .state import OwnImage

DEPRECATE, DISABLE, DEREGISTER = "deprecate", "disable", "deregister"
STAGES = (DEPRECATE, DISABLE, DEREGISTER)

CHOSEN_TAG = OWN_TAG_PREFIX + "cleanup-chosen"
STAGE_TAGS = {DEPRECATE: OWN_TAG_PREFIX + "cleanup-deprecated", DISABLE: OWN_TAG_PREFIX + "cleanup-disabled"}
MARKS = (CHOSEN_TAG, *STAGE_TAGS.values())

# On an image from before a cleanup deprecates it until a restore cancels that. The value is the date that the
# cleanup sets, followed by the later date that the image had, if any. The tag stays if the image is needed
# again, because the image is still deprecated then.
DEPRECATION_TAG = OWN_TAG_PREFIX + "cleanup-deprecation-date"
# On an image from before a restore enables it, or right after the Recycle Bin, until the restore is complete.
# After an interrupted restore, it shows the next restore that permissions may be missing, and the cleanup
# that the image is needed. The value is the time of their tombstone, or says that they are not known yet.
RESTORE_TAG = OWN_TAG_PREFIX + "restoring"

# EC2 API Reference, EnableImageDeprecation: a date in the past is refused. Between the plan and the last call
# most of an hour can pass: 10,000 images are inspected (20 per second) and deprecated (5 per second).
_AHEAD = timedelta(hours=1)
# The longest time from a run to the date that it sets. AWS rounds seconds to the nearest minute.
_DEPRECATED_WITHIN = _AHEAD + timedelta(minutes=2)


@dataclass(frozen=True)
class Clocks:
    """The days between a stage and the one before it, or the choice of the image; None skips the stage."""

    deprecate: int | None = None
    disable: int | None = None
    deregister: int | None = None

    def days(self, stage: str) -> int | None:
        """Return the clock of a stage."""
        return {DEPRECATE: self.deprecate, DISABLE: self.disable, DEREGISTER: self.deregister}[stage]

    def without(self, stage: str) -> Clocks:
        """Return the clocks with this stage skipped."""
        return Clocks(*(None if skipped == stage else self.days(skipped) for skipped in STAGES))


@dataclass(frozen=True)
class Step:
    """The next step of an image that is chosen to be retired: a stage, or None to wait.

    ``marks`` are tags to write and ``drop`` tags to remove; they hold the dates of stages. ``next_stage`` is
    due at ``due``; both are None if no stage is left. ``later`` are the stages after that, and when each is
    due if all before it are taken on their day.
    """

    stage: str | None = None
    marks: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    next_stage: str | None = None
    due: datetime | None = None
    later: tuple[tuple[str, datetime], ...] = ()


def find_step(own: OwnImage, clocks: Clocks, now: datetime) -> Step:
    """Return the next step of an image that is chosen to be retired.

    A stage that was reached without this collection, or before the last launch that AWS reports, counts from
    the run that finds it. A stage that was undone means that the image is needed: its clock restarts. If
    several stages are due, only the last of them is taken.
    """
    clock = _drop_if_launched(own, _read_mark(own, CHOSEN_TAG))
    marks: dict[str, str] = {}
    undone: list[str] = []
    taken = None
    stages = _list_stages(own, clocks)
    for place, stage in enumerate(stages):
        # A deregistration has none, and is never done: it ends the image and its tags.
        mark = STAGE_TAGS.get(stage)
        date = _read_mark(own, mark) if mark else None
        if mark and _is_done(own, stage, now):
            # Done, by a cleanup or by others: the next clock starts at the date of its tag.
            date = _drop_if_launched(own, date) or now
            marks[mark] = render_time(date)
            clock = max(clock, date) if clock else date
            continue
        if mark and date:
            # Undone, since it has a tag: all restarts now.
            clock = now
            marks[CHOSEN_TAG] = render_time(now)
            undone.append(mark)
        due = (clock or now) + timedelta(days=clocks.days(stage) or 0)
        if due > now:
            # Not due: wait for it.
            if clock is None:
                marks[CHOSEN_TAG] = render_time(now)
            (coming, due), *later = _schedule(stages[place:], clocks, due)
            return Step(
                taken, _select_new(own, marks), _select_undone(undone, marks), coming, due, tuple(later)
            )
        # Due: it is taken, unless a later stage is due, too.
        taken, clock = stage, now
        if mark:
            marks[mark] = render_time(now)
    if taken == DEREGISTER:
        return Step(taken)
    return Step(taken, _select_new(own, marks), _select_undone(undone, marks))


def choose_deprecation_date(now: datetime) -> datetime:
    """Return a full minute that is not over when the last call is made, even for 10,000 images."""
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1) + _AHEAD


def render_deprecation_tag(image: Image, date: datetime) -> str:
    """Return the value of DEPRECATION_TAG for an image to be deprecated from the date on."""
    return " ".join((render_time(date), *filter(None, (image.deprecation_time,))))


def is_own_deprecation(image: Image) -> bool:
    """Whether a cleanup has set the deprecation date of an image."""
    date = parse_time(image.deprecation_time or "")
    own, _space, _replaced = image.tags.get(DEPRECATION_TAG, "").partition(" ")
    return date is not None and date == parse_time(own)


def find_former_deprecation(image: Image, now: datetime) -> str | None:
    """Return the deprecation date from before the cleanup's, None if the image had none.

    AWS refuses dates in the past: if the former date is reached, the cleanup's stays.
    """
    _own, _space, replaced = image.tags.get(DEPRECATION_TAG, "").partition(" ")
    date = parse_time(replaced)
    if date is None:
        return None
    return replaced if date > now + _AHEAD else image.deprecation_time


def list_marks(own: OwnImage) -> tuple[str, ...]:
    """Return the keys of the stage tags that an image has."""
    return tuple(key for key in MARKS if key in own.image.tags)


def list_dated_marks(own: OwnImage) -> tuple[str, ...]:
    """Return the keys of the stage tags whose dates count: a copy has earlier ones from its source."""
    return tuple(key for key in MARKS if _read_mark(own, key) is not None)


def has_lost_permissions(state: str, tags: Collection[str]) -> bool:
    """Whether an image was disabled, which removes its permissions, and may still lack some.

    ``tags`` are the keys of its tags: of an image that is available again, they say so.
    """
    return state == "disabled" or STAGE_TAGS[DISABLE] in tags or RESTORE_TAG in tags


def render_time(moment: datetime) -> str:
    """Return a moment as tags hold it: in UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def parse_time(text: str) -> datetime | None:
    """Parse a moment from a tag or from AWS; None if the text is none."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _list_stages(own: OwnImage, clocks: Clocks) -> tuple[str, ...]:
    stages = tuple(stage for stage in STAGES if clocks.days(stage) is not None)
    # EC2 cannot deprecate or disable a failed image.
    return tuple(stage for stage in stages if stage == DEREGISTER) if own.image.state == "failed" else stages


def _schedule(stages: Sequence[str], clocks: Clocks, due: datetime) -> Iterator[tuple[str, datetime]]:
    """Yield the stages with their dates, of which the first is ``due``; of several on a date the last."""
    first, *later = stages
    by_date = {due: first}
    for stage in later:
        due += timedelta(days=clocks.days(stage) or 0)
        by_date[due] = stage
    for date, stage in by_date.items():
        yield stage, date


def _is_done(own: OwnImage, stage: str, now: datetime) -> bool:
    """Whether an image is deprecated or disabled already; a disabled image needs no deprecation."""
    if own.image.state == "disabled":
        return True
    deprecated = parse_time(own.image.deprecation_time or "")
    return stage == DEPRECATE and deprecated is not None and deprecated <= now + _DEPRECATED_WITHIN


def _read_mark(own: OwnImage, mark: str) -> datetime | None:
    """Return the date of a mark, None if it is from before the image was created.

    A copy has the marks of its source.
    """
    date = parse_time(own.image.tags.get(mark, ""))
    if date is None or own.created is None:
        return None
    return date if date >= own.created.replace(microsecond=0) else None


def _drop_if_launched(own: OwnImage, date: datetime | None) -> datetime | None:
    """Return the date, or None if the image was launched after it.

    AWS reports a launch up to a day late (EC2 API Reference, Image, lastLaunchedTime). Until then, the date
    counts; the evidence of use shows instances that exist.
    """
    if date is None or own.last_launched is None:
        return date
    return date if date >= own.last_launched.replace(microsecond=0) else None


def _select_new(own: OwnImage, marks: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in marks.items() if own.image.tags.get(key) != value}


def _select_undone(undone: list[str], marks: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(mark for mark in undone if mark not in marks)
