# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls that restore an image, their order, and the resulting permissions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.stages import render_time
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import OwnSnapshot
from ansible_collections.golden.images.plugins.module_utils._cleanup.tombstone import TombstoneHistory
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, PublicAccessBlock, Sharing
from ansible_collections.golden.images.plugins.module_utils._restore import plan as restore
from ansible_collections.golden.images.plugins.module_utils._restore.state import RestoreState

from tests.unit.cleanup import examples as cleaning
from tests.unit.examples import CONSUMER, OWNER, target_in, volumes

from .examples import (
    BINNED_AT,
    CHOSEN_TAG,
    DATED,
    DISABLED_TAG,
    GOING,
    LAST,
    LAUNCH,
    NOW,
    REF,
    RESTORING_TAG,
    VOLUMES,
    binned,
    calls,
    found,
    image,
    last_tombstone,
    of_deregistration,
    performed,
    planned,
    planned_again,
    tombstone,
    wanted,
)

AMI = REF.image_id
ENABLE, SHARE, UNMARK = ("EnableImage", AMI), ("ModifyImageAttribute", AMI), ("DeleteTags", AMI)
MARK = ("CreateTags", AMI)
OUT_OF_BIN = {"golden.images:restoring": "recycle_bin"}
PUBLIC = Sharing(public=True)


def rejection(operation: str) -> Failure:
    """AWS rejects the account."""
    failure = Failure.at(target_in(REF.region), operation, "InvalidAMIAttributeItemValue", "No.", "")
    return failure.to_rejection(CONSUMER, "Remove it.")


def test_a_disabled_image_is_enabled_then_shared_then_untagged() -> None:
    snapshots = {"snap-1": OwnSnapshot("snap-1", tags=GOING), "snap-2": OwnSnapshot("snap-2")}
    shown = found(volume_permissions=dict.fromkeys(VOLUMES, Sharing()), snapshots=snapshots)
    plan = planned(shown, tombstone())
    assert calls(plan.actions) == [
        MARK,
        ENABLE,
        ("ModifySnapshotAttribute", "snap-1"),
        SHARE,
        ("DeleteTags", "snap-1"),
        UNMARK,
    ]
    assert (plan.previous_state, plan.tombstone, plan.refusals) == ("disabled", DATED, ())
    assert plan.after["launch_permissions"] == LAUNCH.to_dict()
    assert plan.after["volume_permissions"]["snap-1"] == {"account_ids": [CONSUMER], "public": False}
    assert (plan.before["state"], plan.after["state"], plan.after["marks"]) == ("disabled", "available", [])


def test_a_temporarily_restored_snapshot_is_restored_with_a_warning() -> None:
    until = datetime(2027, 1, 2, tzinfo=UTC)
    restored = OwnSnapshot("snap-2", archived=True, restored_until=until)
    plan = planned(found(snapshots={**found().snapshots, "snap-2": restored}), tombstone())
    assert plan.refusals == ()
    (warning,) = plan.warnings
    assert "snap-2 of ami-1 is archived and only restored until 2027-01-02" in warning
    assert planned(found(), tombstone()).warnings == ()


@pytest.mark.parametrize(
    ("tags", "operations"),
    [
        # No tag: disabled by hand, or by a cleanup that was killed before it set the tag.
        ({}, [MARK, ENABLE, SHARE, UNMARK]),
        (CHOSEN_TAG, [MARK, ENABLE, SHARE, UNMARK]),
        # The next cleanup deletes this tag once the image is enabled.
        (DISABLED_TAG, [MARK, ENABLE, SHARE, UNMARK]),
        (RESTORING_TAG, [ENABLE, SHARE, UNMARK]),
        (OUT_OF_BIN, [MARK, ENABLE, SHARE, UNMARK]),
    ],
)
def test_a_tag_shows_that_permissions_are_missing_before_the_image_is_enabled(
    tags: dict[str, str], operations: list[Any]
) -> None:
    plan = planned(found(image(tags=tags)), tombstone())
    assert calls(plan.actions) == operations
    if operations[0] == MARK:
        assert plan.actions[0].parameters["Tags"] == [{"Key": "golden.images:restoring", "Value": DATED}]
    taken = {tag["Key"] for tag in plan.actions[-1].parameters["Tags"]}
    assert taken == {*tags, *(["golden.images:restoring"] if operations[0] == MARK else [])}


