# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``remediation_plan``, its refusals, and its result."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.audit.state import (
    AuditSeen,
    AuditWanted,
    RegionSeen,
)
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.progress import reporter
from ansible_collections.golden.images.plugins.module_utils.remediation.flow import FLOW, wanted_from
from ansible_collections.golden.images.plugins.module_utils.remediation.scope import Named
from ansible_collections.golden.images.plugins.module_utils.runner import Outcome
from ansible_collections.golden.images.plugins.modules.remediation_plan import ARGUMENT_SPEC

from tests.unit.audit.examples import NOW, accounts, region, under_key
from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, STRANGER, as_read, target_in
from tests.unit.kms_grant.examples import made, root
from tests.unit.remediation.examples import result_of
from tests.unit.remediation.test_kept import result_of_grant

SNAPSHOT = "snap-0123456789abcdef0"
HERE = target_in().region


def audit_of(seen: Any, **wanted: Any) -> dict[str, Any]:
    """The audit's result, converted to JSON as by Ansible."""
    result: dict[str, Any] = json.loads(
        json.dumps(result_of(AuditSeen(OWNER, NOW, {target_in(): seen}), AuditWanted(**wanted)))
    )
    return result


AUDITED = audit_of(region(accounts(STRANGER), accounts(STRANGER)))


def params(**changes: Any) -> dict[str, Any]:
    """The parameters of a task without options."""
    return as_read(ARGUMENT_SPEC, {"audit_result": AUDITED, **changes})


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        pytest.param([SOURCE_ID, f" {SNAPSHOT} ", ""], [(SOURCE_ID, None), (SNAPSHOT, None)], id="ids"),
        pytest.param(f"{SOURCE_ID}, {SNAPSHOT},", [(SOURCE_ID, None), (SNAPSHOT, None)], id="text"),
        pytest.param(
            [{"region": HERE, "image_id": SOURCE_ID}, {"region": HERE, "snapshot_id": SNAPSHOT}],
            [(SOURCE_ID, HERE), (SNAPSHOT, HERE)],
            id="mappings",
        ),
        pytest.param(
            {HERE: SOURCE_ID, "us-west-2": [SOURCE_ID, SNAPSHOT]},
            [(SOURCE_ID, HERE), (SOURCE_ID, "us-west-2"), (SNAPSHOT, "us-west-2")],
            id="a mapping",
        ),
        pytest.param([SOURCE_ID, SOURCE_ID], [(SOURCE_ID, None)], id="twice"),
        pytest.param(None, [], id="none"),
        pytest.param("", [], id="a blank"),
    ],
)
def test_images(images: Any, expected: list[Any]) -> None:
    wanted = wanted_from(params(finding_codes=["public"], images=images), False)
    assert wanted.named == tuple(Named(*one) for one in expected)


def test_other_options() -> None:
    wanted = wanted_from(params(finding_codes=["public", " public "], max_removals=0), False)
    assert (wanted.codes, wanted.max_removals, wanted.planned) == (("public",), 0, None)


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        pytest.param({}, ["finding_codes"], id="neither codes nor images"),
        pytest.param({"finding_codes": [""], "images": []}, ["finding_codes"], id="blanks"),
        pytest.param({"images": ["web-1"]}, ["images"], id="a name"),
        pytest.param({"images": 5}, ["images"], id="a number"),
        pytest.param({"images": {HERE: None}}, ["images"], id="no image yet"),
        pytest.param(
            {"finding_codes": ["public"], "images": {HERE: []}}, ["images"], id="a region without IDs"
        ),
        pytest.param(
            {"finding_codes": ["public"], "images": {HERE: SOURCE_ID, "us-west-2": []}},
            ["images"],
            id="one of two regions without IDs",
        ),
        pytest.param({"finding_codes": ["public"], "images": ["", " "]}, ["images"], id="blanks as images"),
        pytest.param({"images": [{"image_id": SOURCE_ID}]}, ["images", "finding_codes"], id="no region"),
        pytest.param(
            {"images": [{"region": HERE, "image_id": SOURCE_ID, "snapshot_id": SNAPSHOT}]},
            ["images", "finding_codes"],
            id="an image and a snapshot",
        ),
        pytest.param({"finding_codes": ["public"], "max_removals": -1}, ["max_removals"], id="below zero"),
        pytest.param(
            {"finding_codes": ["public"], "revoke_results": [{"results": [{}]}]},
            ["revoke_results"],
            id="results of another module",
        ),
        pytest.param({"expected_removals": [{"region": HERE}]}, ["expected_removals"], id="half a removal"),
        pytest.param(
            {"finding_codes": ["public"], "audit_result": {}}, ["audit_result"], id="nothing was audited"
        ),
        pytest.param(
            {"finding_codes": ["public"], "audit_result": {"findings": []}},
            ["audit_result"],
            id="half a result",
        ),
    ],
)
def test_what_is_refused(changes: dict[str, Any], options: list[str]) -> None:
    with pytest.raises(Refused) as caught:
        wanted_from(params(**changes), False)
    assert [failure.action for failure in caught.value.failures] == options
    assert all(failure.remedy for failure in caught.value.failures)


