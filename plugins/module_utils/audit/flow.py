# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_share_audit``: who can use the account's images, compared with who may. Read-only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ..arguments import ORG_ARN, ORG_UNIT_ARN, Options
from ..aws import errors
from ..aws.caller import identify_with_regions
from ..aws.clients import Clients
from ..failures import Refused
from ..finding import Severity
from ..model import Sharing, Target
from ..regions import select_regions
from ..runner import Flow, Outcome, change_nothing
from . import plan as audit
from . import read as reads
from .plan import AuditPlan
from .state import AuditSeen, AuditWanted, Rule

_ORG = "arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5"
_UNIT = "arn:aws:organizations::111122223333:ou/o-a1b2c3d4e5/ou-ab12-11111111"


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> AuditWanted:
    """The validated options; raises ``Refused`` with every invalid option."""
    options = Options(params)
    wanted = AuditWanted(
        regions=tuple(dict.fromkeys(options.regions("regions"))),
        allowed=Sharing(
            account_ids=frozenset(options.account_ids("allowed_account_ids")),
            org_arns=frozenset(options.matching("allowed_org_arns", ORG_ARN, _ORG)),
            org_unit_arns=frozenset(options.matching("allowed_org_unit_arns", ORG_UNIT_ARN, _UNIT)),
        ),
        rules=tuple(_rule(options, number, given) for number, given in enumerate(params["rules"])),
        fail_on=None if params["fail_on"] == "none" else Severity[params["fail_on"].upper()],
        check_snapshots=params["check_snapshots"],
        check_keys=params["check_keys"],
    )
    options.check()
    return wanted


def read_state(clients: Clients, wanted: AuditWanted) -> AuditSeen:
    """Read all regions in parallel. What cannot be read is a finding; everything else is still read."""
    caller, known = identify_with_regions(clients, wanted.regions)
    names, failures = select_regions(wanted.regions, known)
    if failures:
        raise Refused(failures)
    seen, failed = reads.regions(clients, [Target(caller.account_id, name) for name in names], wanted)
    return AuditSeen(
        account_id=caller.account_id,
        now=datetime.now(UTC),
        regions=seen,
        unread={
            target: errors.failure(exception, target, "DescribeImages")
            for target, exception in failed.items()
        },
    )


def result(wanted: AuditWanted, seen: AuditSeen, plan: AuditPlan, outcome: Outcome) -> dict[str, Any]:
    """The returned keys that are specific to this module."""
    return {
        "account_id": seen.account_id,
        "check_keys": wanted.check_keys,
        "check_snapshots": wanted.check_snapshots,
        "findings": [finding.as_result() for finding in plan.findings],
        "kms_keys": audit.keys(seen),
        "regions": audit.regions(seen),
        "results": audit.results(seen, plan),
        "unused_snapshots": audit.unused_snapshots(seen),
    }


FLOW: Flow[AuditWanted, AuditSeen] = Flow(
    wanted_from, read_state, audit.plan, change_nothing, result, only_reads=True
)


def _rule(options: Options, number: int, given: Mapping[str, Any]) -> Rule:
    """One of ``rules``; invalid suboptions are reported with the rule's index."""
    own = Options(given)
    tags = {str(key): "" if value is None else str(value) for key, value in (given["tags"] or {}).items()}
    pattern = (given["name_pattern"] or "").strip() or None
    if pattern is None and not tags:
        own.refuse("name_pattern", "the rule selects no images.", "Set name_pattern, tags, or both.")
    rule = Rule(replace(own.consumers(), public=given["public"]), pattern, tags)
    try:
        own.check()
    except Refused as refused:
        where = f"rules[{number}]"
        options.add(
            replace(one, action=f"{where}.{one.action}", message=f"{where}.{one.message}")
            for one in refused.failures
        )
    return rule