@pytest.mark.parametrize(
    ("tags", "launch", "operations"),
    [
        ({}, Sharing(), []),
        (CHOSEN_TAG, Sharing(), [UNMARK]),
        (DISABLED_TAG, Sharing(), [MARK, SHARE, UNMARK]),
        (DISABLED_TAG, LAUNCH, [UNMARK]),
        (RESTORING_TAG, Sharing(account_ids=frozenset({CONSUMER})), [SHARE, UNMARK]),
        (RESTORING_TAG, LAUNCH, [UNMARK]),
        # The image has just come out of the Recycle Bin, which keeps its permissions.
        (OUT_OF_BIN, Sharing(), [UNMARK]),
        ({**OUT_OF_BIN, **DISABLED_TAG}, Sharing(), [MARK, SHARE, UNMARK]),
    ],
)
def test_an_available_image_only_gets_what_an_interrupted_run_left(
    tags: dict[str, str], launch: Sharing, operations: list[Any]
) -> None:
    plan = planned(found(image("available", tags=tags), launch=launch), tombstone())
    assert calls(plan.actions) == operations


@pytest.mark.parametrize(
    ("marked", "deprecated", "canceled"),
    [
        ("2026-11-01T12:01:00Z", "2026-11-01T12:01:00.000Z", True),
        ("2026-11-01T12:01:00Z", "2026-10-01T12:01:00.000Z", False),
        ("2026-11-01T12:01:00Z", "2026-11-01T12:02:00.000Z", False),
        ("2026-11-01T12:01:00Z", None, False),
        (None, "2026-11-01T12:01:00.000Z", False),
    ],
)
def test_only_a_cleanups_deprecation_is_canceled(
    marked: str | None, deprecated: str | None, canceled: bool
) -> None:
    # Without the date of the stage, which a cleanup deletes if the image is used again.
    tags = {"golden.images:cleanup-deprecation-date": marked} if marked else {}
    shown = found(image("available", tags=tags, deprecation_time=deprecated), launch=LAUNCH)
    plan = planned(shown)
    assert (("DisableImageDeprecation", AMI) in calls(plan.actions)) == canceled
    assert plan.after["marks"] == []
    assert plan.after["deprecation_time"] == (None if canceled else deprecated)


@pytest.mark.parametrize(
    ("former", "after", "made"),
    [
        ("2027-06-01T00:00:00.000Z", "2027-06-01T00:00:00.000Z", ["EnableImageDeprecation"]),
        # AWS refuses a date in the past.
        ("2026-12-01T00:30:00.000Z", "2026-11-01T12:01:00.000Z", []),
        ("soon", None, ["DisableImageDeprecation"]),
    ],
)
def test_a_later_deprecation_date_that_a_cleanup_replaced_is_set_again(
    former: str, after: str | None, made: list[str]
) -> None:
    deprecated = {
        "tags": {"golden.images:cleanup-deprecation-date": f"2026-11-01T12:01:00Z {former}"},
        "deprecation_time": "2026-11-01T12:01:00.000Z",
    }
    plan = planned(found(image("available", **deprecated), launch=LAUNCH))
    assert [one.operation for one in plan.actions] == [*made, "DeleteTags"]
    assert plan.after["deprecation_time"] == after
    if made == ["EnableImageDeprecation"]:
        assert plan.actions[0].parameters == {
            "DeprecateAt": datetime(2027, 6, 1, tzinfo=UTC),
            "ImageId": AMI,
        }


DEPRECATED = {
    "tags": {"golden.images:cleanup-deprecation-date": "2026-11-01T12:01:00Z", **DISABLED_TAG},
    "deprecation_time": "2026-11-01T12:01:00.000Z",
}


def test_a_deprecation_is_canceled_before_the_image_becomes_public() -> None:
    """EC2 User Guide, "Deprecate an Amazon EC2 AMI": AWS refuses it for a public image."""
    plan = planned(found(image(**DEPRECATED)), tombstone(launch=PUBLIC), allow_public=True)
    assert calls(plan.actions) == [MARK, ENABLE, ("DisableImageDeprecation", AMI), SHARE, UNMARK]
    assert (plan.after["deprecation_time"], plan.warnings) == (None, ())