def test_the_refusal_says_why_the_audit_failed() -> None:
    with pytest.raises(Refused, match="The audit failed: No credentials"):
        wanted_from(
            params(finding_codes=["public"], audit_result={"failed": True, "msg": "No credentials."}), False
        )


def test_an_audit_without_snapshots_is_refused() -> None:
    # Also if the account has no image, but may have shared snapshots of former ones.
    for seen in (region(accounts(STRANGER), volume_permissions={}), RegionSeen()):
        without = audit_of(seen, check_snapshots=False)
        with pytest.raises(Refused, match="check_snapshots: true"):
            wanted_from(params(finding_codes=["public"], audit_result=without), False)


def returned(**changes: Any) -> dict[str, Any]:
    """The keys that are specific to the module."""
    wanted = FLOW.wanted(params(**changes), False)
    seen = FLOW.read(None, wanted)
    plan = FLOW.plan(wanted, seen)
    assert (plan.refusals, plan.actions) == ((), ())
    outcome = FLOW.apply(None, wanted, seen, plan, reporter(None, print))
    assert outcome == Outcome()
    return FLOW.result(wanted, seen, plan, outcome)


def test_the_result_of_a_plan_and_of_its_verification() -> None:
    before = audit_of(
        under_key(accounts(STRANGER), made(root(STRANGER)), volume_permissions={"snap-1": accounts(STRANGER)})
    )
    result = returned(audit_result=before, images=[SOURCE_ID])
    assert [item["principal"] for item in result["removals"]] == [STRANGER] * 3
    (share,), (revoke,) = result["unshare_tasks"], result["revoke_tasks"]
    assert (share["images"], share["share_snapshots"]) == ({HERE: SOURCE_ID}, True)
    assert revoke["account_ids"] == [STRANGER]
    assert result["unreadable"] == []

    again = returned(audit_result=before, expected_removals=result["removals"])
    assert again == {**result, "unshare_tasks": [], "revoke_tasks": []}
    kept = {"principal": STRANGER, "image_ids": [], "reason": "It has volumes.", "resource_ids": ["vol-1"]}
    unseen = {"account_id": CONSUMER, "reason": "No role."}
    dependent = {"account_id": CONSUMER, "resource_ids": ["vol-2"]}
    of_grant = result_of_grant([kept], [unseen], [dependent])
    of_grant["results"][0]["kms_keys"][0]["kms_key_arn"] = result["removals"][2]["resource"]
    expected = returned(
        audit_result=before, expected_removals=result["removals"], revoke_results=[of_grant, {"failed": True}]
    )
    assert expected["removals"] == result["removals"][:2]
    assert [one["resource_ids"] for one in expected["kept_access"]] == [["vol-1"]]
    assert [one["resource_ids"] for one in expected["dependents"]] == [["vol-2"]]
    assert [one["account_id"] for one in expected["unseen_accounts"]] == [CONSUMER]
    gone = audit_of(under_key(accounts()))
    assert returned(audit_result=gone, expected_removals=result["removals"])["removals"] == []
