# SPDX-License-Identifier: GPL-3.0-or-later

"""An audit's result as values, and who has access by it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.audit.state import AuditSeen, Problem, RegionSeen
from ansible_collections.golden.images.plugins.module_utils.keys.policy_statements import PolicyConsumers
from ansible_collections.golden.images.plugins.module_utils.model import Sharing
from ansible_collections.golden.images.plugins.module_utils.remediation.state import (
    Audited,
    AuditedImage,
    Resource,
    read,
    resource_of,
    sharing_of,
)

from tests.unit.audit.examples import ENCRYPTED, NOW, PRIVATE, PUBLIC, accounts, orgs, region, under_key
from tests.unit.examples import ORG, OWNER, SOURCE_ID, UNIT, target_in
from tests.unit.keys.policies import ORG_ID, consumers, opened_to
from tests.unit.keys.policies import UNIT as UNIT_IDS
from tests.unit.kms_grant.examples import KEY, A, B, foreign, made, root
from tests.unit.remediation.examples import audited
from tests.unit.remediation.test_scope import failure

REGION = target_in().region
UNLISTED = Problem("unused_snapshots_unreadable", REGION, failure("DescribeSnapshots"))
IMAGE_RESOURCE, SNAPSHOT, KEY_RESOURCE = (Resource(REGION, one) for one in (SOURCE_ID, "snap-1", KEY.arn))


def audit_of(seen: RegionSeen) -> Audited:
    """The audit of an account with one region."""
    return audited(AuditSeen(OWNER, NOW, {target_in(): seen}))


def test_read() -> None:
    opened = json.loads(opened_to(consumers(A, org_ids=(ORG_ID,), units=(UNIT_IDS,))))
    # A statement of others gives no access that this collection revokes.
    of_others = {"Effect": "Allow", "Principal": {"AWS": root(B)}, "Action": "kms:Decrypt", "Resource": "*"}
    policy = json.dumps({**opened, "Statement": [*opened["Statement"], of_others]})
    found = audit_of(
        under_key(
            accounts(B),
            made(root(B)),
            foreign(root(A)),
            policy=policy,
            volume_permissions={"snap-1": accounts(B)},
        )
    )
    assert (found.account_id, found.regions) == (OWNER, {REGION})
    assert found.images == {
        IMAGE_RESOURCE: AuditedImage(accounts(B), (SNAPSHOT,), (KEY_RESOURCE,), ENCRYPTED.name, False)
    }
    assert (found.volume_permissions, found.keys_of) == ({SNAPSHOT: accounts(B)}, {SNAPSHOT: (KEY_RESOURCE,)})
    key = found.keys[KEY_RESOURCE]
    assert key.grantees == PolicyConsumers(frozenset({B}))
    assert key.named == PolicyConsumers(frozenset({A}), frozenset({ORG_ID}), frozenset({UNIT_IDS}))
    assert key.holders == key.grantees | key.named
    assert found.users == {SNAPSHOT: (IMAGE_RESOURCE,), KEY_RESOURCE: (IMAGE_RESOURCE,)}
    assert {one.code for one in found.findings} >= {"unknown_account"}


def test_an_image_is_also_under_the_keys_that_its_snapshots_are_associated_with() -> None:
    associated = Resource(REGION, "arn:associated")
    found = audit_of(under_key(accounts(A), associated_keys={"snap-1": (associated.resource_id,)}))
    assert found.images[IMAGE_RESOURCE].keys == found.keys_of[SNAPSHOT] == (KEY_RESOURCE, associated)
    assert found.users[associated] == (IMAGE_RESOURCE,)


@pytest.mark.parametrize("result", [{}, {"results": [{"region": REGION}]}, {"results": None}])
def test_an_incomplete_result_is_an_error(result: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError)):
        read(result)


def test_place_of() -> None:
    found = audit_of(region(PUBLIC, PUBLIC)).findings
    assert {one.code: resource_of(one) for one in found} == {
        "public": IMAGE_RESOURCE,
        "snapshot_public": SNAPSHOT,
    }
    assert [one.kind for one in (IMAGE_RESOURCE, SNAPSHOT, KEY_RESOURCE)] == ["image", "snapshot", "key"]


def test_sharing_of() -> None:
    assert sharing_of([A, ORG, UNIT]) == accounts(A) | orgs(ORG, units=[UNIT])
    assert sharing_of(iter(["all"])) == PUBLIC
    assert sharing_of([]) == Sharing()


def test_without_removes_a_principal_from_one_image_or_snapshot() -> None:
    found = audit_of(region(accounts(A, B), accounts(A, B)))
    left = found.without([(IMAGE_RESOURCE, A)])
    assert left.images[IMAGE_RESOURCE].launch == accounts(B)
    assert left.volume_permissions == found.volume_permissions
    assert found.without([(SNAPSHOT, B)]).volume_permissions[SNAPSHOT] == accounts(A)


def test_wider_lists_accounts_that_have_only_the_snapshot() -> None:
    found = audit_of(region(accounts(A), accounts(A, B, OWNER)))
    assert found.wider(SNAPSHOT) == {B}
    assert replace(found, volume_permissions={SNAPSHOT: None}).wider(SNAPSHOT) == frozenset()


def test_unused_key_access() -> None:
    found = audit_of(under_key(accounts(A), made(root(A)), made(root(B))))
    assert found.unused_key_access(KEY_RESOURCE) == PolicyConsumers(frozenset({B}))
    unread = replace(found, volume_permissions={SNAPSHOT: None})
    assert unread.unused_key_access(KEY_RESOURCE) == PolicyConsumers()
    keyless = Problem("key_unreadable", "snap-9", failure("DescribeSnapshots"), "ami-9")
    other = audit_of(under_key(accounts(A), made(root(A)), made(root(B)), problems=(keyless,)))
    assert other.keyless == {REGION}
    assert other.unused_key_access(KEY_RESOURCE) == PolicyConsumers()


@pytest.mark.parametrize(
    ("where", "principal", "expected"),
    [
        pytest.param(IMAGE_RESOURCE, A, True, id="an image"),
        pytest.param(IMAGE_RESOURCE, B, False, id="another account"),
        pytest.param(SNAPSHOT, A, False, id="a private snapshot"),
        pytest.param(KEY_RESOURCE, B, True, id="a key"),
        pytest.param(Resource(REGION, "arn:other"), B, None, id="a key that was not read"),
        pytest.param(Resource(REGION, "ami-00000000"), A, False, id="a deregistered image"),
        pytest.param(Resource("us-west-2", SOURCE_ID), A, None, id="a region that was not read"),
    ],
)
def test_holds(where: Resource, principal: str, expected: bool | None) -> None:
    found = audit_of(under_key(accounts(A), made(root(B)), volume_permissions={"snap-1": PRIVATE}))
    assert found.holds(where, principal) is expected


def test_a_snapshot_without_an_image_that_could_not_be_read_is_not_known_to_be_private() -> None:
    snapshot = Resource(REGION, "snap-9")
    private = region(unused={"snap-9": PRIVATE})
    assert audit_of(private).holds(snapshot, A) is False
    unread = Problem("snapshot_unreadable", "snap-9", failure("DescribeSnapshotAttribute"))
    assert audit_of(region(problems=(unread,))).holds(snapshot, A) is None
    unlisted = audit_of(region(problems=(UNLISTED,)))
    assert unlisted.unlisted == {REGION}
    assert unlisted.holds(snapshot, A) is None
    assert unlisted.holds(Resource(REGION, "ami-00000000"), A) is False
