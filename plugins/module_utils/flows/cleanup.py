# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_cleanup``: own images are retired by policy, in every region at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ..aws import errors, image_use, own_images, read
from ..aws.clients import Clients
from ..aws.retire import perform_each
from ..aws.write import Performed
from ..failures import Failure, Refused
from ..fanout import each
from ..model import Target
from ..plan import Action
from ..planners import cleanup_plan
from ..planners.cleanup_facts import CloserLook, ImageRef
from ..planners.cleanup_plan import CleanupPlan
from ..planners.cleanup_stages import DEREGISTER, DISABLE
from ..planners.cleanup_verdicts import CleanupSeen, CleanupWanted, Verdict, candidates
from ..planners.regions import regions_to_work_in
from ..progress import Report
from ..runner import Flow, Outcome
from .cleanup_consumers import look_into_accounts
from .cleanup_options import wanted_from
from .cleanup_tombstones import write_tombstones


def read_state(clients: Clients, wanted: CleanupWanted) -> CleanupSeen:
    """Read every region in bulk, then take a closer look at what nothing keeps so far."""
    clients.open("sts", [clients.home])
    clients.open("ec2", [clients.home])
    try:
        caller = read.caller(clients.sts(clients.home))
        known = read.regions(clients.ec2(clients.home))
    except errors.AWS_ERRORS as exception:
        raise Refused([errors.failure(exception, None, "DescribeRegions")]) from exception
    regions, failures = regions_to_work_in(wanted.regions, known)
    if failures:
        raise Refused(failures)
    for service in own_images.services():
        clients.open(service, regions)
    facts, failed = each(regions, lambda region: own_images.region(clients, region))
    if failed:
        raise Refused(
            errors.failure(exception, Target(caller.account_id, region), "DescribeImages")
            for region, exception in failed.items()
        )
    seen = CleanupSeen(caller.account_id, datetime.now(UTC), facts, partition=caller.partition)
    return _with_looks(clients, wanted, seen, candidates(wanted, seen))


def apply(
    clients: Clients, wanted: CleanupWanted, seen: CleanupSeen, plan: CleanupPlan, report: Report
) -> Outcome:
    """Do what takes nothing away; then read the evidence again, and do the rest of what it still allows."""
    first = _perform(clients, plan.harmless, ())
    if not plan.taking_away:
        return _outcome((first,))
    try:
        now_seen = _read_again(clients, wanted, seen, plan)
    except Refused as refused:
        return _outcome((first,), refused.failures)
    final, changed = cleanup_plan.confirmed(plan, cleanup_plan.plan(wanted, now_seen))
    going = tuple(one for one in final.verdicts if one.ref in _taken_away(final.taking_away))
    unwritten = write_tombstones(clients, wanted, now_seen, going)
    if unwritten:
        return _outcome((first,), unwritten)
    second = _perform(clients, final.taking_away, going)
    return replace(_outcome((first, second)), warnings=tuple(_spared(verdict) for verdict in changed))


def result(wanted: CleanupWanted, seen: CleanupSeen, plan: CleanupPlan, outcome: Outcome) -> dict[str, Any]:
    """What the module returns of its own."""
    return {
        "considered": len(plan.verdicts),
        "regions": sorted(seen.regions),
        "results": [verdict.as_result(seen.images[verdict.ref]) for verdict in plan.verdicts],
    }


FLOW: Flow[CleanupWanted, CleanupSeen] = Flow(wanted_from, read_state, cleanup_plan.plan, apply, result)


def _with_looks(
    clients: Clients, wanted: CleanupWanted, seen: CleanupSeen, refs: Iterable[ImageRef]
) -> CleanupSeen:
    """What was seen, with a closer look at these images; one that failed counts as use."""
    by_region: dict[str, list[str]] = {}
    for ref in refs:
        by_region.setdefault(ref.region, []).append(ref.image_id)
    size = image_use.REFERENCE_BATCH
    batches = [
        (region, tuple(image_ids[start : start + size]))
        for region, image_ids in by_region.items()
        for start in range(0, len(image_ids), size)
    ]

    def look(batch: tuple[str, tuple[str, ...]]) -> dict[str, CloserLook]:
        region, image_ids = batch
        return image_use.looks(clients.ec2(region), image_ids, wanted.include_shared)

    found, failed = each(batches, look)
    if failed:
        raise Refused(
            errors.failure(exception, seen.target(region), "DescribeImageReferences")
            for (region, _image_ids), exception in failed.items()
        )
    looks = {
        ImageRef(region, image_id): one
        for (region, _image_ids), batch in found.items()
        for image_id, one in batch.items()
    }
    if wanted.consumer_role is not None:
        looks = look_into_accounts(clients, wanted.consumer_role, seen, looks)
    return replace(seen, looks={**seen.looks, **looks})


def _read_again(
    clients: Clients, wanted: CleanupWanted, seen: CleanupSeen, first: CleanupPlan
) -> CleanupSeen:
    """What is there now where something would go; raises ``Refused`` if that cannot be read."""
    regions = tuple(dict.fromkeys(action.target.region for action in first.taking_away))
    facts, failed = each(regions, lambda region: own_images.region(clients, region))
    if failed:
        raise Refused(
            errors.failure(exception, seen.target(region), "DescribeImages")
            for region, exception in failed.items()
        )
    chosen = [verdict.ref for verdict in first.verdicts if verdict.decision in (DISABLE, DEREGISTER)]
    return _with_looks(clients, wanted, replace(seen, regions={**seen.regions, **facts}), chosen)


def _perform(clients: Clients, actions: Iterable[Action], going: Iterable[Verdict]) -> Performed:
    """Perform the actions in all regions at once."""
    by_target: dict[Target, list[Action]] = {}
    for action in actions:
        by_target.setdefault(action.target, []).append(action)
    image_with: dict[str, dict[str, str]] = {}
    for verdict in going:
        of_region = image_with.setdefault(verdict.ref.region, {})
        of_region.update({fate.snapshot_id: verdict.ref.image_id for fate in verdict.fates})

    def work(target: Target) -> Performed:
        return perform_each(clients.ec2(target.region), by_target[target], image_with.get(target.region, {}))

    done, failed = each(by_target, work)
    return Performed(
        tuple(action for performed in done.values() for action in performed.actions),
        (),
        (
            *(failure for performed in done.values() for failure in performed.failures),
            *(errors.failure(exception, target, "DeregisterImage") for target, exception in failed.items()),
        ),
    )


def _taken_away(actions: Iterable[Action]) -> set[ImageRef]:
    return {
        ImageRef(action.target.region, str(action.resource))
        for action in actions
        if action.operation in ("DisableImage", "DeregisterImage")
    }


def _outcome(parts: tuple[Performed, ...], failures: tuple[Failure, ...] = ()) -> Outcome:
    return Outcome(
        performed=tuple(action for part in parts for action in part.actions),
        failures=(*(failure for part in parts for failure in part.failures), *failures),
    )


def _spared(verdict: Verdict) -> str:
    why = [*verdict.reasons, *(f"{one.kind} {one.subject} {one.detail}".strip() for one in verdict.evidence)]
    return f"{verdict.ref} was spared at the last moment: {'; '.join(why)}"
