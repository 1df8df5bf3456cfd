# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images cannot be restored, and why: the plan refuses them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import OwnSnapshot
from ansible_collections.golden.images.plugins.module_utils._model import PublicAccessBlock, Sharing
from ansible_collections.golden.images.plugins.module_utils._restore.state import ImageState
from ansible_collections.golden.images.plugins.module_utils._tags import RECALLED_TAG

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
)

PUBLIC = Sharing(public=True)
ARCHIVED = {**found().snapshots, "snap-2": OwnSnapshot("snap-2", archived=True)}
KNOWN = (tombstone(), last_tombstone())


@pytest.mark.parametrize(
    ("shown", "tombstones", "code", "message"),
    [
        (found(image(owner_id=STRANGER)), KNOWN, "not_owner", STRANGER),
        (found(image("pending")), KNOWN, "image_not_retired", "pending"),
        (
            found(snapshots=ARCHIVED),
            KNOWN,
            "snapshot_archived",
            "snap-2 is archived, or being archived. Restore it permanently once archived (",
        ),
        (found(), (), "tombstone_not_found", "retired.jsonl"),
        (found(image("available")), (), "tombstone_not_found", "restore_permissions: false"),
        (found(), (last_tombstone(),), "permissions_unknown", "restore_permissions: false"),
        (binned(binned_snapshots=("snap-1",)), KNOWN, "snapshots_lost", "snap-2"),
        (binned(), (of_deregistration(launch=PUBLIC),), "would_become_public", "allow_public"),
        (
            binned(),
            (of_deregistration(volume_permissions={"snap-1": PUBLIC}),),
            "would_become_public",
            "was public when deleted",
        ),
        (ImageState(), (), "image_lost", "Check the image ID"),
        (ImageState(), KNOWN, "image_lost", "Its snapshots do not exist any more"),
        (
            ImageState(snapshots=found().snapshots),
            KNOWN,
            "image_lost",
            "still exist: snap-1, snap-2. Register",
        ),
        (
            ImageState(binned_snapshots=("snap-1",)),
            KNOWN,
            "image_lost",
            "still exist: snap-1 (in the Recycle Bin). These are lost: snap-2. Register",
        ),
        (
            # Others that AWS made for the image: a copy of a snapshot has its description.
            ImageState(binned_snapshots=("snap-1", "snap-2", "snap-3")),
            KNOWN,
            "image_lost",
            "snap-2 (in the Recycle Bin), snap-3 (in the Recycle Bin). Register",
        ),
        (
            ImageState(snapshots=found().snapshots, binned_snapshots=("snap-3",)),
            KNOWN,
            "image_lost",
            "still exist: snap-1, snap-2, snap-3 (in the Recycle Bin). Register",
        ),
        (
            ImageState(binned_snapshots=("snap-1", "snap-3")),
            KNOWN,
            "image_lost",
            "snap-3 (in the Recycle Bin). These are lost: snap-2. Register",
        ),
    ],
)
def test_an_image_that_cannot_be_restored_is_refused(
    shown: ImageState, tombstones: tuple[Any, ...], code: str, message: str
) -> None:
    plan = planned(shown, *tombstones)
    assert [one.error_code for one in plan.refusals] == [code]
    assert message in plan.refusals[0].sentence()
    assert plan.actions == ()


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("Linux/UNIX", None),
        ("Windows", "not Windows"),
        ("Red Hat Enterprise Linux", "not Red Hat Enterprise Linux"),
        ("", "not those of the lost image"),
    ],
)
def test_an_image_that_is_registered_from_snapshots_can_lack_its_billing_information(
    platform: str, expected: str | None
) -> None:
    """(botocore operation RegisterImage.)"""
    shown = ImageState(snapshots=found().snapshots)
    (refused,) = planned(shown, tombstone(platform=platform), last_tombstone(platform=platform)).refusals
    assert ("billing" in refused.remedy) == (expected is not None)
    if expected is not None:
        assert f"It gets another ID. If its PlatformDetails are {expected}, its billing" in refused.remedy


def test_each_archived_snapshot_has_its_command() -> None:
    command = "aws ec2 restore-snapshot-tier --region eu-west-1 --snapshot-id {} --permanent-restore"
    first, second = (command.format(one) for one in ("snap-1", "snap-2"))
    both = {one: OwnSnapshot(one, archived=True) for one in ("snap-2", "snap-1")}
    (refused,) = planned(found(snapshots=both), *KNOWN).refusals
    assert refused.message == "ami-1 is not enabled: snap-1, snap-2 are archived, or being archived."
    assert refused.remedy == (f"Restore them permanently once archived ({first}; {second}), then rerun.")


def many(count: int, **others: str) -> dict[str, str]:
    """That many tags of the user, and others."""
    return {**{f"tag-{number}": "" for number in range(count)}, **others}


