# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_cleanup`` as its planner takes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..arguments import Options, check_tombstone_stores
from ..tags import MAX_VALUE
from .decisions import CleanupWanted
from .families import FamilyBy
from .limit import Limit, parse_limit
from .rules import Rules
from .stages import STAGES, Clocks

_DAYS = ("keep_latest", "max_age_days", "unused_for_days", *(f"{stage}_after_days" for stage in STAGES))
# In days. Python's dates end in the year 9999.
_CENTURY = 36_500


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> CleanupWanted:
    """The policy; raises ``Refused`` with all that is wrong with it."""
    options = Options(params)
    for option in _DAYS:
        if params[option] is not None and params[option] < 0:
            options.refuse(option, f"{params[option]} is less than nothing.", "Take 0 or more.")
        if option != "keep_latest" and (params[option] or 0) > _CENTURY:
            options.refuse(option, f"{params[option]} days are too many.", f"Take at most {_CENTURY}.")
    limit = parse_limit(params["max_deletions"])
    if limit is None:
        options.refuse(
            "max_deletions",
            f"'{params['max_deletions']}' is no number and no percentage.",
            'Take a number such as 3, or a share of the images such as "50%".',
        )
    wanted = CleanupWanted(
        by=_family_by(options, params),
        rules=Rules(
            keep_latest=params["keep_latest"],
            allow_empty_family=params["allow_empty_family"],
            max_age_days=params["max_age_days"],
            unused_for_days=params["unused_for_days"],
            states=frozenset(params["states"]),
            protect_tags=tuple(_protecting(options, text) for text in options.strings("protect_tags")),
        ),
        clocks=Clocks(*(params[f"{stage}_after_days"] for stage in STAGES)),
        limit=limit or Limit(),
        include_shared=params["include_shared"],
        orphan_snapshots=params["orphan_snapshots"],
        revoke_grants=params["revoke_grants"],
        regions=tuple(dict.fromkeys(options.strings("regions"))),
        tombstone_path=params["tombstone_path"],
        tombstone_s3_uri=params["tombstone_s3_uri"],
        tombstone_ssm_path=params["tombstone_ssm_path"],
        consumer_role=options.consumer_role(),
    )
    if wanted.consumer_role and not wanted.include_shared:
        options.refuse(
            "consumer_role_name",
            "images that are shared stay in any case, so that nobody has to be looked at.",
            "Set include_shared: true, or leave it out.",
        )
    _check_stages(options, wanted)
    if not wanted.rules.states:
        options.refuse("states", "it is empty.", "Name the states of images to be retired.")
    options.check()
    return wanted


def _family_by(options: Options, params: Mapping[str, Any]) -> FamilyBy:
    text = params["family_name_pattern"]
    pattern = None
    if text is not None:
        try:
            pattern = re.compile(text)
        except re.error as exception:
            options.refuse(
                "family_name_pattern",
                f"'{text}' is no pattern: {exception}.",
                "Correct the regular expression.",
            )
        if len(text) > MAX_VALUE:
            options.refuse("family_name_pattern", "it is too long.", f"Use at most {MAX_VALUE} characters.")
    if not (params["family_tag"] or text or params["family_by_source"]):
        options.refuse(
            "family_tag",
            "nothing says which images belong together.",
            "Name family_tag or family_name_pattern, or set family_by_source: true.",
        )
    return FamilyBy(params["family_tag"], pattern, params["family_by_source"])


def _protecting(options: Options, text: str) -> tuple[str, str | None]:
    key, equals, value = (part.strip() for part in text.partition("="))
    if not key:
        options.refuse("protect_tags", f"'{text}' has no key, and would protect nothing.", "Name the tag.")
    return key, value if equals else None


def _check_stages(options: Options, wanted: CleanupWanted) -> None:
    clocks = wanted.clocks
    if all(clocks.days(stage) is None for stage in STAGES):
        options.refuse(
            "deregister_after_days",
            "no stage is named, so that nothing would ever be done.",
            "Name at least one of deprecate_after_days, disable_after_days and deregister_after_days.",
        )
    _check_tombstones(options, wanted)


def _check_tombstones(options: Options, wanted: CleanupWanted) -> None:
    path, uri, ssm_path = wanted.tombstone_path, wanted.tombstone_s3_uri, wanted.tombstone_ssm_path
    loses = wanted.clocks.disable is not None or wanted.clocks.deregister is not None
    if loses and not (path or uri or ssm_path):
        options.refuse(
            "tombstone_path",
            "it is missing, and what disabled and deregistered images lose would be written nowhere.",
            "Name a file that outlives the run, or tombstone_s3_uri or tombstone_ssm_path.",
        )
    check_tombstone_stores(options, uri, ssm_path)
