# SPDX-License-Identifier: GPL-3.0-or-later

"""Which removals of an earlier plan are not done, and what the results of ``ami_kms_grant`` add to that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._audit.state import Problem, RegionState
from ansible_collections.golden.images.plugins.module_utils._failures import Failure

from tests.unit.audit.examples import PRIVATE, PUBLIC, accounts, audit_of, orgs, region, under_key
from tests.unit.examples import CONSUMER, ORG, OWNER, SOURCE_ID, UNIT
from tests.unit.keys.policies import ORG_ID, consumers, opened_to, policy_of
from tests.unit.keys.policies import UNIT as UNIT_IDS
from tests.unit.kms_grant.examples import KEY, A, B, foreign, made, root
from tests.unit.remediation.examples import HERE, remediated, remediation, removed

SNAPSHOT, UNUSED = "snap-00000001", "snap-00000008"
DENIED = Failure("You may not.", "Allow it.", "UnauthorizedOperation", "DescribeImages", HERE, OWNER)
UNLISTED = Problem("unused_snapshots_unreadable", HERE, DENIED)
UNREAD = Problem("snapshot_unreadable", UNUSED, DENIED)
SHARED = under_key(accounts(B), made(root(B)), volume_permissions={SNAPSHOT: accounts(B)})
EVERYTHING = [SOURCE_ID, SNAPSHOT, KEY.arn]


@pytest.mark.parametrize(
    ("after", "left"),
    [
        pytest.param((SHARED,), EVERYTHING, id="nothing is done"),
        pytest.param((under_key(PRIVATE),), [], id="everything is done"),
        pytest.param((under_key(accounts(B)),), [SOURCE_ID], id="not the image"),
        pytest.param((under_key(PRIVATE, made(root(B))),), [KEY.arn], id="not the key"),
        pytest.param((), EVERYTHING, id="the region could not be read"),
        pytest.param(
            (replace(under_key(PRIVATE), sharing={}, volume_permissions={}, keys={}),),
            EVERYTHING,
            id="nothing of it could be read",
        ),
        pytest.param((RegionState(),), [KEY.arn], id="a deregistered image is not shared"),
        pytest.param(
            (RegionState(problems=(UNLISTED,)),),
            [SNAPSHOT, KEY.arn],
            id="its snapshot may be, if those that no image uses could not be listed",
        ),
    ],
)
def test_removals_that_are_not_done(after: tuple[RegionState, ...], left: list[str]) -> None:
    before = remediated(SHARED)
    assert [one["resource"] for one in before["removals"]] == EVERYTHING
    unread = {} if after else {HERE: DENIED}
    found = remediation(audit_of(*after, unread=unread), expected_removals=before["removals"])
    assert [one["resource"] for one in found["removals"]] == left
    assert (found["unshare_tasks"], found["revoke_tasks"], found["unreadable"]) == ([], [], [])


def _in_key(*account_ids: str, **who: Any) -> RegionState:
    return under_key(PRIVATE, policy=opened_to(consumers(*account_ids, **who)))


@pytest.mark.parametrize(
    ("resource", "principal", "seen", "is_left"),
    [
        pytest.param(SOURCE_ID, A, region(accounts(A)), True, id="an account"),
        pytest.param(SOURCE_ID, B, region(accounts(A)), False, id="another account"),
        pytest.param(SOURCE_ID, "all", region(PUBLIC), True, id="the public"),
        pytest.param(SOURCE_ID, ORG, region(orgs(ORG)), True, id="an organization"),
        pytest.param(SOURCE_ID, UNIT, region(orgs(ORG)), False, id="a unit, not its organization"),
        pytest.param(SOURCE_ID, UNIT, region(orgs(units=[UNIT])), True, id="a unit"),
        pytest.param(SNAPSHOT, A, region(accounts(A)), False, id="a private snapshot"),
        pytest.param(SNAPSHOT, A, region(volume=accounts(A)), True, id="a snapshot"),
        pytest.param(UNUSED, A, region(unused={UNUSED: accounts(A)}), True, id="one that no image uses"),
        pytest.param(UNUSED, A, region(unused={UNUSED: PRIVATE}), False, id="a private one"),
        pytest.param(UNUSED, A, region(problems=(UNREAD,)), True, id="one that could not be read"),
        pytest.param(UNUSED, A, region(problems=(UNLISTED,)), True, id="one that may exist"),
        pytest.param("ami-00000000", A, region(problems=(UNLISTED,)), False, id="an image that is gone"),
        pytest.param(KEY.arn, A, under_key(PRIVATE, made(root(A))), True, id="a grant"),
        pytest.param(KEY.arn, A, under_key(PRIVATE, foreign(root(A))), False, id="a grant of others"),
        pytest.param(KEY.arn, A, _in_key(A), True, id="a statement"),
        pytest.param(KEY.arn, ORG_ID, _in_key(org_ids=(ORG_ID,)), True, id="a statement for an organization"),
        pytest.param(KEY.arn, UNIT_IDS[1], _in_key(units=(UNIT_IDS,)), True, id="a statement for a unit"),
        pytest.param(
            KEY.arn,
            B,
            under_key(
                PRIVATE,
                policy=policy_of(
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": root(B)},
                        "Action": "kms:Decrypt",
                        "Resource": "*",
                    }
                ),
            ),
            False,
            id="a statement of others",
        ),
        pytest.param("arn:other", B, under_key(PRIVATE), True, id="a key that was not read"),
    ],
)
def test_what_is_held_is_not_removed(resource: str, principal: str, seen: RegionState, is_left: bool) -> None:
    removal = {
        "finding_codes": ["unknown_account"],
        "image_id": None,
        "message": "Remove it.",
        "principal": principal,
        "region": HERE,
        "resource": resource,
    }
    left = remediated(seen, expected_removals=[removal])["removals"]
    assert left == ([removal] if is_left else [])


def of_grant(
    kept_access: Sequence[dict[str, Any]] = (),
    dependents: Sequence[dict[str, Any]] | None = (),
    unseen_accounts: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """A result of ``ami_kms_grant`` for the key."""
    key = {"dependents": None if dependents is None else list(dependents), "kms_key_arn": KEY.arn}
    return {
        "failed": False,
        "kept_access": [
            {
                "principals": [access.pop("principal")],
                "kms_keys": [{**access, "kms_key_arn": arn} for arn in (KEY.arn, "another key")],
            }
            for access in map(dict, kept_access)
        ],
        "results": [{"kms_keys": [key], "region": HERE}],
        "unseen_accounts": [
            {"account_ids": [one["account_id"]], "kms_key_arns": [KEY.arn], "reason": one["reason"]}
            for one in unseen_accounts
        ],
    }


def kept(principal: str, reason: str = "It has volumes.", **needs: Any) -> dict[str, Any]:
    return {"principal": principal, "image_ids": [], "reason": reason, "resource_ids": [], **needs}


@pytest.mark.parametrize(
    ("access", "left"),
    [
        pytest.param(kept(B, resource_ids=["vol-1"]), [SOURCE_ID, SNAPSHOT], id="for volumes"),
        pytest.param(kept(B, image_ids=["ami-1"]), [SOURCE_ID, SNAPSHOT], id="for an image"),
        pytest.param(kept(B, "Not read."), EVERYTHING, id="a rerun can tell if it is needed"),
        pytest.param(kept(OWNER, image_ids=["ami-1"]), EVERYTHING, id="of another principal"),
    ],
)
def test_access_that_is_needed_is_not_expected_to_be_removed(access: dict[str, Any], left: list[str]) -> None:
    earlier = remediated(SHARED)["removals"]
    results = [{"failed": True, "msg": "No."}, of_grant(kept_access=[access])]
    found = remediated(SHARED, expected_removals=earlier, revoke_results=results)
    assert [one[0] for one in removed(found)] == left


def test_key_access_that_was_kept_or_revoked_is_named_with_its_key() -> None:
    where = {"region": HERE, "resource": KEY.arn}
    volumes = kept(CONSUMER, resource_ids=["vol-1", "vol-2"])
    pending = kept(B, "ami-1 is pending.")
    dependent = {"account_id": CONSUMER, "resource_ids": ["snap-1", "vol-1"]}
    unseen = {"account_id": CONSUMER, "reason": "No role."}
    result = of_grant(kept_access=[volumes, pending], dependents=[dependent], unseen_accounts=[unseen])
    found = remediated(SHARED, revoke_results=[{"failed": True}, result])
    message = f"{HERE}: access to {KEY.arn} is kept for {CONSUMER}: It has volumes (vol-1, vol-2)."
    assert found["kept_access"] == [
        {**volumes, **where, "message": message},
        {**pending, **where, "message": f"{HERE}: access to {KEY.arn} is kept for {B}: ami-1 is pending."},
    ]
    ((message, rest),) = [(one.pop("message"), one) for one in found["dependents"]]
    assert message.startswith(f"{HERE}: {CONSUMER} loses access to {KEY.arn} (snap-1, vol-1): It has volumes")
    assert rest == {**dependent, **where}
    message = f"{HERE}: not all that {CONSUMER} may have under {KEY.arn} was read: No role."
    assert found["unseen_accounts"] == [{**unseen, **where, "message": message}]


def test_what_depends_on_a_key_is_null_if_that_was_not_read_of_each_key() -> None:
    dependent = {"account_id": CONSUMER, "resource_ids": ["vol-1"]}
    known, unread = of_grant(dependents=[dependent]), of_grant(dependents=None)
    found = remediated(SHARED, revoke_results=[known, unread])
    assert (found["dependents"], found["unseen_accounts"], found["kept_access"]) == (None, None, [])
