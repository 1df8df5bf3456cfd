# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an account may copy an image: what it reads, what the owner has granted, refusals, and waits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import Snapshot

from tests.unit.clock import Clock
from tests.unit.copy.account import ROLE as ROLE_NAME
from tests.unit.copy.account import SOURCE_KEY, Run, World, aws_with, copied_to
from tests.unit.copy.examples import REGION
from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, SOURCE_REGION, STRANGER, source_image, volumes
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import ORG_ID, consumers, opened_to

OPERATIONS = ("CreateGrant", "Decrypt", "DescribeKey", "ReEncryptFrom")
ROOT = f"arn:aws:iam::{CONSUMER}:root"
ROLE = f"arn:aws:iam::{CONSUMER}:role/{ROLE_NAME}"
ALL = ("snap-1", "snap-2")
SOURCE = source_image(devices=volumes(*ALL, encrypted=True))
PLAIN = source_image(devices=volumes(*ALL))
TO_IT = frozenset({CONSUMER})
# How the messages of refusals end.
LAUNCH = "launch permission is missing."


def snapshots(*snapshot_ids: str) -> str:
    return f"createVolumePermission is missing on {', '.join(snapshot_ids)}."


def key(*operations: str) -> str:
    return f"missing operations are {', '.join(operations or OPERATIONS)}."


def grant(*operations: str, to: str = ROOT, constrained: bool = False) -> dict[str, Any]:
    """A grant of these operations or all, as ListGrants returns it."""
    constraints = {"Constraints": {"EncryptionContextSubset": {"a": "b"}}} if constrained else {}
    return {"GranteePrincipal": to, "Operations": [*(operations or OPERATIONS)], **constraints}


def world_with(
    *grants: dict[str, Any],
    image: bool = True,
    snapshot_ids: Iterable[str] = ALL,
    describes: bool = True,
    policy: str | None = "",
    source: Any = SOURCE,
) -> World:
    """The source, of which the consumer sees this, and whose key has these grants.

    ``policy`` is the key's, by default the default one; with None, the owner may not read it.
    """
    world = aws_with(source)
    world.share(CONSUMER, image=image, snapshot_ids=snapshot_ids, key=describes)
    owner = world.kms_of(OWNER, SOURCE_REGION)
    stored = owner.keys[SOURCE_KEY]
    stored.grants = {f"g-{number}": one for number, one in enumerate(grants)}
    stored.policy = policy or stored.policy
    if policy is None:
        owner.refuse["GetKeyPolicy"] = "AccessDeniedException"
    return world


def run(world: World, **options: Any) -> Run:
    """A run that copies the source into the consumer's account."""
    role = {"account_ids": [CONSUMER], "consumer_role_name": ROLE_NAME}
    return Run(copied_to(kms_key_id="alias/golden", **{**role, **options}), world)


def ends(done: Run) -> list[str]:
    """The ends of the messages of the refusals."""
    known = [LAUNCH, *(snapshots(*one) for one in (ALL, ALL[:1], ALL[1:]))]
    found = []
    for failure in done.plan.refusals:
        assert (failure.account_id, failure.region, failure.action) == (CONSUMER, REGION, "CopyImage")
        assert CONSUMER in failure.message
        assert f"{SOURCE_ID} in {SOURCE_REGION}" in failure.message
        end = next((one for one in known if failure.message.endswith(one)), None)
        found.append(end or failure.message.rpartition(": ")[2])
    return found


