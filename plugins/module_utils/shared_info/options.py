# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_shared_info``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..arguments import Options
from ..variables import ACCOUNT_ID
from .state import SharedInfoWanted

# botocore shape DescribeImagesRequest, Owners: amazon, aws-backup-vault, aws-marketplace and the like.
_ALIAS = re.compile(r"[a-z][a-z-]*")


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> SharedInfoWanted:
    """Read the options.

    Raises:
        Refused: with every option that is not valid.
    """
    options = Options(params)
    wanted = SharedInfoWanted(
        executable_users=tuple(dict.fromkeys(params["executable_users"])),
        owners=_owners(options),
        image_ids=tuple(
            dict.fromkeys(options.image_id("image_ids", item) for item in options.strings("image_ids"))
        ),
        filters=options.filters("filters"),
        regions=tuple(dict.fromkeys(options.regions("regions"))),
        include_deprecated=params["include_deprecated"],
        check_key_access=params["check_key_access"],
    )
    if not wanted.executable_users:
        options.refuse("executable_users", "the list is empty.", "Use self, all, or both.")
    if "all" in wanted.executable_users and not (wanted.owners or wanted.image_ids):
        options.refuse(
            "owners",
            "required if executable_users has all, because any account can publish an image of any name.",
            "List the owners that you trust, or set image_ids.",
        )
    if wanted.image_ids and "image-id" in wanted.filters:
        options.refuse("filters", "image-id and image_ids cannot be combined.", "Remove one of them.")
    options.check()
    return wanted


def _owners(options: Options) -> tuple[str, ...]:
    owners = tuple(dict.fromkeys(options.strings("owners")))
    for text in owners:
        if text == "self":
            options.refuse(
                "owners",
                "'self' is not another account.",
                "For the account's own images, use amazon.aws.ec2_ami_info.",
            )
        elif not (_ALIAS.fullmatch(text) or ACCOUNT_ID.fullmatch(text)):
            options.refuse(
                "owners", f"'{text}' is not a valid owner.", "Use account IDs, or aliases such as amazon."
            )
    return owners
