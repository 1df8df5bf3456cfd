# SPDX-License-Identifier: GPL-3.0-or-later

"""What must be deleted before a snapshot is deleted or a grant revoked."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.decisions import Decision
from ansible_collections.golden.images.plugins.module_utils._cleanup.dependencies import (
    find_dependencies,
    is_still_in_use,
)
from ansible_collections.golden.images.plugins.module_utils._cleanup.snapshots import SnapshotDecision
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import OwnSnapshot
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef
from ansible_collections.golden.images.plugins.module_utils._plan import Action

from tests.unit.cleanup.examples import REGION, region_state, seen
from tests.unit.examples import OWNER, target_in

KEY = f"arn:aws:kms:{REGION}:{OWNER}:key/golden"
SNAPSHOTS = {
    "snap-1": OwnSnapshot("snap-1", kms_key_id=KEY),
    "snap-2": OwnSnapshot("snap-2"),
    "snap-9": OwnSnapshot("snap-9", kms_key_id=KEY),
}
SEEN = seen(region_state(snapshots=SNAPSHOTS))


def deregistered(image_id: str, *snapshot_ids: str) -> Decision:
    snapshots = tuple(SnapshotDecision(one) for one in snapshot_ids)
    return Decision(ImageRef(REGION, image_id), "web", "deregister", snapshots=snapshots)


def delete(snapshot_id: str) -> Action:
    return Action(target_in(), "DeleteSnapshot", {"SnapshotId": snapshot_id}, snapshot_id)


REVOKE = Action(target_in(), "RevokeGrant", {"GrantId": "g-1", "KeyId": KEY}, "g-1", service="kms")


def test_a_snapshot_depends_on_its_images_and_a_grant_on_all_that_goes_under_its_key() -> None:
    decided = [deregistered("ami-1", "snap-1"), deregistered("ami-2", "snap-1", "snap-2")]
    found = find_dependencies(SEEN, decided, [REVOKE, delete("snap-1"), delete("snap-9")])
    assert found[REGION] == {
        "snap-1": {"ami-1", "ami-2"},
        "snap-2": {"ami-2"},
        "g-1": {"ami-1", "ami-2", "snap-9"},
    }


def test_a_grant_also_depends_on_what_goes_under_a_key_by_association_alone() -> None:
    other = KEY.replace("golden", "other")
    associated = {
        "snap-1": OwnSnapshot("snap-1", kms_key_id=other, associated_key_arns=(other, KEY)),
        "snap-9": OwnSnapshot("snap-9", associated_key_arns=(KEY,)),
    }
    saw = seen(region_state(snapshots=associated))
    found = find_dependencies(saw, [deregistered("ami-1", "snap-1")], [REVOKE, delete("snap-9")])
    assert found[REGION]["g-1"] == {"ami-1", "snap-9"}


def test_without_anything_that_is_deregistered_nothing_depends() -> None:
    assert not find_dependencies(SEEN, (), [delete("snap-9")]).get(REGION)


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("InvalidSnapshot.InUse", "The snapshot snap-1 is currently in use by ami-0f1", True),
        ("InvalidSnapshot.InUse", "The snapshot snap-1 is currently in use by ami-0f1.", True),
        ("InvalidSnapshot.InUse", "The snapshot snap-1 is currently in use by ami-0f12", False),
        ("InvalidSnapshot.InUse", "The snapshot snap-1 is currently in use by ami-2", False),
        ("InvalidSnapshot.InUse", "The snapshot of ami-0f1 is currently in use by vol-1", False),
        ("InvalidSnapshot.InUse", "No.", False),
        ("OperationNotPermitted", "The snapshot snap-1 is currently in use by ami-0f1", False),
    ],
)
def test_which_refusal_only_shows_that_a_deregistration_is_not_seen_yet(
    code: str, message: str, expected: bool
) -> None:
    """(boto/boto#3019.)"""
    problem = Failure.at(target_in(), "DeleteSnapshot", code, message, "")
    assert is_still_in_use(problem, {"ami-0f1"}) is expected
