# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_copy_regions``: the source image exists in every wanted region."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..aws import errors, read
from ..aws.assumed_roles import AssumedAccounts
from ..aws.clients import Clients
from ..aws.read import Caller
from ..aws.write import Performed, perform_all
from ..failures import Failure, Refused
from ..fanout import each
from ..model import Image, Snapshot, Target
from ..plan import KNOWN_AFTER_APPLY, Plan
from ..progress import Report
from ..runner import Flow, Outcome
from . import plan as planner
from .checks import of_account
from .options import wanted_from
from .plan import plan
from .read_access import with_access
from .read_source import Sources, read_sources
from .request import name_for
from .state import ALIVE, DEAD, CopySeen, CopyWanted
from .wait import CopyRun, wait_for_copies

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client


def read_state(clients: Clients, wanted: CopyWanted) -> CopySeen:
    """Read the source, then every target's copies; refuse what cannot be copied, all at once."""
    sources = read_sources(clients, wanted)
    if not sources.images:
        raise Refused(failure for found in sources.unread.values() for failure in found)
    own = sources.caller.account_id
    accounts = AssumedAccounts(clients, sources.caller, wanted.consumer_role, wanted.source_region)
    regions = [region for region in wanted.regions if region in sources.images]
    account_ids = wanted.account_ids or (own,)
    targets = [Target(account_id, region) for account_id in account_ids for region in regions]
    start = CopySeen(
        own,
        next(iter(sources.images.values())),
        copies={},
        partition=sources.caller.partition,
        sources=sources.images if wanted.source_images else {},
        unread=_of_every(account_ids, sources.unread),
    )
    _open(accounts, wanted, sources)

    def read_target(target: Target) -> CopySeen:
        with accounts.as_account(target.account_id) as at:
            return _read_target(at, wanted, replace(start, unread=()), target)

    optional = _best_effort(wanted, targets)
    found, failed = each(targets, read_target, optional=optional)
    failures = {
        target: of_account(errors.failure(item, target, "DescribeImages"), target, own)
        for target, item in failed.items()
    }
    if needed := [failure for target, failure in failures.items() if target not in optional]:
        raise Refused(needed)
    unread = (*start.unread, *failures.values())
    seen = replace(start, unread=unread).including(found.values())
    return with_access(accounts, wanted, seen, optional)


def apply(clients: Clients, wanted: CopyWanted, seen: CopySeen, plan: Plan, report: Report) -> Outcome:
    """Start the copies in all regions at once and, unless told otherwise, wait for them."""
    caller = Caller(seen.account_id, seen.partition)
    accounts = AssumedAccounts(clients, caller, wanted.consumer_role, wanted.source_region)
    optional = _best_effort(wanted, seen.copies)
    runs = {target: _standing(wanted, seen, target) for target in seen.copies}
    if wanted.account_ids and (plan.actions or any(run.pending for run in runs.values())):
        accounts.open("ec2", wanted.regions)
    actions = {target.target: target.actions for target in plan.targets if target.actions}

    def perform(target: Target) -> Performed:
        with accounts.as_account(target.account_id) as at:
            return perform_all(at.ec2(target.region), actions[target])

    done, failed = each(actions, perform, optional=optional)
    for target, performed in done.items():
        runs[target].note(performed)
    for target, exception in failed.items():
        runs[target].failure = errors.failure(exception, target, "CopyImage")
    if wanted.wait:
        wait_for_copies(accounts, wanted, seen, runs, optional, report)
        for target, run in runs.items():
            run.failure = run.failure or _wrong_key(wanted, seen, target, run)
    failures = {
        target: of_account(run.failure, target, seen.account_id)
        for target, run in runs.items()
        if run.failure is not None
    }
    return Outcome(
        performed=tuple(action for run in runs.values() for action in run.performed),
        failures=tuple(failure for target, failure in failures.items() if target not in optional),
        tolerated=tuple(failure for target, failure in failures.items() if target in optional),
        warnings=tuple(warning for run in runs.values() for warning in run.warnings),
        state=runs,
    )


