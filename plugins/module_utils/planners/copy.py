# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides how an image comes to exist in every wanted region: pure, the AWS calls are made elsewhere."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..failures import Failure, invalid_option
from ..model import Image, Key, Snapshot, Target
from ..plan import KNOWN_AFTER_APPLY, Action, Plan, TargetPlan
from . import keys as encrypting
from . import tags as tagging
from .keys import Encryption

# botocore shape Image, ImageState. A deregistered image only lends its id to the client token.
ALIVE = frozenset({"available", "pending", "transient"})
DEAD = frozenset({"error", "failed", "invalid"})

# EC2 API Reference, CopyImage and CreateImage: constraints of Name and Description.
NAME = re.compile(r"[A-Za-z0-9()\[\] ./\-'@_]{3,128}")
MAX_NAME = 128
MAX_DESCRIPTION = 255

_PLACEHOLDER = re.compile(r"\{(region|source_name|source_image_id)\}")


@dataclass(frozen=True)
class CopyWanted:
    """What the user asked ``ami_copy_regions`` for."""

    source_region: str
    regions: tuple[str, ...]
    source_image_id: str | None = None
    source_filters: Mapping[str, Any] = field(default_factory=dict)
    source_owners: tuple[str, ...] = ("self",)
    best_effort_regions: frozenset[str] = frozenset()
    name: str | None = None
    description: str | None = None
    tags: Mapping[str, str] | None = None
    copy_tags: bool = False
    snapshot_tags: Mapping[str, str] | None = None
    purge_tags: bool = False
    completion_duration_minutes: int | None = None
    encryption: Encryption = field(default_factory=Encryption)
    wait: bool = True
    wait_timeout: int = 10800


@dataclass(frozen=True)
class CopySeen:
    """What AWS said: the source, and in each target every own image that may be its copy.

    ``snapshots`` are those of the copies, where their tags or keys matter. ``keys`` are the keys that are
    named for the targets, or the default ones where that is allowed; ``encrypted_by_default`` are targets
    without one in which AWS would encrypt all the same. ``unread`` are the best-effort targets that could
    not be read.
    """

    account_id: str
    source: Image
    copies: Mapping[Target, tuple[Image, ...]]
    snapshots: Mapping[Target, tuple[Snapshot, ...]] = field(default_factory=dict)
    keys: Mapping[Target, Key] = field(default_factory=dict)
    encrypted_by_default: frozenset[Target] = frozenset()
    unread: tuple[Failure, ...] = ()

    def snapshots_of(self, target: Target, image: Image) -> tuple[Snapshot, ...]:
        """Those snapshots of an image that were read."""
        return tuple(
            item for item in self.snapshots.get(target, ()) if item.snapshot_id in image.snapshot_ids
        )

    def __or__(self, other: CopySeen) -> CopySeen:
        """All that was seen of two sets of targets, for one source."""
        return CopySeen(
            self.account_id,
            self.source,
            copies={**self.copies, **other.copies},
            snapshots={**self.snapshots, **other.snapshots},
            keys={**self.keys, **other.keys},
            encrypted_by_default=self.encrypted_by_default | other.encrypted_by_default,
            unread=self.unread + other.unread,
        )

    def is_source(self, target: Target, source_region: str) -> bool:
        """Whether the source itself is the image of this target."""
        return target == Target(self.source.owner_id, source_region)


