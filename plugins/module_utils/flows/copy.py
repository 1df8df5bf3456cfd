# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_copy_regions``: the source image exists in every wanted region."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

from ..arguments import Options
from ..aws import errors, read
from ..aws.clients import Clients
from ..aws.write import Performed, perform_all
from ..failures import Failure, Refused, invalid_option
from ..fanout import each
from ..model import Image, Target
from ..plan import Plan
from ..planners import copy as planner
from ..planners import copy_checks
from ..planners.copy import plan
from ..planners.copy_facts import ALIVE, DEAD, CopySeen, CopyWanted
from ..planners.copy_request import name_for
from ..planners.keys import Encryption, check_options, check_source
from ..progress import Report
from ..runner import Flow, Outcome
from .copy_wait import CopyRun, wait_for_copies

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import FilterTypeDef

# botocore shape CopyImageRequest, SnapshotCopyCompletionDurationMinutes; EBS User Guide, "Time-based copies".
_DURATIONS = range(15, 2880 + 1, 15)


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> CopyWanted:
    """The options as the planner takes them; raises ``Refused`` with all that is wrong with them."""
    options = Options(params)
    if params["source_image_id"] is not None:
        options.image_id("source_image_id", params["source_image_id"])
    if params["source_filters"] is not None:
        if not params["source_filters"]:
            options.refuse("source_filters", "no filter is named.", "Name one: any image would match.")
        if not options.strings("source_owners"):
            options.refuse(
                "source_owners",
                "no owner is named, and anybody can publish an image under any name.",
                "Name whose images may match; self are your own.",
            )
    source_region = params["source_region"] or params["region"]
    if not source_region:
        options.refuse("source_region", "it is not named.", "Say in which region the source image is.")
    regions = options.strings("regions")
    if not regions:
        options.refuse("regions", "no region is named.", "Name at least one.")
    best_effort = options.strings("best_effort_regions")
    if surplus := sorted(set(best_effort) - set(regions)):
        options.refuse(
            "best_effort_regions",
            f"{', '.join(surplus)} is not among the regions.",
            "Add it to regions as well.",
        )
    duration = params["completion_duration_minutes"]
    if duration is not None and duration not in _DURATIONS:
        options.refuse(
            "completion_duration_minutes", f"{duration} will not do.", "Take 15 to 2880 in steps of 15."
        )
    if params["wait_timeout"] < 1:
        options.refuse("wait_timeout", f"{params['wait_timeout']} is no time.", "Name seconds, 1 or more.")
    encryption = Encryption(
        encrypted=params["encrypted"],
        key=params["kms_key_id"],
        keys={region: str(key) for region, key in (params["kms_key_ids"] or {}).items() if key},
        allow_default=params["allow_default_key"],
        reencrypt_source=params["reencrypt_source"],
    )
    options.add(check_options(encryption, regions))
    wanted = CopyWanted(
        source_region=source_region or "",
        regions=regions,
        source_image_id=params["source_image_id"],
        source_filters=params["source_filters"] or {},
        source_owners=options.strings("source_owners"),
        best_effort_regions=frozenset(best_effort),
        name=params["name"],
        description=params["description"],
        tags=options.tags("tags"),
        copy_tags=params["copy_tags"],
        snapshot_tags=options.tags("snapshot_tags"),
        purge_tags=params["purge_tags"],
        completion_duration_minutes=duration,
        encryption=encryption,
        wait=params["wait"],
        wait_timeout=params["wait_timeout"],
    )
    options.check()
    return wanted


def read_state(clients: Clients, wanted: CopyWanted) -> CopySeen:
    """Read the source, then every region's copies; refuse what cannot be copied, all at once."""
    account_id, source = _read_source(clients, wanted)
    clients.open("ec2", wanted.regions)
    encryption = wanted.encryption
    if encryption.key or encryption.keys or encryption.allow_default:
        clients.open("kms", wanted.regions)
    targets = [Target(account_id, region) for region in wanted.regions]

    def read_target(target: Target) -> CopySeen:
        return _read_target(clients, wanted, CopySeen(account_id, source, {}), target)

    optional = _best_effort(wanted, targets)
    found, failed = each(targets, read_target, optional=optional)
    failures = {target: errors.failure(item, target, "DescribeImages") for target, item in failed.items()}
    if needed := [failure for target, failure in failures.items() if target not in optional]:
        raise Refused(needed)
    return reduce(
        CopySeen.__or__, found.values(), CopySeen(account_id, source, {}, unread=tuple(failures.values()))
    )


