# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_cleanup``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from .._failures import Failure
from .._option import (
    FLAG,
    MAPPING,
    NUMBER,
    REGIONS,
    TEXT,
    TEXTS,
    Kind,
    Problem,
    Refuse,
    choice,
    option,
    read_texts,
)
from .._option_groups import (
    ConsumerRoleOptions,
    ProcessesOptions,
    RateOptions,
    ReportOptions,
    TombstoneOptions,
)
from .families import LONGEST_KEY, FamilyBy
from .report.prices import read_prices
from .stages import Clocks
from .state import UNREADABLE

# Tag keys, each with a value, or None for any value.
Tags: TypeAlias = "tuple[tuple[str, str | None], ...]"

PLAN = "plan"
"""The directory in ``report_dir`` for reports of check mode."""
# In days. Python's dates end in the year 9999.
_CENTURY = 36_500
_PERCENT = re.compile(r"([0-9]{1,2}|100)\s*%")


@dataclass(frozen=True)
class Limit:
    """The most images that one run may retire: ``count``, or else ``percent`` of the images evaluated.

    An image that is disabled counts like one that is deregistered: both end its launches at once.
    """

    count: int | None = None
    percent: int = 10

    def allows(self, deletions: int, evaluated: int) -> bool:
        """Whether so many deletions are within the limit. A percentage of a few images can allow none."""
        if self.count is not None:
            return deletions <= self.count
        return deletions * 100 <= self.percent * evaluated

    def of(self, evaluated: int) -> str:
        """Return the limit, with the number of images that a percentage allows of those evaluated."""
        if self.count is not None:
            return str(self)
        return f"{self} ({self.percent * evaluated // 100} of {evaluated})"

    def __str__(self) -> str:
        return str(self.count) if self.count is not None else f"{self.percent}%"


def read_limit(given: object, refuse: Refuse) -> Limit:
    """Return the limit of ``3``, ``"3"`` or ``"50%"``."""
    text = str(given).strip()
    if text.isascii() and text.isdigit():
        return Limit(count=int(text))
    match = _PERCENT.fullmatch(text)
    if not match:
        refuse(
            f"'{given}' is not a valid number or percentage.",
            'Set a number such as 3, or a percentage of the images such as "50%".',
        )
        return Limit()
    return Limit(percent=int(match[1]))


def _at_most(most: int | None) -> Callable[[int | None, Refuse], int | None]:
    def value(given: int | None, refuse: Refuse) -> int | None:
        if given is not None and given < 0:
            refuse(f"must be 0 or greater (got {given}).", "Set 0 or more.")
        if given is not None and most is not None and given > most:
            refuse(f"must be at most {most} days (got {given}).", f"Set at most {most}.")
        return given

    return value


COUNT: Kind[int | None] = Kind(NUMBER.spec, _at_most(None))
DAYS: Kind[int | None] = Kind(NUMBER.spec, _at_most(_CENTURY))
_LIMIT: Kind[Limit] = Kind({"type": "str", "context": {"type": "count_or_percentage"}}, read_limit)


def _read_pattern(given: str | None, refuse: Refuse) -> str | None:
    try:
        re.compile(given or "")
    except re.error as exception:
        refuse(
            f"'{given}' is not a valid regular expression: {exception}.", "Correct the regular expression."
        )
    return given


PATTERN: Kind[str | None] = Kind(TEXT.spec, _read_pattern)


def _read_family_tag(given: str | None, refuse: Refuse) -> str | None:
    if given and len(given) > LONGEST_KEY:
        refuse(
            f"must be at most {LONGEST_KEY} characters long (got {len(given)}).",
            "Use a shorter tag key: this collection's tag for copies contains it.",
        )
    return given


FAMILY_TAG: Kind[str | None] = Kind(TEXT.spec, _read_family_tag)


def _read_protect_tag(text: str, refuse: Refuse) -> tuple[str, str | None]:
    key, equals, value = (part.strip() for part in text.partition("="))
    if not key:
        refuse(f"'{text}' has no tag key.", "Use KEY or KEY=VALUE.")
    # If a key and a value are meant, the tag would protect no image.
    if ": " in key and not equals:
        refuse(
            f"'{text}' can be a key and a value, or a key.", "Use KEY=VALUE; a key with ': ' needs a value."
        )
    return key, value if equals else None


_PROTECT_TAGS: Kind[Tags] = Kind(
    TEXTS.spec,
    lambda given, refuse: tuple(_read_protect_tag(text, refuse) for text in read_texts(given, refuse)),
)


