# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the lookup plugin ``ami``, and the searches that they ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .._option import (
    FLAG,
    OWNERS,
    TEXT,
    TEXTS,
    Kind,
    Options,
    Problem,
    Refuse,
    choice,
    is_image_id,
    option,
    tags,
)
from .._option_groups import parameter_problem
from .._variables import ACCOUNT_ID
from .._wording import render_value
from .state import Search

# botocore operation DescribeImages, Owners: account IDs and these.
_OWNER_ALIASES = ("self", "amazon", "aws-backup-vault", "aws-marketplace")
# EC2 API Reference, CreateImage: the characters of a name; and the wildcards of a filter.
_NAME = re.compile(r"[A-Za-z0-9()\[\] ./'@_*?-]{1,128}")
_TAGS = tags()


def _names_or_ids(given: Any, refuse: Refuse) -> tuple[str, ...]:
    """Return all terms: one that is repeated is searched again."""
    for term in given or ():
        if not _NAME.fullmatch(term):
            refuse(
                f"{render_value(term)} is not the name of an image.",
                "Use up to 128 letters, digits and ()[] ./-'@_, with * and ? as wildcards.",
            )
    return tuple(given or ())


def _owners(given: Any, refuse: Refuse) -> tuple[str, ...]:
    owners = OWNERS.value(given, refuse)
    for owner in owners:
        if owner not in _OWNER_ALIASES and not ACCOUNT_ID.fullmatch(owner):
            refuse(
                f"'{owner}' is not an owner.",
                f"Use 12 digits in quotes, or one of {', '.join(_OWNER_ALIASES)}.",
            )
    if not owners:
        # Without owners, AWS also searches the images of strangers.
        refuse("there is no owner.", "Use self, or the ID of the account that shares.")
    return owners


def _parameter(given: str | None, refuse: Refuse) -> str | None:
    if given and (problem := parameter_problem(given)):
        refuse(*problem)
    return given


@dataclass(frozen=True, kw_only=True)
class SearchOptions(Options):
    """The options of the lookup plugin ``ami``."""

    _terms: tuple[str, ...] = option(Kind(TEXTS.spec, _names_or_ids), default=None)
    tags: Mapping[str, str] = option(_TAGS, default={})
    architecture: str | None = option(choice("arm64", "arm64_mac", "i386", "x86_64", "x86_64_mac"))
    owners: tuple[str, ...] = option(Kind(OWNERS.spec, _owners), default=["self"])
    parameter: str | None = option(Kind(TEXT.spec, _parameter))
    check_key_state: bool = option(FLAG, default=True)

    @property
    def searches(self) -> tuple[Search, ...]:
        """Return a search for each of ``_terms``, names or IDs, and for the parameter, or one for tags."""
        common = Search(tags=self.tags, architecture=self.architecture, owners=self.owners)
        of_terms = tuple(
            replace(common, image_id=term) if is_image_id(term) else replace(common, name=term)
            for term in self._terms
        )
        if self.parameter:
            return (*of_terms, Search(parameter=self.parameter, owners=self.owners))
        return of_terms or ((common,) if self.tags else ())

    def problems(self) -> Iterator[Problem]:
        """Yield that nothing limits the search."""
        if not self.searches:
            yield Problem("_terms", "nothing limits the search.", "Set a name, an AMI ID, tags or parameter.")
