# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what uses images in an account and a region: instances, and what its next launches take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from .._aws import read
from .._aws.answers import require_member
from .._cleanup.read_regions import parse_own_image
from .._cleanup.stages import parse_time
from .._cleanup.tombstone import read_tombstone
from .._cleanup.uses.read import Attempts, Place, read_users
from .._cleanup.uses.read_all import IN_BULK
from .._cleanup.uses.read_instances import LIVING_STATES
from .._cleanup.uses.read_instances import SOURCE as INSTANCES
from .._cleanup.uses.users import Parameter, User, find_image_ids, list_unresolved
from .._failures import Failure
from .._model import RESOLVE, ImageRef, Target
from .._plan import batches
from .._tags import tag_map
from .releases import find_source
from .state import INSTANCE, READ_INSTANCES, ImageUse, Origin, UsedImage

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

    from .._aws.clients import Clients

_UNREADABLE = "launches_unreadable"
LAUNCHERS = tuple(source for source in IN_BULK if source is not INSTANCES and not source.only_of_owner)
"""What launches instances, as the cleanup finds it; instances have their image with them."""


@dataclass
class _Group:
    """The instances of one image."""

    image: UsedImage
    names: list[str] = field(default_factory=list)
    oldest: datetime | None = None
    owners: dict[str, None] = field(default_factory=dict)


def read_instances(ec2: EC2Client, region: str, owner_tags: Collection[str]) -> tuple[ImageUse, ...]:
    """Return the instances of the client's account that are not terminated, by image.

    DescribeInstanceImageMetadata returns the image even if it is deregistered or not shared any more (EC2 API
    Reference).
    """
    groups: dict[str, _Group] = {}
    pages = ec2.get_paginator("describe_instance_image_metadata").paginate(
        Filters=[{"Name": "instance-state-name", "Values": LIVING_STATES}], PaginationConfig=read.PAGE
    )
    for page in pages:
        for item in require_member(page, "InstanceImageMetadata", READ_INSTANCES):
            metadata = require_member(item, "ImageMetadata", READ_INSTANCES)
            image_id = require_member(metadata, "ImageId", READ_INSTANCES)
            if image_id not in groups:
                groups[image_id] = _Group(_parse_image(metadata, ImageRef(region, image_id)))
            group, launched = groups[image_id], item.get("LaunchTime")
            group.names.append(require_member(item, "InstanceId", READ_INSTANCES))
            group.oldest = min((time for time in (group.oldest, launched) if time), default=None)
            tags = tag_map(item.get("Tags", ())) if owner_tags else {}
            group.owners.update({f"{key}={tags[key]}": None for key in owner_tags if key in tags})
    return tuple(
        ImageUse(
            INSTANCE,
            group.image,
            len(group.names),
            tuple(sorted(group.names)),
            group.oldest,
            tuple(sorted(group.owners)),
        )
        for group in groups.values()
    )


def _parse_image(item: Mapping[str, Any], ref: ImageRef) -> UsedImage:
    """Return an image as an instance or an account sees it (botocore shapes ImageMetadata, Image)."""
    return UsedImage(
        ref,
        owner_id=item.get("OwnerId", ""),
        name=item.get("Name", ""),
        created=parse_time(item.get("CreationDate", "")),
        state=item.get("State", ""),
        deprecated=parse_time(item.get("DeprecationTime", "")),
        watermarks=read.watermarks_of(item),
        alias=item.get("ImageOwnerAlias", ""),
        is_public=item.get("IsPublic", item.get("Public", False)),
    )


def read_launches(clients: Clients, target: Target) -> tuple[tuple[ImageUse, ...], tuple[Failure, ...]]:
    """Return what the next launches in an account and a region take, and why not all of it is known."""
    attempt = Attempts()
    users = read_users(Place(clients, target.region), LAUNCHERS, attempt)
    problems = (*attempt.problems, *list_unresolved(users))
    failures = tuple(
        Failure.at(target, problem.subject, _UNREADABLE, problem.could_not_be_read, problem.remedy)
        for problem in dict.fromkeys(problems)
    )
    return tuple(_group_users(users, target.region)), failures


def _group_users(users: Sequence[User], region: str) -> Iterator[ImageUse]:
    """Yield the users of each image by kind. One that launches from a parameter uses its images.

    ``NAME:LABEL``, ``NAME:VERSION`` and the ARN of a shared parameter are no uses by themselves: each
    publication labels its version, and only what launches from an earlier one uses it. Names have no colon
    (SSM API Reference, PutParameter). A tombstone of the cleanup names an image that nothing launches.
    """
    values = {user.name: find_image_ids(*user.images) for user in users if isinstance(user, Parameter)}
    names: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for user in users:
        if isinstance(user, Parameter) and (":" in user.name or read_tombstone(user.value)):
            continue
        resolved = [
            values.get(image.removeprefix(RESOLVE), ()) for image in user.images if image.startswith(RESOLVE)
        ]
        for image_id in (*find_image_ids(*user.images), *chain.from_iterable(resolved)):
            names[user.kind, image_id][user.use] = None
    for (kind, image_id), of_image in names.items():
        yield ImageUse(kind, UsedImage(ImageRef(region, image_id)), len(of_image), tuple(sorted(of_image)))


def read_images(
    ec2: EC2Client, region: str, image_ids: Sequence[str], account_id: str
) -> dict[ImageRef, tuple[UsedImage, Origin | None]]:
    """Return the images that the account can see, each with the one that its own was copied or made from.

    A filter finds those that exist; an ID that does not would refuse the request (EC2 API Reference,
    DescribeImages).
    """
    images: dict[ImageRef, tuple[UsedImage, Origin | None]] = {}
    for batch in batches(image_ids, read.FILTER_VALUES):
        pages = ec2.get_paginator("describe_images").paginate(
            Filters=[{"Name": "image-id", "Values": list(batch)}],
            IncludeDeprecated=True,
            IncludeDisabled=True,
            PaginationConfig=read.PAGE,
        )
        for page in pages:
            for item in require_member(page, "Images", "DescribeImages"):
                ref = ImageRef(region, require_member(item, "ImageId", "DescribeImages"))
                image = _parse_image(item, ref)
                own = parse_own_image(item, region) if image.owner_id == account_id else None
                images[ref] = image, None if own is None else find_source(own)
    return images
