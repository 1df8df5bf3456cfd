# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags: what may be written, what differs, and the marks by which this collection knows its own copies."""

from __future__ import annotations

from collections.abc import Mapping

from .failures import Failure, invalid_option
from .model import Image

OWN_TAG_PREFIX = "golden.images:"
SOURCE_TAG = OWN_TAG_PREFIX + "source"
KEY_TAG = OWN_TAG_PREFIX + "kms-key"
SHARED_PREFIX = "ec2:SharedTag/"

# EC2 User Guide, "Tag restrictions".
MAX_TAGS = 50
MAX_KEY = 128
MAX_VALUE = 256
RESERVED_PREFIX = "aws:"


def source_tag(source_image_id: str, source_region: str) -> dict[str, str]:
    """The tag that says of an image or a snapshot: this collection copied it from there."""
    return {SOURCE_TAG: f"{source_region}/{source_image_id}"}


def is_own_copy(image: Image, source_image_id: str, source_region: str) -> bool:
    """Whether this collection made ``image`` as a copy of that source."""
    return image.tags.get(SOURCE_TAG) == source_tag(source_image_id, source_region)[SOURCE_TAG]


def check_tags(option: str, tags: Mapping[str, str], prefix: str = "") -> tuple[Failure, ...]:
    """Refuse what AWS would refuse only after other regions have been changed.

    ``prefix`` is what will be put before the keys, and counts among their characters.
    """
    failures = []
    for key, value in tags.items():
        if key.lower().startswith(RESERVED_PREFIX):
            failures.append(
                invalid_option(
                    option, f"{option}: the key '{key}' begins with 'aws:'.", "AWS reserves that prefix."
                )
            )
        if key.startswith(OWN_TAG_PREFIX):
            failures.append(
                invalid_option(
                    option,
                    f"{option}: the key '{key}' begins with '{OWN_TAG_PREFIX}'.",
                    "By those tags this collection finds its own copies; choose another key.",
                )
            )
        if not 1 <= len(key) <= MAX_KEY - len(prefix) or len(value) > MAX_VALUE:
            failures.append(
                invalid_option(
                    option,
                    f"{option}: the tag '{key}' is too long or its key is empty.",
                    f"A key holds 1 to {MAX_KEY - len(prefix)} characters, a value at most {MAX_VALUE}.",
                )
            )
    return tuple(failures)


def check_tag_count(option: str, tags: Mapping[str, str]) -> tuple[Failure, ...]:
    """Refuse more tags, marks included, than a resource can carry."""
    if len(tags) <= MAX_TAGS:
        return ()
    return (
        invalid_option(
            option,
            f"{option}: {len(tags)} tags, this collection's own included; AWS allows {MAX_TAGS}.",
            "Name fewer tags.",
        ),
    )


def user_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that a copy can take over: neither AWS's own nor this collection's marks."""
    return {
        key: value for key, value in tags.items() if not key.startswith((RESERVED_PREFIX, OWN_TAG_PREFIX))
    }


def differing_tags(current: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """The wanted tags that are missing or have another value."""
    return {key: value for key, value in wanted.items() if current.get(key) != value}


def surplus_keys(current: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """The keys to remove so that just ``wanted`` remains.

    Marks stay, and so do shared tags: they are written when the image is shared, not when it is copied.
    """
    return sorted(
        key for key in user_tags(current) if key not in wanted and not key.startswith(SHARED_PREFIX)
    )


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """The tags as AWS takes them (botocore shape ``TagList``), in a stable order."""
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]