def result(wanted: CopyWanted, seen: CopySeen, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """What the module returns of its own."""
    runs = outcome.state or {target: _standing(wanted, seen, target) for target in seen.copies}
    left_out = [(failure.account_id, failure.region) for failure in (*outcome.tolerated, *plan.tolerated)]
    ready = {
        target: run for target, run in runs.items() if (target.account_id, target.region) not in left_out
    }
    copying = {action.target for action in plan.actions if action.operation == "CopyImage"}
    images = {
        target: _image_id(run)
        for target, run in ready.items()
        if _belongs_in_images(run, planned_only=not outcome.state)
    }
    keys = {target: _key(seen, target, run) for target, run in ready.items()}
    return {
        "images": _placed(wanted, images, "image_id"),
        "kms_key_arns": _placed(wanted, keys, "kms_key_arn"),
        "results": [
            {
                "account_id": target.account_id,
                "best_effort": target.region in wanted.best_effort_regions,
                "image_id": _image_id(run),
                "kms_key_arn": _key(seen, target, run),
                "name": run.image.name
                if run.image
                else name_for(wanted, seen.source_of(target), target.region),
                "origin": _origin(wanted, seen, target, target in copying),
                "progress": run.percent,
                "region": target.region,
                "snapshot_ids": list(run.image.snapshot_ids) if run.image else [],
                "snapshot_kms_key_arns": sorted(
                    {snapshot.kms_key_id for snapshot in run.snapshots if snapshot.kms_key_id}
                ),
                "state": run.image.state if run.image else None,
            }
            for target, run in runs.items()
        ],
        "source_image_id": None if wanted.source_images else seen.source.image_id,
        "source_region": None if wanted.source_images else wanted.source_region,
    }


FLOW: Flow[CopyWanted, CopySeen] = Flow(wanted_from, read_state, plan, apply, result)


def _open(accounts: AssumedAccounts, wanted: CopyWanted, sources: Sources) -> None:
    """Open all that will be asked of the accounts."""
    encryption = wanted.encryption
    # Where the sources are the accounts are asked whether they may use them.
    of_sources: set[str] = set()
    if wanted.account_ids or wanted.source_images:
        of_sources = {wanted.source_region_of(region) for region in sources.images}
    accounts.open("ec2", sorted({*wanted.regions} | of_sources))
    keys = {*wanted.regions} if encryption.key or encryption.keys or encryption.allow_default else set()
    if any(source.encrypted for source in sources.images.values()):
        keys |= of_sources
    if keys:
        accounts.open("kms", sorted(keys))


def _read_target(clients: Clients, wanted: CopyWanted, start: CopySeen, target: Target) -> CopySeen:
    """What is seen of one target: its copies, and the key that one is or would be encrypted under."""
    ec2, source, encryption = clients.ec2(target.region), start.source_of(target), wanted.encryption
    source_region = wanted.source_region_of(target.region)
    is_source = start.is_source(target, source_region)
    images: tuple[Image, ...] = ()
    if source.image_id != KNOWN_AFTER_APPLY and (not is_source or encryption.reencrypt_source):
        images = read.copies(ec2, source.image_id, source_region, ALIVE)
    name = encryption.named(target.region)
    seen = replace(
        start,
        copies={target: images},
        snapshots={target: _snapshots(ec2, wanted, (source, *images) if is_source else images)},
        keys={target: read.key(clients.kms(target.region), name)} if name else {},
    )
    if any(image.state in ALIVE for image in images) and not planner.existing_copy(wanted, seen, target):
        # The own copies, which kept others from being looked for, are under other keys.
        seen = _with_others(ec2, wanted, seen, target)
    if name or planner.existing_copy(wanted, seen, target):
        return seen
    # A copy will be made, and no key is named for it.
    by_default = not encryption.encrypts(target.region, source) and read.encryption_by_default(ec2)
    if encryption.allow_default and (by_default or encryption.encrypts(target.region, source)):
        return replace(seen, keys={target: read.key(clients.kms(target.region), read.default_key_id(ec2))})
    return replace(seen, encrypted_by_default=frozenset({target} if by_default else ()))


def _snapshots(ec2: EC2Client, wanted: CopyWanted, images: Iterable[Image]) -> tuple[Snapshot, ...]:
    """Those snapshots of images of which something is asked: the keys that they got, or their tags."""
    return read.snapshots(
        ec2,
        [
            snapshot_id
            for image in images
            if image.state in ALIVE and (image.encrypted or wanted.snapshot_tags is not None)
            for snapshot_id in image.snapshot_ids
        ],
    )


def _with_others(ec2: EC2Client, wanted: CopyWanted, seen: CopySeen, target: Target) -> CopySeen:
    """``seen`` with the copies that somebody else made, one of which may be under the wanted key."""
    known = {image.image_id for image in seen.copies[target]}
    source_id, source_region = seen.source_of(target).image_id, wanted.source_region_of(target.region)
    others = tuple(
        image for image in read.copies_by_field(ec2, source_id, source_region) if image.image_id not in known
    )
    if not others:
        return seen
    return replace(
        seen,
        copies={target: (*seen.copies[target], *others)},
        snapshots={target: (*seen.snapshots[target], *_snapshots(ec2, wanted, others))},
    )


def _of_every(
    account_ids: Collection[str], failures: Mapping[str, tuple[Failure, ...]]
) -> tuple[Failure, ...]:
    """What went wrong with regions' sources, as that of each account's copies."""
    return tuple(
        replace(failure, account_id=account_id, region=region)
        for account_id in account_ids
        for region, found in failures.items()
        for failure in found
    )


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
    if run.image is None or run.image == seen.source_of(target):
        return None
    finished = replace(seen, snapshots={target: run.snapshots})
    if planner.has_wanted_key(wanted, finished, target, run.image):
        return None
    return Failure(
        message=f"{run.image.image_id} is under {_key(seen, target, run) or 'no key'}, not the wanted one.",
        remedy="Deregister it if nobody uses it, and run again: a copy under the wanted key is made.",
        error_code="wrong_key",
        action="CopyImage",
        region=target.region,
        account_id=target.account_id,
    )


def _belongs_in_images(run: CopyRun, planned_only: bool) -> bool:
    """Whether later modules are told of this image: it exists, or check mode has planned it (null)."""
    return planned_only if run.image is None else run.image.state not in DEAD


def _image_id(run: CopyRun) -> str | None:
    """The image's id, None as long as it is only planned."""
    if run.image is None or run.image.image_id == KNOWN_AFTER_APPLY:
        return None
    return run.image.image_id


def _placed(wanted: CopyWanted, found: Mapping[Target, str | None], what: str) -> Any:
    """A value of each target: by region or, where accounts are named, as a list that says whose it is."""
    if not wanted.account_ids:
        return {target.region: value for target, value in found.items()}
    return [
        {"account_id": target.account_id, "region": target.region, what: value}
        for target, value in found.items()
    ]


def _key(seen: CopySeen, target: Target, run: CopyRun) -> str | None:
    """The key that the snapshots really got; until they tell, the one that the copy was asked for with."""
    real = next((snapshot.kms_key_id for snapshot in run.snapshots if snapshot.kms_key_id), None)
    asked = seen.keys.get(target) if run.image is None or run.image.state != "available" else None
    return real or (asked.arn if asked else None)


def _origin(wanted: CopyWanted, seen: CopySeen, target: Target, copied: bool) -> str:
    if seen.is_source(target, wanted.source_region_of(target.region)):
        return "source"
    if copied:
        return "copied"
    existing = planner.existing_copy(wanted, seen, target)
    return "found" if existing and planner.is_own(wanted, seen, target, existing) else "adopted"
