# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_share``: launch and volume permissions are the wanted ones, in every region of ``images``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..arguments import CONSUMERS_SPEC, IMAGES_SPEC, Options
from ..aws import errors, read
from ..aws.caller import identify, preferred_region
from ..aws.clients import Clients
from ..aws.write import Performed, perform_all
from ..failures import Refused, TargetFailed, invalid_option
from ..fanout import each
from ..keys.access import consumers_without_access
from ..model import Image, KeySeen, Sharing, Target
from ..plan import Plan
from ..progress import Report
from ..runner import Flow, Outcome
from ..tags import SHARED_PREFIX
from .plan import Shared, ShareSeen, ShareWanted, plan

ARGUMENT_SPEC: dict[str, Any] = {
    **IMAGES_SPEC,
    **CONSUMERS_SPEC,
    "group": {"type": "str", "choices": ["all"]},
    "allow_public": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "purge_launch_permissions": {"type": "bool", "default": False},
    "allow_empty_purge": {"type": "bool", "default": False},
    "share_snapshots": {"type": "bool", "default": True},
    "snapshot_ids": {"type": "list", "elements": "str", "default": []},
    "shared_tags": {"type": "dict"},
    "source_image_id": {"type": "str"},
    "source_region": {"type": "str"},
}


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> ShareWanted:
    """The options as the planner takes them; raises ``Refused`` with all that is wrong with them."""
    options = Options(params)
    named = replace(options.consumers(), public=params["group"] == "all")
    wanted = ShareWanted(
        images=options.images(check_mode),
        sharing=named,
        present=params["state"] == "present",
        purge=params["purge_launch_permissions"],
        allow_empty_purge=params["allow_empty_purge"],
        share_snapshots=params["share_snapshots"],
        snapshot_ids=frozenset(options.strings("snapshot_ids")),
        shared_tags=options.tags("shared_tags", SHARED_PREFIX) or {},
        source_image_id=params["source_image_id"],
        source_region=params["source_region"],
    )
    if named.public and wanted.present and not params["allow_public"]:
        options.refuse(
            "group",
            "'all' would let every AWS account in the world use the image.",
            "Set allow_public: true if that is what you want.",
        )
    if not wanted.present and wanted.purge:
        options.refuse(
            "purge_launch_permissions",
            "it cannot be combined with state: absent, which withdraws from those named.",
            "Leave one of them out.",
        )
    if not wanted.present and not named:
        options.refuse(
            "account_ids",
            "state: absent withdraws from nobody.",
            "Name whom to withdraw from, or group: all.",
        )
    if wanted.snapshot_ids and (wanted.present or not wanted.share_snapshots):
        options.refuse(
            "snapshot_ids",
            "single snapshots can only be withdrawn.",
            "Set state: absent, or leave them out: snapshots are shared with their image.",
        )
    if wanted.present and wanted.purge and not named and not params["allow_empty_purge"]:
        options.refuse(
            "purge_launch_permissions",
            "with nobody named it would withdraw the image from everybody.",
            "Name who keeps it, or set allow_empty_purge: true.",
        )
    options.check()
    return wanted


def read_state(clients: Clients, wanted: ShareWanted) -> ShareSeen:
    """Read every region's image, who may use it, and who may use its snapshots."""
    regions = sorted(wanted.images)
    account_id = identify(clients, preferred_region(clients, regions)).account_id
    source_regions = [wanted.source_region] if _source_needed(wanted) and wanted.source_region else []
    clients.open("ec2", [*regions, *source_regions])
    try:
        source = _source(clients, wanted, account_id)
    except errors.AWS_ERRORS as exception:
        raise Refused([errors.failure(exception, None, "DescribeImages")]) from exception
    except TargetFailed as exception:
        raise Refused([exception.failure]) from exception
    targets = [Target(account_id, region) for region in regions]

    def read_target(target: Target) -> Shared:
        image_id = wanted.images[target.region]
        if image_id is None:
            planned = Shared.planned(account_id, source)
            return planned if wanted.share_snapshots else replace(planned, volumes={})
        return _read_shared(clients, wanted, account_id, image_id, target)

    images, failed = each(targets, read_target)
    if failed:
        raise Refused(
            errors.failure(exception, target, "DescribeImages") for target, exception in failed.items()
        )
    if strays := sorted(wanted.snapshot_ids - {one for shared in images.values() for one in shared.volumes}):
        raise Refused(
            invalid_option(
                "snapshot_ids", f"snapshot_ids: {one} is of none of the images.", "Name its image."
            )
            for one in strays
        )
    return ShareSeen(account_id, _with_keys(clients, wanted, images))


