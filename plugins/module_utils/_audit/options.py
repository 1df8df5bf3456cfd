# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_share_audit``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property, reduce
from typing import Any

from .._finding import Severity
from .._model import Image, Sharing
from .._option import (
    ACCOUNT_IDS,
    FLAG,
    REGIONS,
    Kind,
    Problem,
    Refuse,
    list_of,
    option,
    tags,
)
from .._option_groups import (
    FAIL_ON_SEVERITY,
    ORG_ARNS,
    ORG_UNIT_ARNS,
    ConsumerOptions,
    ProcessesOptions,
    RateOptions,
    ReportOptions,
)


def _pattern(given: str | None, _refuse: Refuse) -> str | None:
    return (given or "").strip() or None


def _tags(given: Mapping[Any, Any] | None, _refuse: Refuse) -> dict[str, str]:
    """Return the tags to compare with. They are not set, so that none is refused."""
    return {str(key): "" if value is None else str(value) for key, value in (given or {}).items()}


@dataclass(frozen=True, kw_only=True)
class Rule(ConsumerOptions):
    """Who may use the images whose name matches ``name_pattern`` and that have all of ``tags``.

    A pattern has the wildcards of a shell: ``*``, ``?``, ``[]``.
    """

    name_pattern: str | None = option(Kind({"type": "str"}, _pattern))
    tags: Mapping[str, str] = option(Kind(tags().spec, _tags))
    public: bool = option(FLAG)

    @cached_property
    def allowed(self) -> Sharing:
        """Return those that may use the images."""
        return replace(self.consumers, public=self.public)

    def to_dict(self) -> dict[str, Any]:
        """Return the rule in the form of the option, without what is not set."""
        given = {
            "account_ids": sorted(self.account_ids),
            "name_pattern": self.name_pattern,
            "org_arns": sorted(self.org_arns),
            "org_unit_arns": sorted(self.org_unit_arns),
            "public": self.public,
            "tags": dict(self.tags),
        }
        return {name: value for name, value in given.items() if value}

    def fits(self, image: Image) -> bool:
        """Whether the rule applies to the image."""
        named = self.name_pattern is None or fnmatchcase(image.name, self.name_pattern)
        return named and self.tags.items() <= image.tags.items()

    def problems(self) -> Iterator[Problem]:
        """Yield the problem of a rule without conditions."""
        if self.name_pattern is None and not self.tags:
            yield Problem("name_pattern", "the rule selects no images.", "Set name_pattern, tags, or both.")


@dataclass(frozen=True, kw_only=True)
class AuditOptions(RateOptions, ProcessesOptions, ReportOptions):
    """The options of ``ami_share_audit``. No regions means all regions that the account is opted in to."""

    regions: tuple[str, ...] = option(REGIONS)
    allowed_account_ids: tuple[str, ...] = option(ACCOUNT_IDS)
    allowed_org_arns: tuple[str, ...] = option(ORG_ARNS)
    allowed_org_unit_arns: tuple[str, ...] = option(ORG_UNIT_ARNS)
    rules: tuple[Rule, ...] = option(list_of(Rule))
    fail_on: Severity | None = option(FAIL_ON_SEVERITY, default="none")
    check_snapshots: bool = option(FLAG, default=True)
    check_keys: bool = option(FLAG, default=True)
    check_parameters: bool = option(FLAG)

    @cached_property
    def allowed(self) -> Sharing:
        """Return those that may use every image."""
        return Sharing(
            frozenset(self.allowed_account_ids),
            frozenset(self.allowed_org_arns),
            frozenset(self.allowed_org_unit_arns),
        )

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        yield from self.report_problems()

    def policy(self) -> dict[str, Any]:
        """Return who is allowed, as values of a report."""
        return {
            "allowed_account_ids": sorted(self.allowed_account_ids),
            "allowed_org_arns": sorted(self.allowed_org_arns),
            "allowed_org_unit_arns": sorted(self.allowed_org_unit_arns),
            "rules": [rule.to_dict() for rule in self.rules],
        }

    def allowed_for(self, image: Image) -> Sharing:
        """Return who may use an image: those allowed for all images, and those of each rule that applies."""
        fitting = (rule.allowed for rule in self.rules if rule.fits(image))
        return reduce(Sharing.__or__, fitting, self.allowed)