def check_regions(
    wanted: CopyWanted, known: Mapping[str, str], partition: str, partition_of: Mapping[str, str]
) -> tuple[Failure, ...]:
    """Refuse regions that cannot be copied to, all at once.

    ``known`` maps the partition's regions to their opt-in status (DescribeRegions with AllRegions);
    ``partition_of`` the regions of every partition to its name.
    """
    failures = []
    for option, regions in (("source_region", (wanted.source_region,)), ("regions", wanted.regions)):
        for region in dict.fromkeys(regions):
            if regions.count(region) > 1:
                failures.append(
                    invalid_option(option, f"{option}: '{region}' is named twice.", "Name each region once.")
                )
            if region in known:
                if known[region] == "not-opted-in":
                    failures.append(
                        invalid_option(
                            option,
                            f"{option}: the account has not opted in to '{region}'.",
                            "Enable the region in the account's settings, or leave it out.",
                        )
                    )
            elif partition_of.get(region, partition) != partition:
                failures.append(
                    invalid_option(
                        option,
                        f"{option}: '{region}' is in partition {partition_of[region]}, the credentials in "
                        f"{partition}.",
                        "An image cannot be copied between partitions; leave the region out.",
                    )
                )
            else:
                failures.append(
                    invalid_option(option, f"{option}: there is no region '{region}'.", "Check its spelling.")
                )
    return tuple(failures)


def check_source(
    account_id: str, source: Image, source_region: str, unreadable_snapshots: tuple[str, ...]
) -> tuple[Failure, ...]:
    """Refuse a source that AWS would refuse to copy.

    ``unreadable_snapshots`` are its snapshots that this account cannot see: a foreign image can be
    copied only with createVolumePermission on each of them (EC2 User Guide, "Copy an Amazon EC2 AMI").
    """
    failures = []
    if source.state != "available":
        reason = f" ({source.state_reason})" if source.state_reason else ""
        failures.append(
            invalid_option(
                "source_image_id",
                f"The source image {source.image_id} in {source_region} is {source.state}{reason}.",
                "Only an available image can be copied.",
            )
        )
    if unreadable_snapshots:
        failures.append(
            Failure(
                message=f"Account {account_id} may not copy {source.image_id}: "
                f"it lacks createVolumePermission on {', '.join(unreadable_snapshots)}.",
                remedy=f"Let the owner, account {source.owner_id}, share these snapshots with {account_id} "
                "(ami_share does it with the image).",
                error_code="MissingVolumePermission",
                action="source_image_id",
                region=source_region,
            )
        )
    return tuple(failures)


def plan(wanted: CopyWanted, seen: CopySeen) -> Plan:
    """Plan every target that could be read."""
    return Plan(tuple(_plan_target(wanted, seen, target) for target in sorted(seen.copies)))


def existing_copy(wanted: CopyWanted, seen: CopySeen, target: Target) -> Image | None:
    """The image that already is this target's copy: an own one first, then one somebody else made."""
    if seen.is_source(target, wanted.source_region) and (
        not wanted.encryption.reencrypt_source or has_wanted_key(wanted, seen, target, seen.source)
    ):
        return seen.source
    usable = [
        image
        for image in seen.copies[target]
        if image.state in ALIVE and has_wanted_key(wanted, seen, target, image)
    ]
    return min(usable, key=lambda image: _preference(wanted, seen, image), default=None)


def has_wanted_key(wanted: CopyWanted, seen: CopySeen, target: Target, image: Image) -> bool:
    """Whether an image is encrypted as this target's is to be."""
    key = seen.keys.get(target)
    encrypted = key is not None or wanted.encryption.encrypts(target.region, seen.source)
    return encrypting.is_under(image, seen.snapshots_of(target, image), key, encrypted)


def dead_copies(seen: CopySeen, target: Target) -> tuple[Image, ...]:
    """The copies of this target that will never be available."""
    dead = (image for image in seen.copies[target] if image.state in DEAD | {"deregistered"})
    return tuple(sorted(dead, key=lambda image: image.image_id))


def replacement(
    wanted: CopyWanted, seen: CopySeen, target: Target, dead: tuple[Image, ...]
) -> tuple[Action, ...]:
    """Copy again after ``dead``, then remove them.

    In this order, so that a run killed in between finds the new copy, or at least the dead one, whose id
    makes the next request differ from the one that died.
    """
    request = copy_request(wanted, seen.source, target, _ids(dead), seen.keys.get(target))
    copy = Action(target, "CopyImage", request)
    return (copy, *_removals(wanted, seen, target, dead))


