# SPDX-License-Identifier: GPL-3.0-or-later
"""CopyImage."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ...settings import SETTINGS
from .. import state
from ..access import Caller, may_use_snapshot, require_available, visible_image, visible_tags
from ..deferred_checks import COPY_CHECKS, CopyAttempt, first_failure
from ..encryption_keys import default_key, resolve
from ..errors import Ec2Error, invalid_value, parameter_mismatch
from ..image_names import require_description, require_name, require_unused_name
from ..key_permissions import INACCESSIBLE_KEY
from ..regions import opt_in_status, partition_of
from ..state import Device, Image, Snapshot, StateReason, TokenUse, Work
from ..tags import read_specifications, require_room
from .registry import action

LONGEST_TOKEN = 128
"""Characters (botocore shape CopyImageClientToken), of ASCII (EC2 Developer Guide, Ensuring idempotency)."""
COMPLETION_STEP, SHORTEST_COMPLETION, LONGEST_COMPLETION = 15, 15, 2880
"""Minutes (EBS User Guide, Time-based copies)."""


@action("CopyImage")
def copy_image(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Start a copy into the Region of the request; it ends in the state `available` or `failed`."""
    require_name(params["Name"])
    require_description(params.get("Description"))
    fingerprint = _fingerprint(params)
    earlier = _earlier_image(caller, params.get("ClientToken"), fingerprint)
    if earlier:
        return {"ImageId": earlier}
    _require_consistent(params)
    tags = read_specifications(params, "image", "snapshot")
    source, snapshots = _source(caller, params)
    if params.get("CopyImageTags"):
        visible = visible_tags(source, caller.account_id)
        copied = {key: value for key, value in visible.items() if not key.startswith("aws:")}
        tags["image"] = {**copied, **tags["image"]}
        require_room({}, tags["image"])
    encrypted = _encrypted(caller, params, snapshots)
    _require_quota(caller)
    if SETTINGS.copy_rejects_duplicate_names:
        require_unused_name(caller, params["Name"])
    image = _begin(caller, params, source, snapshots, encrypted, tags)
    if params.get("ClientToken"):
        tokens = state.account_region(*caller).client_tokens
        tokens[params["ClientToken"]] = TokenUse(fingerprint, image.id)
    return {"ImageId": image.id}


def _fingerprint(params: dict[str, Any]) -> str:
    """A hash of the parameters, which must be the same for the same client token."""
    rest = {key: value for key, value in params.items() if key not in ("ClientToken", "DryRun")}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _earlier_image(caller: Caller, token: str | None, fingerprint: str) -> str | None:
    """The image that an earlier request with this client token created, in whatever state it is now."""
    if not token:
        return None
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise invalid_value("clientToken", token, f"At most {LONGEST_TOKEN} ASCII characters.")
    use = state.account_region(*caller).client_tokens.get(token)
    if use and use.fingerprint != fingerprint:
        raise parameter_mismatch()
    return use.image_id if use else None


def _require_consistent(params: dict[str, Any]) -> None:
    if params.get("KmsKeyId") and not params.get("Encrypted"):
        message = "The parameter KmsKeyId requires the parameter Encrypted to be set."
        raise Ec2Error("InvalidParameterDependency", message)
    minutes = params.get("SnapshotCopyCompletionDurationMinutes")
    if minutes is not None and (
        minutes % COMPLETION_STEP or not SHORTEST_COMPLETION <= minutes <= LONGEST_COMPLETION
    ):
        why = f"From {SHORTEST_COMPLETION} to {LONGEST_COMPLETION} minutes in steps of {COMPLETION_STEP}."
        raise invalid_value("snapshotCopyCompletionDurationMinutes", minutes, why)


def _source(caller: Caller, params: dict[str, Any]) -> tuple[Image, dict[str, Snapshot]]:
    """The source image and its snapshots by ID, if the caller can copy them."""
    region = params["SourceRegion"]
    if partition_of(region) is None or opt_in_status(region, caller.account_id) == "not-opted-in":
        raise invalid_value("sourceRegion", region)
    if partition_of(region) != partition_of(caller.region):
        raise invalid_value("sourceRegion", region, "Images can't be copied between partitions.")
    source = visible_image(Caller(caller.account_id, region), params["SourceImageId"])
    require_available(source)
    if source.product_codes and source.owner_id != caller.account_id:
        # The message of AWS, also for images that were created from one of AWS Marketplace.
        message = "Images from AWS Marketplace cannot be copied to another AWS account."
        raise Ec2Error("InvalidRequest", message)
    known = state.region(region).snapshots
    snapshots = {one: known[one] for one in source.snapshot_ids}
    # EC2 User Guide, Copy an AMI: a shared AMI can be copied with read permission for its storage.
    if not all(may_use_snapshot(one, caller.account_id) for one in snapshots.values()):
        raise Ec2Error("InvalidRequest", "You do not have permission to access the storage of this ami")
    return source, snapshots