def apply(clients: Clients, wanted: ShareWanted, seen: ShareSeen, plan: Plan, report: Report) -> Outcome:
    """Perform the plan in all regions at once."""
    actions = {target.target: target.actions for target in plan.targets if target.actions}

    def perform(target: Target) -> Performed:
        return perform_all(clients.ec2(target.region), actions[target])

    done, failed = each(actions, perform)
    return Outcome(
        performed=tuple(action for performed in done.values() for action in performed.actions),
        failures=(
            *(failure for performed in done.values() for failure in performed.failures),
            *(
                errors.failure(exception, target, "ModifyImageAttribute")
                for target, exception in failed.items()
            ),
        ),
    )


def result(wanted: ShareWanted, seen: ShareSeen, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """What the module returns of its own."""
    failed = {failure.region for failure in outcome.failures}
    return {
        "images": dict(wanted.images),
        "results": [
            {
                "account_id": target.target.account_id,
                "changed": bool(target.actions),
                "image_id": wanted.images[target.target.region],
                "launch_permissions": target.after["launch_permissions"],
                "region": target.target.region,
                "shared_tags": target.after["shared_tags"],
                "volume_permissions": target.after["volume_permissions"],
            }
            for target in plan.targets
            if target.target.region not in failed
        ],
    }


FLOW: Flow[ShareWanted, ShareSeen] = Flow(wanted_from, read_state, plan, apply, result)


def _with_keys(
    clients: Clients, wanted: ShareWanted, images: Mapping[Target, Shared]
) -> Mapping[Target, Shared]:
    """The images with the keys of those that are encrypted, so that nobody is given what he cannot launch."""
    encrypted = [target for target, shared in images.items() if shared.exists and shared.image.encrypted]
    if not (encrypted and wanted.present):
        return images
    clients.open("kms", [target.region for target in encrypted])

    def read_keys(target: Target) -> tuple[KeySeen, ...]:
        snapshots = read.snapshots(clients.ec2(target.region), images[target].image.snapshot_ids)
        key_ids = sorted({item.kms_key_id for item in snapshots if item.kms_key_id})
        keys = (_read_key(clients, wanted, target, key_id) for key_id in key_ids)
        # Of another account's key nothing more is told.
        return tuple(key for key in keys if key.key.aws_managed or key.key.account_id == target.account_id)

    found, failed = each(encrypted, read_keys)
    problems = {
        target: errors.failure(exception, target, "DescribeKey").text()
        for target, exception in failed.items()
    }
    return {
        target: replace(shared, keys=found.get(target, ()), key_problem=problems.get(target))
        for target, shared in images.items()
    }


def _read_key(clients: Clients, wanted: ShareWanted, target: Target, key_id: str) -> KeySeen:
    kms = clients.kms(target.region)
    key = KeySeen(read.key(kms, key_id))
    if key.key.aws_managed or key.key.account_id != target.account_id:
        return key
    key = replace(key, grants=read.grants(kms, key.key.arn))
    if consumers_without_access([key], wanted.sharing):
        # The grants do not tell all: the policy may.
        key = replace(key, policy=read.key_policy(kms, key.key.arn))
    return key


def _source_needed(wanted: ShareWanted) -> bool:
    return wanted.source_image_id is not None and None in wanted.images.values()


def _source(clients: Clients, wanted: ShareWanted, account_id: str) -> Image | None:
    if not _source_needed(wanted) or wanted.source_region is None or wanted.source_image_id is None:
        return None
    source = read.image(clients.ec2(wanted.source_region), wanted.source_image_id)
    if source is None:
        raise TargetFailed(errors.no_image(wanted.source_image_id, Target(account_id, wanted.source_region)))
    return source


def _read_shared(
    clients: Clients, wanted: ShareWanted, account_id: str, image_id: str, target: Target
) -> Shared:
    ec2 = clients.ec2(target.region)
    image = read.image(ec2, image_id)
    if image is None:
        raise TargetFailed(errors.no_image(image_id, target))
    if image.owner_id != account_id:
        # Its attributes are told to its owner only; the planner refuses it.
        return Shared(image)
    volumes: dict[str, Sharing] = {}
    if wanted.share_snapshots:
        volumes = {
            snapshot_id: read.volume_permissions(ec2, snapshot_id)
            for snapshot_id in image.snapshot_ids
            if not wanted.snapshot_ids or snapshot_id in wanted.snapshot_ids
        }
    publishing = wanted.present and wanted.sharing.public
    return Shared(
        image,
        launch=read.launch_permissions(ec2, image_id),
        volumes=volumes,
        image_block=read.image_block_state(ec2) if publishing else None,
        snapshot_block=read.snapshot_block_state(ec2) if publishing and wanted.share_snapshots else None,
    )
