# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``remediation_plan``: the permissions to remove for an audit's findings. Makes no AWS calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..arguments import IMAGE_ID, SNAPSHOT_ID, Options
from ..audit.structure import check_audit
from ..failures import Refused, invalid_option
from ..runner import Flow, Outcome, change_nothing
from ..structure import TEXT, Absent, Null, as_list, check_result
from ..wording import shown
from . import plan as remediation
from . import tasks
from .kept import KeptAccess, dependents, kept_access, unseen_accounts
from .plan import RemediationPlan, RemediationWanted, Removal
from .scope import Named
from .state import Audited, Resource, read

_REMOVAL = {
    "finding_codes": [TEXT],
    "image_id": Null(TEXT),
    "message": TEXT,
    "principal": TEXT,
    "region": TEXT,
    "resource": TEXT,
}
_REVOKED = [
    {
        "results": Absent(
            [
                {
                    "kms_keys": [
                        {
                            "kept_access": [
                                {
                                    "principal": TEXT,
                                    "image_ids": [TEXT],
                                    "reason": TEXT,
                                    "resource_ids": [TEXT],
                                }
                            ],
                            "dependents": [{"account_id": TEXT, "resource_ids": [TEXT]}],
                            "kms_key_arn": TEXT,
                            "unseen_accounts": [{"account_id": TEXT, "reason": TEXT}],
                        }
                    ],
                    "region": TEXT,
                }
            ]
        )
    }
]
_FORMS = "Set IDs, mappings with region and image_id or snapshot_id, or a mapping of region to IDs."


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> RemediationWanted:
    """The validated options; raises ``Refused`` with every invalid option."""
    options = Options(params)
    planned = params["expected_removals"]
    options.add(check_result("expected_removals", planned, Null([_REMOVAL]), "remediation_plan"))
    options.check()
    kept, dependent, unseen = _revoked(options, params["revoke_results"])
    wanted = RemediationWanted(
        audited=_audited(params["audit_result"]),
        codes=tuple(dict.fromkeys(options.strings("finding_codes"))),
        named=tuple(dict.fromkeys(_named(options, params["images"]))),
        planned=None if planned is None else tuple(_planned(planned)),
        kept=kept,
        dependents=dependent,
        unseen=unseen,
        max_removals=params["max_removals"],
    )
    if wanted.planned is None and not (wanted.codes or wanted.named):
        options.refuse(
            "finding_codes",
            "finding_codes, images or both are required.",
            "Set finding_codes, images, or both. With both, only those findings of those images are fixed.",
        )
    if wanted.max_removals < 0:
        options.refuse(
            "max_removals",
            f"must be 0 or greater (got {wanted.max_removals}).",
            "Set the number of removals to allow.",
        )
    options.check()
    return wanted


def read_state(clients: None, wanted: RemediationWanted) -> None:
    """Read nothing."""


def plan(wanted: RemediationWanted, seen: None) -> RemediationPlan:
    """Plan from the audit's result."""
    return remediation.plan(wanted)


def result(wanted: RemediationWanted, seen: None, plan: RemediationPlan, outcome: Outcome) -> dict[str, Any]:
    """The returned keys that are specific to this module; tasks for a new plan only."""
    new = plan.removals if wanted.planned is None else ()
    return {
        "kept_access": [one.as_result() for one in wanted.kept],
        "dependents": [dict(one) for one in wanted.dependents],
        "unseen_accounts": [dict(one) for one in wanted.unseen],
        "revoke_tasks": tasks.revoke_tasks(new, wanted.audited),
        "unshare_tasks": tasks.unshare_tasks(new, wanted.audited),
        "unreadable": [found.message for found in plan.unreadable],
        "removals": [item.as_result() for item in plan.removals],
    }


FLOW: Flow[RemediationWanted, None] = Flow(
    wanted_from, read_state, plan, change_nothing, result, needs_aws=False
)


def _audited(given: Mapping[str, Any]) -> Audited:
    """The result of ``ami_share_audit``; raises ``Refused`` if it is incomplete."""
    if "findings" not in given:
        why = f" The audit failed: {given['msg']}" if given.get("msg") else ""
        problem = f"audit_result: not a result of ami_share_audit.{why}"
        raise Refused(
            [
                invalid_option(
                    "audit_result", problem, "Register the result of that module, and pass all of it."
                )
            ]
        )
    if failures := check_audit("audit_result", given, complete=True):
        raise Refused(failures)
    if not given["check_snapshots"]:
        problem = "audit_result: the audit did not read the volume permissions of snapshots."
        raise Refused([invalid_option("audit_result", problem, "Audit with check_snapshots: true.")])
    return read(given)


def _revoked(
    options: Options, given: list[Mapping[str, Any]]
) -> tuple[tuple[KeptAccess, ...], tuple[Mapping[str, Any], ...], tuple[Mapping[str, str], ...]]:
    """The access that was kept, the accounts that lose access they need, and those that were not read."""
    failures = check_result("revoke_results", given, _REVOKED, "ami_kms_grant")
    options.add(failures)
    if failures:
        return (), (), ()
    return kept_access(given), tuple(dependents(given)), tuple(unseen_accounts(given))


def _named(options: Options, given: Any) -> Iterator[Named]:
    """The images and snapshots in any of the accepted forms; invalid ones are added to the refusals.

    Nothing is named only if the option is not set or is empty as a whole, which selects all images. A
    selection that turned out empty does not.
    """
    if isinstance(given, Mapping):
        for region, ids in given.items():
            if not as_list(ids):
                options.refuse("images", f"{shown(region)} has no IDs.", _FORMS)
            for one in as_list(ids):
                yield _one_named(options, one, options.region("images", region))
        return
    if given and not any(isinstance(item, Mapping) or str(item).strip() for item in given):
        options.refuse("images", "all items are empty.", "Set IDs; only the whole list can be empty.")
    for item in given or []:
        if isinstance(item, Mapping):
            ids = [item[key] for key in ("image_id", "snapshot_id") if item.get(key)]
            if len(ids) != 1 or not item.get("region"):
                problem = f"{shown(item)} must have region and one of image_id and snapshot_id."
                options.refuse("images", problem, _FORMS)
                continue
            yield _one_named(options, ids[0], options.region("images", item["region"]))
        elif str(item).strip():
            yield _one_named(options, item, None)


def _one_named(options: Options, given: Any, region: str | None) -> Named:
    text = str(given).strip()
    if not (IMAGE_ID.fullmatch(text) or SNAPSHOT_ID.fullmatch(text)):
        options.refuse("images", f"{shown(given)} is not a valid AMI ID or snapshot ID.", _FORMS)
    return Named(text, region)


def _planned(given: list[Mapping[str, Any]]) -> Iterator[Removal]:
    for item in given:
        resource = Resource(item["region"], item["resource"])
        codes = tuple(item["finding_codes"])
        yield Removal(resource, item["principal"], codes, item["image_id"], item["message"])
