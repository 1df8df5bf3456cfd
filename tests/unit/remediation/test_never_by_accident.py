# SPDX-License-Identifier: GPL-3.0-or-later

"""No combination of options removes what the audit allows, what is not chosen, or more than the maximum."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._audit.causes import NOT_ALLOWED
from ansible_collections.golden.images.plugins.module_utils._model import Sharing
from ansible_collections.golden.images.plugins.module_utils._remediation import flow as remediation_plan

from tests.unit.audit.examples import accounts, audit_of, under_key
from tests.unit.examples import CONSUMER, ORG, SOURCE_ID, STRANGER
from tests.unit.in_process import returned
from tests.unit.kms_grant.examples import made, root
from tests.unit.remediation.examples import FAR, HERE

pytestmark = pytest.mark.exhaustive

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
    {HERE: SOURCE_ID},
    {HERE: []},
    {HERE: [""]},
    {HERE: [], FAR: []},
    {FAR: SOURCE_ID},
)
# The values that select all images, and those that select the only one.
ALL_IMAGES: tuple[Any, ...] = (None, [], "", {})
THE_IMAGE: tuple[Any, ...] = ([SOURCE_ID], {HERE: SOURCE_ID})
ALLOWED: tuple[dict[str, Any], ...] = (
    {},
    {"allowed_account_ids": [CONSUMER]},
    {"allowed_account_ids": [CONSUMER, STRANGER]},
    {"allowed_org_arns": [ORG]},
)
HELD = (
    Sharing(),
    accounts(CONSUMER, STRANGER),
    Sharing(frozenset({CONSUMER}), frozenset({ORG})),
    Sharing(frozenset({STRANGER}), public=True),
)


def test_every_combination_of_options_removes_only_what_is_found_and_chosen() -> None:
    tried = planned = removed = 0
    audits = [(allowed, _audited(allowed, held)) for allowed, held in product(ALLOWED, HELD)]
    for codes, images, (allowed, audited), most in product(CODES, IMAGES, audits, (1, 10)):
        tried += 1
        options = {"finding_codes": codes, "images": images, "max_removals": most}
        result = returned(remediation_plan, {"audit_result": audited, **options})
        if result.get("failed"):
            continue
        planned += 1
        removed += len(result["removals"])
        _check(result["removals"], codes, images, allowed, most)
    assert (tried, planned, removed) == (5824, 886, 546)


def _audited(allowed: dict[str, Any], held: Sharing) -> dict[str, Any]:
    keys = [made(root(one), grant_id=f"g-{one}") for one in (CONSUMER, STRANGER)]
    state = under_key(held, *keys, volume_permissions={"snap-00000001": held.accounts_only()})
    return audit_of(state, **allowed)


def _check(
    removals: list[dict[str, Any]], codes: list[Any], images: Any, allowed: dict[str, Any], most: int
) -> None:
    assert len(removals) <= most
    permitted = [one for names in allowed.values() for one in names]
    for one in removals:
        assert codes or images
        following = {"grant_without_share", "statement_without_share"}
        assert set(one["finding_codes"]) <= {*(codes or NOT_ALLOWED), *following}
        principal = one["principal"]
        named = principal.split(":")[4] if principal.endswith(":root") else principal
        if set(codes or NOT_ALLOWED) <= set(NOT_ALLOWED):
            assert named not in permitted
        assert images in THE_IMAGE or images in ALL_IMAGES
