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

# On an image from before a cleanup deprecates it until a restore cancels that. Its value is the date that the
# cleanup sets, followed by the later date that the image had, if any. It stays if the image is needed again,
# since the image is still deprecated then.
DEPRECATION_TAG = OWN_TAG_PREFIX + "cleanup-deprecation-date"
# On an image from before a restore enables it, or right after the Recycle Bin, until the restore is complete.
# After an interrupted restore, it shows the next one that permissions may be missing, and the cleanup that
# the image is needed. Its value is the time of their tombstone, or says that they are not known yet.
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
        """The clock of a stage."""
        return {DEPRECATE: self.deprecate, DISABLE: self.disable, DEREGISTER: self.deregister}[stage]

    def without(self, stage: str) -> Clocks:
        """The same clocks, with this stage skipped."""
        return Clocks(*(None if one == stage else self.days(one) for one in STAGES))


@dataclass(frozen=True)
class Step:
    """What happens now to an image that is chosen to be retired: a stage, or None to wait.

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


def step(own: OwnImage, clocks: Clocks, now: datetime) -> Step:
    """The next step of an image that is chosen to be retired.

    A stage that was reached without this collection counts from the run that first sees it, and so does one
    from before the last launch that AWS has reported. A stage that was undone means that the image is needed:
    its clock restarts. If several stages are due, only the last of them is taken.
    """
    clock = _unless_launched(own, _date(own, CHOSEN_TAG))
    marks: dict[str, str] = {}
    undone: list[str] = []
    taken = None
    stages = _stages(own, clocks)
    for place, stage in enumerate(stages):
        # A deregistration has none, and is never done: it ends the image and its tags.
        mark = STAGE_TAGS.get(stage)
        date = _date(own, mark) if mark else None
        if mark and _is_done(own, stage, now):
            # Done, by a cleanup or by others: the next clock starts at the date of its tag.
            date = _unless_launched(own, date) or now
            marks[mark] = stamp(date)
            clock = max(clock, date) if clock else date
            continue
        if mark and date:
            # Undone, since it has a tag: all restarts now.
            clock = now
            marks[CHOSEN_TAG] = stamp(now)
            undone.append(mark)
        due = (clock or now) + timedelta(days=clocks.days(stage) or 0)
        if due > now:
            # Not due: wait for it.
            if clock is None:
                marks[CHOSEN_TAG] = stamp(now)
            (coming, due), *later = _coming(stages[place:], clocks, due)
            return Step(taken, _new(own, marks), _without(undone, marks), coming, due, tuple(later))
        # Due: it is taken, unless a later stage is due, too.
        taken, clock = stage, now
        if mark:
            marks[mark] = stamp(now)
    if taken == DEREGISTER:
        return Step(taken)
    return Step(taken, _new(own, marks), _without(undone, marks))


def deprecate_at(now: datetime) -> datetime:
    """A full minute that is not in the past when the last call is made, however many images there are."""
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1) + _AHEAD


def deprecation_tag(image: Image, date: datetime) -> str:
    """The value of DEPRECATION_TAG for an image that is deprecated from the date on."""
    return " ".join((stamp(date), *filter(None, (image.deprecation_time,))))


def is_own_deprecation(image: Image) -> bool:
    """Whether the deprecation date of an image is the one that a cleanup has set."""
    date = parse(image.deprecation_time or "")
    own, _space, _replaced = image.tags.get(DEPRECATION_TAG, "").partition(" ")
    return date is not None and date == parse(own)


def former_deprecation(image: Image, now: datetime) -> str | None:
    """The deprecation date that an image has again without the cleanup's; None if it is not deprecated then.

    AWS refuses dates in the past: if the former date is reached, the cleanup's stays.
    """
    _own, _space, replaced = image.tags.get(DEPRECATION_TAG, "").partition(" ")
    date = parse(replaced)
    if date is None:
        return None
    return replaced if date > now + _AHEAD else image.deprecation_time


def set_marks(own: OwnImage) -> tuple[str, ...]:
    """The keys of the stage tags that an image has."""
    return tuple(key for key in MARKS if key in own.image.tags)


def dates(own: OwnImage) -> tuple[str, ...]:
    """The keys of the stage tags whose dates count: a copy has earlier ones from its source."""
    return tuple(key for key in MARKS if _date(own, key) is not None)


def has_lost_permissions(state: str, tags: Collection[str]) -> bool:
    """Whether an image in this state was disabled, which removes its permissions, and still lacks some.

    ``tags`` are the keys of its tags: of an image that is available again, they say so.
    """
    return state == "disabled" or STAGE_TAGS[DISABLE] in tags or RESTORE_TAG in tags


def stamp(moment: datetime) -> str:
    """A moment as tags hold it: UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def parse(text: str) -> datetime | None:
    """Parse a moment from a tag or from AWS; None if the text is not a valid one."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _stages(own: OwnImage, clocks: Clocks) -> tuple[str, ...]:
    stages = tuple(stage for stage in STAGES if clocks.days(stage) is not None)
    # EC2 cannot deprecate or disable a failed image.
    return tuple(stage for stage in stages if stage == DEREGISTER) if own.image.state == "failed" else stages


def _coming(stages: Sequence[str], clocks: Clocks, due: datetime) -> Iterator[tuple[str, datetime]]:
    """The stages with their dates; the first one is ``due``. Of several on one date, the last is taken."""
    first, *others = stages
    by_date = {due: first}
    for stage in others:
        due += timedelta(days=clocks.days(stage) or 0)
        by_date[due] = stage
    for date, stage in by_date.items():
        yield stage, date


def _is_done(own: OwnImage, stage: str, now: datetime) -> bool:
    """Whether an image is deprecated or disabled already. A disabled image needs no deprecation."""
    if own.image.state == "disabled":
        return True
    deprecated = parse(own.image.deprecation_time or "")
    return stage == DEPRECATE and deprecated is not None and deprecated <= now + _DEPRECATED_WITHIN


def _date(own: OwnImage, mark: str) -> datetime | None:
    """The date of a mark. One from before the image was created is ignored: a copy has it from its source."""
    date = parse(own.image.tags.get(mark, ""))
    if date is None or own.created is None:
        return None
    return date if date >= own.created.replace(microsecond=0) else None


def _unless_launched(own: OwnImage, date: datetime | None) -> datetime | None:
    """The date, or None if the image was launched after it.

    AWS reports a launch up to a day late (EC2 API Reference, Image, lastLaunchedTime). Until then, the date
    counts; the evidence of use shows instances that exist.
    """
    if date is None or own.last_launched is None:
        return date
    return date if date >= own.last_launched.replace(microsecond=0) else None


def _new(own: OwnImage, marks: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in marks.items() if own.image.tags.get(key) != value}


def _without(undone: list[str], marks: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(mark for mark in undone if mark not in marks)