@pytest.mark.parametrize(
    ("shown", "options", "count"),
    [
        (found(image(tags=many(50))), {}, 50),
        (found(image(tags=many(49, **DISABLED_TAG))), {}, 50),
        (found(image("available", tags=many(49, **DISABLED_TAG))), {}, 50),
        (found(image(tags=many(48, **DISABLED_TAG))), {}, None),
        # A tag of AWS does not count, and one that is there is not added.
        (found(image(tags=many(49, **{"aws:a": ""}))), {}, None),
        (found(image(tags=many(49, **RESTORING_TAG))), {}, None),
        # No permission is missing, or none is restored: it gets no tag.
        (found(image("available", tags=many(50))), {}, None),
        (found(image(tags=many(50))), {"restore_permissions": False}, None),
    ],
)
def test_an_image_that_has_no_room_for_the_tag_of_a_restore_is_refused(
    shown: ImageState, options: dict[str, Any], count: int | None
) -> None:
    """(botocore operation CreateTags: "Each resource can have a maximum of 50 tags".)"""
    refused = planned(shown, tombstone(), **options).refusals
    assert [(one.error_code, one.region) for one in refused] == [("too_many_tags", REF.region)] * bool(count)
    for one in refused:
        assert one.message == (
            f"ami-1 has {count} tags, and AWS allows 50: until it is restored, it needs one more, "
            "golden.images:restoring."
        )
        assert one.remedy == (
            "Remove one of its tags (aws ec2 delete-tags --region eu-west-1 --resources ami-1 "
            "--tags Key=KEY), then rerun."
        )


IN_BIN = "which is possible in the Recycle Bin, then rerun."
BY_HAND = "which is possible in the Recycle Bin, restore its snapshots and it by hand, then rerun."


@pytest.mark.parametrize(
    ("tags", "last", "remedy"),
    [
        (many(50), of_deregistration(), IN_BIN),
        (many(49), of_deregistration(tags=many(50)), None),
        (many(49, **RESTORING_TAG), of_deregistration(), None),
        ({}, of_deregistration(tags=many(50)), None),
        # AWS does not return its tags.
        (None, of_deregistration(tags=many(50)), BY_HAND),
        (None, of_deregistration(tags=many(49)), None),
        (None, of_deregistration(tags=many(49, **RESTORING_TAG)), None),
        # The tag of the stage is set after the tombstone is written.
        (None, tombstone(tags=many(49)), BY_HAND),
        (None, None, None),
        (many(50), None, IN_BIN),
    ],
)
def test_so_is_one_in_the_recycle_bin_before_it_is_taken_out(
    tags: dict[str, str] | None, last: Any, remedy: str | None
) -> None:
    """Registered without the tag, the next cleanup could deregister it again."""
    options = {"restore_permissions": False, "allow_public": True}
    plan = planned(binned(binned_tags=tags), *([last] if last else []), **options)
    assert [one.error_code for one in plan.refusals] == (["too_many_tags"] if remedy else [])
    assert all(one.remedy.endswith(str(remedy)) for one in plan.refusals)
    assert (plan.actions == ()) is bool(remedy)


RECALLED = {RECALLED_TAG: "2026-12-01T23:40:05Z"}


@pytest.mark.parametrize(
    ("shown", "last", "remedy"),
    [
        pytest.param(found(image(tags=RECALLED)), tombstone(), "state: absent", id="disabled"),
        pytest.param(found(image("available", tags=RECALLED)), tombstone(), "state: absent", id="available"),
        pytest.param(binned(binned_tags=RECALLED), of_deregistration(), IN_BIN, id="since the tombstone"),
        pytest.param(binned(), of_deregistration(tags=RECALLED), BY_HAND, id="by its tombstone"),
        pytest.param(binned(binned_tags={}), of_deregistration(tags=RECALLED), None, id="not any more"),
        pytest.param(found(), of_deregistration(tags=RECALLED), None, id="not any more, and registered"),
    ],
)
def test_an_image_that_was_recalled_is_not_restored(shown: ImageState, last: Any, remedy: str | None) -> None:
    plan = planned(shown, last, restore_permissions=False)
    assert [one.error_code for one in plan.refusals] == ["image_recalled"] * bool(remedy)
    for one in plan.refusals:
        assert (one.region, one.message) == (REF.region, "ami-1 was recalled at 2026-12-01T23:40:05Z.")
        assert str(remedy) in one.remedy
        assert ("--resources ami-1 --tags Key=golden.images:recalled" in one.remedy) is shown.binned
    assert (plan.actions == ()) is bool(remedy)


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
    shown: ImageState, tombstones: tuple[Any, ...], is_known: bool
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
    (refused,) = planned(found(), tombstone(), images={REF: STRANGER}).refusals
    assert (refused.error_code, refused.account_id) == ("not_owner", OWNER)
    assert planned(found(), tombstone(), images={REF: OWNER}).refusals == ()


@pytest.mark.parametrize(
    ("launch", "of_snapshots", "actions"),
    [
        (Sharing(), VOLUMES, []),
        (PUBLIC, VOLUMES, ["ModifyImageAttribute"]),
        (PUBLIC, {**VOLUMES, "snap-2": PUBLIC}, ["ModifyImageAttribute"] * 2),
    ],
)
def test_block_public_access_refuses_only_new_public_permissions(
    launch: Sharing, of_snapshots: dict[str, Sharing], actions: list[str]
) -> None:
    blocked = found(
        image_block=PublicAccessBlock("block-new-sharing"),
        snapshot_block=PublicAccessBlock("block-new-sharing"),
    )
    before = tombstone(launch=launch, volume_permissions=of_snapshots)
    refused = planned(blocked, before, allow_public=True).refusals
    assert [one.action for one in refused] == actions
    assert all("allow_public: false" in one.remedy for one in refused)
