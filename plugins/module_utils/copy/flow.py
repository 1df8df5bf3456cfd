# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_copy_regions``: copies an image to every requested region."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..aws import errors, read
from ..aws.assumed_roles import AssumedAccounts
from ..aws.clients import Clients
from ..aws.read import Caller
from ..failures import Failure, Refused
from ..fanout import each
from ..model import Image, Key, Snapshot, Target
from ..plan import KNOWN_AFTER_APPLY, Plan
from ..progress import Report
from ..runner import Flow, Outcome
from . import plan as planner
from .apply import perform_each
from .checks import with_account
from .options import wanted_from
from .plan import plan
from .read_access import with_access
from .read_source import Sources, read_sources
from .result import returned, wrong_keys
from .run import CopyRun, advance_all, initial_runs
from .state import USABLE_STATES, CopySeen, CopyWanted
from .wait import wait_for_copies

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client


def read_state(clients: Clients, wanted: CopyWanted) -> CopySeen:
    """Read the source, then the copies, keys and missing access of every target.

    Raises:
        Refused: with all reasons why the source or a required target cannot be used.
    """
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
        unread=_for_each_account(account_ids, sources.unread),
    )
    _open(accounts, wanted, sources)

    def read_target(target: Target) -> CopySeen:
        with accounts.as_account(target.account_id) as at:
            return _read_target(at, wanted, replace(start, unread=()), target)

    optional = _best_effort(wanted, targets)
    found, failed = each(targets, read_target, optional=optional)
    failures = {
        target: with_account(errors.failure(item, target, "DescribeImages"), target, own)
        for target, item in failed.items()
    }
    if required := [failure for target, failure in failures.items() if target not in optional]:
        raise Refused(required)
    unread = (*start.unread, *failures.values())
    seen = replace(start, unread=unread).including(found.values())
    if wanted.require_shareable:
        seen = _with_aws_managed_keys(clients, wanted, seen)
    return with_access(accounts, wanted, seen, optional)


def apply(clients: Clients, wanted: CopyWanted, seen: CopySeen, plan: Plan, report: Report) -> Outcome:
    """Start the copies in all targets at the same time and, with ``wait``, wait for them."""
    caller = Caller(seen.account_id, seen.partition)
    accounts = AssumedAccounts(clients, caller, wanted.consumer_role, wanted.source_region)
    optional = _best_effort(wanted, seen.copies)
    actions = {target.target: target.actions for target in plan.targets if target.actions}
    runs = initial_runs(wanted, seen)
    if wanted.account_ids and (actions or any(run.pending for run in runs.values())):
        accounts.open("ec2", wanted.regions)
    runs = advance_all(runs, perform_each(accounts, actions, optional))
    if wanted.wait:
        runs = wait_for_copies(accounts, wanted, seen, runs, optional, report)
        runs = advance_all(runs, wrong_keys(wanted, seen, runs))
    return _outcome(seen, runs, optional)


