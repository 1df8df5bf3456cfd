# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_adoption``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .._cleanup.families import FamilyBy
from .._cleanup.options import COUNT, DAYS, FAMILY_TAG, PATTERN
from .._finding import Severity
from .._option import (
    ACCOUNT_ID,
    ACCOUNT_IDS,
    FLAG,
    IMAGE_IDS,
    REGION,
    REGIONS,
    TEXT,
    TEXTS,
    Kind,
    Problem,
    Refuse,
    choice,
    option,
)
from .._option_groups import (
    FAIL_ON_SEVERITY,
    ConsumerRoleOptions,
    ProcessesOptions,
    ProgressOptions,
    RateOptions,
    ReportOptions,
)
from .._wording import render_value
from .releases import FamilyOptions
from .state import CONFIG, DEPTHS, INSTANCES, WITHOUT_ROLES

# botocore shape ImageWatermark, WatermarkKey: accountId:watermarkName.
_WATERMARK = re.compile(r"[0-9]{12}:\S+")


def _read_watermark(given: str | None, refuse: Refuse) -> str | None:
    if given and not _WATERMARK.fullmatch(given):
        refuse(
            f"{render_value(given)} is not the key of a watermark.",
            "Use the account that created it and its name, such as 111122223333:golden-web.",
        )
    return given or None


_WATERMARK_KEY: Kind[str | None] = Kind(TEXT.spec, _read_watermark)


@dataclass(frozen=True, kw_only=True)
class AdoptionOptions(RateOptions, ReportOptions, ProgressOptions, ConsumerRoleOptions, ProcessesOptions):
    """The options of ``ami_adoption``. No regions means those with images of the families."""

    family_tag: str | None = option(FAMILY_TAG)
    family_name_pattern: str | None = option(PATTERN)
    family_by_source: bool = option(FLAG)
    family_watermark: str | None = option(_WATERMARK_KEY)
    families: tuple[str, ...] = option(TEXTS)
    depth: str = option(choice(*DEPTHS), default=INSTANCES)
    config_aggregator: str | None = option(TEXT)
    config_aggregator_region: str | None = option(REGION)
    config_aggregator_account_id: str | None = option(ACCOUNT_ID)
    account_ids: tuple[str, ...] = option(ACCOUNT_IDS)
    regions: tuple[str, ...] = option(REGIONS)
    owner_tags: tuple[str, ...] = option(TEXTS)
    max_age_days: int | None = option(DAYS)
    max_releases_behind: int | None = option(COUNT)
    deny_images: tuple[str, ...] = option(IMAGE_IDS)
    fail_on: Severity | None = option(FAIL_ON_SEVERITY, default="none")

    @property
    def forms_families(self) -> FamilyOptions:
        """Return what gives images their family."""
        pattern = None if self.family_name_pattern is None else re.compile(self.family_name_pattern)
        by = FamilyBy(self.family_tag, pattern, self.family_by_source)
        return FamilyOptions(by, self.family_watermark, frozenset(self.families))

    @property
    def family_option(self) -> str:
        """Return the first option that gives images their family."""
        given = {
            "family_tag": self.family_tag,
            "family_name_pattern": self.family_name_pattern,
            "family_watermark": self.family_watermark,
        }
        return next((name for name, value in given.items() if value), "family_by_source")

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        if not any((self.family_tag, self.family_name_pattern, self.family_by_source, self.family_watermark)):
            yield Problem(
                "family_tag",
                "nothing says which images are a family.",
                "Set family_tag, family_name_pattern, family_watermark or family_by_source: true.",
            )
        if self.depth == CONFIG and not self.config_aggregator:
            yield Problem(
                "config_aggregator",
                f"it is missing, and depth: {CONFIG} reads it.",
                "Set the name of an aggregator of AWS Config, or another depth.",
            )
        for name in ("config_aggregator", "config_aggregator_region", "config_aggregator_account_id"):
            if self.depth != CONFIG and getattr(self, name):
                yield Problem(
                    name,
                    f"the depth {self.depth} does not read it.",
                    f"Set depth: {CONFIG}, or leave it out.",
                )
        if self.config_aggregator_account_id and not self.consumer_role_name:
            yield Problem(
                "consumer_role_name",
                "it is missing, and the aggregator is in another account.",
                "Set a role that these credentials can assume there.",
            )
        looks_into_accounts = self.depth not in WITHOUT_ROLES
        if looks_into_accounts and not self.account_ids:
            yield Problem(
                "account_ids",
                "no account is set.",
                "List the accounts that use the images, or set depth: usage_reports or config, which need no "
                "role there.",
            )
        if looks_into_accounts and len(self.account_ids) > 1 and not self.consumer_role_name:
            yield Problem(
                "consumer_role_name",
                f"it is missing, and {len(self.account_ids)} accounts are to be read.",
                "Set a role that these credentials can assume there, or depth: usage_reports or config.",
            )
        yield from self.report_problems()
