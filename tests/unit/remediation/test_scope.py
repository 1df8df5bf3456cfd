# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images, snapshots and keys a remediation covers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.audit.state import (
    AuditSeen,
    Problem,
    RegionSeen,
)
from ansible_collections.golden.images.plugins.module_utils.failures import Failure
from ansible_collections.golden.images.plugins.module_utils.model import KeySeen
from ansible_collections.golden.images.plugins.module_utils.remediation.scope import Named

from tests.unit.audit.examples import IMAGE, NOW, PRIVATE, accounts, region, under_key
from tests.unit.examples import OWNER, SOURCE_ID, STRANGER, target_in
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import policy_of
from tests.unit.kms_grant.examples import KEY, A, B, made, root
from tests.unit.remediation.examples import remediated

REGION, FAR = target_in().region, "us-west-2"


OTHER = replace(IMAGE, image_id="ami-00000000", name="other")


def account_of(*regions: RegionSeen, **changes: Any) -> AuditSeen:
    """The account with one or two regions."""
    return AuditSeen(OWNER, NOW, dict(zip([target_in(), target_in(FAR)], regions, strict=False)), **changes)


@pytest.mark.parametrize(
    ("named", "codes", "expected"),
    [
        pytest.param([Named(SOURCE_ID)], [], [(REGION, SOURCE_ID), (REGION, "snap-1")], id="an image"),
        pytest.param([Named("snap-1", REGION)], [], [(REGION, "snap-1")], id="a snapshot alone"),
        pytest.param(
            [Named("snap-1")], [], [(REGION, "snap-1"), (FAR, "snap-1")], id="a snapshot in any region"
        ),
        pytest.param([Named(OTHER.image_id, FAR)], ["public"], [], id="an image that has no such finding"),
        pytest.param(
            [Named(OTHER.image_id, FAR), Named("snap-1", REGION)],
            ["unknown_account"],
            [(REGION, "snap-1"), (FAR, OTHER.image_id), (FAR, "snap-1")],
            id="several",
        ),
    ],
)
def test_what_is_named(named: list[Named], codes: list[str], expected: list[Any]) -> None:
    both = accounts(STRANGER)
    seen = account_of(region(both, both), region(both, both, OTHER))
    plan = remediated(seen, named=tuple(named), codes=tuple(codes))
    assert plan.refusals == ()
    assert [item.resource for item in plan.removals] == expected


def test_key_access_is_revoked_with_a_named_snapshot() -> None:
    seen = account_of(replace(under_key(PRIVATE, made(root(B))), volume_permissions={"snap-1": accounts(B)}))
    plan = remediated(seen, named=(Named("snap-1"),))
    assert [item.resource.resource_id for item in plan.removals] == ["snap-1", KEY.arn]


def test_a_named_snapshot_covers_the_keys_that_it_is_associated_with() -> None:
    second = replace(KEY, arn=key_arn("b"))
    keys = {
        KEY.arn: KeySeen(KEY, (), policy_of()),
        second.arn: KeySeen(second, (made(root(B)),), policy_of()),
    }
    seen = account_of(under_key(PRIVATE, keys=keys, associated_keys={"snap-1": (second.arn,)}))
    plan = remediated(seen, named=(Named("snap-1"),), codes=("grant_without_share",))
    assert [item.resource.resource_id for item in plan.removals] == [second.arn]


def failure(action: str, region: str = REGION) -> Failure:
    """Why something could not be read."""
    return Failure("You may not.", "Allow it.", "UnauthorizedOperation", action, region, OWNER)


@pytest.mark.parametrize(
    ("named", "refused", "unreadable"),
    [
        pytest.param((Named("ami-99999999"),), [], 1, id="in any region, one of which could not be read"),
        pytest.param((Named("ami-99999999", FAR),), [], 1, id="in a region that could not be read"),
        pytest.param((Named("ami-99999999", REGION),), ["images"], 0, id="not in a region that was read"),
        pytest.param((Named("ami-99999999", "sa-east-1"),), ["images"], 0, id="in an unaudited region"),
        pytest.param((Named("snap-9", REGION),), ["images"], 0, id="no image has the snapshot"),
        pytest.param((Named("snap-8", REGION),), [], 0, id="a private snapshot that no image uses"),
        pytest.param((Named("snap-7", REGION),), [], 1, id="a snapshot that could not be read"),
        pytest.param((Named(SOURCE_ID),), [], 0, id="it was read"),
        pytest.param((), [], 2, id="everything"),
    ],
)
def test_missing_named_images(named: tuple[Named, ...], refused: list[str], unreadable: int) -> None:
    problem = Problem("snapshot_unreadable", "snap-7", failure("DescribeSnapshotAttribute"))
    here = region(accounts(A), unused={"snap-8": PRIVATE}, problems=(problem,))
    seen = account_of(here, unread={target_in(FAR): failure("DescribeImages", FAR)})
    plan = remediated(seen, named=named)
    assert [item.action for item in plan.refusals] == refused
    assert len(plan.unreadable) == unreadable


@pytest.mark.parametrize("where", [REGION, None])
def test_a_snapshot_is_not_refused_where_unused_ones_could_not_be_listed(where: str | None) -> None:
    problem = Problem("unused_snapshots_unreadable", REGION, failure("DescribeSnapshots"))
    seen = account_of(region(problems=(problem,)), region())
    plan = remediated(seen, named=(Named("snap-9", where),))
    assert (plan.refusals, [one.code for one in plan.unreadable]) == ((), ["unused_snapshots_unreadable"])
    (refused,) = remediated(seen, named=(Named("ami-99999999", where),)).refusals
    assert "CreateImage" not in refused.remedy
    (refused,) = remediated(seen, named=(Named("snap-9", FAR),)).refusals
    assert "CreateImage or CopyImage must have made it." in refused.remedy


@pytest.mark.parametrize("named", [(), (Named(SOURCE_ID),), (Named(SOURCE_ID, REGION),)])
def test_a_snapshot_whose_key_is_not_known_is_reported_with_every_key(named: tuple[Named, ...]) -> None:
    problem = Problem("key_unreadable", "snap-9", failure("DescribeSnapshots"), "ami-9")
    plan = remediated(account_of(region(accounts(A), problems=(problem,))), named=named)
    assert [one.code for one in plan.unreadable] == ["key_unreadable"]
    assert len(plan.removals) == 1
