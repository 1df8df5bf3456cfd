# SPDX-License-Identifier: GPL-3.0-or-later

"""Properties that every run of ``ami_kms_grant`` has."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import replace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._keys import policy_statements as key_policy
from ansible_collections.golden.images.plugins.module_utils._keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils._model import Grant
from ansible_collections.golden.images.plugins.module_utils._plan import Action
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.examples import ORG, OWNER, UNIT
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import ACCESSES, policy_of
from tests.unit.kms_grant.examples import (
    AUTO_SCALING_OPERATIONS,
    DEPLOY,
    EU,
    US,
    A,
    B,
    C,
    Run,
    aws_with,
    made,
    root,
    scaling_role,
    wanted,
)
from tests.unit.kms_grant.kms_in_memory import StoredKey, World

SETS_OF_OPERATIONS = st.sampled_from([OPERATIONS, AUTO_SCALING_OPERATIONS, frozenset({"Decrypt"})])
OPTIONS: dict[str, Any] = {
    "regions": st.sampled_from([(EU,), (US, EU)]),
    "principals": st.frozensets(st.just(DEPLOY)),
    "org_arns": st.frozensets(st.just(ORG)),
    "org_unit_arns": st.frozensets(st.just(UNIT)),
    "operations": SETS_OF_OPERATIONS,
    "access_method": st.sampled_from(["auto", "key_policy"]),
    "auto_scaling": st.booleans(),
}
ACCOUNTS = st.frozensets(st.sampled_from([OWNER, A, B, C]), min_size=1)


def _options(accounts: frozenset[str], **options: Any) -> dict[str, Any]:
    return wanted(*accounts, **options)


ADDING = st.builds(_options, ACCOUNTS, **OPTIONS)
PURGING = st.builds(_options, ACCOUNTS, purge_grants=st.just(True), **OPTIONS)
ABSENT = st.builds(_options, ACCOUNTS, state=st.just("absent"), **OPTIONS)
WANTED = st.one_of(ADDING, PURGING, ABSENT)

GRANTEES = st.sampled_from([root(A), root(B), root(C), DEPLOY, scaling_role(A), "AROAEXAMPLEID"])
FOREIGN = st.builds(
    Grant,
    grant_id=st.just(""),
    grantee=GRANTEES,
    operations=SETS_OF_OPERATIONS,
    name=st.sampled_from(["", "theirs", "Golden-images:0", "golden-images"]),
    constrained=st.booleans(),
)
# A grant that this collection created; its content may not match its name.
OWN = st.builds(made, GRANTEES, SETS_OF_OPERATIONS, constrained=st.booleans())
SHARED = st.lists(
    st.sampled_from(
        [
            {"UserId": OWNER},
            {"UserId": A},
            {"UserId": B},
            {"OrganizationArn": ORG},
            {"OrganizationalUnitArn": UNIT},
        ]
    ),
    max_size=2,
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Keys of two regions with grants and policies, and images under them, one of which may be pending."""
    parts = []
    for region in (EU, US):
        grants = [
            replace(one, grant_id=f"g-{number}")
            for number, one in enumerate(draw(st.lists(OWN | FOREIGN, max_size=4)))
        ]
        arn = key_arn("a", region)
        parts.append(
            aws_with(
                *grants,
                key=StoredKey(arn),
                policy=policy_of(*key_policy.statements_for(draw(ACCESSES))),
                images={"ami-1": arn, "ami-2": arn},
                launch={"ami-1": draw(SHARED), "ami-2": draw(SHARED)},
                states=draw(st.sampled_from([{}, {}, {"ami-2": "pending"}])),
            )
        )
    here, there = parts
    here.regions[US], here.ec2_clients[US] = there.regions[EU], there.ec2_clients[EU]
    return here


def run_on(want: dict[str, Any], aws: World) -> Run:
    """A run on a copy of this account."""
    copied = replace(
        aws,
        regions={region: replace(kms, keys=deepcopy(kms.keys)) for region, kms in aws.regions.items()},
        consumers={},
        opened=[],
    )
    return Run(want, copied)


def keys_of(aws: World) -> dict[str, StoredKey]:
    return {region: aws.key(region) for region in aws.regions}


def is_own(grant: dict[str, Any]) -> bool:
    return str(grant["Name"]).startswith("golden-images:")


def contents(actions: tuple[Action, ...]) -> Counter[str]:
    """The actions in any order; a grant token is known only once it is returned."""
    return Counter(str(replace(one, parameters={**one.parameters, "GrantTokens": None})) for one in actions)


def identified(aws: World, actions: tuple[Action, ...]) -> set[tuple[str, str]]:
    """The region and ID of the grants that are revoked."""
    return {
        (action.target.region, action.parameters["GrantId"])
        for action in actions
        if action.operation == "RevokeGrant" and action.target.region in aws.regions
    }


@given(WANTED, worlds())
def test_a_run_does_what_is_planned_and_leaves_nothing_to_plan(want: dict[str, Any], aws: World) -> None:
    done = run_on(want, aws)
    assert done.outcome.failures == ()
    assert contents(done.outcome.performed) == contents(done.plan.actions)  # type: ignore[arg-type]
    again = run_on(want, done.aws).plan
    assert again.actions == ()
    assert done.plan.after == again.before == again.after


