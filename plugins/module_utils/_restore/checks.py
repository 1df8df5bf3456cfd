# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why an image cannot be restored, found before anything is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from .._cleanup.stages import DISABLE, RESTORE_TAG, STAGE_TAGS, has_lost_permissions
from .._cleanup.tombstone import Tombstone, TombstoneHistory
from .._failures import Failure
from .._model import Image, ImageRef, Sharing, Target
from .._plan import Action
from .._share import checks as share_checks
from .._tags import MAX_TAGS, RECALLED_TAG, refuse_recalled, tag_count
from .options import RestoreOptions
from .state import RECYCLE_BIN, ImageState

_PLACES = "tombstone_path, tombstone_s3_uri or tombstone_ssm_path"


def list_refusals(
    options: RestoreOptions, target: Target, ref: ImageRef, state: ImageState, history: TombstoneHistory
) -> Iterator[Failure]:
    """Yield every reason why one image cannot be restored."""
    named = options.images.get(ref)
    if named not in (None, target.account_id):
        yield Failure.at(
            target,
            "images",
            "not_owner",
            f"The account_id of {ref.image_id} is {named}, but the credentials belong to account "
            f"{target.account_id}.",
            f"Use credentials of {named}.",
        )
        return
    yield from _check_recall(target, ref, state, history)
    if state.image is not None:
        yield from _check_existing(state.image, state, target)
        if may_lack_permissions(state.image):
            yield from _check_permissions(options, target, ref, history)
    elif state.binned:
        yield from _check_binned(options, target, ref, state, history)
        yield from _check_permissions(options, target, ref, history)
    else:
        yield _report_lost_image(target, ref, state, history)


def may_lack_permissions(image: Image) -> bool:
    """Whether the state or the tags of a registered image say that it may lack permissions.

    The tag that the image has got right after the Recycle Bin does not say so.
    """
    before = {key: value for key, value in image.tags.items() if (key, value) != (RESTORE_TAG, RECYCLE_BIN)}
    return has_lost_permissions(image.state, before)


def find_binned_tags(state: ImageState, last: Tombstone | None) -> Mapping[str, str]:
    """Return the tags of an image in the Recycle Bin, as AWS or else its last tombstone has them.

    The tag of the stage is set after the tombstone is written.
    """
    if state.binned_tags is not None:
        return state.binned_tags
    if last is None:
        return {}
    return {**last.tags, **({STAGE_TAGS[DISABLE]: last.written_at} if last.stage == DISABLE else {})}


def render_restore_command(region: str, snapshot_id: str) -> str:
    """Return the command that restores an archived snapshot (botocore operation RestoreSnapshotTier)."""
    return f"aws ec2 restore-snapshot-tier --region {region} --snapshot-id {snapshot_id} --permanent-restore"


def list_tag_refusals(image: Image, actions: Iterable[Action], target: Target) -> Iterator[Failure]:
    """Yield why AWS would refuse the tags that the actions add to a registered image."""
    added = {
        tag["Key"]
        for action in actions
        if action.operation == "CreateTags" and action.resource == image.image_id
        for tag in action.parameters["Tags"]
    }
    if added - image.tags.keys():
        yield from _check_tag_count(image.image_id, image.tags, target, "")


def list_public_refusals(
    state: ImageState,
    image: Image,
    launch: Sharing,
    volume_permissions: Mapping[str, Sharing],
    target: Target,
) -> Iterator[Failure]:
    """Yield why the image or its snapshots cannot become public, if these permissions would make them so."""
    problems: list[Failure] = []
    if (launch - state.launch).public:
        problems += share_checks.check_public_allowed(image, state.image_block, target)
    if any(
        (sharing - state.volume_permissions[snapshot_id]).public
        for snapshot_id, sharing in volume_permissions.items()
    ):
        problems += share_checks.check_public_snapshots_allowed(state.snapshot_block, target)
    for problem in problems:
        yield replace(
            problem, remedy="Fix this, or set allow_public: false to restore it without public access."
        )


