# SPDX-License-Identifier: GPL-3.0-or-later

"""Properties of every plan for access to keys."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.golden.images.plugins.module_utils.keys import policy_statements as key_policy
from ansible_collections.golden.images.plugins.module_utils.keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils.keys.needed import SharedUnderKey
from ansible_collections.golden.images.plugins.module_utils.kms_grant import plan as grant
from ansible_collections.golden.images.plugins.module_utils.kms_grant.request import grant_request
from ansible_collections.golden.images.plugins.module_utils.kms_grant.state import (
    AUTO_SCALING_OPERATIONS,
    GrantSeen,
    GrantWanted,
)
from ansible_collections.golden.images.plugins.module_utils.model import (
    Grant,
    Key,
    KeyRef,
    KeySeen,
    Sharing,
)
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.examples import ORG, OWNER, UNIT, target_in
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import ACCESSES, policy_of
from tests.unit.kms_grant.examples import DEPLOY, A, B, C, performed, root, scaling_role

ACCOUNTS = st.frozensets(st.sampled_from([A, B, C]))
SETS_OF_OPERATIONS = st.sampled_from([OPERATIONS, AUTO_SCALING_OPERATIONS, frozenset({"Decrypt"})])
WANTED = st.builds(
    GrantWanted,
    account_ids=ACCOUNTS,
    principals=st.frozensets(st.just(DEPLOY)),
    org_arns=st.frozensets(st.just(ORG)),
    org_unit_arns=st.frozensets(st.just(UNIT)),
    operations=SETS_OF_OPERATIONS,
    access_method=st.sampled_from(["auto", "grant", "key_policy"]),
    present=st.booleans(),
    purge=st.booleans(),
    auto_scaling=st.booleans(),
).filter(lambda want: want.present or not want.purge)

GRANTEES = st.sampled_from([root(A), root(B), root(C), DEPLOY, scaling_role(A), "AROAEXAMPLEID"])
FOREIGN = st.builds(
    Grant,
    grant_id=st.just(""),
    grantee=GRANTEES,
    operations=SETS_OF_OPERATIONS,
    name=st.sampled_from(["", "theirs", "Golden-images:0", "golden-images"]),
    constrained=st.booleans(),
)

# The sharing of other images under a key, or that it could not be read.
SHARED = st.builds(
    SharedUnderKey,
    st.dictionaries(
        st.sampled_from(["ami-1", "ami-2"]),
        st.builds(
            Sharing,
            account_ids=st.frozensets(st.sampled_from([OWNER, A, B])),
            org_arns=st.frozensets(st.just(ORG)),
            org_unit_arns=st.frozensets(st.just(UNIT)),
        ),
    ),
    st.sampled_from([(), (), ("ami-3 is pending.",)]),
)


@st.composite
def own(draw: st.DrawFn) -> Grant:
    """A grant that this collection created; its content may not match its name."""
    grantee, operations = draw(GRANTEES), draw(SETS_OF_OPERATIONS)
    name = grant_request("arn", grantee, operations)["Name"]
    made = Grant("", grantee, operations, name)
    return draw(st.just(made) | st.builds(replace, st.just(made), constrained=st.just(True)))


@st.composite
def seen(draw: st.DrawFn, want: GrantWanted) -> GrantSeen:
    """Keys of one or two regions; with policies if the options need them."""
    keys = {}
    for region in draw(st.sampled_from([["eu-west-1"], ["us-west-2", "eu-west-1"]])):
        found = []
        for name in draw(st.sampled_from(["", "a", "ab"])):
            grants = [
                replace(one, grant_id=f"g-{number}")
                for number, one in enumerate(draw(st.lists(own() | FOREIGN, max_size=4)))
            ]
            policy = policy_of(*key_policy.statements_for(draw(ACCESSES))) if want.uses_policy else None
            found.append(KeySeen(Key(key_arn(name, region)), tuple(grants), policy))
        keys[target_in(region)] = tuple(found)
    shared = {
        KeyRef(target.region, key.key.arn): draw(SHARED) for target, found in keys.items() for key in found
    }
    return GrantSeen(OWNER, "aws", keys, shared=shared)


SITUATIONS = WANTED.flatmap(lambda want: st.tuples(st.just(want), seen(want)))
Situation = tuple[GrantWanted, GrantSeen]


def all_keys(saw: GrantSeen) -> list[KeySeen]:
    return [key for keys in saw.keys.values() for key in keys]


@given(SITUATIONS)
def test_performed_plan_leaves_nothing_to_plan(situation: Situation) -> None:
    want, saw = situation
    again = grant.plan(want, performed(saw, grant.plan(want, saw)))
    assert again.actions == ()
    assert again.before == again.after


@given(SITUATIONS)
def test_after_is_the_state_that_the_actions_produce(situation: Situation) -> None:
    want, saw = situation
    plan = grant.plan(want, saw)
    assert plan.after == grant.plan(want, performed(saw, plan)).before


@given(SITUATIONS)
def test_only_own_grants_are_revoked(situation: Situation) -> None:
    want, saw = situation
    own_ids = {
        (key.key.arn, one.grant_id)
        for key in all_keys(saw)
        for one in key.grants
        if one.name.startswith("golden-images:")
    }
    for action in grant.plan(want, saw).actions:
        if action.operation == "RevokeGrant":
            assert (action.parameters["KeyId"], action.parameters["GrantId"]) in own_ids


@given(SITUATIONS)
def test_additions_revoke_nothing(situation: Situation) -> None:
    want, saw = situation
    assume(want.present and not want.purge)
    assert not [item for item in grant.plan(want, saw).actions if item.operation == "RevokeGrant"]


@given(SITUATIONS)
def test_absent_creates_no_grants(situation: Situation) -> None:
    want, saw = situation
    actions = grant.plan(replace(want, present=False, purge=False), saw).actions
    assert not [item for item in actions if item.operation == "CreateGrant"]


@given(SITUATIONS)
def test_only_named_consumers_get_grants(situation: Situation) -> None:
    want, saw = situation
    named = {*map(root, want.account_ids), *want.principals}
    for action in grant.plan(want, saw).actions:
        if action.operation == "CreateGrant":
            grantee = action.parameters["GranteePrincipal"]
            assert grantee in named | set(map(scaling_role, want.account_ids))
            assert "Constraints" not in action.parameters
            if grantee in named:
                assert want.access_method != "key_policy"
            else:
                assert want.auto_scaling


@given(SITUATIONS)
def test_access_to_each_key_is_granted_before_it_is_revoked(situation: Situation) -> None:
    want, saw = situation
    order = ["CreateGrant", "PutKeyPolicy", "CreateGrant by a consumer", "RevokeGrant"]
    for target in grant.plan(want, saw).targets:
        for key in saw.keys[target.target]:
            steps = [
                item.operation + " by a consumer" * (item.caller is not None)
                for item in target.actions
                if item.parameters["KeyId"] == key.key.arn
            ]
            assert steps == sorted(steps, key=order.index)


@given(SITUATIONS)
def test_every_named_consumer_has_a_grant(situation: Situation) -> None:
    want, saw = situation
    assume(want.present and want.access_method != "key_policy")
    grantees = [*map(root, want.account_ids), *want.principals]
    for key in all_keys(performed(saw, grant.plan(want, saw))):
        held = {
            (one.grantee, one.operations)
            for one in key.grants
            if one.name.startswith("golden-images:") and not one.constrained
        }
        assert {(grantee, want.parent_operations) for grantee in grantees} <= held
        if want.auto_scaling:
            assert {(scaling_role(item), AUTO_SCALING_OPERATIONS) for item in want.account_ids} <= held


@given(SITUATIONS)
def test_absent_leaves_no_own_grant_of_named_consumers(situation: Situation) -> None:
    want, saw = situation
    absent = replace(want, present=False, purge=False, revoke_in_use=True)
    named = {*map(root, want.account_ids), *map(scaling_role, want.account_ids), *want.principals}
    before, after = all_keys(saw), all_keys(performed(saw, grant.plan(absent, saw)))
    for was, now in zip(before, after, strict=True):
        lost = [one for one in was.grants if one.name.startswith("golden-images:") and one.grantee in named]
        assert set(was.grants) - set(now.grants) == set(lost)


@given(SITUATIONS)
def test_no_account_loses_a_key_that_it_may_need_for_another_image(situation: Situation) -> None:
    want, saw = situation
    after = performed(saw, grant.plan(want, saw))
    for target, keys in saw.keys.items():
        for was, now in zip(keys, after.keys[target], strict=True):
            shared = saw.shared_under(target.region, was.key.arn)
            for account_id in (A, B, C):
                to_any = any(one.org_arns or one.org_unit_arns for one in shared.sharing.values())
                named = any(account_id in one.account_ids for one in shared.sharing.values())
                if shared.unread or to_any or named:
                    assert operations_of(account_id, now) >= operations_of(account_id, was)


def operations_of(account_id: str, key: KeySeen) -> frozenset[str]:
    """What the grants and statements of this collection allow a whole account."""
    held = [
        one.operations
        for one in key.grants
        if one.name.startswith("golden-images:") and one.grantee == root(account_id)
    ]
    accesses = key_policy.own_accesses(key.policy) if key.policy else ()
    held += [one.operations for one in accesses if account_id in one.consumers.principals]
    return frozenset().union(*held)


@given(SITUATIONS)
def test_plan_does_not_depend_on_the_order_of_regions(situation: Situation) -> None:
    want, saw = situation
    reordered = replace(saw, keys=dict(reversed(saw.keys.items())))
    assert grant.plan(want, saw) == grant.plan(want, reordered)


@given(SITUATIONS)
def test_actions_use_keys_of_their_region(situation: Situation) -> None:
    want, saw = situation
    for target in grant.plan(want, saw).targets:
        arns = {key.key.arn for key in saw.keys[target.target]}
        for action in target.actions:
            assert action.target == target.target
            assert action.parameters["KeyId"] in arns
