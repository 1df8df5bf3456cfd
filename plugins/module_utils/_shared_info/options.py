# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_shared_info``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._option import FLAG, IMAGE_IDS, OWNERS, REGIONS, TEXTS, Kind, Options, Problem, Refuse, option
from .._option_groups import FILTERS
from .._variables import ACCOUNT_ID

_ALIAS = re.compile(r"[a-z][a-z-]*")


def _other_owners(given: Any, refuse: Refuse) -> tuple[str, ...]:
    owners = OWNERS.value(given, refuse)
    for owner in owners:
        if owner == "self":
            refuse(
                "'self' is not another account.", "For the account's own images, use amazon.aws.ec2_ami_info."
            )
        elif not (_ALIAS.fullmatch(owner) or ACCOUNT_ID.fullmatch(owner)):
            refuse(f"'{owner}' is not a valid owner.", "Use account IDs, or aliases such as amazon.")
    return owners


@dataclass(frozen=True, kw_only=True)
class SharedInfoOptions(Options):
    """The options of ``ami_shared_info``; without ``regions`` all that are enabled are searched."""

    executable_users: tuple[str, ...] = option(
        TEXTS, choices=["self", "all"], default=["self"], aliases=["executable_user"]
    )
    owners: tuple[str, ...] = option(Kind(OWNERS.spec, _other_owners), aliases=["owner"])
    image_ids: tuple[str, ...] = option(IMAGE_IDS, aliases=["image_id"])
    filters: Mapping[str, tuple[str, ...]] = option(FILTERS)
    regions: tuple[str, ...] = option(REGIONS)
    include_deprecated: bool = option(FLAG, default=True)
    check_key_access: bool = option(FLAG, default=True)

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        if not self.executable_users:
            yield Problem("executable_users", "the list is empty.", "Use self, all, or both.")
        if "all" in self.executable_users and not (self.owners or self.image_ids):
            yield Problem(
                "owners",
                "required if executable_users has all, because any account can publish an image of any name.",
                "List the owners that you trust, or set image_ids.",
            )
        if self.image_ids and "image-id" in self.filters:
            yield Problem("filters", "image-id and image_ids cannot be combined.", "Remove one of them.")