def _check_existing(image: Image, state: ImageState, target: Target) -> Iterator[Failure]:
    if image.owner_id != target.account_id:
        yield Failure.at(
            target,
            "images",
            "not_owner",
            f"{image.image_id} belongs to account {image.owner_id}; only its owner can restore it.",
            f"Use credentials of {image.owner_id}.",
        )
    elif image.state not in ("available", "disabled"):
        yield Failure.at(
            target,
            "images",
            "image_not_retired",
            f"{image.image_id} is {image.state}, not disabled or deregistered.",
            "Remove it from images.",
        )
    elif image.state == "disabled":
        archived = sorted(
            snapshot.snapshot_id
            for snapshot in state.snapshots.values()
            if snapshot.archived and not snapshot.restored_until
        )
        if archived:
            # EBS User Guide, "Restore an archived Amazon EBS snapshot". An image whose snapshots are being
            # archived could be enabled, and not be launched once that is complete ("Archive an Amazon EBS
            # snapshot").
            commands = "; ".join(
                render_restore_command(target.region, snapshot_id) for snapshot_id in archived
            )
            verb, pronoun = ("is", "it") if len(archived) == 1 else ("are", "them")
            yield Failure.at(
                target,
                "images",
                "snapshot_archived",
                f"{image.image_id} is not enabled: {', '.join(archived)} {verb} archived, or being archived.",
                f"Restore {pronoun} permanently once archived ({commands}), then rerun.",
            )


def _check_recall(
    target: Target, ref: ImageRef, state: ImageState, history: TombstoneHistory
) -> Iterator[Failure]:
    """Refuse an image that was recalled. Taking a recall back leaves the tags in the Recycle Bin."""
    if state.image is not None:
        yield from refuse_recalled(ref.image_id, state.image.tags, target, "images")
    elif state.binned:
        # The tombstone would show the same tag after a change in the Recycle Bin.
        by_hand = "" if state.binned_tags is not None else "restore its snapshots and it by hand, "
        tags = find_binned_tags(state, history.last)
        for failure in refuse_recalled(ref.image_id, tags, target, "images"):
            yield replace(
                failure,
                remedy="Use another release. If the recall was taken back, delete the tag (aws ec2 "
                f"delete-tags --region {target.region} --resources {ref.image_id} --tags "
                f"Key={RECALLED_TAG}), which is possible in the Recycle Bin, {by_hand}then rerun.",
            )


def _check_binned(
    options: RestoreOptions, target: Target, ref: ImageRef, state: ImageState, history: TombstoneHistory
) -> Iterator[Failure]:
    last = history.last
    volume_permissions = last.volume_permissions if last else {}
    if lost := _list_lost_snapshots(state, last):
        # EBS User Guide, "Considerations for Recycle Bin": an image cannot be restored without its snapshots.
        yield Failure.at(
            target,
            "images",
            "snapshots_lost",
            f"{ref.image_id} is in the Recycle Bin, but snapshots of it are lost: {', '.join(lost)}.",
            "It cannot be restored. Copy the image of another region to this one (ami_copy_regions).",
        )
    tags = find_binned_tags(state, last)
    if RESTORE_TAG not in tags:
        # The tombstone would show the same tags after a change in the Recycle Bin.
        by_hand = "" if state.binned_tags is not None else "restore its snapshots and it by hand, "
        yield from _check_tag_count(
            ref.image_id, tags, target, f"which is possible in the Recycle Bin, {by_hand}"
        )
    # Same page: a restored resource has the sharing that it had when it was deleted. ListImagesInRecycleBin
    # does not return it.
    if options.allow_public or _is_encrypted(last):
        return
    if last is None or not history.is_of_deregistration(state.binned_at):
        yield Failure.at(
            target,
            "images",
            "would_become_public",
            f"It is not known whether {ref.image_id} or one of its snapshots was public when deleted, and "
            "would be again: there is no tombstone of its deregistration.",
            f"If a cleanup deregistered it, set {_PLACES} to where it wrote the tombstone. Otherwise, set "
            "allow_public: true if it may become public, and check the permissions in the result.",
        )
    elif (last.state == "available" and last.launch.public) or any(
        sharing.public for sharing in volume_permissions.values()
    ):
        yield Failure.at(
            target,
            "images",
            "would_become_public",
            f"{ref.image_id} or one of its snapshots was public when deleted, and would be public again.",
            "Set allow_public: true to allow this.",
        )