def copy_request(
    wanted: CopyWanted, source: Image, target: Target, dead_ids: tuple[str, ...], key: Key | None = None
) -> dict[str, Any]:
    """The parameters of CopyImage, its client token included.

    The token is a hash of all other parameters and of the copies that died before: the same request after a
    kill gets the same image, a retry after a failed copy gets a new one, and changed tags are no mismatch.
    It is 64 ASCII characters, the most that AWS takes (botocore shape ``CopyImageRequest``).
    """
    mark = tagging.source_mark(source.image_id, wanted.source_region)
    if key is not None:
        mark = {**mark, tagging.KEY_MARK: key.arn}
    request: dict[str, Any] = {
        "Description": description_for(wanted, source, target.region),
        "Name": name_for(wanted, source, target.region),
        "SourceImageId": source.image_id,
        "SourceRegion": wanted.source_region,
        "TagSpecifications": [
            {
                "ResourceType": "image",
                "Tags": tagging.tag_list({**(image_tags(wanted, source) or {}), **mark}),
            },
            {"ResourceType": "snapshot", "Tags": tagging.tag_list({**(wanted.snapshot_tags or {}), **mark})},
        ],
    }
    if key is not None:
        request |= {"Encrypted": True, "KmsKeyId": key.arn}
    if wanted.completion_duration_minutes is not None:
        request["SnapshotCopyCompletionDurationMinutes"] = wanted.completion_duration_minutes
    identity = json.dumps([target.account_id, target.region, request, sorted(dead_ids)], sort_keys=True)
    return {**request, "ClientToken": hashlib.sha256(identity.encode()).hexdigest()}


def name_for(wanted: CopyWanted, source: Image, region: str) -> str:
    """The copy's name; by default the source's, shortened if need be, with its id, which makes it unique."""
    if wanted.name is not None:
        return _fill(wanted.name, source, region)
    return f"{source.name[: MAX_NAME - len(source.image_id) - 1]}-{source.image_id}"


def description_for(wanted: CopyWanted, source: Image, region: str) -> str:
    """The copy's description; by default the source's, or where it has none, where the copy comes from."""
    if wanted.description is not None:
        return _fill(wanted.description, source, region)
    return source.description or f"Copy of {source.image_id} from {wanted.source_region}"


def image_tags(wanted: CopyWanted, source: Image) -> dict[str, str] | None:
    """The tags that the copies are to have; None, for leave them alone, if the user asked for none."""
    if wanted.tags is None and not wanted.copy_tags:
        return None
    return {**(tagging.user_tags(source.tags) if wanted.copy_tags else {}), **(wanted.tags or {})}


def _fill(template: str, source: Image, region: str) -> str:
    # In one pass: a source whose name holds a placeholder is copied literally.
    values = {"region": region, "source_name": source.name, "source_image_id": source.image_id}
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template)


def _ids(images: tuple[Image, ...]) -> tuple[str, ...]:
    return tuple(image.image_id for image in images)


def is_own(wanted: CopyWanted, seen: CopySeen, image: Image) -> bool:
    """Whether this collection made ``image`` as a copy of the source."""
    return tagging.is_own_copy(image, seen.source.image_id, wanted.source_region)


def _preference(wanted: CopyWanted, seen: CopySeen, image: Image) -> tuple[bool, bool, str, str]:
    return (
        not is_own(wanted, seen, image),
        image.state != "available",
        image.creation_date,
        image.image_id,
    )


def _removals(
    wanted: CopyWanted, seen: CopySeen, target: Target, dead: tuple[Image, ...]
) -> tuple[Action, ...]:
    return tuple(
        Action(
            target,
            "DeregisterImage",
            {"DeleteAssociatedSnapshots": True, "ImageId": image.image_id},
            resource=image.image_id,
        )
        for image in dead
        if image.state in DEAD and is_own(wanted, seen, image)
    )