def test_the_deprecation_of_a_public_image_stays_with_a_warning() -> None:
    shown = found(image("available", **DEPRECATED), launch=PUBLIC)
    plan = planned(shown, tombstone(launch=PUBLIC), allow_public=True)
    assert calls(plan.actions) == [UNMARK]
    assert plan.after["deprecation_time"] == DEPRECATED["deprecation_time"]
    (warning,) = plan.warnings
    assert warning.startswith("ami-1 is public and stays deprecated")
    assert planned(replace(shown, image=image("available")), tombstone(launch=PUBLIC)).warnings == ()


def test_snapshots_are_restored_from_the_recycle_bin_before_the_image() -> None:
    plan = planned(binned(), tombstone(), last_tombstone())
    assert calls(plan.restore_snapshots) == [("RestoreSnapshotFromRecycleBin", one) for one in VOLUMES]
    assert calls(plan.restore_image) == [("RestoreImageFromRecycleBin", AMI)]
    assert calls(plan.mark) == [MARK]
    assert calls(plan.finish) == [ENABLE, SHARE, ("DeleteTags", "snap-1, snap-2"), UNMARK]
    assert plan.actions == (*plan.restore_snapshots, *plan.restore_image, *plan.mark, *plan.finish)
    assert (plan.previous_state, plan.before) == ("recycle_bin", {"state": "recycle_bin"})
    assert plan.after["launch_permissions"] == LAUNCH.to_dict()


def test_an_image_that_was_not_disabled_keeps_its_permissions_in_the_recycle_bin() -> None:
    plan = planned(binned(), of_deregistration())
    assert calls(plan.finish) == [UNMARK]
    assert plan.after["launch_permissions"] == LAUNCH.to_dict()


def test_permissions_that_the_recycle_bin_did_not_keep_are_put_back() -> None:
    came_back = found(image("available", tags={}), binned_at=BINNED_AT)
    again = planned_again(came_back, of_deregistration())
    assert calls(again.actions) == [SHARE, UNMARK]
    # The next run completes it if it is interrupted. It does not know when the image was deregistered.
    interrupted = replace(came_back, image=image("available", tags=restoring(LAST)), binned_at=None)
    assert calls(planned(interrupted, of_deregistration()).actions) == [SHARE, UNMARK]


def restoring(value: str) -> dict[str, str]:
    """The tag of an incomplete restore."""
    return {"golden.images:restoring": value}


@pytest.mark.parametrize(
    ("shown", "tombstones", "options", "value"),
    [
        (binned(), (of_deregistration(),), {}, LAST),
        (binned(), (tombstone(), last_tombstone()), {}, DATED),
        (binned(), (tombstone(), last_tombstone()), {"restore_permissions": False}, "recycle_bin"),
        # Deregistered by hand: it may have been restored, and unshared from some accounts, before.
        (binned(), (tombstone(),), {"allow_public": True}, "recycle_bin"),
        (binned(binned_at=None), (of_deregistration(),), {"allow_public": True}, "recycle_bin"),
        (binned(), (), {"restore_permissions": False, "allow_public": True}, "recycle_bin"),
    ],
)
def test_the_first_tag_names_a_tombstone_only_if_the_image_may_lack_its_permissions(
    shown: Any, tombstones: Any, options: dict[str, Any], value: str
) -> None:
    """Right after the Recycle Bin, so that no cleanup takes the image again if the run ends."""
    plan = planned(shown, *tombstones, **options)
    (mark,) = plan.mark
    assert mark.parameters == {
        "Resources": [AMI],
        "Tags": [{"Key": "golden.images:restoring", "Value": value}],
    }
    assert {"Key": "golden.images:restoring"} in plan.finish[-1].parameters["Tags"]


@pytest.mark.parametrize(("marked", "decision"), [(True, "keep"), (False, "deregister")])
def test_no_cleanup_deregisters_an_image_again_if_the_run_ends_after_the_first_tag(
    marked: bool, decision: str
) -> None:
    """It comes back disabled, with the date of that stage, and the days until the next one are over."""
    disabled_tag = {"golden.images:cleanup-disabled": render_time(cleaning.ago(days=60))}
    binned_image = found(image(tags={"family": "web", **disabled_tag}))
    plan = planned(binned(), tombstone(), last_tombstone())
    made = [*plan.restore_snapshots, *plan.restore_image, *(plan.mark if marked else ())]
    left = performed(binned(), binned_image, made).image
    assert left is not None
    retired = replace(cleaning.own(REF.image_id), image=left)
    saw = cleaning.seen(cleaning.region_state(retired, cleaning.own("ami-new", 1)))
    assert cleaning.kinds(saw, clocks=cleaning.Clocks(disable=60, deregister=30))[REF.image_id] == decision


