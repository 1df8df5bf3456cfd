# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_restore``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._model import ImageRef
from .._option import FLAG, Kind, Problem, Refuse, option, read_account_id, read_image_id, read_region
from .._option_groups import RateOptions, TombstoneOptions
from .._wording import render_value

_FORMS = (
    "Map each region to an AMI ID, or list mappings with region and image_id, or strings such as "
    "eu-west-1/ami-0123456789abcdef0."
)


def _read_images(given: Any, refuse: Refuse) -> Iterator[tuple[ImageRef, str | None]]:
    """Yield the images, each with its ``account_id`` if one is given."""

    def ref(region: Any, image_id: Any) -> ImageRef:
        name = read_region(region, refuse)
        return ImageRef(name, read_image_id(image_id, refuse, name))

    if isinstance(given, Mapping):
        yield from ((ref(region, image_id), None) for region, image_id in given.items())
        return
    for item in given or ():
        if isinstance(item, Mapping) and {"region", "image_id"} <= item.keys():
            account_id = read_account_id(item.get("account_id"), refuse)
            yield ref(item["region"], item["image_id"]), account_id
        elif isinstance(item, str) and item.count("/") == 1:
            region, _slash, image_id = item.strip().partition("/")
            yield ref(region, image_id), None
        elif item != "":
            refuse(f"{render_value(item)} has no region or image_id.", _FORMS)


def _images(given: Any, refuse: Refuse) -> dict[ImageRef, str | None]:
    # An item that is refused is one.
    if given is not None and all(item == "" for item in given):
        refuse("there are no images.", _FORMS)
    return dict(_read_images(given, refuse))


_IMAGES: Kind[dict[ImageRef, str | None]] = Kind({"type": "raw", "required": True}, _images)


@dataclass(frozen=True, kw_only=True)
class RestoreOptions(RateOptions, TombstoneOptions):
    """The options of ``ami_restore``. Each image has the owner that the user gave, or None."""

    images: Mapping[ImageRef, str | None] = option(_IMAGES)
    restore_permissions: bool = option(FLAG, default=True)
    allow_public: bool = option(FLAG)

    @property
    def places(self) -> tuple[str, ...]:
        """Return where to look for tombstones: a file, ``s3://bucket/folder``, a parameter path."""
        places = (self.tombstone_path, self.tombstone_s3_uri, self.tombstone_ssm_path)
        return tuple(place for place in places if place)

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        if self.restore_permissions and not self.places:
            yield Problem(
                "tombstone_path",
                "no place of tombstones is set, and only tombstones have the permissions.",
                "Set tombstone_path, tombstone_s3_uri or tombstone_ssm_path to where ami_cleanup wrote them, "
                "or set restore_permissions: false and share the images with ami_share.",
            )
        yield from self.tombstone_problems()