def _outcome(seen: CopySeen, runs: Mapping[Target, CopyRun], optional: Collection[Target]) -> Outcome:
    failures = {
        target: with_account(run.failure, target, seen.account_id)
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
    """The module's returned keys, apart from those that every module returns."""
    tolerated = (*outcome.tolerated, *plan.tolerated)
    if outcome.state:
        return returned(wanted, seen, plan, outcome.state, tolerated, only_planned=False)
    return returned(wanted, seen, plan, initial_runs(wanted, seen), tolerated, only_planned=True)


FLOW: Flow[CopyWanted, CopySeen] = Flow(wanted_from, read_state, plan, apply, result)


def _open(accounts: AssumedAccounts, wanted: CopyWanted, sources: Sources) -> None:
    """Make the clients of all services and regions that will be read."""
    encryption = wanted.encryption
    # Where access to the sources is read.
    source_regions: set[str] = set()
    if wanted.account_ids or wanted.source_images:
        source_regions = {wanted.source_region_of(region) for region in sources.images}
    accounts.open("ec2", sorted({*wanted.regions} | source_regions))
    key_regions = (
        {*wanted.regions} if encryption.key or encryption.keys or encryption.allow_default else set()
    )
    if any(source.encrypted for source in sources.images.values()):
        key_regions |= source_regions
    if key_regions:
        accounts.open("kms", sorted(key_regions))


def _read_target(clients: Clients, wanted: CopyWanted, start: CopySeen, target: Target) -> CopySeen:
    """Read one target: its copies, and the KMS key that its copy is or would be encrypted under."""
    ec2, source, encryption = clients.ec2(target.region), start.source_of(target), wanted.encryption
    source_region = wanted.source_region_of(target.region)
    is_source = start.is_source(target, source_region)
    images: tuple[Image, ...] = ()
    if source.image_id != KNOWN_AFTER_APPLY and (not is_source or encryption.reencrypt_source):
        images = read.copies(ec2, source.image_id, source_region, USABLE_STATES)
    name = encryption.key_for(target.region)
    seen = replace(
        start,
        copies={target: images},
        snapshots={target: _snapshots(ec2, wanted, (source, *images) if is_source else images)},
        keys={target: _read_key(clients, target, name)} if name else {},
    )
    if any(image.state in USABLE_STATES for image in images) and not planner.existing_copy(
        wanted, seen, target
    ):
        # This collection's copies, beside which no others were read, are not encrypted as requested.
        seen = _with_others(ec2, wanted, seen, target)
    if name or planner.existing_copy(wanted, seen, target):
        return seen
    # A copy will be started, and no key is requested for it.
    by_default = not encryption.encrypts(target.region, source) and read.encryption_by_default(ec2)
    if encryption.allow_default and (by_default or encryption.encrypts(target.region, source)):
        return replace(seen, keys={target: read.key(clients.kms(target.region), read.default_key_id(ec2))})
    return replace(seen, encrypted_by_default=frozenset({target} if by_default else ()))


def _read_key(clients: Clients, target: Target, name: str) -> Key:
    """The key that is set for the target's copy.

    EC2 calls DescribeKey for the role that copies. Policies may allow it only through EC2 (KMS Developer
    Guide, "AWS KMS condition keys", kms:ViaService), so that a key whose ARN is set can be used regardless.
    """
    try:
        return read.key(clients.kms(target.region), name)
    except errors.ClientError as exception:
        if ":key/" not in name or errors.code_of(exception) != "AccessDeniedException":
            raise
        return Key(name, described=False)


def _with_aws_managed_keys(clients: Clients, wanted: CopyWanted, seen: CopySeen) -> CopySeen:
    """``seen`` with the AWS managed keys of the own images that exist already."""
    existing = {target: planner.existing_copy(wanted, seen, target) for target in seen.copies}
    encrypted = {target: image for target, image in existing.items() if image and image.encrypted}
    clients.open("kms", [target.region for target in encrypted])

    def read_arns(target: Target) -> tuple[str, ...]:
        arns = {item.kms_key_id for item in seen.snapshots_of(target, encrypted[target]) if item.kms_key_id}
        kms, requested = clients.kms(target.region), seen.keys.get(target)
        known = {requested.arn: requested} if requested else {}
        return tuple(arn for arn in sorted(arns) if (known.get(arn) or read.key(kms, arn)).aws_managed)

    # An AWS managed key of the own account can be described. What cannot be described is checked when the
    # image is shared.
    found, _failed = each(encrypted, read_arns)
    return replace(seen, aws_managed_keys=found)


def _snapshots(ec2: EC2Client, wanted: CopyWanted, images: Iterable[Image]) -> tuple[Snapshot, ...]:
    """Read the snapshots of images where their keys or tags matter."""
    return read.snapshots(
        ec2,
        [
            snapshot_id
            for image in images
            if image.state in USABLE_STATES and (image.encrypted or wanted.snapshot_tags is not None)
            for snapshot_id in image.snapshot_ids
        ],
    )


def _with_others(ec2: EC2Client, wanted: CopyWanted, seen: CopySeen, target: Target) -> CopySeen:
    """``seen`` with the copies that others made, one of which may be encrypted under the requested key."""
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


def _for_each_account(
    account_ids: Collection[str], failures: Mapping[str, tuple[Failure, ...]]
) -> tuple[Failure, ...]:
    """The failures of regions' sources, repeated for each account that needs a copy there."""
    return tuple(
        replace(failure, account_id=account_id, region=region)
        for account_id in account_ids
        for region, found in failures.items()
        for failure in found
    )


def _best_effort(wanted: CopyWanted, targets: Collection[Target]) -> frozenset[Target]:
    return frozenset(target for target in targets if target.region in wanted.best_effort_regions)