def _list_lost_snapshots(state: ImageState, last: Tombstone | None) -> list[str]:
    """Return the snapshots of the tombstone that are neither in the account nor in the Recycle Bin."""
    left = {*state.snapshots, *state.binned_snapshots}
    return sorted(
        snapshot_id for snapshot_id in (last.volume_permissions if last else ()) if snapshot_id not in left
    )


def _check_tag_count(image_id: str, tags: Mapping[str, str], target: Target, how: str) -> Iterator[Failure]:
    """Yield the failure of an image with as many tags as AWS allows, for which RESTORE_TAG is one too many.

    Without it, the image would be registered with the old dates of its stages, and the next cleanup could
    deregister it again. ``how`` is a part of the remedy.

    Source: botocore operation CreateTags.
    """
    count = tag_count(tags)
    if count >= MAX_TAGS:
        yield Failure.at(
            target,
            "images",
            "too_many_tags",
            f"{image_id} has {count} tags, and AWS allows {MAX_TAGS}: until it is restored, it needs one "
            f"more, {RESTORE_TAG}.",
            f"Remove one of its tags (aws ec2 delete-tags --region {target.region} --resources {image_id} "
            f"--tags Key=KEY), {how}then rerun.",
        )


def _is_encrypted(last: Tombstone | None) -> bool:
    """Whether all snapshots of an image are encrypted, so that neither it nor one of them can be public.

    Source: EC2 User Guide, "Make your AMI publicly available for use in Amazon EC2", and EBS User Guide,
    "Share an Amazon EBS snapshot with other AWS accounts".
    """
    encrypted = [device.encrypted for device in last.devices if device.snapshot_id] if last else []
    return bool(encrypted) and all(encrypted)


def _check_permissions(
    options: RestoreOptions, target: Target, ref: ImageRef, history: TombstoneHistory
) -> Iterator[Failure]:
    if not options.restore_permissions or history.shared is not None:
        return
    alternative = "set restore_permissions: false and share it with ami_share."
    if history.last is None:
        yield Failure.at(
            target,
            "images",
            "tombstone_not_found",
            f"There is no tombstone of {ref} in {', '.join(options.places)}.",
            f"Set {_PLACES} to where the cleanup wrote it, or {alternative}",
        )
        return
    yield Failure.at(
        target,
        "images",
        "permissions_unknown",
        f"The tombstones of {ref} in {', '.join(options.places)} were written after it was disabled and do "
        "not have its permissions.",
        f"Set {_PLACES} to where the cleanup wrote an older one, or {alternative}",
    )


def _warn_of_billing(platform: str) -> str:
    """Return what to check of an image that is registered from snapshots, with a space before it.

    RegisterImage derives the billing information of Windows, Red Hat, SUSE and SQL Server from metadata that
    a snapshot may lack (botocore operation RegisterImage).
    """
    if platform == "Linux/UNIX":
        return ""
    expected = f"not {platform}" if platform else "not those of the lost image"
    return (
        f" If its PlatformDetails are {expected}, its billing information is lost: deregister it, and copy "
        "the image of another region to this one (ami_copy_regions), or build a new image."
    )


def _report_lost_image(
    target: Target, ref: ImageRef, state: ImageState, history: TombstoneHistory
) -> Failure:
    """Return the failure of an image that cannot be restored, with the snapshots that still exist."""
    message = f"{ref.image_id} is deregistered and not in the Recycle Bin."
    if history.last is None:
        message = f"{ref.image_id} does not exist, is not in the Recycle Bin, and has no tombstone."
        remedy = "Check the image ID and the region."
    elif state.snapshots or state.binned_snapshots:
        left = [
            *state.snapshots,
            *(f"{snapshot_id} (in the Recycle Bin)" for snapshot_id in state.binned_snapshots),
        ]
        message += f" These snapshots still exist: {', '.join(sorted(left))}."
        if lost := _list_lost_snapshots(state, history.last):
            message += f" These are lost: {', '.join(lost)}."
        remedy = (
            f"Register a new image from them (RegisterImage) with the values of the tombstone of "
            f"{history.last.written_at}. It gets another ID.{_warn_of_billing(history.last.platform)}"
        )
    else:
        message += " Its snapshots do not exist any more."
        remedy = "Copy the image of another region to this one (ami_copy_regions), or build a new image."
    return Failure.at(target, "images", "image_lost", message, remedy)