def _encrypted(caller: Caller, params: dict[str, Any], snapshots: dict[str, Snapshot]) -> set[str]:
    """IDs of the source snapshots whose copies will be encrypted."""
    already = {one.id for one in snapshots.values() if one.encrypted}
    wanted = params.get("Encrypted")
    if wanted is False and already:
        # The code and the message of AWS (hashicorp/packer#6789).
        message = (
            f"Snapshot {min(already)} is encrypted. Creating unencrypted copy from an encrypted snapshot is "
            "not supported."
        )
        raise Ec2Error("InvalidRequest", message)
    if wanted or state.account_region(*caller).encryption_by_default:
        return set(snapshots)
    return already


def _require_quota(caller: Caller) -> None:
    now = state.now()
    running = 0
    for image in state.region(caller.region).images.values():
        if image.work and image.owner_id == caller.account_id:
            image.settle(now)
            running += image.state == "pending"
    if running >= SETTINGS.concurrent_copy_quota:
        message = f"You have reached the quota of {SETTINGS.concurrent_copy_quota} concurrent AMI copies"
        raise Ec2Error("ResourceLimitExceeded", message)


def _begin(
    caller: Caller,
    params: dict[str, Any],
    source: Image,
    snapshots: dict[str, Snapshot],
    encrypted: set[str],
    tags: dict[str, dict[str, str]],
) -> Image:
    now = state.now()
    name = params.get("KmsKeyId")
    key = (resolve(caller, name) if name else default_key(caller)) if encrypted else None
    attempt = CopyAttempt(*caller, source, tuple(snapshots.values()), key)
    failure = _configured_failure(caller.region)
    if encrypted and key is None:
        failure = INACCESSIBLE_KEY
    failure = failure or first_failure(COPY_CHECKS, attempt)
    work = Work(now, copy_duration(caller.region), failure)
    image_id = state.new_id("ami")
    copies = {
        one.id: _copy_snapshot(caller, params, one, image_id, source, work, tags["snapshot"])
        for one in snapshots.values()
    }
    for one in encrypted:
        copies[one].kms_key_id = key or name
    devices = tuple(_copy_device(device, copies) for device in source.devices)
    image = replace(
        source,
        id=image_id,
        owner_id=caller.account_id,
        region=caller.region,
        name=params["Name"],
        description=params.get("Description"),
        creation_date=now,
        devices=devices,
        tags=dict(tags["image"]),
        permissions={},
        former_permissions=None,
        former_grantees=None,
        state="pending",
        state_reason=None,
        source_image_id=source.id,
        source_image_region=source.region,
        source_instance_id=None,
        deprecation_time=None,
        deregistration_protection="disabled",
        protected_until=None,
        visible_from=visible_from(now),
        settled_from=None,
        work=work,
        serial=next(state.SERIALS),
    )
    region = state.region(caller.region)
    region.snapshots.update((one.id, one) for one in copies.values())
    region.images[image.id] = image
    return image


def copy_duration(region: str) -> float:
    """Seconds that a copy into a Region takes."""
    return SETTINGS.copy_seconds_by_region.get(region, SETTINGS.copy_seconds)


def visible_from(now: datetime) -> datetime | None:
    """When DescribeImages finds an image that is created now; None for immediately."""
    seconds = SETTINGS.image_visible_after_seconds
    return now + timedelta(seconds=seconds) if seconds else None


def _configured_failure(region: str) -> StateReason | None:
    for rule in SETTINGS.copy_failures:
        if rule.times > 0 and rule.region in ("*", region):
            rule.times -= 1
            return StateReason(rule.code, rule.message)
    return None


def _copy_snapshot(
    caller: Caller,
    params: dict[str, Any],
    source: Snapshot,
    image_id: str,
    source_image: Image,
    work: Work,
    tags: dict[str, str],
) -> Snapshot:
    description = (
        f"Copied for DestinationAmi {image_id} from SourceAmi {source_image.id} "
        f"for SourceSnapshot {source.id}. Task created on {int(work.started.timestamp() * 1000):,}."
    )
    return Snapshot(
        id=state.new_id("snap"),
        owner_id=caller.account_id,
        region=caller.region,
        volume_size=source.volume_size,
        volume_id=state.VOLUME_OF_COPIES,
        description=description,
        start_time=work.started,
        tags=dict(tags),
        state="pending",
        work=work,
        completion_minutes=params.get("SnapshotCopyCompletionDurationMinutes"),
    )


def _copy_device(device: Device, copies: dict[str, Snapshot]) -> Device:
    """The device of the copy: Encrypted and KmsKeyId apply to snapshots (botocore shape CopyImageRequest).

    A volume without a snapshot is kept as it is: the copy is identical otherwise (EC2 User Guide, How Amazon
    EC2 AMI copy works). Whether Encrypted makes it encrypted, too, is not documented.
    """
    if device.snapshot_id is None:
        return device
    copy = copies[device.snapshot_id]
    return replace(device, snapshot_id=copy.id, encrypted=copy.encrypted)