@pytest.mark.parametrize(
    ("world", "missing", "then"),
    [
        pytest.param(world_with(grant()), [], "", id="nothing"),
        pytest.param(world_with(grant(), image=False), [LAUNCH], "", id="launch permission"),
        pytest.param(world_with(grant(), snapshot_ids=()), [snapshots(*ALL)], "", id="all snapshots"),
        pytest.param(
            world_with(snapshot_ids=["snap-1"], source=PLAIN), [snapshots("snap-2")], "", id="one snapshot"
        ),
        pytest.param(
            world_with(policy=None, describes=False), [], "warning", id="only the account can check the key"
        ),
        pytest.param(
            world_with(grant(), describes=False),
            [],
            "wait",
            id="the owner allows what the account may not do",
        ),
        pytest.param(world_with(describes=False), [key()], "", id="neither the owner nor the account"),
        pytest.param(world_with(policy=None), [], "", id="the account can describe the key"),
        pytest.param(
            world_with(image=False, snapshot_ids=(), describes=False),
            [LAUNCH, snapshots(*ALL), key()],
            "",
            id="everything at once",
        ),
        pytest.param(world_with(), [], "", id="it can describe a key to which the owner sees no access"),
        pytest.param(
            world_with(grant("DescribeKey", constrained=True)),
            [key()],
            "",
            id="it can describe a key through a grant that EBS cannot use",
        ),
        pytest.param(
            world_with(grant("DescribeKey")),
            [key("CreateGrant", "Decrypt", "ReEncryptFrom")],
            "",
            id="it can describe the key, and nothing else",
        ),
        pytest.param(
            world_with(grant("DescribeKey", "CreateGrant")),
            [key("CreateGrant", "Decrypt", "ReEncryptFrom")],
            "",
            id="a grant without the permission to grant it on",
        ),
        pytest.param(world_with(grant(to=ROLE)), [], "", id="a grant to the role that copies"),
        pytest.param(
            world_with(grant(to=ROLE), describes=False),
            [],
            "wait",
            id="a grant to the role, which EC2 may use",
        ),
        pytest.param(
            world_with(grant("DescribeKey", to=ROLE)),
            [key("CreateGrant", "Decrypt", "ReEncryptFrom")],
            "",
            id="the role can describe the key, and nothing else",
        ),
        pytest.param(
            world_with(grant(to=f"{ROLE}-2"), describes=False), [key()], "", id="a grant to another role"
        ),
        pytest.param(
            world_with(grant(to=ROLE, constrained=True), describes=False),
            [key()],
            "",
            id="a grant to the role that EBS cannot use",
        ),
        pytest.param(
            world_with(grant(constrained=True), describes=False),
            [key()],
            "",
            id="a grant that EBS cannot use",
        ),
        pytest.param(
            world_with(describes=False, policy=opened_to(consumers(CONSUMER))),
            [],
            "wait",
            id="the policy names the account",
        ),
        pytest.param(
            world_with(describes=False, policy=opened_to(consumers(ROLE))),
            [],
            "wait",
            id="the policy names the role",
        ),
        pytest.param(
            world_with(describes=False, policy=opened_to(consumers(STRANGER))),
            [key()],
            "",
            id="the policy names another account",
        ),
        pytest.param(
            world_with(describes=False, policy=opened_to(consumers(org_ids=(ORG_ID,)))),
            [],
            "wait",
            id="an organization that may contain it",
        ),
    ],
)
def test_missing_access(clock: Clock, world: World, missing: list[str], then: str) -> None:
    """What is missing is refused at once.

    A key that the account may not describe, and the owner has granted, is waited for; one that nothing shows
    to be accessible is a warning.

    (KMS Developer Guide, AWS KMS condition keys: kms:ViaService.)
    """
    done, started = run(world), clock.now
    assert ends(done) == missing
    assert clock.now - started == (30 if then == "wait" else 0)
    warnings = done.plan.warnings
    assert len(warnings) == (then == "warning")
    for warning in warnings:
        assert SOURCE_KEY in warning
        assert f"{SOURCE_ID} in {SOURCE_REGION}" in warning
        assert "kms:ViaService" in warning


@pytest.mark.parametrize(
    ("code", "failed"), [("AccessDeniedException", False), ("DependencyTimeoutException", True)]
)
def test_an_error_of_describe_key_that_is_no_refusal_is_a_failure(code: str, failed: bool) -> None:
    world = world_with()
    world.kms_of(CONSUMER, SOURCE_REGION).refuse["DescribeKey"] = code
    if not failed:
        assert ends(run(world)) == [key()]
        return
    with pytest.raises(ValidationError) as caught:
        _ = run(world).seen
    assert [(one.error_code, one.account_id) for one in caught.value.failures] == [(code, CONSUMER)]


def under(world: World, arn: str, *associated: str) -> World:
    """The world with the source's snapshots under this key, beside which others may give access."""
    for account_id in (OWNER, CONSUMER):
        ec2 = world.ec2_of(account_id, SOURCE_REGION)
        ec2.snapshots = {
            one: Snapshot(one, "completed", 100, arn, associated_key_arns=associated) for one in ec2.snapshots
        }
    return world


def test_a_key_beside_which_another_gives_access_is_not_checked() -> None:
    done = run(under(world_with(describes=False), SOURCE_KEY, "arn:other"))
    assert (ends(done), done.plan.warnings) == ([], ())


def test_the_key_of_another_account_is_checked_by_the_consumer_only() -> None:
    theirs = key_arn("theirs", SOURCE_REGION, STRANGER)
    world = under(world_with(), theirs)
    done = run(world)
    assert ends(done) == []
    (warning,) = done.plan.warnings
    assert theirs in warning
    assert world.kms_of(OWNER, SOURCE_REGION).operations() == []


def test_refusals_name_the_fix() -> None:
    done = run(world_with(image=False, snapshot_ids=(), describes=False))
    assert [one.error_code for one in done.plan.refusals] == [
        *("missing_launch_permission", "missing_volume_permission", "missing_key_access"),
    ]
    tools = ("ami_share", "ami_share", "ami_kms_grant")
    for failure, tool in zip(done.plan.refusals, tools, strict=True):
        assert tool in failure.remedy
        assert "granted" not in failure.remedy
    assert OWNER in done.plan.refusals[0].remedy
    assert SOURCE_KEY in done.plan.refusals[2].message