def apply(clients: Clients, wanted: CopyWanted, seen: CopySeen, plan: Plan, report: Report) -> Outcome:
    """Start the copies in all regions at once and, unless told otherwise, wait for them."""
    optional = _best_effort(wanted, seen.copies)
    runs = {target: _standing(wanted, seen, target) for target in seen.copies}
    actions = {target.target: target.actions for target in plan.targets if target.actions}

    def perform(target: Target) -> Performed:
        return perform_all(clients.ec2(target.region), actions[target])

    done, failed = each(actions, perform, optional=optional)
    for target, performed in done.items():
        runs[target].note(performed)
    for target, exception in failed.items():
        runs[target].failure = errors.failure(exception, target, "CopyImage")
    if wanted.wait:
        wait_for_copies(clients, wanted, seen, runs, optional, report)
        for target, run in runs.items():
            run.failure = run.failure or _wrong_key(wanted, seen, target, run)
    failures = {target: run.failure for target, run in runs.items() if run.failure is not None}
    return Outcome(
        performed=tuple(action for run in runs.values() for action in run.performed),
        failures=tuple(failure for target, failure in failures.items() if target not in optional),
        tolerated=(*seen.unread, *(failure for target, failure in failures.items() if target in optional)),
        warnings=tuple(warning for run in runs.values() for warning in run.warnings),
        state=runs,
    )


