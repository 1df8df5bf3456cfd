# SPDX-License-Identifier: GPL-3.0-or-later

"""Properties of every remediation: nothing allowed is removed, and one run is enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import reduce
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._audit.causes import NOT_ALLOWED
from ansible_collections.golden.images.plugins.module_utils._audit.state import (
    AuditState,
    Listed,
    RegionState,
)
from ansible_collections.golden.images.plugins.module_utils._keys import policy_statements as key_policy
from ansible_collections.golden.images.plugins.module_utils._model import Image, Key, KeyState, Sharing
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.audit.examples import EU, NOW, US, audit_result
from tests.unit.examples import ORG, OWNER, UNIT, source_image, target_in, volumes
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import ACCESSES, FOREIGN_UNIT, policy_of
from tests.unit.kms_grant.examples import DEPLOY, A, B, C, foreign, made, root, scaling_role
from tests.unit.remediation.examples import performed, remediation
from tests.unit.remediation.test_removals import REPAIRABLE

REGIONS = (EU, US)
OTHER_ORG = "arn:aws:organizations::111122223333:organization/o-zzzzzzzzzz"
IDS = ("ami-00000001", "ami-00000002", "ami-00000003")
SNAPSHOTS = ("snap-00000001", "snap-00000002", "snap-00000003")
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
def regions(draw: st.DrawFn, name: str) -> RegionState:
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
    return RegionState(
        images=tuple(Listed(image) for image in images),
        sharing={image.image_id: draw(SHARINGS) for image in images},
        volume_permissions={one: draw(SHARINGS).accounts_only() for one in snapshots},
        unused={"snap-unused": draw(SHARINGS).accounts_only()},
        key_of=key_of,
        associated_keys=associated,
        keys={arn: draw(keys(arn)) for arn in sorted(used)},
    )


@st.composite
def keys(draw: st.DrawFn, arn: str) -> KeyState:
    """A key with grants and statements of this collection and others."""
    own = [made(who, grant_id=f"g-{who}") for who in draw(st.lists(GRANTEES, max_size=4, unique=True))]
    theirs = [foreign(who) for who in draw(st.lists(GRANTEES, max_size=2, unique=True))]
    policy = policy_of(*key_policy.statements_for(draw(ACCESSES)))
    return KeyState(Key(arn), (*own, *theirs), policy)


ACCOUNTS_SEEN = st.fixed_dictionaries({target_in(name): regions(name) for name in REGIONS}).map(
    lambda found: AuditState(OWNER, NOW, found)
)
ALLOWED = SHARINGS.map(
    lambda one: {
        "account_ids": sorted(one.account_ids),
        "org_arns": sorted(one.org_arns),
        "org_unit_arns": sorted(one.org_unit_arns),
    }
)
RULES = st.builds(
    lambda who, public, pattern: {**who, "public": public, "name_pattern": pattern},
    ALLOWED,
    st.sampled_from([False, False, True]),
    st.sampled_from([*IDS, "*"]),
)
POLICIES = st.builds(
    lambda who, rules: {**{f"allowed_{name}": ids for name, ids in who.items()}, "rules": rules},
    ALLOWED,
    st.lists(RULES, max_size=1),
)
"""The options of ``ami_share_audit``."""
NAMED = st.one_of(
    st.tuples(st.sampled_from(REGIONS), st.sampled_from(IDS)),
    st.tuples(st.sampled_from(REGIONS), st.sampled_from(SNAPSHOTS)),
)
CHOICES = st.fixed_dictionaries(
    {
        "finding_codes": st.lists(st.sampled_from(REPAIRABLE), unique=True),
        "images": st.lists(NAMED, max_size=2),
    }
)


def chosen(seen: AuditState, choice: Mapping[str, Any]) -> dict[str, Any]:
    """The options of ``remediation_plan``, without images and snapshots that do not exist."""
    existing: dict[str, list[str]] = {}
    for region, resource in choice["images"]:
        if (region, resource) in holdings(seen):
            existing.setdefault(region, []).append(resource)
    if existing:
        return {**choice, "images": existing}
    return {"finding_codes": choice["finding_codes"] or NOT_ALLOWED}


def sharing_of(options: Mapping[str, Any], prefix: str = "") -> Sharing:
    """The sharing that these options name."""
    return Sharing(
        frozenset(options[f"{prefix}account_ids"]),
        frozenset(options[f"{prefix}org_arns"]),
        frozenset(options[f"{prefix}org_unit_arns"]),
        options.get("public", False),
    )


def allowed_for(policy: Mapping[str, Any], image: Image) -> Sharing:
    """Who may use an image."""
    rules = (one for one in policy["rules"] if fnmatchcase(image.name, one["name_pattern"]))
    return reduce(Sharing.__or__, map(sharing_of, rules), sharing_of(policy, "allowed_"))


def covers(allowed: Sharing, lost: Sharing) -> bool:
    """Whether some of what is lost is allowed; an organization also allows its units."""
    orgs = {one.rpartition("/")[2] for one in allowed.org_arns}
    units = {one for one in lost.org_unit_arns if one.split("/")[1] in orgs}
    return bool(lost & allowed) or bool(units)


def holdings(seen: AuditState) -> dict[tuple[str, str], Sharing]:
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


Options = dict[str, Any]


@given(ACCOUNTS_SEEN, POLICIES, CHOICES)
def test_nothing_that_is_allowed_is_removed(seen: AuditState, policy: Options, choice: Options) -> None:
    after = performed(seen, remediation(audit_result(seen, policy), **chosen(seen, choice)))
    for target, region in seen.regions.items():
        left = after.regions[target]
        users = {
            one: [item.image for item in region.images if one in item.image.snapshot_ids]
            for one in region.volume_permissions
        }
        for item in region.images:
            image_id = item.image.image_id
            lost = region.sharing[image_id] - left.sharing[image_id]
            assert not covers(allowed_for(policy, item.image), lost)
        for one, images in users.items():
            lost = region.volume_permissions[one] - left.volume_permissions[one]
            allowed = reduce(Sharing.__or__, (allowed_for(policy, image) for image in images))
            may_launch = reduce(Sharing.__or__, (left.sharing[image.image_id] for image in images))
            # An allowed account loses a snapshot only if none of its images is shared with it.
            assert not (lost & allowed).public
            assert not (lost & allowed).account_ids & may_launch.account_ids


@given(ACCOUNTS_SEEN, POLICIES)
def test_an_allowed_principal_loses_nothing_unless_its_finding_is_chosen(
    seen: AuditState, policy: Options
) -> None:
    policy = {**policy, "rules": []}
    removals = remediation(audit_result(seen, policy))["removals"]
    assert all(one["finding_codes"] for one in removals)
    lost = [one["principal"] for one in removals]
    for account_id in policy["allowed_account_ids"]:
        named = (account_id, f"arn:aws:iam::{account_id}:")
        assert not [one for one in lost if one.startswith(named)]


@given(ACCOUNTS_SEEN, POLICIES, CHOICES)
def test_only_the_planned_removals_are_performed(seen: AuditState, policy: Options, choice: Options) -> None:
    result = remediation(audit_result(seen, policy), **chosen(seen, choice))
    before, after = holdings(seen), holdings(performed(seen, result))
    lost = {
        (*where, principal)
        for where, sharing in before.items()
        for part in [sharing - after[where]]
        for principal in (
            *part.account_ids,
            *part.org_arns,
            *part.org_unit_arns,
            *(["all"] if part.public else []),
        )
    }
    assert lost == {
        (one["region"], one["resource"], one["principal"])
        for one in result["removals"]
        if not one["resource"].startswith("arn:")
    }
    assert not any(after[where] - before[where] for where in before)


@given(ACCOUNTS_SEEN, POLICIES, CHOICES)
def test_foreign_grants_and_needed_key_access_stay(
    seen: AuditState, policy: Options, choice: Options
) -> None:
    after = performed(seen, remediation(audit_result(seen, policy), **chosen(seen, choice)))
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
def test_a_second_run_plans_nothing(seen: AuditState, policy: Options, choice: Options) -> None:
    options = chosen(seen, choice)
    first = remediation(audit_result(seen, policy), **options)
    again = audit_result(performed(seen, first), policy)
    assert remediation(again, **options)["removals"] == []
    # The ID of a unit does not name its organization: if the unit of one organization loses the key and that
    # of another one needs it, the key policy still names the ID.
    left = remediation(again, expected_removals=first["removals"])["removals"]
    assert {one["principal"] for one in left} <= {FOREIGN_UNIT[1]}
    if "images" not in options:
        assert {found["code"] for found in again["findings"]}.isdisjoint(options["finding_codes"])


@given(ACCOUNTS_SEEN, POLICIES, CHOICES, st.integers(0, 4))
def test_never_more_than_the_cap(seen: AuditState, policy: Options, choice: Options, cap: int) -> None:
    audit, options = audit_result(seen, policy), chosen(seen, choice)
    number = len(remediation(audit, **options)["removals"])
    capped = remediation(audit, **options, max_removals=cap)
    if number <= cap:
        assert len(capped["removals"]) == number
    else:
        (refusal,) = capped["failures"]
        assert "removals" not in capped
        assert f"the plan has {number} removal" in refusal["message"]
        assert f"to {number} in check mode" in refusal["remedy"]


@given(ACCOUNTS_SEEN, POLICIES, CHOICES)
def test_regions_together_and_one_by_one_give_the_same(
    seen: AuditState, policy: Options, choice: Options
) -> None:
    result = remediation(audit_result(seen, policy), **chosen(seen, choice))
    lists = {"snapshot_ids", "unshared_image_ids", "unshared_snapshot_ids"}
    for task in (*result["unshare_tasks"], *result["revoke_tasks"]):
        (where,) = (name for name in ("images", "snapshots", "kms_key_ids") if task.get(name))
        parts = task["per_region"]
        assert [part[where] for part in parts] == [
            {region: resource} for region, resource in task[where].items() if len(task[where]) > 1
        ]
        for part in parts:
            assert part.keys() == task.keys()
            assert all(part[name] == task[name] for name in part if name not in (where, *lists, "per_region"))
        for name in lists & task.keys() if parts else ():
            assert [one for part in parts for one in part[name]] == task[name]


@given(ACCOUNTS_SEEN, POLICIES, CHOICES, st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_aws(
    seen: AuditState, policy: Options, choice: Options, random: Any
) -> None:
    shuffled = {}
    for target, region in sorted(seen.regions.items(), reverse=True):
        images = list(region.images)
        random.shuffle(images)
        shuffled[target] = replace(region, images=tuple(images))
    options = chosen(seen, choice)
    first = remediation(audit_result(seen, policy), **options)
    again = remediation(audit_result(replace(seen, regions=shuffled), policy), **options)
    assert first["removals"] == again["removals"]
