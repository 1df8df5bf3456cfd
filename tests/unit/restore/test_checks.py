# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images cannot be restored, and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import OwnSnapshot
from ansible_collections.golden.images.plugins.module_utils.cleanup.tombstone import TombstoneHistory
from ansible_collections.golden.images.plugins.module_utils.model import Sharing, Target
from ansible_collections.golden.images.plugins.module_utils.restore.checks import (
    may_lack_permissions,
    public_refusals,
    refusals,
)
from ansible_collections.golden.images.plugins.module_utils.restore.state import Found

from tests.unit.examples import OWNER, STRANGER, volumes

from .examples import (
    BINNED_AT,
    DISABLED_TAG,
    REF,
    RESTORING_TAG,
    VOLUMES,
    binned,
    found,
    image,
    last_tombstone,
    of_deregistration,
    planned,
    tombstone,
    wanted,
)

PUBLIC = Sharing(public=True)
HERE = Target(OWNER, REF.region)
ARCHIVED = {**found().snapshots, "snap-2": OwnSnapshot("snap-2", archived=True)}
KNOWN = (tombstone(), last_tombstone())


@pytest.mark.parametrize(
    ("state", "tags", "lacks"),
    [
        ("disabled", {}, True),
        ("available", {}, False),
        ("available", DISABLED_TAG, True),
        ("available", RESTORING_TAG, True),
        # The image has just come out of the Recycle Bin, which keeps its permissions.
        ("available", {"golden.images:restoring": "recycle_bin"}, False),
        ("disabled", {"golden.images:restoring": "recycle_bin"}, True),
        ("available", {"golden.images:restoring": "recycle_bin", **DISABLED_TAG}, True),
    ],
)
def test_state_and_tags_show_that_permissions_may_be_missing(
    state: str, tags: dict[str, str], lacks: bool
) -> None:
    assert may_lack_permissions(image(state, tags=tags)) is lacks


@pytest.mark.parametrize(
    ("shown", "tombstones", "code", "message"),
    [
        (found(image(owner_id=STRANGER)), KNOWN, "not_owner", STRANGER),
        (found(image("pending")), KNOWN, "image_not_retired", "pending"),
        (found(snapshots=ARCHIVED), KNOWN, "snapshot_archived", "snap-2"),
        (found(), (), "tombstone_not_found", "retired.jsonl"),
        (found(image("available")), (), "tombstone_not_found", "restore_permissions: false"),
        (found(), (last_tombstone(),), "permissions_unknown", "restore_permissions: false"),
        (binned(binned_snapshots=("snap-1",)), KNOWN, "snapshots_lost", "snap-2"),
        (binned(), (of_deregistration(launch=PUBLIC),), "would_become_public", "allow_public"),
        (
            binned(),
            (of_deregistration(volumes={"snap-1": PUBLIC}),),
            "would_become_public",
            "was public when deleted",
        ),
        (Found(), (), "image_lost", "Check the image ID"),
        (Found(), KNOWN, "image_lost", "Its snapshots do not exist any more"),
        (Found(snapshots=found().snapshots), KNOWN, "image_lost", "still exist: snap-1, snap-2. Register"),
        (
            Found(binned_snapshots=("snap-1",)),
            KNOWN,
            "image_lost",
            "still exist: snap-1 (in the Recycle Bin). These are lost: snap-2. Register",
        ),
        (
            # Others that AWS made for the image: a copy of a snapshot has its description.
            Found(binned_snapshots=("snap-1", "snap-2", "snap-3")),
            KNOWN,
            "image_lost",
            "snap-2 (in the Recycle Bin), snap-3 (in the Recycle Bin). Register",
        ),
        (
            Found(snapshots=found().snapshots, binned_snapshots=("snap-3",)),
            KNOWN,
            "image_lost",
            "still exist: snap-1, snap-2, snap-3 (in the Recycle Bin). Register",
        ),
        (
            Found(binned_snapshots=("snap-1", "snap-3")),
            KNOWN,
            "image_lost",
            "snap-3 (in the Recycle Bin). These are lost: snap-2. Register",
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


WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("shown", "tombstones", "is_known"),
    [
        (binned(), (), False),
        # It was enabled, or restored, and deregistered by hand: meanwhile it may have been public.
        (binned(), (tombstone(),), False),
        (binned(binned_at=BINNED_AT + WEEK), (tombstone(), last_tombstone()), False),
        (binned(binned_at=BINNED_AT + WEEK), (of_deregistration(),), False),
        (binned(binned_at=BINNED_AT - WEEK), (of_deregistration(),), False),
        (binned(binned_at=None), (of_deregistration(),), False),
        (binned(), (of_deregistration(written_at="x"),), False),
        (binned(), (of_deregistration(),), True),
        (binned(), (tombstone(), last_tombstone()), True),
        # It cannot have been public.
        (binned(), (tombstone(devices=volumes(*VOLUMES, None, encrypted=True)),), True),
        (binned(), (tombstone(devices=(*volumes("snap-1", encrypted=True), *volumes("snap-2"))),), False),
        (binned(), (tombstone(devices=()),), False),
    ],
)
def test_an_image_is_not_restored_from_the_recycle_bin_if_it_may_have_been_public(
    shown: Found, tombstones: tuple[Any, ...], is_known: bool
) -> None:
    refused = planned(shown, *tombstones, restore_permissions=False).refusals
    assert [one.error_code for one in refused] == ([] if is_known else ["would_become_public"])
    assert all("It is not known whether ami-1" in one.message for one in refused)
    assert planned(shown, *tombstones, restore_permissions=False, allow_public=True).refusals == ()


def test_an_image_in_the_recycle_bin_without_a_tombstone_is_refused_for_each_reason() -> None:
    assert [one.error_code for one in planned(binned()).refusals] == [
        "would_become_public",
        "tombstone_not_found",
    ]


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