def granted(world: World, launch: Iterable[str] = (), volumes_to: Iterable[str] = ()) -> World:
    """The world whose owner has shared the source and its snapshots with these accounts."""
    owner = world.ec2_of(OWNER, SOURCE_REGION)
    owner.launch, owner.volumes = frozenset(launch), frozenset(volumes_to)
    return world


def nothing_seen(*grants: dict[str, Any], **changes: Any) -> World:
    return world_with(*grants, **{"image": False, "snapshot_ids": (), "describes": False, **changes})


BOTH = {"launch": TO_IT, "volumes_to": TO_IT}


@pytest.mark.parametrize(
    ("world", "waits"),
    [
        pytest.param(granted(nothing_seen(grant()), **BOTH), True, id="everything granted"),
        pytest.param(granted(nothing_seen(grant()), TO_IT), False, id="the snapshots are not shared"),
        pytest.param(granted(nothing_seen(grant()), (), TO_IT), False, id="the image is not shared"),
        pytest.param(granted(nothing_seen(), **BOTH), False, id="no access to the key"),
        pytest.param(granted(nothing_seen(policy=None), **BOTH), False, id="access to the key is unknown"),
        pytest.param(
            granted(world_with(grant(), image=False), TO_IT), True, id="everything that is missing is granted"
        ),
        pytest.param(
            granted(world_with(grant(), image=False), [STRANGER]), False, id="shared with another account"
        ),
        pytest.param(world_with(grant(), describes=False), True, id="the key, which it may not describe"),
        pytest.param(world_with(policy=None, describes=False), False, id="a key that cannot be checked"),
    ],
)
def test_access_that_was_already_granted_is_waited_for(clock: Clock, world: World, waits: bool) -> None:
    done, started = run(world), clock.now
    assert all(("Access was granted" in one.remedy) is waits for one in done.plan.refusals)
    assert clock.now - started == (30 if waits else 0)


def test_a_public_image_is_shared_with_every_account(clock: Clock) -> None:
    world, started = granted(world_with(grant(), image=False)), clock.now
    world.ec2_of(OWNER, SOURCE_REGION).public = True
    assert ends(run(world)) == [LAUNCH]
    assert clock.now - started == 30


def test_refusals_of_access_that_was_already_granted() -> None:
    refusals = run(granted(nothing_seen(grant()), **BOTH)).plan.refusals
    assert [one.error_code for one in refusals] == ["missing_launch_permission", "missing_volume_permission"]
    assert "Allowed AMIs" in refusals[0].remedy


def test_permissions_that_cannot_be_read_are_not_waited_for(clock: Clock) -> None:
    world = granted(world_with(grant(), image=False), TO_IT)
    world.ec2_of(OWNER, SOURCE_REGION).refuse["DescribeImageAttribute"] = "UnauthorizedOperation"
    done, started = run(world), clock.now
    assert ends(done) == [LAUNCH]
    assert "ami_share" in done.plan.refusals[0].remedy
    assert clock.now == started


def test_permissions_of_another_accounts_source_are_not_read(clock: Clock) -> None:
    world = granted(world_with(image=False, source=replace(PLAIN, owner_id=STRANGER)), TO_IT)
    done, started = run(world), clock.now
    assert ends(done) == [LAUNCH]
    assert clock.now == started
    assert not any("Attribute" in one for one in world.ec2_of(OWNER, SOURCE_REGION).calls)


@pytest.mark.parametrize(("reads", "seconds"), [(1, 2), (3, 6), (15, 30)])
def test_access_that_propagates_in_time(clock: Clock, reads: int, seconds: float) -> None:
    world = granted(world_with(grant()), TO_IT)
    world.ec2_of(CONSUMER, SOURCE_REGION).unseen = reads
    done, started = run(world), clock.now
    assert ends(done) == []
    assert clock.now - started == seconds


def test_only_accounts_that_are_waited_for_are_read_again(clock: Clock) -> None:
    world = granted(world_with(grant(), grant(to=f"arn:aws:iam::{STRANGER}:root")), [CONSUMER, STRANGER])
    world.share(STRANGER)
    world.ec2_of(CONSUMER, SOURCE_REGION).unseen = 2
    done, started = run(world, account_ids=[CONSUMER, STRANGER]), clock.now
    assert done.plan.refusals == ()
    assert clock.now - started == 4
    counts = [len(world.ec2_of(one, SOURCE_REGION).calls) for one in (CONSUMER, STRANGER)]
    assert counts == [6, 2]