def test_an_image_that_was_deregistered_during_a_restore_keeps_its_tag() -> None:
    came_back = found(image("available", tags=restoring(DATED)), binned_at=BINNED_AT)
    again = planned_again(came_back, tombstone())
    assert (calls(again.actions), again.tombstone, again.warnings) == ([SHARE, UNMARK], DATED, ())


@pytest.mark.parametrize(
    "before",
    [
        # Restored, then deregistered by hand.
        (tombstone(),),
        (of_deregistration(written_at=DATED),),
    ],
)
def test_permissions_of_an_earlier_retirement_are_not_added_after_the_recycle_bin(before: Any) -> None:
    left = Sharing(account_ids=frozenset({CONSUMER}))
    came_back = found(image("available", tags={}), launch=left, binned_at=BINNED_AT)
    again = planned_again(came_back, *before)
    assert (calls(again.actions), again.tombstone, again.warnings) == ([UNMARK], None, ())
    assert again.after["launch_permissions"] == left.to_dict()
    # Nor by the next run, if this one is interrupted.
    interrupted = replace(came_back, image=image("available", tags=restoring("recycle_bin")))
    rerun = planned(interrupted, *before)
    assert (calls(rerun.actions), rerun.tombstone) == ([UNMARK], None)


def test_a_warning_also_names_such_a_tombstone_after_the_recycle_bin() -> None:
    """The tag that this run has set does not show that a cleanup disabled the image."""
    deregistered = last_tombstone(tags={})
    (warning,) = planned(binned(), tombstone(), deregistered).warnings
    assert DATED in warning
    came_back = found(image(tags=restoring(DATED)), binned_at=BINNED_AT)
    again = planned_again(came_back, tombstone(), deregistered)
    assert again.warnings == (warning,)


@pytest.mark.parametrize(
    ("tags", "warned"),
    [
        (DISABLED_TAG, False),
        (RESTORING_TAG, False),
        ({}, True),
        # The next cleanup sets the tag of an image that was disabled by hand.
        ({"golden.images:cleanup-disabled": LAST}, True),
    ],
)
def test_a_warning_names_a_tombstone_that_may_be_of_an_earlier_retirement(
    tags: dict[str, str], warned: bool
) -> None:
    plan = planned(found(image(tags=tags)), tombstone())
    assert [DATED in one for one in plan.warnings] == [True] * warned
    # A cleanup removes the tag of an image that is needed, even if it is still disabled.
    assert ["or a later cleanup removed the tag" in one for one in plan.warnings] == [True] * warned
    assert plan.tombstone == DATED
    assert planned(found(image(tags=tags)), tombstone(), restore_permissions=False).warnings == ()


def test_a_disabled_image_that_was_deregistered_by_hand_is_enabled() -> None:
    plan = planned(binned(), tombstone(), allow_public=True)
    assert plan.warnings == ()
    # Its state is only known after the first tag is set.
    assert calls(plan.mark) == [MARK]
    assert calls(plan.enabling) == [MARK, ENABLE]
    assert plan.enabling[0].parameters["Tags"] == [{"Key": "golden.images:restoring", "Value": DATED}]
    assert (*plan.enabling, *plan.after_enabling) == plan.finish


def test_nothing_has_to_become_available_if_no_call_enables_the_image() -> None:
    came_back = found(image("available", tags={}), binned_at=BINNED_AT)
    again = planned_again(came_back, of_deregistration())
    assert (again.enabling, again.after_enabling) == ((), again.finish)


def test_existing_snapshots_are_not_restored() -> None:
    snapshots = {"snap-2": OwnSnapshot("snap-2")}
    plan = planned(binned(binned_snapshots=("snap-1",), snapshots=snapshots), tombstone(), last_tombstone())
    assert calls(plan.restore_snapshots) == [("RestoreSnapshotFromRecycleBin", "snap-1")]


def test_a_snapshot_of_two_images_is_restored_once() -> None:
    other = ImageRef(REF.region, "ami-2")
    saw = RestoreState(
        OWNER,
        NOW,
        dict.fromkeys((REF, other), binned()),
        {one: TombstoneHistory((of_deregistration(ref=one),)) for one in (REF, other)},
    )
    plan = restore.plan(wanted(images={REF: None, other: None}), saw)
    assert calls(plan.actions).count(("RestoreSnapshotFromRecycleBin", "snap-1")) == 1
    assert set(plan.after[REF.region]) == {REF.image_id, other.image_id}


