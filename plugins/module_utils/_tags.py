# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check and compare tags: those of users, and those that mark this collection's own copies and recalls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ._failures import IMAGE_RECALLED, Failure, invalid_option
from ._model import Image, Target

OWN_TAG_PREFIX = "golden.images:"
SOURCE_TAG = OWN_TAG_PREFIX + "source"
KEY_TAG = OWN_TAG_PREFIX + "kms-key"
# On each image of a release that has been recalled, in the owner's account. Its value is the time in UTC,
# 2026-12-01T23:40:05Z.
RECALLED_TAG = OWN_TAG_PREFIX + "recalled"
# On the instance of a launch probe, its volumes and its network interface. Its value is the probe's deadline.
PROBE_TAG = OWN_TAG_PREFIX + "probe"
SHARED_PREFIX = "ec2:SharedTag/"

# EC2 User Guide, "Tag restrictions".
MAX_TAGS = 50
MAX_KEY = 128
MAX_VALUE = 256
RESERVED_PREFIX = "aws:"
# XML 1.0, section 2.2: all but these characters. An image with one of them in a tag could not be described.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def source_tag(source_image_id: str, source_region: str) -> dict[str, str]:
    """Return the tag of an image or a snapshot that this collection copied from that source."""
    return {SOURCE_TAG: f"{source_region}/{source_image_id}"}


def is_own_copy(image: Image, source_image_id: str, source_region: str) -> bool:
    """Whether this collection created ``image`` as a copy of that source."""
    return image.tags.get(SOURCE_TAG) == source_tag(source_image_id, source_region)[SOURCE_TAG]


def without_copies(images: Iterable[Image], region: str) -> list[Image]:
    """Return the images of a region without copies that this collection made of others of them."""
    all_images = list(images)
    sources = {source_tag(image.image_id, region)[SOURCE_TAG] for image in all_images}
    return [image for image in all_images if image.tags.get(SOURCE_TAG) not in sources]


def describe_recall(tags: Mapping[str, str]) -> str | None:
    """Return what a message says of an image with these tags, if it was recalled; None if it was not."""
    if RECALLED_TAG not in tags:
        return None
    time = tags[RECALLED_TAG]
    return f"was recalled at {time}" if time else "was recalled"


def refuse_recalled(
    image_id: str, tags: Mapping[str, str], target: Target, action: str
) -> tuple[Failure, ...]:
    """Return a failure of ``action`` if the image with these tags was recalled."""
    recall = describe_recall(tags)
    if recall is None:
        return ()
    return (
        Failure.at(
            target,
            action,
            IMAGE_RECALLED,
            f"{image_id} {recall}.",
            "Use another release. To use this one again, take its recall back: ami_recall with "
            "state: absent, or recall_ami.yml with recall_state: absent.",
        ),
    )


def tag_problems(tags: Mapping[str, str], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield problem and remedy of each tag that AWS would reject.

    ``prefix`` is later prepended to the keys and counts towards their length.
    """
    for key, value in tags.items():
        if key.lower().startswith(RESERVED_PREFIX):
            yield f"the key '{key}' begins with 'aws:'.", "AWS reserves this prefix. Use another key."
        if key.startswith(OWN_TAG_PREFIX):
            yield (
                f"the key '{key}' begins with '{OWN_TAG_PREFIX}'.",
                "This collection identifies its own resources by these tags. Use another key.",
            )
        if not 1 <= len(key) <= MAX_KEY - len(prefix) or len(value) > MAX_VALUE:
            yield (
                f"the tag '{key}' is too long or its key is empty.",
                f"Keys have 1 to {MAX_KEY - len(prefix)} characters, values at most {MAX_VALUE}.",
            )
        if _NOT_XML.search(key + value):
            yield (
                f"the tag '{key}' has a control character.",
                "EC2 answers in XML, which cannot contain it. Remove it.",
            )


def tag_count(keys: Iterable[str]) -> int:
    """Return how many of the tags with these keys count for ``MAX_TAGS``.

    Tags of AWS do not count (EC2 User Guide, "Tag restrictions").
    """
    return sum(not key.startswith(RESERVED_PREFIX) for key in keys)


def tag_count_problems(tags: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield problem and remedy of more tags, this collection's included, than a resource can have."""
    count = tag_count(tags)
    if count > MAX_TAGS:
        yield (
            f"{count} tags including those of this collection exceed the limit of {MAX_TAGS}.",
            "Remove some tags.",
        )


def check_tag_count(option: str, tags: Mapping[str, str]) -> tuple[Failure, ...]:
    """Return a failure for more tags than a resource can have (see ``tag_count_problems``)."""
    return tuple(
        invalid_option(option, f"{option}: {problem}", remedy) for problem, remedy in tag_count_problems(tags)
    )


def user_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that can be copied: without the prefixes of AWS and of this collection."""
    return {
        key: value for key, value in tags.items() if not key.startswith((RESERVED_PREFIX, OWN_TAG_PREFIX))
    }


def differing_tags(current: Mapping[str, str], desired: Mapping[str, str]) -> dict[str, str]:
    """Return the desired tags that are missing or have a different value."""
    return {key: value for key, value in desired.items() if current.get(key) != value}


def surplus_keys(current: Mapping[str, str], desired: Mapping[str, str]) -> list[str]:
    """Return the keys to remove so that only ``desired`` remains.

    Tags of this collection stay. Shared tags, which are written when the image is shared, stay, too.
    """
    return sorted(
        key for key in user_tags(current) if key not in desired and not key.startswith(SHARED_PREFIX)
    )


def tag_map(entries: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the tags of a request or an answer (botocore shape ``TagList``)."""
    return {tag["Key"]: tag["Value"] for tag in entries}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the tags as parameters of a request (botocore shape ``TagList``), ordered by key."""
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def of_launch(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the tags of all that a launch creates (botocore shape RunInstancesRequest)."""
    return [
        {"ResourceType": kind, "Tags": tag_list(tags)} for kind in ("instance", "network-interface", "volume")
    ]
