# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``remediation_plan``: what to withdraw of that which an audit has just found. Asks AWS nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..arguments import IMAGE_ID, Options
from ..failures import Refused, invalid_option
from ..progress import Report
from ..runner import Flow, Outcome
from . import plan as remediation
from . import tasks
from .plan import RemediationPlan, RemediationWanted, Removal
from .scope import Named
from .state import Audited, Place, place_of, read

_SNAPSHOT_ID = re.compile(r"snap-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_FORMS = "Name ids, or mappings with region and image_id or snapshot_id, or map each region to its ids."


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> RemediationWanted:
    """The options as the planner takes them; raises ``Refused`` with all that is wrong with them."""
    options = Options(params)
    planned = params["expected_removals"]
    wanted = RemediationWanted(
        audited=_audited(params["audit_result"]),
        codes=tuple(dict.fromkeys(options.strings("finding_codes"))),
        named=tuple(dict.fromkeys(_named(options, params["images"]))),
        planned=None if planned is None else tuple(_planned(options, planned)),
        max_removals=params["max_removals"],
    )
    if wanted.planned is None and not (wanted.codes or wanted.named):
        options.refuse(
            "finding_codes",
            "neither codes nor images are named.",
            "Name the codes of findings to repair, or images, or both: then those codes of those images.",
        )
    if wanted.max_removals < 0:
        options.refuse("max_removals", f"{wanted.max_removals} is no number of removals.", "Name one.")
    options.check()
    return wanted


def read_state(clients: None, wanted: RemediationWanted) -> None:
    """Nothing is read."""


def plan(wanted: RemediationWanted, seen: None) -> RemediationPlan:
    """Plan from what was audited."""
    return remediation.plan(wanted)


def apply(
    clients: None, wanted: RemediationWanted, seen: None, plan: RemediationPlan, report: Report
) -> Outcome:
    """Nothing is done."""
    return Outcome()


def result(wanted: RemediationWanted, seen: None, plan: RemediationPlan, outcome: Outcome) -> dict[str, Any]:
    """What the module returns of its own; the tasks only of a new plan."""
    new = plan.removals if wanted.planned is None else ()
    return {
        "revoke_tasks": tasks.revoke_tasks(new),
        "unshare_tasks": tasks.unshare_tasks(new, wanted.audited),
        "unreadable": [found.message for found in plan.unreadable],
        "removals": [item.as_result() for item in plan.removals],
    }


FLOW: Flow[RemediationWanted, None] = Flow(wanted_from, read_state, plan, apply, result, needs_aws=False)


def _audited(given: Mapping[str, Any]) -> Audited:
    """What ``ami_share_audit`` returned; raises ``Refused`` if that is not enough to go by."""
    if "findings" not in given:
        why = f" It said: {given['msg']}" if given.get("msg") else ""
        problem = f"audit_result: that is no result of ami_share_audit.{why}"
        raise Refused(
            [invalid_option("audit_result", problem, "Register that module's result, and give all of it.")]
        )
    try:
        audited = read(given)
    except (KeyError, TypeError) as exception:
        problem = f"audit_result: that is no whole result of ami_share_audit: {exception!r}."
        remedy = "Register that module's result, and give all of it."
        raise Refused([invalid_option("audit_result", problem, remedy)]) from exception
    told = {place_of(found) for found in audited.findings if found.code == "snapshot_unreadable"}
    if any(sharing is None and place not in told for place, sharing in audited.volumes.items()):
        problem = "audit_result: the audit did not read the permissions of snapshots."
        raise Refused([invalid_option("audit_result", problem, "Audit with check_snapshots: true.")])
    return audited


def _named(options: Options, given: Any) -> Iterator[Named]:
    """The images and snapshots of any of the forms; what is none is noted."""
    if isinstance(given, Mapping):
        for region, ids in given.items():
            for one in ids if isinstance(ids, list) else [ids]:
                yield _one_named(options, one, str(region))
        return
    texts = given.split(",") if isinstance(given, str) else given or []
    for item in texts if isinstance(texts, list) else [texts]:
        if isinstance(item, Mapping):
            ids = [item[key] for key in ("image_id", "snapshot_id") if item.get(key)]
            if len(ids) != 1 or not item.get("region"):
                problem = f"'{item}' does not name one image or snapshot and its region."
                options.refuse("images", problem, _FORMS)
                continue
            yield _one_named(options, ids[0], str(item["region"]))
        elif str(item).strip():
            yield _one_named(options, item, None)


def _one_named(options: Options, given: Any, region: str | None) -> Named:
    text = str(given).strip()
    if not (IMAGE_ID.fullmatch(text) or _SNAPSHOT_ID.fullmatch(text)):
        options.refuse("images", f"'{text}' is no id of an image or a snapshot.", _FORMS)
    return Named(text, region)


def _planned(options: Options, given: list[Mapping[str, Any]]) -> Iterator[Removal]:
    for item in given:
        if {"finding_codes", "image_id", "message", "principal", "region", "resource"} <= item.keys():
            place = Place(item["region"], item["resource"])
            codes = tuple(item["finding_codes"])
            yield Removal(place, item["principal"], codes, item["image_id"], item["message"])
        else:
            options.refuse("expected_removals", f"'{item}' is no removal.", "Give what this module returned.")
