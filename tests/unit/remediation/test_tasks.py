# SPDX-License-Identifier: GPL-3.0-or-later

"""The removals as options of ami_share and ami_kms_grant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils.audit.findings import NOT_ALLOWED
from ansible_collections.golden.images.plugins.module_utils.audit.state import (
    AuditSeen,
    Listed,
    RegionSeen,
)
from ansible_collections.golden.images.plugins.module_utils.remediation.tasks import (
    revoke_tasks,
    unshare_tasks,
)

from tests.unit.audit.examples import IMAGE, NOW, PRIVATE, PUBLIC, accounts, region, under_key
from tests.unit.examples import OWNER, SOURCE_ID, STRANGER, target_in, volumes
from tests.unit.keys.policies import ORG_ID, consumers, opened_to
from tests.unit.keys.policies import UNIT as UNIT_IDS
from tests.unit.kms_grant.examples import DEPLOY, KEY, A, B, made, root
from tests.unit.remediation.examples import audited, remediated

REGION, FAR = target_in().region, "us-west-2"


OTHER = replace(IMAGE, image_id="ami-00000000", name="other")


GRANT, STATEMENT = "grant_without_share", "statement_without_share"


def account_of(*regions: RegionSeen, **changes: Any) -> AuditSeen:
    """The account with one or two regions."""
    return AuditSeen(OWNER, NOW, dict(zip([target_in(), target_in(FAR)], regions, strict=False)), **changes)


def test_tasks_are_combined_and_listed_by_region() -> None:
    both = accounts(STRANGER)
    seen = account_of(region(both, both), region(both, both, OTHER))
    # The second snapshot is not shared, so that the first is a task of its own.
    images, snapshots = unshare_tasks(remediated(seen).removals, audited(seen))
    assert images == {
        "images": {REGION: SOURCE_ID, FAR: OTHER.image_id},
        "account_ids": [STRANGER],
        "org_arns": [],
        "org_unit_arns": [],
        "group": None,
        "share_snapshots": False,
        "snapshot_ids": [],
        "snapshots": {},
        "per_region": [
            {**images, "images": {region: image_id}, "per_region": []}
            for region, image_id in ((REGION, SOURCE_ID), (FAR, OTHER.image_id))
        ],
    }
    assert (snapshots["snapshot_ids"], snapshots["share_snapshots"]) == (["snap-1", "snap-1"], True)
    assert [part["snapshot_ids"] for part in snapshots["per_region"]] == [["snap-1"], ["snap-1"]]

    whole = account_of(region(both, volume_permissions={"snap-1": both, "snap-2": both}))
    (together,) = unshare_tasks(remediated(whole).removals, audited(whole))
    assert (together["share_snapshots"], together["snapshot_ids"], together["per_region"]) == (True, [], [])


def test_each_image_of_one_region_has_its_own_task() -> None:
    two = region(
        images=(Listed(IMAGE), Listed(replace(OTHER, devices=volumes("snap-3")))),
        sharing={SOURCE_ID: PUBLIC | accounts(STRANGER), OTHER.image_id: PUBLIC | accounts(STRANGER)},
    )
    seen = account_of(two)
    tasks = unshare_tasks(remediated(seen).removals, audited(seen))
    assert [(task["images"], task["group"], task["per_region"]) for task in tasks] == [
        ({REGION: OTHER.image_id}, "all", []),
        ({REGION: SOURCE_ID}, "all", []),
    ]


def test_a_key_is_one_task_for_all_principals() -> None:
    policy = opened_to(consumers(B, org_ids=(ORG_ID,), units=(UNIT_IDS,)))
    seen = account_of(under_key(PRIVATE, made(root(A)), made(DEPLOY), policy=policy))
    assert revoke_tasks(remediated(seen, codes=(GRANT, STATEMENT)).removals, audited(seen)) == [
        {
            "kms_key_ids": {REGION: KEY.arn},
            "account_ids": [A, B],
            "principals": [DEPLOY],
            "org_ids": [ORG_ID],
            "org_unit_ids": [UNIT_IDS[1]],
            "unshared_image_ids": [],
            "per_region": [],
        }
    ]


def test_a_key_is_revoked_whatever_the_images_that_are_unshared_are_shared_with() -> None:
    seen = account_of(
        replace(under_key(accounts(B), made(root(B))), volume_permissions={"snap-1": accounts(B)})
    )
    (task,) = revoke_tasks(remediated(seen).removals, audited(seen))
    assert (task["account_ids"], task["unshared_image_ids"]) == ([B], [SOURCE_ID])
    only_snapshot = account_of(
        replace(under_key(PRIVATE, made(root(B))), volume_permissions={"snap-1": accounts(B)})
    )
    plan = remediated(only_snapshot, codes=(*NOT_ALLOWED, "snapshot_wider_than_image"))
    (task,) = revoke_tasks(plan.removals, audited(only_snapshot))
    assert (task["account_ids"], task["unshared_image_ids"]) == ([B], [SOURCE_ID])


def test_snapshots_that_no_image_uses_are_one_task_of_each_region() -> None:
    here = region(unused={"snap-old": accounts(A), "snap-older": accounts(A), "snap-public": PUBLIC})
    seen = account_of(here, region(unused={"snap-far": accounts(A)}))
    by_account, by_public = unshare_tasks(remediated(seen).removals, audited(seen))
    assert by_account["snapshots"] == {REGION: ["snap-old", "snap-older"], FAR: ["snap-far"]}
    assert (by_account["images"], by_account["account_ids"], by_account["group"]) == ({}, [A], None)
    assert [part["snapshots"] for part in by_account["per_region"]] == [
        {REGION: ["snap-old", "snap-older"]},
        {FAR: ["snap-far"]},
    ]
    assert (by_public["snapshots"], by_public["account_ids"], by_public["group"]) == (
        {REGION: ["snap-public"]},
        [],
        "all",
    )
