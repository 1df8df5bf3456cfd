# SPDX-License-Identifier: GPL-3.0-or-later

"""Who would lose access to a key, and who keeps it because of other images."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils.keys.needed import (
    ConsumerResources,
    Kept,
    SharedUnderKey,
)
from ansible_collections.golden.images.plugins.module_utils.keys.policy_statements import (
    PolicyAccess,
    PolicyConsumers,
)
from ansible_collections.golden.images.plugins.module_utils.kms_grant import losses
from ansible_collections.golden.images.plugins.module_utils.kms_grant.state import (
    AUTO_SCALING_OPERATIONS,
    GrantSeen,
    GrantWanted,
)
from ansible_collections.golden.images.plugins.module_utils.model import (
    Grant,
    KeyRef,
    KeySeen,
    Sharing,
)

from tests.unit.examples import ORG, UNIT, target_in
from tests.unit.keys.policies import ORG_ID, OTHER_ORG_ID, consumers, opened_to, own_access
from tests.unit.kms_grant.examples import (
    DEPLOY,
    KEY,
    PLAIN_POLICY,
    REGION,
    A,
    B,
    C,
    calls,
    foreign,
    made,
    planned,
    root,
    scaling_role,
    seen,
    wanted,
)

UNIT_IDS = (ORG_ID, "ou-ab12-11111111")
SCALING = made(scaling_role(A), AUTO_SCALING_OPERATIONS)
LESS = frozenset({"Decrypt"})
REF = KeyRef(REGION, KEY.arn)


def key_of(saw: GrantSeen) -> KeySeen:
    return saw.keys[target_in(REGION)][0]


def lost(want: GrantWanted, *grants: Grant, policy: str = PLAIN_POLICY) -> PolicyConsumers:
    saw = seen(*grants, policy=policy)
    return losses.lost_access(want, saw, key_of(saw))


def with_images(saw: GrantSeen, unread: tuple[str, ...] = (), **sharing: Sharing) -> GrantSeen:
    """The same if these other images are under the key."""
    images = {name.replace("_", "-"): one for name, one in sharing.items()}
    return replace(saw, shared={REF: SharedUnderKey(images, unread)})


def accounts(*account_ids: str) -> Sharing:
    return Sharing(account_ids=frozenset(account_ids))


@pytest.mark.parametrize(
    ("want", "grants", "policy", "expected"),
    [
        pytest.param(wanted(A), [made(root(B))], PLAIN_POLICY, consumers(), id="additions"),
        pytest.param(wanted(A, purge=True), [made(root(A))], PLAIN_POLICY, consumers(), id="wanted"),
        pytest.param(
            wanted(A, purge=True), [made(root(B)), foreign(root(C))], PLAIN_POLICY, consumers(B), id="purge"
        ),
        pytest.param(wanted(A, present=False), [made(root(A))], PLAIN_POLICY, consumers(A), id="absent"),
        pytest.param(
            wanted(A, present=False),
            [SCALING],
            PLAIN_POLICY,
            consumers(scaling_role(A)),
            id="absent: its role",
        ),
        pytest.param(
            wanted(A, purge=True, operations=LESS),
            [made(root(A))],
            PLAIN_POLICY,
            consumers(A),
            id="fewer operations",
        ),
        pytest.param(
            wanted(A, purge=True),
            [made(root(A), LESS), made(DEPLOY)],
            opened_to(consumers(A)),
            consumers(),
            id="the account gets all of it by grant",
        ),
        pytest.param(
            wanted(A, purge=True, access_method="key_policy"),
            [made(root(A), AUTO_SCALING_OPERATIONS), made(root(B))],
            opened_to(consumers(A)),
            consumers(A, B),
            id="not all of it by policy",
        ),
        pytest.param(
            wanted(A, purge=True, access_method="key_policy"),
            [made(root(A))],
            opened_to(consumers(A), for_auto_scaling=True),
            consumers(A),
            id="no Auto Scaling by policy",
        ),
        pytest.param(
            wanted(A, purge=True), [SCALING], PLAIN_POLICY, consumers(scaling_role(A)), id="no Auto Scaling"
        ),
        pytest.param(
            wanted(A, purge=True, auto_scaling=True),
            [replace(SCALING, name="golden-images:old")],
            PLAIN_POLICY,
            consumers(),
            id="Auto Scaling replaced",
        ),
        pytest.param(
            wanted(A, purge=True, org_arns=frozenset({ORG})),
            [],
            opened_to(consumers(B, org_ids=(ORG_ID, OTHER_ORG_ID), units=(UNIT_IDS,))),
            consumers(B, org_ids=(OTHER_ORG_ID,), units=(UNIT_IDS,)),
            id="purge of a policy",
        ),
        pytest.param(
            wanted(A, purge=True, org_unit_arns=frozenset({UNIT}), operations=LESS),
            [],
            opened_to(consumers(units=(UNIT_IDS,))),
            consumers(units=(UNIT_IDS,)),
            id="fewer operations of a unit",
        ),
        pytest.param(
            wanted(A, present=False, org_ids=frozenset({ORG_ID}), org_unit_ids=frozenset({UNIT_IDS[1]})),
            [],
            opened_to(consumers(A, B, org_ids=(ORG_ID, OTHER_ORG_ID), units=(UNIT_IDS,))),
            consumers(A, org_ids=(ORG_ID,), units=(UNIT_IDS,)),
            id="absent in a policy",
        ),
        pytest.param(
            wanted(present=False, org_arns=frozenset({ORG}), org_unit_arns=frozenset({UNIT})),
            [],
            opened_to(consumers(org_ids=(ORG_ID, OTHER_ORG_ID))),
            consumers(org_ids=(ORG_ID,)),
            id="absent by ARN",
        ),
        pytest.param(
            wanted(A, purge=True),
            [made("AROAEXAMPLE")],
            opened_to(consumers("AROAOTHER")),
            consumers("AROAEXAMPLE"),
            id="a role that may be new",
        ),
    ],
)
def test_lost_access(want: GrantWanted, grants: list[Grant], policy: str, expected: Any) -> None:
    assert lost(want, *grants, policy=policy) == expected


def test_keys_are_inspected_only_if_consumers_lose_access() -> None:
    saw = seen(made(root(A)), made(root(B)), policy=PLAIN_POLICY)
    assert losses.keys_to_inspect(wanted(A), saw) == {}
    assert losses.keys_to_inspect(wanted(A, B, purge=True), saw) == {}
    assert losses.keys_to_inspect(wanted(A, purge=True), saw) == {REF: consumers(B)}
    assert losses.keys_to_inspect(wanted(A, purge=True, revoke_in_use=True), saw) == {}


# Image 1 is shared with A, image 2 was distributed to B under the same key with a purge.
PURGE = wanted(B, purge=True)
BOTH = seen(made(root(A)), made(root(B)), made(root(C)), policy=PLAIN_POLICY)
LEAVING = {A: ("RevokeGrant", f"g-{root(A)}"), C: ("RevokeGrant", f"g-{root(C)}")}


@pytest.mark.parametrize(
    ("saw", "revoked", "kept"),
    [
        pytest.param(with_images(BOTH), {A, C}, {}, id="no other image"),
        pytest.param(with_images(BOTH, ami_1=accounts(A)), {C}, {A: ("ami-1",)}, id="another image"),
        pytest.param(
            with_images(BOTH, ami_1=accounts(A), ami_2=accounts(A, C)),
            set(),
            {A: ("ami-1", "ami-2"), C: ("ami-2",)},
            id="two other images",
        ),
        pytest.param(
            with_images(BOTH, ami_1=Sharing(org_arns=frozenset({ORG}))),
            set(),
            {A: ("ami-1",), C: ("ami-1",)},
            id="an organization: any account may be in it",
        ),
        pytest.param(
            with_images(BOTH, ami_1=Sharing(org_unit_arns=frozenset({UNIT}))),
            set(),
            {A: ("ami-1",), C: ("ami-1",)},
            id="a unit",
        ),
        pytest.param(
            with_images(BOTH, ("DescribeImages: denied",)), set(), {A: (), C: ()}, id="what cannot be read"
        ),
        pytest.param(replace(BOTH, shared={}), set(), {A: (), C: ()}, id="not read"),
    ],
)
def test_purge_keeps_grants_that_other_images_need(
    saw: GrantSeen, revoked: set[str], kept: dict[str, tuple[str, ...]]
) -> None:
    plan = planned(PURGE, saw)
    assert calls(plan.actions) == [call for account_id, call in LEAVING.items() if account_id in revoked]
    found = losses.kept_of(PURGE, saw, target_in(REGION), key_of(saw))
    assert {one.principal: one.image_ids for one in found} == kept
    # With revoke_in_use, all of them lose access whatever other images need.
    at_once = replace(PURGE, revoke_in_use=True)
    assert calls(planned(at_once, saw).actions) == list(LEAVING.values())
    assert losses.kept_of(at_once, saw, target_in(REGION), key_of(saw)) == ()
    assert planned(at_once, saw).warnings == ()


def test_absent_keeps_statements_that_other_images_need() -> None:
    held = consumers(A, B, org_ids=(ORG_ID, OTHER_ORG_ID), units=(UNIT_IDS,))
    want = wanted(
        A, B, present=False, org_ids=frozenset({ORG_ID, OTHER_ORG_ID}), org_unit_ids=frozenset({UNIT_IDS[1]})
    )
    saw = with_images(seen(policy=opened_to(held)), ami_1=Sharing(org_unit_arns=frozenset({UNIT})))
    (put,) = planned(want, saw).actions
    left = own_access(put.parameters["Policy"]).consumers
    assert left == consumers(A, B, org_ids=(ORG_ID,), units=(UNIT_IDS,))
    saw = with_images(saw, ami_1=accounts(B))
    (put,) = planned(want, saw).actions
    assert own_access(put.parameters["Policy"]).consumers == consumers(B)


def test_purge_of_a_policy_keeps_what_other_images_need_beside_what_is_wanted() -> None:
    want = wanted(B, purge=True, access_method="key_policy")
    saw = with_images(seen(policy=opened_to(consumers(A, C))), ami_1=accounts(A))
    (put,) = planned(want, saw).actions
    assert own_access(put.parameters["Policy"]).consumers == consumers(A, B)


def test_replaced_access_is_revoked_whatever_is_shared() -> None:
    saw = with_images(seen(made(root(A), LESS), policy=PLAIN_POLICY), ami_1=accounts(A))
    plan = planned(wanted(A, purge=True), saw)
    assert calls(plan.actions) == [("CreateGrant", root(A)), ("RevokeGrant", f"g-{root(A)}")]
    grant = made(root(A), LESS)
    assert losses.is_replaced(wanted(A, purge=True), saw, grant)
    assert not losses.is_replaced(wanted(A, present=False), saw, grant)


def test_grantee_that_is_shown_with_a_unique_id() -> None:
    new = made(DEPLOY, grantee="AROAEXAMPLE")
    want = wanted(present=False, principals=frozenset({DEPLOY}))
    assert losses.grantee_of(want, seen(), new) == DEPLOY
    assert losses.grantee_of(wanted(A), seen(), new) == "AROAEXAMPLE"
    saw = with_images(seen(new, policy=PLAIN_POLICY), ami_1=accounts(A))
    assert planned(want, saw).actions == ()
    saw = with_images(saw, ami_1=accounts(B))
    assert calls(planned(want, saw).actions) == [("RevokeGrant", new.grant_id)]


def test_grants_to_revoke() -> None:
    saw = seen(made(root(A)), made(root(B)), foreign(root(B)), policy=PLAIN_POLICY)
    assert losses.grants_to_revoke(wanted(B, purge=True), saw, key_of(saw)) == (made(root(A)),)
    assert losses.grants_to_revoke(wanted(B, present=False), saw, key_of(saw)) == (made(root(B)),)
    assert losses.grants_to_revoke(wanted(B), saw, key_of(saw)) == ()


def test_warnings_name_the_images_where_access_was_to_be_revoked() -> None:
    saw = with_images(seen(made(root(A)), policy=PLAIN_POLICY), ami_1=accounts(A))
    (warning,) = planned(wanted(A, present=False), saw).warnings
    assert all(text in warning for text in (KEY.arn, A, "ami-1", "revoke_in_use"))
    assert planned(wanted(B, purge=True), saw).warnings == ()
    (warning,) = planned(wanted(B, purge=True), with_images(saw, ("DescribeImages: No.",))).warnings
    assert all(text in warning for text in (KEY.arn, A, "DescribeImages: No.", "revoke_in_use"))


def test_what_accounts_have_under_a_key_is_named_and_keeps_no_access() -> None:
    resources = ConsumerResources({A: ("vol-1", "snap-1"), C: ()}, {C: "Allow ec2:DescribeVolumes."})
    shared = SharedUnderKey(consumers=resources)
    saw = replace(seen(made(root(A)), made(root(C)), policy=PLAIN_POLICY), shared={REF: shared})
    for want in (wanted(A, C, present=False), wanted(B, purge=True)):
        plan = planned(want, saw)
        assert {call for call in calls(plan.actions) if call in LEAVING.values()} == {LEAVING[A], LEAVING[C]}
        named, unseen = plan.warnings
        assert f"Access to {KEY.arn} is revoked for {A} (snap-1, vol-1): " in named
        assert all(text in unseen for text in (KEY.arn, C, "Allow ec2:DescribeVolumes."))
        assert list(losses.dependent_warnings(KEY.arn, resources)) == [named, unseen]


def test_a_snapshot_without_an_image_keeps_access() -> None:
    shared = SharedUnderKey(snapshots={"snap-1": Sharing(account_ids=frozenset({A}))})
    saw = replace(seen(made(root(A)), made(root(C)), policy=PLAIN_POLICY), shared={REF: shared})
    plan = planned(wanted(A, C, present=False), saw)
    assert calls(plan.actions) == [LEAVING[C]]
    (kept,) = losses.kept_access(wanted(A, present=False), shared, consumers(A))
    assert (kept.image_ids, kept.resource_ids) == ((), ("snap-1",))


def test_warnings_name_some_of_many() -> None:
    many = [Kept(f"{number:012}", ("ami-1",), "It is shared.") for number in range(7)]
    (warning,) = losses.kept_warnings(wanted(present=False), KEY.arn, many)
    assert "000000000004 and 2 more: It is shared. (ami-1)" in warning


def test_result_and_parts_of_an_access() -> None:
    one = Kept(A, ("ami-1", "ami-2"), "It is shared.")
    assert one.as_result() == {
        "principal": A,
        "image_ids": ["ami-1", "ami-2"],
        "reason": "It is shared.",
        "resource_ids": [],
    }
    shared = SharedUnderKey({"ami-1": accounts(A)})
    assert losses.kept(PURGE, shared, consumers(A, C)) == consumers(A)
    (kept,) = losses.kept_access(PURGE, shared, consumers(A, C))
    assert (kept.principal, kept.image_ids) == (A, ("ami-1",))
    access = PolicyAccess(consumers(A, B), OPERATIONS)
    assert losses.consumers_in(access, consumers(B, C)) == PolicyAccess(consumers(B), OPERATIONS)
    assert losses.lost_by_policy(PURGE, opened_to(consumers(A, B))) == consumers(A)
