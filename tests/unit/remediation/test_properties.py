# SPDX-License-Identifier: GPL-3.0-or-later

"""Properties of every remediation: nothing allowed is removed, and one run is enough."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import Any

from ansible_collections.golden.images.plugins.module_utils.audit import images as audit_images
from ansible_collections.golden.images.plugins.module_utils.audit.findings import NOT_ALLOWED
from ansible_collections.golden.images.plugins.module_utils.audit.state import (
    AuditSeen,
    AuditWanted,
    Listed,
    RegionSeen,
    Rule,
)
from ansible_collections.golden.images.plugins.module_utils.keys import policy_statements as key_policy
from ansible_collections.golden.images.plugins.module_utils.model import Key, KeySeen, Sharing
from ansible_collections.golden.images.plugins.module_utils.remediation.plan import (
    REPAIRABLE,
    RemediationWanted,
    plan,
)
from ansible_collections.golden.images.plugins.module_utils.remediation.scope import Named
from ansible_collections.golden.images.plugins.module_utils.remediation.state import Resource
from ansible_collections.golden.images.plugins.module_utils.remediation.tasks import (
    revoke_tasks,
    unshare_tasks,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.audit.examples import NOW
from tests.unit.examples import ORG, OWNER, UNIT, source_image, target_in, volumes
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import ACCESSES, FOREIGN_UNIT, policy_of
from tests.unit.kms_grant.examples import DEPLOY, A, B, C, foreign, made, root, scaling_role
from tests.unit.remediation.examples import MANY, audited, performed

REGIONS = ("eu-west-1", "us-west-2")
OTHER_ORG = "arn:aws:organizations::111122223333:organization/o-zzzzzzzzzz"
IDS = ("ami-00000001", "ami-00000002", "ami-00000003")
SNAPSHOTS = ("snap-1", "snap-2", "snap-3")
ACCOUNTS = st.frozensets(st.sampled_from([A, B, C, OWNER]))
SHARINGS = st.builds(
    Sharing,
    ACCOUNTS,
    st.frozensets(st.sampled_from([ORG, OTHER_ORG]), max_size=1),
    st.frozensets(st.just(UNIT)),
    # Mostly not public, because public sharing hides other findings.
    st.sampled_from([False, False, True]),
)
GRANTEES = st.sampled_from([root(A), root(B), DEPLOY, scaling_role(A), root(OWNER), "AROAEXAMPLEID"])


@st.composite
def regions(draw: st.DrawFn, name: str) -> RegionSeen:
    """Some images that share snapshots, and these two keys."""
    images = [
        source_image(
            image_id=image_id,
            name=image_id,
            devices=volumes(*draw(st.lists(st.sampled_from(SNAPSHOTS), min_size=1, unique=True))),
            state=draw(st.sampled_from(["available", "available", "disabled"])),
        )
        for image_id in draw(st.lists(st.sampled_from(IDS), unique=True))
    ]
    snapshots = sorted({one for image in images for one in image.snapshot_ids})
    arns = [key_arn(letter, name) for letter in ("a", "b")]
    key_of = {one: arn for one in snapshots if (arn := draw(st.sampled_from([*arns, None])))}
    associated = {
        one: (arn,) for one, own in key_of.items() if draw(st.booleans()) for arn in arns if arn != own
    }
    used = {*key_of.values(), *(arn for further in associated.values() for arn in further)}
    return RegionSeen(
        images=tuple(Listed(image) for image in images),
        sharing={image.image_id: draw(SHARINGS) for image in images},
        volume_permissions={one: draw(SHARINGS).accounts_only() for one in snapshots},
        unused={"snap-unused": draw(SHARINGS).accounts_only()},
        key_of=key_of,
        associated_keys=associated,
        keys={arn: draw(keys(arn)) for arn in sorted(used)},
    )


@st.composite
def keys(draw: st.DrawFn, arn: str) -> KeySeen:
    """A key with grants and statements of this collection and others."""
    own = [made(who, grant_id=f"g-{who}") for who in draw(st.lists(GRANTEES, max_size=4, unique=True))]
    theirs = [foreign(who) for who in draw(st.lists(GRANTEES, max_size=2, unique=True))]
    policy = policy_of(*key_policy.statements_for(draw(ACCESSES)))
    return KeySeen(Key(arn), (*own, *theirs), policy)


ACCOUNTS_SEEN = st.fixed_dictionaries({target_in(name): regions(name) for name in REGIONS}).map(
    lambda found: AuditSeen(OWNER, NOW, found)
)
POLICIES = st.builds(
    AuditWanted,
    allowed=SHARINGS,
    rules=st.lists(st.builds(Rule, allowed=SHARINGS, name_pattern=st.sampled_from(IDS)), max_size=1).map(
        tuple
    ),
)
NAMED = st.one_of(
    st.builds(Named, st.sampled_from(IDS), st.sampled_from([None, *REGIONS])),
    st.builds(Named, st.sampled_from(SNAPSHOTS), st.sampled_from([None, *REGIONS])),
)
CHOICES = st.builds(
    lambda codes, named: {"codes": tuple(codes), "named": tuple(named)},
    st.lists(st.sampled_from(REPAIRABLE), unique=True),
    st.lists(NAMED, max_size=2),
)


def wanted(
    seen: AuditSeen, policy: AuditWanted, choice: dict[str, Any], cap: int = MANY
) -> RemediationWanted:
    """The chosen options, without named images that do not exist."""
    of = audited(seen, policy)
    named = tuple(one for one in choice["named"] if one.resources(of))
    return RemediationWanted(of, choice["codes"], named, max_removals=cap)


def holdings(seen: AuditSeen) -> dict[tuple[str, str], Sharing]:
    """The sharing of each image and snapshot."""
    return {
        (target.region, resource): sharing
        for target, region in seen.regions.items()
        for resource, sharing in [
            *region.sharing.items(),
            *region.volume_permissions.items(),
            *region.unused.items(),
        ]
    }


@given(ACCOUNTS_SEEN, POLICIES, CHOICES)
def test_nothing_that_is_allowed_is_removed(
    seen: AuditSeen, policy: AuditWanted, choice: dict[str, Any]
) -> None:
    want = wanted(seen, policy, choice)
    after = performed(seen, plan(want), want.audited)
    for target, region in seen.regions.items():
        left = after.regions[target]
        users = {
            one: [item.image for item in region.images if one in item.image.snapshot_ids]
            for one in region.volume_permissions
        }
        for item in region.images:
            image_id = item.image.image_id
            lost = region.sharing[image_id] - left.sharing[image_id]
            assert audit_images.not_allowed(lost, policy.allowed_for(item.image)) == lost
        for one, images in users.items():
            lost = region.volume_permissions[one] - left.volume_permissions[one]
            allowed = reduce(Sharing.__or__, map(policy.allowed_for, images))
            may_launch = reduce(Sharing.__or__, (left.sharing[image.image_id] for image in images))
            # An allowed account loses a snapshot only if none of its images is shared with it.
            assert not (lost & allowed).public
            assert not (lost & allowed).account_ids & may_launch.account_ids


@given(ACCOUNTS_SEEN, POLICIES)
def test_an_allowed_principal_loses_nothing_unless_its_finding_is_chosen(
    seen: AuditSeen, policy: AuditWanted
) -> None:
    policy = replace(policy, rules=())
    want = RemediationWanted(audited(seen, policy), NOT_ALLOWED, max_removals=MANY)
    removals = plan(want).removals
    assert all(item.codes for item in removals)
    lost = [item.principal for item in removals]
    for account_id in policy.allowed.account_ids:
        named = (account_id, f"arn:aws:iam::{account_id}:")
        assert not [one for one in lost if one.startswith(named)]


@given(ACCOUNTS_SEEN, POLICIES, CHOICES)
def test_only_the_planned_removals_are_performed(
    seen: AuditSeen, policy: AuditWanted, choice: dict[str, Any]
) -> None:
    want = wanted(seen, policy, choice)
    made_of = plan(want)
    before, after = holdings(seen), holdings(performed(seen, made_of, want.audited))
    lost = {
        (Resource(*where), principal)
        for where, sharing in before.items()
        for part in [sharing - after[where]]
        for principal in (
            *part.account_ids,
            *part.org_arns,
            *part.org_unit_arns,
            *(["all"] if part.public else []),
        )
    }
    assert lost == {item.key for item in made_of.removals if item.resource.kind != "key"}
    assert not any(after[where] - before[where] for where in before)


@given(ACCOUNTS_SEEN, POLICIES, CHOICES)
def test_foreign_grants_and_needed_key_access_stay(
    seen: AuditSeen, policy: AuditWanted, choice: dict[str, Any]
) -> None:
    want = wanted(seen, policy, choice)
    after = performed(seen, plan(want), want.audited)
    for target, region in seen.regions.items():
        left = after.regions[target]
        for arn, key in region.keys.items():
            gone = {*key.grants} - {*left.keys[arn].grants}
            assert all(one.name.startswith("golden-images:") for one in gone)
            images = [item.image for item in left.images if arn in left.key_arns(item.image)]
            served = {
                account_id
                for image in images
                for sharing in (
                    left.sharing[image.image_id],
                    *(left.volume_permissions[i] for i in image.snapshot_ids),
                )
                for account_id in sharing.account_ids
            }
            assert not {one.grantee.split(":")[4] for one in gone} & served


@given(ACCOUNTS_SEEN, POLICIES, CHOICES)
def test_a_second_run_plans_nothing(seen: AuditSeen, policy: AuditWanted, choice: dict[str, Any]) -> None:
    want = wanted(seen, policy, choice)
    first = plan(want)
    after = performed(seen, first, want.audited)
    again = replace(want, audited=audited(after, policy))
    assert plan(again).removals == ()
    # The ID of a unit does not name its organization: if the unit of one organization loses the key and that
    # of another one needs it, the key policy still names the ID.
    left = plan(replace(again, planned=first.removals)).removals
    assert {item.principal for item in left} <= {FOREIGN_UNIT[1]}
    still = {found.code for found in again.audited.findings}
    if not want.named:
        assert still.isdisjoint(want.codes or NOT_ALLOWED)


@given(ACCOUNTS_SEEN, POLICIES, CHOICES, st.integers(0, 4))
def test_never_more_than_the_cap(
    seen: AuditSeen, policy: AuditWanted, choice: dict[str, Any], cap: int
) -> None:
    number = len(plan(wanted(seen, policy, choice)).removals)
    capped = plan(wanted(seen, policy, choice, cap))
    if number <= cap:
        assert (len(capped.removals), capped.refusals) == (number, ())
    else:
        (refusal,) = capped.refusals
        assert capped.removals == ()
        assert f"the plan has {number} removal" in refusal.message
        assert f"to {number} in check mode" in refusal.remedy


@given(ACCOUNTS_SEEN, POLICIES, CHOICES)
def test_regions_together_and_one_by_one_give_the_same(
    seen: AuditSeen, policy: AuditWanted, choice: dict[str, Any]
) -> None:
    want = wanted(seen, policy, choice)
    removals = plan(want).removals
    for task in (*unshare_tasks(removals, want.audited), *revoke_tasks(removals, want.audited)):
        (where,) = (name for name in ("images", "snapshots", "kms_key_ids") if task.get(name))
        parts = task["per_region"]
        assert [part[where] for part in parts] == [
            {region: resource} for region, resource in task[where].items() if len(task[where]) > 1
        ]
        for part in parts:
            assert {**task, **part}.keys() == task.keys()
            assert all(
                part[name] == task[name]
                for name in part
                if name not in (where, "snapshot_ids", "unshared_image_ids", "per_region")
            )
        if parts and "snapshot_ids" in task:
            assert [one for part in parts for one in part["snapshot_ids"]] == task["snapshot_ids"]
        if parts and "unshared_image_ids" in task:
            ids = [one for part in parts for one in part["unshared_image_ids"]]
            assert ids == task["unshared_image_ids"]


@given(ACCOUNTS_SEEN, POLICIES, CHOICES, st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_aws(
    seen: AuditSeen, policy: AuditWanted, choice: dict[str, Any], random: Any
) -> None:
    shuffled = {}
    for target, region in sorted(seen.regions.items(), reverse=True):
        images = list(region.images)
        random.shuffle(images)
        shuffled[target] = replace(region, images=tuple(images))
    want = wanted(seen, policy, choice)
    again = wanted(replace(seen, regions=shuffled), policy, choice)
    assert plan(want).removals == plan(again).removals