@dataclass(frozen=True, kw_only=True)
class CleanupOptions(RateOptions, ProcessesOptions, ReportOptions, TombstoneOptions, ConsumerRoleOptions):
    """The options of ``ami_cleanup``. Without ``regions``: all that the account has enabled.

    An image is retired only if every rule that is set allows it. With ``fail_on`` ``unreadable``, the task
    fails if something that could not be read keeps what could be retired without it; with ``none``, it only
    warns.
    """

    regions: tuple[str, ...] = option(REGIONS)
    family_tag: str | None = option(FAMILY_TAG)
    family_name_pattern: str | None = option(PATTERN)
    family_by_source: bool = option(FLAG)
    keep_latest: int = option(COUNT, default=1)
    allow_empty_family: bool = option(FLAG)
    max_age_days: int | None = option(DAYS)
    unused_for_days: int | None = option(DAYS)
    states: tuple[str, ...] = option(
        TEXTS, choices=["available", "disabled", "failed"], default=["available", "disabled"]
    )
    protect_tags: Tags = option(_PROTECT_TAGS)
    deprecate_after_days: int | None = option(DAYS)
    disable_after_days: int | None = option(DAYS)
    deregister_after_days: int | None = option(DAYS)
    max_deletions: Limit = option(_LIMIT, default="10%")
    include_shared: bool = option(FLAG)
    trust_usage_reports: bool = option(FLAG)
    include_image_builder: bool = option(FLAG)
    unused_services: tuple[str, ...] = option(
        TEXTS, choices=["batch", "codebuild", "emr", "pcs", "rds", "sagemaker"]
    )
    orphan_snapshots: bool = option(FLAG)
    revoke_grants: bool = option(FLAG)
    fail_on: str = option(choice("none", UNREADABLE), default=UNREADABLE)
    prices: Mapping[str, Any] = option(MAPPING, default={})
    currency: str = option(TEXT, default="USD")

    @property
    def folder(self) -> str | None:
        """Return the directory of the report, which is one of its own for a plan."""
        if self.report_dir and self.check_mode:
            return f"{self.report_dir.rstrip('/')}/{PLAN}"
        return self.report_dir

    @cached_property
    def by(self) -> FamilyBy:
        """Return the options that form families."""
        pattern = None if self.family_name_pattern is None else re.compile(self.family_name_pattern)
        return FamilyBy(self.family_tag, pattern, self.family_by_source)

    @property
    def latest(self) -> int:
        """Return how many images of a family stay in a region, whatever the other rules allow."""
        return self.keep_latest if self.allow_empty_family else max(1, self.keep_latest)

    @property
    def clocks(self) -> Clocks:
        """Return the days between the stages."""
        return Clocks(self.deprecate_after_days, self.disable_after_days, self.deregister_after_days)

    @property
    def reads_accounts(self) -> bool:
        """Whether the accounts that may use an image are read."""
        return self.include_shared and self.consumer_role is not None

    @property
    def has_only_reports(self) -> bool:
        """Whether usage reports are the only proof that no other account uses an image."""
        return self.trust_usage_reports and not self.reads_accounts

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        if not (self.family_tag or self.family_name_pattern or self.family_by_source):
            yield Problem(
                "family_tag",
                "no option defines image families.",
                "Set family_tag, family_name_pattern or family_by_source: true.",
            )
        if self.consumer_role and not (self.include_shared or self.revoke_grants):
            yield Problem(
                "consumer_role_name",
                "it has no effect, because shared images are always kept without include_shared.",
                "Set include_shared: true or revoke_grants: true, or omit consumer_role_name.",
            )
        if self.trust_usage_reports and not self.include_shared:
            yield Problem(
                "trust_usage_reports",
                "it has no effect, because shared images are always kept without include_shared.",
                "Set include_shared: true, or omit trust_usage_reports.",
            )
        if self.clocks == Clocks():
            yield Problem(
                "deregister_after_days",
                "no stage is set, so no image would be retired.",
                "Set at least one of deprecate_after_days, disable_after_days and deregister_after_days.",
            )
        places = self.tombstone_path or self.tombstone_s3_uri or self.tombstone_ssm_path
        if not places and not (self.disable_after_days is None and self.deregister_after_days is None):
            yield Problem(
                "tombstone_path",
                "required with disable_after_days and deregister_after_days: tombstones record what images "
                "lose.",
                "Set tombstone_path to a file that is kept after the run, or set tombstone_s3_uri or "
                "tombstone_ssm_path.",
            )
        yield from self.tombstone_problems()
        if not self.states:
            yield Problem("states", "must not be empty.", "List the states of the images to retire.")
        yield from self.report_problems()

    def failures(self) -> Iterator[Failure]:
        """Yield the prices that are not valid."""
        yield from read_prices("prices", self.prices, self.currency)[1]