@given(WANTED, worlds())
def test_only_own_grants_are_revoked(want: dict[str, Any], aws: World) -> None:
    own = {
        (region, name)
        for region, key in keys_of(aws).items()
        for name, one in key.grants.items()
        if is_own(one)
    }
    assert identified(aws, run_on(want, aws).plan.actions) <= own


@given(ADDING, worlds())
def test_additions_revoke_nothing(want: dict[str, Any], aws: World) -> None:
    assert not identified(aws, run_on(want, aws).plan.actions)


@given(ABSENT, worlds())
def test_absent_creates_no_grants(want: dict[str, Any], aws: World) -> None:
    assert not [one for one in run_on(want, aws).plan.actions if one.operation == "CreateGrant"]


@given(ADDING | PURGING, worlds())
def test_only_named_consumers_get_grants(want: dict[str, Any], aws: World) -> None:
    accounts = {*want["account_ids"]} - {OWNER}
    named = {*map(root, accounts), *want["principals"]}
    for action in run_on(want, aws).plan.actions:
        if action.operation == "CreateGrant":
            grantee = action.parameters["GranteePrincipal"]
            assert grantee in named | set(map(scaling_role, accounts))
            assert "Constraints" not in action.parameters
            assert want["access_method"] != "key_policy" if grantee in named else want["auto_scaling"]


@given(WANTED, worlds())
def test_access_to_a_key_is_granted_before_it_is_revoked(want: dict[str, Any], aws: World) -> None:
    order = ["CreateGrant", "PutKeyPolicy", "CreateGrant by a consumer", "RevokeGrant"]
    for target in run_on(want, aws).plan.targets:
        steps = [item.operation + " by a consumer" * (item.caller is not None) for item in target.actions]
        assert steps == sorted(steps, key=order.index)


@given(ADDING | PURGING, worlds())
def test_every_named_consumer_has_a_grant(want: dict[str, Any], aws: World) -> None:
    assume(want["access_method"] != "key_policy")
    accounts = {*want["account_ids"]} - {OWNER}
    operations = frozenset(want["operations"]) | (AUTO_SCALING_OPERATIONS if want["auto_scaling"] else set())
    done = run_on(want, aws)
    assert done.outcome.failures == ()
    for region in want["kms_key_ids"]:
        held = {
            (one["GranteePrincipal"], frozenset(one["Operations"]))
            for one in done.aws.key(region).grants.values()
            if is_own(one) and "Constraints" not in one
        }
        assert {(grantee, operations) for grantee in (*map(root, accounts), *want["principals"])} <= held
        if want["auto_scaling"]:
            assert {(scaling_role(item), AUTO_SCALING_OPERATIONS) for item in accounts} <= held


@given(ABSENT, worlds())
def test_absent_leaves_no_own_grant_of_named_consumers(want: dict[str, Any], aws: World) -> None:
    accounts = {*want["account_ids"]} - {OWNER}
    named = {*map(root, accounts), *map(scaling_role, accounts), *want["principals"]}
    done = run_on({**want, "revoke_in_use": True}, aws)
    assert done.outcome.failures == ()
    for region in want["kms_key_ids"]:
        was, now = aws.key(region).grants, done.aws.key(region).grants
        lost = {name for name, one in was.items() if is_own(one) and one["GranteePrincipal"] in named}
        assert was.keys() - now.keys() == lost


@given(WANTED, worlds())
def test_no_account_loses_a_key_that_it_may_need_for_another_image(want: dict[str, Any], aws: World) -> None:
    done = run_on(want, aws)
    assert done.outcome.failures == ()
    for region in want["kms_key_ids"]:
        ec2 = aws.ec2_clients[region]
        entries = [entry for permissions in ec2.launch.values() for entry in permissions]
        for account_id in (A, B, C):
            to_any = any("UserId" not in entry for entry in entries)
            if ec2.states or to_any or {"UserId": account_id} in entries:
                now = operations_of(account_id, done.aws.key(region))
                assert now >= operations_of(account_id, aws.key(region))


def operations_of(account_id: str, key: StoredKey) -> frozenset[str]:
    """What the grants and statements of this collection allow a whole account."""
    held = [
        frozenset(one["Operations"])
        for one in key.grants.values()
        if is_own(one) and one["GranteePrincipal"] == root(account_id)
    ]
    accesses = key_policy.own_accesses(key.policy)
    held += [one.operations for one in accesses if account_id in one.consumers.principals]
    return frozenset().union(*held)


@given(WANTED, worlds())
def test_the_plan_does_not_depend_on_the_order_of_regions(want: dict[str, Any], aws: World) -> None:
    reordered = {**want, "kms_key_ids": dict(reversed(want["kms_key_ids"].items()))}
    assert run_on(want, aws).plan == run_on(reordered, aws).plan


@given(WANTED, worlds())
def test_actions_use_the_key_of_their_region(want: dict[str, Any], aws: World) -> None:
    for action in run_on(want, aws).plan.actions:
        assert action.parameters["KeyId"] == key_arn("a", str(action.target.region))
