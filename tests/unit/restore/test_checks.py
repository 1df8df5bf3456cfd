# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images cannot be restored, and why."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import OwnSnapshot
from ansible_collections.golden.images.plugins.module_utils.cleanup.tombstone import TombstoneHistory
from ansible_collections.golden.images.plugins.module_utils.model import Sharing, Target
from ansible_collections.golden.images.plugins.module_utils.restore.checks import public_refusals, refusals
from ansible_collections.golden.images.plugins.module_utils.restore.state import Found

from tests.unit.examples import OWNER, STRANGER

from .examples import REF, VOLUMES, binned, found, image, last_tombstone, planned, tombstone, wanted

PUBLIC = Sharing(public=True)
HERE = Target(OWNER, REF.region)
ARCHIVED = {**found().snapshots, "snap-2": OwnSnapshot("snap-2", archived=True)}
KNOWN = (tombstone(), last_tombstone())


@pytest.mark.parametrize(
    ("shown", "tombstones", "code", "message"),
    [
        (found(image(owner_id=STRANGER)), KNOWN, "not_owner", STRANGER),
        (found(image("pending")), KNOWN, "image_not_retired", "pending"),
        (found(snapshots=ARCHIVED), KNOWN, "snapshot_archived", "snap-2"),
        (found(), (), "tombstone_not_found", "retired.jsonl"),
        (found(image("available")), (), "tombstone_not_found", "restore_permissions: false"),
        (binned(), (), "tombstone_not_found", "restore_permissions: false"),
        (found(), (last_tombstone(),), "permissions_unknown", "restore_permissions: false"),
        (binned(binned_snapshots=("snap-1",)), KNOWN, "snapshots_lost", "snap-2"),
        (binned(), (tombstone(stage="deregister", launch=PUBLIC),), "would_become_public", "allow_public"),
        (binned(), (tombstone(volumes={"snap-1": PUBLIC}),), "would_become_public", "allow_public"),
        (Found(), (), "image_lost", "Check the image ID"),
        (Found(), KNOWN, "image_lost", "Its snapshots do not exist any more"),
        (Found(snapshots=found().snapshots), KNOWN, "image_lost", "still exist: snap-1, snap-2. Register"),
        (
            Found(binned_snapshots=("snap-1",)),
            KNOWN,
            "image_lost",
            "still exist: snap-1 (in the Recycle Bin); 1 are lost.",
        ),
    ],
)
def test_an_image_that_cannot_be_restored_is_refused(
    shown: Found, tombstones: tuple[Any, ...], code: str, message: str
) -> None:
    plan = planned(shown, *tombstones)
    assert [one.error_code for one in plan.refusals] == [code]
    assert message in plan.refusals[0].sentence()
    assert plan.actions == ()


def test_an_image_with_another_account_id_is_refused() -> None:
    (refused,) = planned(found(), tombstone(), accounts={REF: STRANGER}).refusals
    assert (refused.error_code, refused.account_id) == ("not_owner", OWNER)
    assert planned(found(), tombstone(), accounts={REF: OWNER}).refusals == ()


def test_an_image_with_a_tombstone_is_not_refused() -> None:
    history = TombstoneHistory((tombstone(),))
    assert [*refusals(wanted(), HERE, REF, found(), history)] == []
    (refused,) = refusals(wanted(), HERE, REF, found(), TombstoneHistory())
    assert (refused.error_code, refused.region) == ("tombstone_not_found", REF.region)


@pytest.mark.parametrize(
    ("launch", "volumes", "actions"),
    [
        (Sharing(), VOLUMES, []),
        (PUBLIC, VOLUMES, ["ModifyImageAttribute"]),
        (PUBLIC, {**VOLUMES, "snap-2": PUBLIC}, ["ModifyImageAttribute"] * 2),
    ],
)
def test_block_public_access_refuses_only_new_public_permissions(
    launch: Sharing, volumes: dict[str, Sharing], actions: list[str]
) -> None:
    blocked = found(image_block="block-new-sharing", snapshot_block="block-new-sharing")
    refused = [*public_refusals(blocked, image(), launch, volumes, HERE)]
    assert [one.action for one in refused] == actions
    assert all("allow_public: false" in one.remedy for one in refused)