def test_restore_permissions_false_needs_no_tombstone() -> None:
    plan = planned(binned(), restore_permissions=False, allow_public=True)
    assert (calls(plan.finish), plan.after, plan.refusals) == ([UNMARK], {}, ())
    plan = planned(found(), tombstone(), restore_permissions=False)
    assert (calls(plan.actions), plan.tombstone) == ([ENABLE, UNMARK], None)
    assert (plan.before["volume_permissions"], plan.after["volume_permissions"]) == (None, None)


def test_public_permissions_are_put_back_only_with_allow_public() -> None:
    public = tombstone(launch=LAUNCH | PUBLIC, volume_permissions={"snap-1": PUBLIC, "snap-2": Sharing()})
    shown = found(volume_permissions=dict.fromkeys(VOLUMES, Sharing()))
    plan = planned(shown, public)
    assert calls(plan.actions) == [MARK, ENABLE, SHARE, UNMARK]
    assert plan.after["launch_permissions"] == LAUNCH.to_dict()
    assert "was public" in plan.warnings[0]
    unblocked = replace(
        shown, image_block=PublicAccessBlock("unblocked"), snapshot_block=PublicAccessBlock("unblocked")
    )
    plan = planned(unblocked, public, allow_public=True)
    opened = [SHARE, ("ModifySnapshotAttribute", "snap-1")]
    assert calls(plan.actions) == [MARK, ENABLE, SHARE, *opened, UNMARK]
    assert plan.after["launch_permissions"]["public"] is True
    assert plan.warnings == ()
    blocked = replace(
        shown,
        image_block=PublicAccessBlock("block-new-sharing"),
        snapshot_block=PublicAccessBlock("block-new-sharing"),
    )
    refused = planned(blocked, public, allow_public=True).refusals
    assert [one.error_code for one in refused] == ["block_public_access"] * 2
    assert all("allow_public: false" in one.remedy for one in refused)


def test_the_result_lacks_what_aws_rejected() -> None:
    plan = planned(found(volume_permissions=dict.fromkeys(VOLUMES, Sharing())), tombstone())
    assert restore.leave_out_rejected(plan, ()) == plan
    left = restore.leave_out_rejected(plan, [rejection("ModifyImageAttribute")]).after
    assert left["launch_permissions"] == (LAUNCH - Sharing(frozenset({CONSUMER}))).to_dict()
    assert left["volume_permissions"]["snap-1"] == {"account_ids": [CONSUMER], "public": False}
    left = restore.leave_out_rejected(plan, [rejection("ModifySnapshotAttribute")]).after
    assert left["launch_permissions"] == LAUNCH.to_dict()
    assert left["volume_permissions"]["snap-1"] == {"account_ids": [], "public": False}


def test_a_result_without_volume_permissions_lacks_what_aws_rejected() -> None:
    plan = planned(found(), tombstone(), restore_permissions=False)
    assert restore.leave_out_rejected(plan, [rejection("ModifyImageAttribute")]).after == plan.after


def test_a_disabled_public_image_is_not_public_after_the_recycle_bin() -> None:
    plan = planned(binned(), tombstone(launch=PUBLIC), last_tombstone())
    assert (plan.refusals, plan.after["launch_permissions"]["public"]) == ((), False)


def test_regions_have_their_images_and_the_first_has_the_tombstone_warnings() -> None:
    other = ImageRef("us-east-1", "ami-2")
    away = image(devices=volumes("snap-1"))
    saw = RestoreState(
        OWNER,
        NOW,
        {REF: found(), other: found(replace(away, image_id="ami-2"))},
        {REF: TombstoneHistory((tombstone(),)), other: TombstoneHistory((tombstone(ref=other),))},
        unreadable=("Line 3 of retired.jsonl is not a valid tombstone and is skipped.",),
    )
    plan = restore.plan(wanted(images={other: None, REF: None}), saw)
    assert [target.target.region for target in plan.targets] == [REF.region, other.region]
    assert plan.before[other.region]["ami-2"]["state"] == "disabled"
    assert plan.warnings == (
        f"{REF.region}: Line 3 of retired.jsonl is not a valid tombstone and is skipped.",
    )
