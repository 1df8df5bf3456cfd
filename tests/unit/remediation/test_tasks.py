# SPDX-License-Identifier: GPL-3.0-or-later

"""The removals as options of ami_share and ami_kms_grant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._audit.causes import NOT_ALLOWED
from ansible_collections.golden.images.plugins.module_utils._audit.state import Listed, RegionState

from tests.unit.audit.examples import IMAGE, PRIVATE, PUBLIC, accounts, region, under_key
from tests.unit.examples import SOURCE_ID, STRANGER, volumes
from tests.unit.keys.policies import ORG_ID, consumers, opened_to
from tests.unit.keys.policies import UNIT as UNIT_IDS
from tests.unit.kms_grant.examples import DEPLOY, KEY, A, B, made, root
from tests.unit.remediation.examples import FAR, HERE, remediated

SNAPSHOT = "snap-00000001"
OTHER = replace(IMAGE, image_id="ami-00000000", name="other")
GRANT, STATEMENT = "grant_without_share", "statement_without_share"


def unshare_tasks(*regions: RegionState) -> list[dict[str, Any]]:
    """The tasks of ``ami_share`` for an account with these regions."""
    tasks: list[dict[str, Any]] = remediated(*regions)["unshare_tasks"]
    return tasks


def test_tasks_are_combined_and_listed_by_region() -> None:
    both = accounts(STRANGER)
    seen = region(both, both), region(both, both, OTHER)
    # The second snapshot is not shared, so that the first is a task of its own.
    images, snapshots = unshare_tasks(*seen)
    assert images == {
        "images": {HERE: SOURCE_ID, FAR: OTHER.image_id},
        "account_ids": [STRANGER],
        "org_arns": [],
        "org_unit_arns": [],
        "group": None,
        "share_snapshots": False,
        "snapshot_ids": [],
        "snapshots": {},
        "per_region": [
            {**images, "images": {region: image_id}, "per_region": []}
            for region, image_id in ((HERE, SOURCE_ID), (FAR, OTHER.image_id))
        ],
    }
    assert (snapshots["snapshot_ids"], snapshots["share_snapshots"]) == ([SNAPSHOT, SNAPSHOT], True)
    assert [part["snapshot_ids"] for part in snapshots["per_region"]] == [[SNAPSHOT], [SNAPSHOT]]

    (together,) = unshare_tasks(region(both, volume_permissions={SNAPSHOT: both, "snap-00000002": both}))
    assert (together["share_snapshots"], together["snapshot_ids"], together["per_region"]) == (True, [], [])


def test_each_image_of_one_region_has_its_own_task() -> None:
    seen = region(
        images=(Listed(IMAGE), Listed(replace(OTHER, devices=volumes("snap-00000003")))),
        sharing={SOURCE_ID: PUBLIC | accounts(STRANGER), OTHER.image_id: PUBLIC | accounts(STRANGER)},
    )
    tasks = unshare_tasks(seen)
    assert [(task["images"], task["group"], task["per_region"]) for task in tasks] == [
        ({HERE: OTHER.image_id}, "all", []),
        ({HERE: SOURCE_ID}, "all", []),
    ]


def test_a_key_is_one_task_for_all_principals() -> None:
    policy = opened_to(consumers(B, org_ids=(ORG_ID,), units=(UNIT_IDS,)))
    seen = under_key(PRIVATE, made(root(A)), made(DEPLOY), policy=policy)
    assert remediated(seen, finding_codes=[GRANT, STATEMENT])["revoke_tasks"] == [
        {
            "kms_key_ids": {HERE: KEY.arn},
            "account_ids": [A, B],
            "principals": [DEPLOY],
            "org_ids": [ORG_ID],
            "org_unit_ids": [UNIT_IDS[1]],
            "unshared_image_ids": [],
            "unshared_snapshot_ids": [],
            "per_region": [],
        }
    ]


@pytest.mark.parametrize(
    "launch", [pytest.param(accounts(B), id="shared"), pytest.param(PRIVATE, id="private")]
)
def test_a_key_is_revoked_whatever_the_images_that_are_unshared_are_shared_with(launch: Any) -> None:
    seen = under_key(launch, made(root(B)), volume_permissions={SNAPSHOT: accounts(B)})
    (task,) = remediated(seen, finding_codes=[*NOT_ALLOWED, "snapshot_wider_than_image"])["revoke_tasks"]
    assert (task["account_ids"], task["unshared_image_ids"]) == ([B], [SOURCE_ID])


@pytest.mark.parametrize(
    ("shared_with", "named"),
    [
        pytest.param(accounts(B), ["snap-old"], id="nobody keeps it"),
        pytest.param(accounts(A, B), [], id="one who loses the key keeps it"),
    ],
)
def test_a_key_is_revoked_whatever_the_snapshots_that_are_unshared_are_shared_with(
    shared_with: Any, named: list[str]
) -> None:
    seen = under_key(
        PRIVATE, made(root(A)), made(root(B)), unused={"snap-old": shared_with, "snap-kept": accounts(A)}
    )
    audit = {"allowed_account_ids": [A]}
    (task,) = remediated(seen, audit=audit, finding_codes=[*NOT_ALLOWED, GRANT])["revoke_tasks"]
    assert (task["account_ids"], task["unshared_snapshot_ids"]) == ([A, B], named)


def test_snapshots_that_no_image_uses_are_one_task_of_each_region() -> None:
    here = region(unused={"snap-old": accounts(A), "snap-older": accounts(A), "snap-public": PUBLIC})
    by_account, by_public = unshare_tasks(here, region(unused={"snap-far": accounts(A)}))
    assert by_account["snapshots"] == {HERE: ["snap-old", "snap-older"], FAR: ["snap-far"]}
    assert (by_account["images"], by_account["account_ids"], by_account["group"]) == ({}, [A], None)
    assert [part["snapshots"] for part in by_account["per_region"]] == [
        {HERE: ["snap-old", "snap-older"]},
        {FAR: ["snap-far"]},
    ]
    assert (by_public["snapshots"], by_public["account_ids"], by_public["group"]) == (
        {HERE: ["snap-public"]},
        [],
        "all",
    )
