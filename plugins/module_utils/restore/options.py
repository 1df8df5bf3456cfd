# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_restore``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..arguments import Options, check_tombstone_stores
from ..model import ImageRef
from ..wording import shown
from .state import RestoreWanted, TombstonePlaces

_FORMS = (
    "Map each region to an AMI ID, or list mappings with region and image_id, or strings such as "
    "eu-west-1/ami-0123456789abcdef0."
)


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> RestoreWanted:
    """Read the options.

    Raises:
        Refused: with every option that is not valid.
    """
    options = Options(params)
    named = dict(_images(options, params["images"]))
    if not named:
        options.refuse("images", "there are no images.", _FORMS)
    wanted = RestoreWanted(
        images=tuple(named),
        places=TombstonePlaces(
            params["tombstone_path"],
            params["tombstone_s3_uri"],
            params["tombstone_ssm_path"],
            options.bucket_owner("tombstone_s3_bucket_owner"),
        ),
        restore_permissions=params["restore_permissions"],
        allow_public=params["allow_public"],
        accounts={ref: account_id for ref, account_id in named.items() if account_id is not None},
    )
    _check_places(options, wanted)
    options.check()
    return wanted


def _images(options: Options, value: Any) -> Iterator[tuple[ImageRef, str | None]]:
    """The images, each with its ``account_id`` if one is given."""
    if isinstance(value, Mapping):
        for region, image_id in value.items():
            yield ImageRef(options.region("images", region), options.image_id("images", image_id)), None
        return
    for item in value:
        if isinstance(item, Mapping) and {"region", "image_id"} <= item.keys():
            account_id = item.get("account_id")
            named = None if account_id is None else options.account_id("images", account_id)
            yield (
                ImageRef(
                    options.region("images", item["region"]), options.image_id("images", item["image_id"])
                ),
                named,
            )
        elif isinstance(item, str) and item.count("/") == 1:
            region, _slash, image_id = item.strip().partition("/")
            yield ImageRef(options.region("images", region), options.image_id("images", image_id)), None
        elif item != "":
            options.refuse("images", f"{shown(item)} has no region or image_id.", _FORMS)


def _check_places(options: Options, wanted: RestoreWanted) -> None:
    places = wanted.places
    if wanted.restore_permissions and not places:
        options.refuse(
            "tombstone_path",
            "no place of tombstones is set, and only tombstones have the permissions.",
            "Set tombstone_path, tombstone_s3_uri or tombstone_ssm_path to where ami_cleanup wrote them, or "
            "set restore_permissions: false and share the images with ami_share.",
        )
    check_tombstone_stores(options, places.s3_uri, places.ssm_path)
