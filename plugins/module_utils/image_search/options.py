# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the lookup plugin ``ami``, checked and turned into searches."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..arguments import IMAGE_ID, Options
from ..variables import ACCOUNT_ID
from ..wording import shown
from .state import Search

# botocore operation DescribeImages, Owners: account IDs and these.
_OWNER_ALIASES = ("self", "amazon", "aws-backup-vault", "aws-marketplace")
# EC2 API Reference, CreateImage: the characters of a name; and the wildcards of a filter.
_NAME = re.compile(r"[A-Za-z0-9()\[\] ./'@_*?-]{1,128}")


def searches(given: Mapping[str, Any]) -> tuple[Search, ...]:
    """One search for each of ``_terms``, names or AMI IDs, and for the parameter; one for tags alone.

    Raises:
        Refused: an option has a wrong value, or nothing limits the search.
    """
    options = Options(given)
    common = Search(
        tags=options.tags("tags") or {}, architecture=given["architecture"], owners=_owners(options)
    )
    found = tuple(_of_term(options, common, term) for term in given["_terms"] or ())
    if given["parameter"]:
        found += (Search(parameter=options.parameter("parameter", given["parameter"]), owners=common.owners),)
    elif not found and common.tags:
        found = (common,)
    if not found:
        options.refuse("_terms", "nothing limits the search.", "Set a name, an AMI ID, tags or parameter.")
    options.check()
    return found


def _of_term(options: Options, common: Search, term: str) -> Search:
    if not _NAME.fullmatch(term):
        options.refuse(
            "_terms",
            f"{shown(term)} is not the name of an image.",
            "Use up to 128 letters, digits and ()[] ./-'@_, with * and ? as wildcards.",
        )
        return common
    return replace(common, image_id=term) if IMAGE_ID.fullmatch(term) else replace(common, name=term)


def _owners(options: Options) -> tuple[str, ...]:
    found = options.strings("owners")
    for owner in found:
        if owner not in _OWNER_ALIASES and not ACCOUNT_ID.fullmatch(owner):
            options.refuse(
                "owners",
                f"'{owner}' is not an owner.",
                f"Use 12 digits in quotes, or one of {', '.join(_OWNER_ALIASES)}.",
            )
    if not found:
        # Without owners, AWS also searches the images of strangers.
        options.refuse("owners", "there is no owner.", "Use self, or the ID of the account that shares.")
    return found