def _plan_target(wanted: CopyWanted, seen: CopySeen, target: Target) -> TargetPlan:
    existing = existing_copy(wanted, seen, target)
    dead = dead_copies(seen, target)
    warnings = tuple(
        f"The earlier copy {image.image_id} is {image.state}: {image.state_reason or 'AWS gives no reason'}."
        for image in dead
        if image.state in DEAD
    )
    if existing is None:
        return _plan_copy(wanted, seen, target, dead, warnings)
    if existing == seen.source:
        warnings += _source_key_warning(wanted, seen, target)
        return TargetPlan(target, before=_state(existing), after=_state(existing), warnings=warnings)
    retag = _plan_tags(wanted, seen, target, existing)
    others = [
        image.image_id
        for image in seen.copies[target]
        if image.state in ALIVE and image != existing and is_own(wanted, seen, image)
    ]
    if others:
        warnings += (f"{existing.image_id} is used; {', '.join(others)} are copies of the same source.",)
    return TargetPlan(
        target,
        actions=(*retag.actions, *_removals(wanted, seen, target, dead)),
        before=retag.before,
        after=retag.after,
        refusals=retag.refusals,
        warnings=warnings,
    )


def _plan_copy(
    wanted: CopyWanted, seen: CopySeen, target: Target, dead: tuple[Image, ...], warnings: tuple[str, ...]
) -> TargetPlan:
    obstacles = _obstacles(wanted, seen, target)
    if obstacles and target.region in wanted.best_effort_regions:
        return TargetPlan(target, warnings=warnings, tolerated=obstacles)
    actions = replacement(wanted, seen, target, dead)
    request = actions[0].parameters
    after = {
        "description": request["Description"],
        "image_id": KNOWN_AFTER_APPLY,
        "name": request["Name"],
        "snapshot_tags": dict(wanted.snapshot_tags or {}),
        "state": "available" if wanted.wait else "pending",
        "tags": image_tags(wanted, seen.source) or {},
    }
    if "KmsKeyId" in request:
        after["kms_key_id"] = request["KmsKeyId"]
    refusals = (*_check_request(request, target), *obstacles)
    return TargetPlan(target, actions, before={}, after=after, warnings=warnings, refusals=refusals)


def _source_key_warning(wanted: CopyWanted, seen: CopySeen, target: Target) -> tuple[str, ...]:
    if has_wanted_key(wanted, seen, target, seen.source):
        return ()
    key = seen.keys.get(target)
    wish = f"under {key.arn}" if key else "as asked"
    warning = (
        f"The source {seen.source.image_id} is not encrypted {wish}; it is used as it is. "
        "Set reencrypt_source: true to have a copy made beside it."
    )
    return (warning,)


def _obstacles(wanted: CopyWanted, seen: CopySeen, target: Target) -> tuple[Failure, ...]:
    """What stands in the way of a copy in this region, whatever the others are like."""
    by_default = target in seen.encrypted_by_default
    key = encrypting.check_key(wanted.encryption, target, seen.source, seen.keys.get(target), by_default)
    return (*key, *_disabled(seen, target))


def _disabled(seen: CopySeen, target: Target) -> tuple[Failure, ...]:
    ids = [image.image_id for image in seen.copies[target] if image.state == "disabled"]
    if not ids:
        return ()
    return (
        Failure(
            message=f"The copy {', '.join(ids)} is disabled.",
            remedy="Enable it (EnableImage) or deregister it, then run again.",
            error_code="CopyDisabled",
            action="CopyImage",
            region=target.region,
            account_id=target.account_id,
        ),
    )


