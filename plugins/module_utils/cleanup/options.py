# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_cleanup``: parsed, checked, and as its planner takes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ..arguments import Options, check_tombstone_stores
from ..model import ConsumerRole
from .families import LONGEST_KEY, FamilyBy
from .rules import Limit, Rules, parse_limit
from .sharing import REPORT_AGE
from .stages import STAGES, Clocks
from .state import UNREADABLE

_DAYS = ("keep_latest", "max_age_days", "unused_for_days", *(f"{stage}_after_days" for stage in STAGES))
# In days. Python's dates end in the year 9999.
_CENTURY = 36_500


@dataclass(frozen=True)
class CleanupWanted:
    """What the user wants of ``ami_cleanup``. Without ``regions``: all that the account has enabled.

    With ``fail_on`` ``unreadable``, the task fails if something that could not be read keeps what could be
    retired without it; with ``none``, it only warns. Usage reports count up to ``max_report_age``, which is
    no option: the final check lowers it.
    """

    by: FamilyBy
    rules: Rules
    clocks: Clocks
    limit: Limit = field(default_factory=Limit)
    include_shared: bool = False
    trust_usage_reports: bool = False
    max_report_age: timedelta = REPORT_AGE
    include_image_builder: bool = False
    orphan_snapshots: bool = False
    revoke_grants: bool = False
    fail_on: str = UNREADABLE
    regions: tuple[str, ...] = ()
    tombstone_path: str | None = None
    tombstone_s3_uri: str | None = None
    tombstone_s3_bucket_owner: str | None = None
    tombstone_ssm_path: str | None = None
    consumer_role: ConsumerRole | None = None

    @property
    def reads_accounts(self) -> bool:
        """Whether the accounts that may use an image are read."""
        return self.include_shared and self.consumer_role is not None

    @property
    def has_only_reports(self) -> bool:
        """Whether usage reports are the only proof that no other account uses an image."""
        return self.trust_usage_reports and not self.reads_accounts


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> CleanupWanted:
    """Parse the options.

    Raises:
        Refused: some are not valid, with a failure for each.
    """
    options = Options(params)
    _check_numbers(options, params)
    limit = parse_limit(params["max_deletions"])
    if limit is None:
        options.refuse(
            "max_deletions",
            f"'{params['max_deletions']}' is not a valid number or percentage.",
            'Set a number such as 3, or a percentage of the images such as "50%".',
        )
    wanted = CleanupWanted(
        by=_family_by(options, params),
        rules=Rules(
            keep_latest=params["keep_latest"],
            allow_empty_family=params["allow_empty_family"],
            max_age_days=params["max_age_days"],
            unused_for_days=params["unused_for_days"],
            states=frozenset(params["states"]),
            protect_tags=tuple(_protect_tag(options, text) for text in options.strings("protect_tags")),
        ),
        clocks=Clocks(*(params[f"{stage}_after_days"] for stage in STAGES)),
        limit=limit or Limit(),
        include_shared=params["include_shared"],
        trust_usage_reports=params["trust_usage_reports"],
        include_image_builder=params["include_image_builder"],
        orphan_snapshots=params["orphan_snapshots"],
        revoke_grants=params["revoke_grants"],
        fail_on=params["fail_on"],
        regions=tuple(dict.fromkeys(options.regions("regions"))),
        tombstone_path=params["tombstone_path"],
        tombstone_s3_uri=params["tombstone_s3_uri"],
        tombstone_s3_bucket_owner=options.bucket_owner("tombstone_s3_bucket_owner"),
        tombstone_ssm_path=params["tombstone_ssm_path"],
        consumer_role=options.consumer_role(),
    )
    if wanted.consumer_role and not (wanted.include_shared or wanted.revoke_grants):
        options.refuse(
            "consumer_role_name",
            "it has no effect, because shared images are always kept without include_shared.",
            "Set include_shared: true or revoke_grants: true, or omit consumer_role_name.",
        )
    if wanted.trust_usage_reports and not wanted.include_shared:
        options.refuse(
            "trust_usage_reports",
            "it has no effect, because shared images are always kept without include_shared.",
            "Set include_shared: true, or omit trust_usage_reports.",
        )
    _check_stages(options, wanted)
    if not wanted.rules.states:
        options.refuse("states", "must not be empty.", "List the states of the images to retire.")
    options.check()
    return wanted


def _check_numbers(options: Options, params: Mapping[str, Any]) -> None:
    for option in _DAYS:
        if params[option] is not None and params[option] < 0:
            options.refuse(option, f"must be 0 or greater (got {params[option]}).", "Set 0 or more.")
        if option != "keep_latest" and (params[option] or 0) > _CENTURY:
            options.refuse(
                option, f"must be at most {_CENTURY} days (got {params[option]}).", f"Set at most {_CENTURY}."
            )


def _family_by(options: Options, params: Mapping[str, Any]) -> FamilyBy:
    text = params["family_name_pattern"]
    pattern = None
    if text is not None:
        try:
            pattern = re.compile(text)
        except re.error as exception:
            options.refuse(
                "family_name_pattern",
                f"'{text}' is not a valid regular expression: {exception}.",
                "Correct the regular expression.",
            )
    key = params["family_tag"]
    if key and len(key) > LONGEST_KEY:
        options.refuse(
            "family_tag",
            f"must be at most {LONGEST_KEY} characters long (got {len(key)}).",
            "Use a shorter tag key: this collection's tag for copies contains it.",
        )
    if not (key or text or params["family_by_source"]):
        options.refuse(
            "family_tag",
            "no option defines image families.",
            "Set family_tag, family_name_pattern or family_by_source: true.",
        )
    return FamilyBy(key, pattern, params["family_by_source"])


def _protect_tag(options: Options, text: str) -> tuple[str, str | None]:
    key, equals, value = (part.strip() for part in text.partition("="))
    if not key:
        options.refuse("protect_tags", f"'{text}' has no tag key.", "Use KEY or KEY=VALUE.")
    # If a key and a value are meant, the tag would protect no image.
    if ": " in key and not equals:
        problem = f"'{text}' can be a key and a value, or a key."
        options.refuse("protect_tags", problem, "Use KEY=VALUE; a key with ': ' needs a value.")
    return key, value if equals else None


def _check_stages(options: Options, wanted: CleanupWanted) -> None:
    clocks = wanted.clocks
    if all(clocks.days(stage) is None for stage in STAGES):
        options.refuse(
            "deregister_after_days",
            "no stage is set, so no image would be retired.",
            "Set at least one of deprecate_after_days, disable_after_days and deregister_after_days.",
        )
    _check_tombstones(options, wanted)


def _check_tombstones(options: Options, wanted: CleanupWanted) -> None:
    path, uri, ssm_path = wanted.tombstone_path, wanted.tombstone_s3_uri, wanted.tombstone_ssm_path
    needs_tombstones = wanted.clocks.disable is not None or wanted.clocks.deregister is not None
    if needs_tombstones and not (path or uri or ssm_path):
        options.refuse(
            "tombstone_path",
            "required with disable_after_days and deregister_after_days: tombstones record what images lose.",
            "Set tombstone_path to a file that is kept after the run, or set tombstone_s3_uri or "
            "tombstone_ssm_path.",
        )
    check_tombstone_stores(options, uri, ssm_path)
