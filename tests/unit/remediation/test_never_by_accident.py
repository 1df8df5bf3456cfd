# SPDX-License-Identifier: GPL-3.0-or-later

"""No combination of options removes what the audit allows, what is not chosen, or more than the maximum."""

from __future__ import annotations

from itertools import product
from typing import Any

from ansible_collections.golden.images.plugins.module_utils.audit.findings import NOT_ALLOWED
from ansible_collections.golden.images.plugins.module_utils.audit.state import AuditSeen, AuditWanted
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.model import Sharing
from ansible_collections.golden.images.plugins.module_utils.remediation.flow import FLOW

from tests.unit.audit.examples import NOW, accounts, under_key
from tests.unit.examples import CONSUMER, ORG, OWNER, SOURCE_ID, STRANGER, target_in
from tests.unit.kms_grant.examples import made, root
from tests.unit.remediation.examples import result_of
from tests.unit.remediation.test_flow import params

CODES: tuple[list[Any], ...] = (
    [],
    [""],
    [None],
    ["*"],
    ["all"],
    ["Public"],
    ["public"],
    ["unknown_account"],
    ["unknown_account", "public", "unknown_organization"],
    ["unknown_account", "typo"],
    ["grant_without_share"],
    ["snapshot_wider_than_image"],
    ["key_unreadable"],
)
IMAGES: tuple[Any, ...] = (
    None,
    [],
    "",
    [""],
    [None],
    "*",
    {},
    [SOURCE_ID],
    ["ami-0fedcba9876543210"],
    {target_in().region: SOURCE_ID},
    {target_in().region: []},
    {target_in().region: [""]},
    {target_in().region: [], "us-west-2": []},
    {"us-west-2": SOURCE_ID},
)
# The values that select all images, and those that select the only one.
ALL_IMAGES: tuple[Any, ...] = (None, [], "", {})
THE_IMAGE: tuple[Any, ...] = ([SOURCE_ID], {target_in().region: SOURCE_ID})
ALLOWED = (Sharing(), accounts(CONSUMER), accounts(CONSUMER, STRANGER), Sharing(org_arns=frozenset({ORG})))
HELD = (
    Sharing(),
    accounts(CONSUMER, STRANGER),
    Sharing(frozenset({CONSUMER}), frozenset({ORG})),
    Sharing(frozenset({STRANGER}), public=True),
)


def test_every_combination_of_options_removes_only_what_is_found_and_chosen() -> None:
    tried = planned = removed = 0
    audits = [(allowed, _audited(allowed, held)) for allowed, held in product(ALLOWED, HELD)]
    for codes, images, (allowed, audited), most in product(CODES, IMAGES, audits, (-1, 0, 1, 10)):
        tried += 1
        try:
            wanted = FLOW.wanted(
                params(audit_result=audited, finding_codes=codes, images=images, max_removals=most), False
            )
        except Refused:
            continue
        plan = FLOW.plan(wanted, None)
        if plan.refusals:
            continue
        planned += 1
        removed += len(plan.removals)
        _check(plan, codes, images, allowed, most)
    assert (tried, planned, removed) == (11648, 1214, 546)


def _audited(allowed: Sharing, held: Sharing) -> dict[str, Any]:
    keys = [made(root(one), grant_id=f"g-{one}") for one in (CONSUMER, STRANGER)]
    state = under_key(held, *keys, volume_permissions={"snap-1": held.accounts_only()})
    return result_of(AuditSeen(OWNER, NOW, {target_in(): state}), AuditWanted(allowed=allowed))


def _check(plan: Any, codes: list[Any], images: Any, allowed: Sharing, most: int) -> None:
    assert len(plan.removals) <= most
    for one in plan.removals:
        assert codes or images
        assert set(one.codes) <= {*(codes or NOT_ALLOWED), "grant_without_share", "statement_without_share"}
        named = one.principal.split(":")[4] if one.principal.endswith(":root") else one.principal
        if set(codes or NOT_ALLOWED) <= set(NOT_ALLOWED):
            assert named not in allowed.account_ids | allowed.org_arns
        assert images in THE_IMAGE or images in ALL_IMAGES
