# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_cleanup``: own images are retired by policy, in every region at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..aws import errors
from ..aws.caller import identify_with_regions
from ..aws.clients import Clients
from ..aws.write import Performed
from ..failures import Failure, Refused, invalid_option
from ..fanout import each
from ..model import ImageRef, Target
from ..plan import Action
from ..progress import Report
from ..regions import regions_to_work_in
from ..runner import Flow, Outcome
from . import plan as cleanup_plan
from . import read_regions as own_images
from .apply import perform_each
from .decisions import CleanupSeen, CleanupWanted, Verdict, candidates
from .inspect_images import with_looks, with_snapshot_looks
from .inspect_keys import with_key_looks
from .options import wanted_from
from .plan import CleanupPlan
from .stages import DEREGISTER, DISABLE
from .state import RegionFacts
from .write_tombstones import write_tombstones


def read_state(clients: Clients, wanted: CleanupWanted) -> CleanupSeen:
    """Read every region in bulk, then take a closer look at what nothing keeps so far."""
    _check_tombstone_folder(wanted.tombstone_path)
    caller, known = identify_with_regions(clients)
    regions, failures = regions_to_work_in(wanted.regions, known)
    if failures:
        raise Refused(failures)
    for service in own_images.services():
        clients.open(service, regions)
    facts, failed = each(regions, lambda region: _facts(clients, wanted, region))
    if failed:
        raise Refused(
            errors.failure(exception, Target(caller.account_id, region), "DescribeImages")
            for region, exception in failed.items()
        )
    seen = CleanupSeen(caller.account_id, datetime.now(UTC), facts, partition=caller.partition)
    return _looked_at(clients, wanted, seen, candidates(wanted, seen))


def _check_tombstone_folder(path: str | None) -> None:
    if path and not Path(path).parent.is_dir():
        message = f"tombstone_path: there is no folder {Path(path).parent}."
        raise Refused([invalid_option("tombstone_path", message, "Create it, or name another file.")])


def apply(
    clients: Clients, wanted: CleanupWanted, seen: CleanupSeen, plan: CleanupPlan, report: Report
) -> Outcome:
    """Do what takes nothing away; then read the evidence again, and do the rest of what it still allows."""
    first = _perform(clients, seen, plan.harmless, ())
    if not plan.taking_away:
        return _outcome((first,))
    try:
        now_seen = _read_again(clients, wanted, seen, plan)
        now_seen = cleanup_plan.with_untold(wanted, now_seen, first.actions)
    except Refused as refused:
        return _outcome((first,), refused.failures)
    final, changed = cleanup_plan.confirmed(plan, cleanup_plan.plan(wanted, now_seen))
    refs = _taken_away(final.taking_away)
    going = tuple(one for one in final.verdicts if one.ref in refs)
    unwritten = write_tombstones(clients, wanted, now_seen, going)
    if unwritten:
        return _outcome((first,), unwritten)
    second = _perform(clients, now_seen, final.taking_away, going)
    spared = {
        seen.target(region): tuple(verdict for verdict in changed if verdict.ref.region == region)
        for region in seen.regions
    }
    warnings = tuple(_spared(verdict) for verdict in changed)
    return replace(_outcome((first, second)), warnings=warnings, state=spared)


def result(wanted: CleanupWanted, seen: CleanupSeen, plan: CleanupPlan, outcome: Outcome) -> dict[str, Any]:
    """What the module returns of its own; of images that were spared the verdict that spared them."""
    spared = {verdict.ref: verdict for verdicts in outcome.state.values() for verdict in verdicts}
    return {
        "evaluated_count": len(plan.verdicts),
        "regions": sorted(seen.regions),
        "results": [
            spared.get(verdict.ref, verdict).as_result(seen.images[verdict.ref]) for verdict in plan.verdicts
        ],
    }


FLOW: Flow[CleanupWanted, CleanupSeen] = Flow(wanted_from, read_state, cleanup_plan.plan, apply, result)


def _facts(clients: Clients, wanted: CleanupWanted, region: str) -> RegionFacts:
    return own_images.region(clients, region, tombstone_path=wanted.tombstone_ssm_path)


def _looked_at(
    clients: Clients, wanted: CleanupWanted, seen: CleanupSeen, refs: Iterable[ImageRef]
) -> CleanupSeen:
    """What was seen, with closer looks at these images, and at all snapshots that would go."""
    seen = with_looks(clients, wanted, seen, refs)
    snapshots = cleanup_plan.snapshots_to_look_at(wanted, seen)
    seen = with_snapshot_looks(clients, seen, [ref for ref in snapshots if ref not in seen.snapshot_looks])
    return with_key_looks(clients, seen, cleanup_plan.keys_to_look_at(wanted, seen))


def _read_again(
    clients: Clients, wanted: CleanupWanted, seen: CleanupSeen, first: CleanupPlan
) -> CleanupSeen:
    """What is there now; raises ``Refused`` if that cannot be read.

    Everywhere: parameters name images of other regions, and a copy that is still being made needs its source.
    """
    facts, failed = each(seen.regions, lambda region: _facts(clients, wanted, region))
    if failed:
        raise Refused(
            errors.failure(exception, seen.target(region), "DescribeImages")
            for region, exception in failed.items()
        )
    going = [verdict.ref for verdict in first.verdicts if verdict.decision in (DISABLE, DEREGISTER)]
    now_seen = replace(seen, regions=facts, looks={}, snapshot_looks={}, keys={})
    still_there = [ref for ref in going if ref in now_seen.images]
    return _looked_at(clients, wanted, now_seen, still_there)


def _perform(
    clients: Clients, seen: CleanupSeen, actions: tuple[Action, ...], going: Iterable[Verdict]
) -> Performed:
    """Perform the actions in all regions at once."""
    by_target: dict[Target, list[Action]] = {}
    for action in actions:
        by_target.setdefault(action.target, []).append(action)
    going_with = cleanup_plan.images_of(seen, going, actions)
    for action in actions:
        clients.paced_for(action.operation).open(action.service, [action.target.region])

    def work(target: Target) -> Performed:
        def client_for(action: Action) -> Any:
            return clients.paced_for(action.operation).client(action.service, target.region)

        return perform_each(client_for, by_target[target], going_with.get(target.region, {}))

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