def _check_request(request: Mapping[str, Any], target: Target) -> tuple[Failure, ...]:
    failures: list[Failure] = []
    if not NAME.fullmatch(request["Name"]):
        failures.append(
            invalid_option(
                "name",
                f"name: '{request['Name']}' ({len(request['Name'])} characters) is no name for an image.",
                "AWS takes 3 to 128 letters, digits, spaces and ( ) [ ] . / - ' @ _",
                region=target.region,
            )
        )
    if len(request["Description"]) > MAX_DESCRIPTION:
        failures.append(
            invalid_option(
                "description",
                f"description: {len(request['Description'])} characters are too many.",
                f"AWS takes at most {MAX_DESCRIPTION}.",
                region=target.region,
            )
        )
    for option, specification in zip(("tags", "snapshot_tags"), request["TagSpecifications"], strict=True):
        failures.extend(
            tagging.check_tag_count(option, {tag["Key"]: tag["Value"] for tag in specification["Tags"]})
        )
    return tuple(failures)


def _plan_tags(wanted: CopyWanted, seen: CopySeen, target: Target, image: Image) -> TargetPlan:
    before = _state(image)
    if not is_own(wanted, seen, image):
        return TargetPlan(target, before=before, after=before)
    actions: list[Action] = []
    refusals: tuple[Failure, ...] = ()
    after = dict(before)
    image_wants = image_tags(wanted, seen.source)
    if image_wants is not None:
        actions += retag(target, image.image_id, image.tags, image_wants, wanted.purge_tags)
        tags_after = _tags_after(image.tags, image_wants, wanted.purge_tags)
        after["tags"] = tagging.user_tags(tags_after)
        refusals += _in_region(target, tagging.check_tag_count("tags", tags_after))
    if wanted.snapshot_tags is not None:
        snapshots = seen.snapshots_of(target, image)
        before["snapshot_tags"] = {item.snapshot_id: tagging.user_tags(item.tags) for item in snapshots}
        after["snapshot_tags"] = {
            item.snapshot_id: tagging.user_tags(
                _tags_after(item.tags, wanted.snapshot_tags, wanted.purge_tags)
            )
            for item in snapshots
        }
        for snapshot in snapshots:
            actions += retag(
                target, snapshot.snapshot_id, snapshot.tags, wanted.snapshot_tags, wanted.purge_tags
            )
            tags_after = _tags_after(snapshot.tags, wanted.snapshot_tags, wanted.purge_tags)
            refusals += _in_region(target, tagging.check_tag_count("snapshot_tags", tags_after))
    return TargetPlan(target, tuple(actions), before, after, refusals=refusals)


def _in_region(target: Target, failures: tuple[Failure, ...]) -> tuple[Failure, ...]:
    return tuple(replace(failure, region=target.region) for failure in failures)


def retag(
    target: Target, resource: str, current: Mapping[str, str], wanted: Mapping[str, str], purge: bool
) -> list[Action]:
    """The calls that bring a resource's tags to the wanted ones; with ``purge`` to just those."""
    missing = tagging.differing(current, wanted)
    surplus = tagging.surplus(current, wanted) if purge else []
    actions = []
    # Away with the old first: both together may be more than a resource can carry.
    if surplus:
        parameters = {"Resources": [resource], "Tags": [{"Key": key} for key in surplus]}
        actions.append(Action(target, "DeleteTags", parameters, resource))
    if missing:
        parameters = {"Resources": [resource], "Tags": tagging.tag_list(missing)}
        actions.append(Action(target, "CreateTags", parameters, resource))
    return actions


def _tags_after(current: Mapping[str, str], wanted: Mapping[str, str], purge: bool) -> dict[str, str]:
    gone = tagging.surplus(current, wanted) if purge else []
    return {key: value for key, value in {**current, **wanted}.items() if key not in gone}


def _state(image: Image) -> dict[str, Any]:
    return {
        "description": image.description,
        "image_id": image.image_id,
        "name": image.name,
        "state": image.state,
        "tags": tagging.user_tags(image.tags),
    }