def result(wanted: CopyWanted, seen: CopySeen, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """What the module returns of its own."""
    runs = outcome.state or {target: _standing(wanted, seen, target) for target in seen.copies}
    left_out = {failure.region for failure in (*outcome.tolerated, *plan.tolerated)}
    ready = {target: run for target, run in runs.items() if target.region not in left_out}
    copying = {action.target for action in plan.actions if action.operation == "CopyImage"}
    return {
        "images": {
            target.region: run.image.image_id if run.image else None
            for target, run in ready.items()
            if _belongs_in_images(run, planned_only=not outcome.state)
        },
        "kms_key_ids": {target.region: _key(seen, target, run) for target, run in ready.items()},
        "results": [
            {
                "account_id": target.account_id,
                "best_effort": target.region in wanted.best_effort_regions,
                "image_id": run.image.image_id if run.image else None,
                "kms_key_id": _key(seen, target, run),
                "name": run.image.name if run.image else name_for(wanted, seen.source, target.region),
                "origin": _origin(wanted, seen, target, target in copying),
                "progress": run.percent,
                "region": target.region,
                "snapshot_ids": list(run.image.snapshot_ids) if run.image else [],
                "snapshot_kms_key_ids": sorted(
                    {snapshot.kms_key_id for snapshot in run.snapshots if snapshot.kms_key_id}
                ),
                "state": run.image.state if run.image else None,
            }
            for target, run in runs.items()
        ],
        "source_image_id": seen.source.image_id,
        "source_region": wanted.source_region,
    }


FLOW: Flow[CopyWanted, CopySeen] = Flow(wanted_from, read_state, plan, apply, result)


def _read_source(clients: Clients, wanted: CopyWanted) -> tuple[str, Image]:
    region = wanted.source_region
    clients.open("sts", [region])
    clients.open("ec2", [region])
    ec2 = clients.ec2(region)
    try:
        caller = read.caller(clients.sts(region))
        known = read.regions(ec2)
        others = {} if known.keys() >= {region, *wanted.regions} else clients.partitions()
        failures = copy_checks.check_regions(wanted, known, caller.partition, others)
        source = _find_source(clients, wanted)
        if source is None:
            failures += (_no_source(wanted, caller.account_id),)
        else:
            unreadable = _unreadable_snapshots(clients, wanted, source, caller.account_id)
            failures += copy_checks.check_source(caller.account_id, source, region, unreadable)
            failures += check_source(wanted.encryption, source)
    except errors.AWS_ERRORS as exception:
        raise Refused([errors.failure(exception, None, "DescribeImages")]) from exception
    if failures or source is None:
        raise Refused(failures)
    return caller.account_id, source


def _read_target(clients: Clients, wanted: CopyWanted, start: CopySeen, target: Target) -> CopySeen:
    """What is seen of one target: its copies, and the key that one is or would be encrypted under."""
    ec2, source, encryption = clients.ec2(target.region), start.source, wanted.encryption
    is_source = start.is_source(target, wanted.source_region)
    images: tuple[Image, ...] = ()
    if not is_source or encryption.reencrypt_source:
        images = read.copies(ec2, source.image_id, wanted.source_region, ALIVE)
    # Snapshots are read only for what is asked of them: the keys that they got, or their tags.
    snapshot_ids = [
        snapshot_id
        for image in ((source, *images) if is_source else images)
        if image.state in ALIVE and (image.encrypted or wanted.snapshot_tags is not None)
        for snapshot_id in image.snapshot_ids
    ]
    name = encryption.named(target.region)
    seen = replace(
        start,
        copies={target: images},
        snapshots={target: read.snapshots(ec2, snapshot_ids)},
        keys={target: read.key(clients.kms(target.region), name)} if name else {},
    )
    if name or planner.existing_copy(wanted, seen, target):
        return seen
    # A copy will be made, and no key is named for it.
    by_default = not encryption.encrypts(target.region, source) and read.encryption_by_default(ec2)
    if encryption.allow_default and (by_default or encryption.encrypts(target.region, source)):
        return replace(seen, keys={target: read.key(clients.kms(target.region), read.default_key_id(ec2))})
    return replace(seen, encrypted_by_default=frozenset({target} if by_default else ()))


def _find_source(clients: Clients, wanted: CopyWanted) -> Image | None:
    ec2 = clients.ec2(wanted.source_region)
    if wanted.source_image_id is not None:
        return read.image(ec2, wanted.source_image_id)
    filters: list[FilterTypeDef] = [
        {"Name": name, "Values": [_filter_value(item) for item in _as_list(values)]}
        for name, values in wanted.source_filters.items()
    ]
    alive = [image for image in read.images(ec2, filters, wanted.source_owners) if image.state in ALIVE]
    return max(alive, key=lambda image: (image.creation_date, image.image_id), default=None)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _filter_value(value: Any) -> str:
    # AWS writes truth values small, Python does not.
    return str(value).lower() if isinstance(value, bool) else str(value)


def _no_source(wanted: CopyWanted, account_id: str) -> Failure:
    if wanted.source_image_id is not None:
        return invalid_option(
            "source_image_id",
            f"source_image_id: account {account_id} sees no image {wanted.source_image_id} in "
            f"{wanted.source_region}.",
            "Check the id and source_region; another account's image must be shared with this one.",
        )
    return invalid_option(
        "source_filters",
        f"source_filters: no image of {', '.join(wanted.source_owners)} in {wanted.source_region} matches.",
        "Check the filters, source_owners and source_region.",
    )


def _unreadable_snapshots(
    clients: Clients, wanted: CopyWanted, source: Image, account_id: str
) -> tuple[str, ...]:
    if source.owner_id == account_id:
        return ()
    visible = {
        item.snapshot_id for item in read.snapshots(clients.ec2(wanted.source_region), source.snapshot_ids)
    }
    return tuple(snapshot_id for snapshot_id in source.snapshot_ids if snapshot_id not in visible)


def _best_effort(wanted: CopyWanted, targets: Collection[Target]) -> frozenset[Target]:
    return frozenset(target for target in targets if target.region in wanted.best_effort_regions)


def _standing(wanted: CopyWanted, seen: CopySeen, target: Target) -> CopyRun:
    """How the target stands before anything is done."""
    image = planner.existing_copy(wanted, seen, target)
    return CopyRun(
        image=image,
        snapshots=seen.snapshots_of(target, image) if image else (),
        retried=image is None and bool(planner.dead_copies(seen, target)),
    )


def _wrong_key(wanted: CopyWanted, seen: CopySeen, target: Target, run: CopyRun) -> Failure | None:
    """What is wrong with the key that a finished copy got, if anything."""
    if run.image is None or run.image == seen.source:
        return None
    finished = replace(seen, snapshots={target: run.snapshots})
    if planner.has_wanted_key(wanted, finished, target, run.image):
        return None
    return Failure(
        message=f"{run.image.image_id} is under {_key(seen, target, run) or 'no key'}, not the wanted one.",
        remedy="Deregister it if nobody uses it, and run again: a copy under the wanted key is made.",
        error_code="WrongKey",
        action="CopyImage",
        region=target.region,
        account_id=target.account_id,
    )


def _belongs_in_images(run: CopyRun, planned_only: bool) -> bool:
    """Whether later modules are told of this image: it exists, or check mode has planned it (null)."""
    return planned_only if run.image is None else run.image.state not in DEAD


def _key(seen: CopySeen, target: Target, run: CopyRun) -> str | None:
    """The key that the snapshots really got; until they tell, the one that the copy was asked for with."""
    real = next((snapshot.kms_key_id for snapshot in run.snapshots if snapshot.kms_key_id), None)
    asked = seen.keys.get(target) if run.image is None or run.image.state != "available" else None
    return real or (asked.arn if asked else None)


def _origin(wanted: CopyWanted, seen: CopySeen, target: Target, copied: bool) -> str:
    if seen.is_source(target, wanted.source_region):
        return "source"
    if copied:
        return "copied"
    existing = planner.existing_copy(wanted, seen, target)
    return "found" if existing and planner.is_own(wanted, seen, existing) else "adopted"
