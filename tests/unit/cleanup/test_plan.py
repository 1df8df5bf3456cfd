# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls of a plan, and their order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.options import Limit
from ansible_collections.golden.images.plugins.module_utils._cleanup.plan import block_untagged_images, plan
from ansible_collections.golden.images.plugins.module_utils._cleanup.stages import Clocks, render_time
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import (
    CleanupState,
    Evidence,
    ImageUsage,
    OwnSnapshot,
    RetentionRule,
    SnapshotUsage,
)
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, Sharing, SnapshotRef

from tests.unit.cleanup.examples import (
    NOW,
    REGION,
    USED,
    ago,
    calls,
    own,
    region_state,
    report,
    seen,
    shared,
    wanted,
)
from tests.unit.examples import CONSUMER, volumes

NEWEST = own("ami-new", 1)
OLD, OLDER = own("ami-1", 50), own("ami-2", 60)
CHOSEN = "golden.images:cleanup-chosen"
OF = "golden.images:cleanup-image-ids"
TODAY = render_time(NOW)
FORMER = "ami-0123456789abcdef0"
BY_CONSUMER = Sharing(account_ids=frozenset({CONSUMER}))


def test_tags_that_were_just_written_count_before_aws_shows_them() -> None:
    old = own("ami-1", 50, tags={"family": "web"})
    copy = own("ami-2", 50, tags={}, name="x", source_image_id="ami-1", source_region=REGION)
    saw = seen(
        region_state(old, copy, NEWEST), usage={ImageRef(REGION, "ami-2"): ImageUsage(references=(USED,))}
    )
    asked = wanted()
    assert set(block_untagged_images(asked, saw, ())) == {ImageRef(REGION, "ami-1")}
    assert block_untagged_images(asked, saw, plan(asked, saw).actions) == {}


def planned(saw: CleanupState, **wants: Any) -> list[tuple[str, str | None]]:
    return calls(plan(wanted(**wants), saw).actions)


def test_snapshots_are_marked_and_go_with_their_image() -> None:
    made = plan(wanted(), seen(region_state(OLD, NEWEST)))
    mark, deregister = made.actions
    assert calls(made.actions) == [("CreateTags", "snap-ami-1"), ("DeregisterImage", "ami-1")]
    assert mark.parameters == {"Resources": ["snap-ami-1"], "Tags": [{"Key": OF, "Value": "ami-1"}]}
    assert deregister.parameters == {"DeleteAssociatedSnapshots": True, "ImageId": "ami-1"}


def test_a_snapshot_that_something_else_uses_stays_and_the_others_go_one_by_one() -> None:
    image = own("ami-1", devices=volumes("snap-1", "snap-2"))
    saw = seen(region_state(image, NEWEST, snapshot_uses={"snap-1": ("launch template lt-1 version 1",)}))
    made = plan(wanted(), saw)
    assert calls(made.actions) == [
        ("CreateTags", "snap-2"),
        ("DeregisterImage", "ami-1"),
        ("DeleteSnapshot", "snap-2"),
    ]
    assert made.actions[1].parameters == {"ImageId": "ami-1"}


def test_snapshots_are_deleted_alone_only_when_all_images_are_gone() -> None:
    first = own("ami-1", devices=volumes("snap-both", "snap-kept"))
    second = own("ami-2", devices=volumes("snap-both", "snap-kept"))
    saw = seen(
        region_state(first, second, NEWEST, snapshot_uses={"snap-kept": ("launch template lt-1 version 1",)})
    )
    assert planned(saw) == [
        ("CreateTags", "snap-both"),
        ("DeregisterImage", "ami-1"),
        ("DeregisterImage", "ami-2"),
        ("DeleteSnapshot", "snap-both"),
    ]


def test_dates_are_written_after_what_they_date_and_with_one_call() -> None:
    made = plan(wanted(clocks=Clocks(deprecate=0, disable=9)), seen(region_state(OLD, OLDER, NEWEST)))
    assert calls(made.actions) == [
        ("CreateTags", "ami-1, ami-2"),
        ("EnableImageDeprecation", "ami-1"),
        ("EnableImageDeprecation", "ami-2"),
        ("CreateTags", "ami-1, ami-2"),
    ]
    # Reads and many calls take time, and AWS rejects a date in the past.
    date = NOW.replace(second=0) + timedelta(hours=1, minutes=1)
    assert made.actions[1].parameters["DeprecateAt"] == date
    assert made.actions[3].parameters["Tags"] == [{"Key": "golden.images:cleanup-deprecated", "Value": TODAY}]
    # Whose deprecation it is has to be known even if the run ends after it.
    (tag,) = made.actions[0].parameters["Tags"]
    assert tag == {"Key": "golden.images:cleanup-deprecation-date", "Value": render_time(date)}


def test_one_call_marks_the_snapshots_of_as_many_images_as_a_tag_can_name() -> None:
    olds = [own(f"ami-{number:017d}", 50 + number) for number in range(12)]
    made = plan(wanted(), seen(region_state(*olds, NEWEST)))
    first, second = (action for action in made.actions if action.operation == "CreateTags")
    assert first.parameters["Tags"] == [
        {"Key": OF, "Value": " ".join(one.image.image_id for one in olds[:11])}
    ]
    assert first.parameters["Resources"] == [one.image.snapshot_ids[0] for one in olds[:11]]
    assert second.parameters["Tags"] == [{"Key": OF, "Value": olds[11].image.image_id}]
    assert [action.operation for action in made.actions[2:]] == ["DeregisterImage"] * 12


def test_a_snapshot_that_is_marked_already_is_not_marked_again() -> None:
    marked = {"snap-ami-1": OwnSnapshot("snap-ami-1", tags={OF: "ami-9 ami-1"})}
    assert planned(seen(region_state(OLD, NEWEST, snapshots=marked))) == [("DeregisterImage", "ami-1")]


def test_disabling() -> None:
    saw = seen(region_state(OLD, NEWEST))
    assert planned(saw, clocks=Clocks(disable=0)) == [("DisableImage", "ami-1"), ("CreateTags", "ami-1")]


def test_the_clocks_of_an_image_that_is_needed_again_end() -> None:
    marks = {CHOSEN: render_time(ago(days=9)), "family": "web"}
    used = region_state(own("ami-1", tags=marks), NEWEST, uses={"ami-1": (USED,)})
    made = plan(wanted(clocks=Clocks(deregister=10)), seen(used))
    assert calls(made.actions) == [("DeleteTags", "ami-1")]
    assert made.actions[0].parameters == {"Resources": ["ami-1"], "Tags": [{"Key": CHOSEN}]}


def test_the_marks_of_an_image_whose_restore_is_incomplete_stay() -> None:
    """Right after the Recycle Bin, only the mark of its disabling shows that permissions may be missing."""
    marks = {
        "golden.images:cleanup-disabled": render_time(ago(days=9)),
        "golden.images:restoring": "recycle_bin",
    }
    saw = seen(region_state(own("ami-1", tags={**marks, "family": "web"}), NEWEST))
    made = plan(wanted(), saw)
    assert [(one.kind, one.is_needed) for one in made.decisions if one.ref.image_id == "ami-1"] == [
        ("keep", True)
    ]
    assert made.actions == ()


def test_what_could_not_be_read_stops_no_clock() -> None:
    marks = {CHOSEN: render_time(ago(days=9)), "family": "web"}
    saw = replace(seen(region_state(own("ami-1", tags=marks), NEWEST)), usage={})
    assert planned(saw, clocks=Clocks(deregister=10)) == []


def test_the_mark_of_a_snapshot_whose_image_stays_is_taken_off() -> None:
    marked = {"snap-ami-1": OwnSnapshot("snap-ami-1", tags={OF: "ami-1"})}
    saw = seen(region_state(OLD, NEWEST, snapshots=marked, uses={"ami-1": (USED,)}))
    assert planned(saw) == [("DeleteTags", "snap-ami-1")]


def test_so_is_that_of_an_image_that_the_policy_is_no_longer_about() -> None:
    """A user removed it from its family after the mark was written, and may deregister it by hand later."""
    marked = {"snap-ami-1": OwnSnapshot("snap-ami-1", tags={OF: "ami-1 ami-gone"})}
    saw = seen(region_state(own("ami-1", 50, tags={}), NEWEST, snapshots=marked))
    assert planned(saw) == [("DeleteTags", "snap-ami-1")]


def test_a_snapshot_of_two_images_that_go_is_deleted_once_both_are_gone() -> None:
    """AWS skips it with either as long as the other is there, and they go at the same time."""
    first, second = own("ami-1", 50, devices=volumes("snap-both")), own("ami-2", devices=volumes("snap-both"))
    made = plan(wanted(), seen(region_state(first, second, NEWEST)))
    assert calls(made.actions) == [
        ("CreateTags", "snap-both"),
        ("DeregisterImage", "ami-1"),
        ("DeregisterImage", "ami-2"),
        ("DeleteSnapshot", "snap-both"),
    ]
    assert [one.parameters for one in made.actions[1:3]] == [{"ImageId": "ami-1"}, {"ImageId": "ami-2"}]


def test_what_a_run_before_could_not_delete_is_deleted() -> None:
    left = {"snap-9": OwnSnapshot("snap-9", tags={OF: "ami-gone"})}
    assert planned(seen(region_state(NEWEST, snapshots=left)), max_deletions=Limit(count=0)) == [
        ("DeleteSnapshot", "snap-9")
    ]


def test_orphans_are_deleted_on_request_and_count_as_deletions() -> None:
    orphan = {"snap-9": OwnSnapshot("snap-9", f"Created by CreateImage(i-1) for {FORMER}")}
    saw = seen(region_state(NEWEST, snapshots=orphan))
    assert planned(saw) == []
    assert planned(saw, orphan_snapshots=True) == [("DeleteSnapshot", "snap-9")]
    (refusal,) = plan(wanted(orphan_snapshots=True, max_deletions=Limit()), saw).refusals
    assert f"{REGION}/{FORMER}" in refusal.message


def test_leftovers_count_as_deletions_because_anyone_who_can_tag_snapshots_can_mark_them() -> None:
    left = {f"snap-{one}": OwnSnapshot(f"snap-{one}", tags={OF: "ami-gone"}) for one in (8, 9)}
    saw = seen(region_state(NEWEST, snapshots=left))
    assert planned(saw, max_deletions=Limit(count=2)) == [
        ("DeleteSnapshot", "snap-8"),
        ("DeleteSnapshot", "snap-9"),
    ]
    assert planned(saw, max_deletions=Limit(percent=100)) != []
    (refusal,) = plan(wanted(max_deletions=Limit(count=1)), saw).refusals
    expected = "the snapshots of 2 deregistered images deleted (eu-west-1/snap-8, eu-west-1/snap-9)"
    assert expected in refusal.message


def test_shared_snapshots_without_an_image_are_kept_with_one_warning() -> None:
    left = {
        "snap-8": OwnSnapshot("snap-8", tags={OF: "ami-gone"}),
        "snap-9": OwnSnapshot("snap-9", f"Created by CreateImage(i-1) for {FORMER}"),
    }
    usage = {SnapshotRef(REGION, one): SnapshotUsage(BY_CONSUMER) for one in left}
    saw = seen(region_state(NEWEST, snapshots=left), snapshot_usage=usage)
    made = plan(wanted(orphan_snapshots=True), saw)
    assert made.actions == ()
    kept = f"{REGION}: snapshots of deregistered images are kept"
    why = f"they are shared with {CONSUMER}, and their use was not checked. Unshare them first."
    assert made.warnings == (f"{kept} (snap-8, snap-9): {why}",)
    # What is marked was shown to be unused.
    made = plan(wanted(orphan_snapshots=True, include_shared=True), saw)
    assert calls(made.actions) == [("DeleteSnapshot", "snap-8")]
    assert made.warnings == (f"{kept} (snap-9): {why}",)


def test_deregistered_images_in_use_are_named_in_one_warning() -> None:
    earlier = [f"ami-{one:017x}" for one in range(6)]
    left = {
        f"snap-{one}": OwnSnapshot(f"snap-{one}", f"Created by CreateImage(i-1) for {image_id}")
        for one, image_id in enumerate(earlier)
    }
    saw = seen(region_state(NEWEST, snapshots=left, uses=dict.fromkeys(earlier, (USED,))))
    made = plan(wanted(orphan_snapshots=True), saw)
    assert made.actions == ()
    (warning,) = made.warnings
    assert warning.startswith(f"{REGION}: the snapshots of 6 deregistered images are kept")
    assert f"{earlier[0]} (instance i-1), " in warning
    assert earlier[5] not in warning
    assert plan(wanted(), saw).warnings == ()


@pytest.mark.parametrize("tag", ["aws:backup:source-resource", "aws:dlm:lifecycle-policy-id"])
def test_a_nightly_backup_does_not_push_the_golden_image_out_of_its_family(tag: str) -> None:
    """Its tags can be those of the instance, and these those of the image that it was launched from."""
    nightly = own("ami-nightly", 0.5, tags={"family": "web", tag: "x"})
    made = plan(wanted(), seen(region_state(OLD, NEWEST, nightly)))
    assert {one.ref.image_id: one.kind for one in made.decisions} == {
        "ami-1": "deregister",
        "ami-new": "keep",
    }
    (refusal,) = plan(
        wanted(max_deletions=Limit(percent=49)), seen(region_state(OLD, NEWEST, nightly))
    ).refusals
    assert "1 of 2 images" in refusal.message


@pytest.mark.parametrize(
    ("limit", "refused"), [(Limit(count=2), False), (Limit(count=1), True), (Limit(), True)]
)
def test_over_the_limit_nothing_is_done_in_any_region(limit: Limit, refused: bool) -> None:
    saw = seen(region_state(OLD, NEWEST), region_state(OLDER, NEWEST))
    made = plan(wanted(max_deletions=limit), saw)
    assert bool(made.refusals) is refused
    for refusal in made.refusals:
        assert refusal.action == "max_deletions"
        assert (
            "2 of 4 images would be disabled or deregistered (eu-west-1/ami-1, us-east-1/ami-2)"
            in refusal.message
        )


@pytest.mark.parametrize(
    ("clocks", "refused"),
    [
        (Clocks(deprecate=0, deregister=9), False),
        (Clocks(disable=0), True),
        (Clocks(disable=0, deregister=9), True),
    ],
)
def test_disabling_counts_like_deregistering_because_either_ends_launches(
    clocks: Clocks, refused: bool
) -> None:
    saw = seen(region_state(OLD, NEWEST), region_state(OLDER, NEWEST))
    assert bool(plan(wanted(clocks=clocks, max_deletions=Limit(count=1)), saw).refusals) is refused


def test_one_limit_holds_for_disabled_and_deregistered_images_together() -> None:
    was_disabled = own("ami-2", 60, state="disabled")
    saw = seen(region_state(OLD, was_disabled, NEWEST))
    together = Clocks(disable=0, deregister=0)
    assert planned(saw, clocks=Clocks(disable=0, deregister=0), max_deletions=Limit(count=2)) != []
    (refusal,) = plan(wanted(clocks=together, max_deletions=Limit(count=1)), saw).refusals
    assert "2 of 3 images would be disabled or deregistered" in refusal.message


def test_before_and_after_show_images_and_snapshots() -> None:
    made = plan(wanted(), seen(region_state(OLD, NEWEST)))
    kept = {"ami-new": {"deprecation_time": None, "state": "available"}}
    gone = {"ami-1": {"deprecation_time": None, "state": "available"}}
    assert made.before == {REGION: {"images": {**gone, **kept}, "snapshots": ["snap-ami-1"]}}
    assert made.after == {REGION: {"images": kept, "snapshots": []}}


def test_a_usage_report_covers_all_versions_and_is_asked_for_once_a_day() -> None:
    usage = {ImageRef(REGION, "ami-1"): shared(CONSUMER)}
    saw = seen(region_state(OLD, NEWEST), usage=usage)
    (action,) = plan(wanted(include_shared=True), saw).actions
    assert action.operation == "CreateImageUsageReport"
    assert action.parameters["ResourceTypes"][1]["ResourceTypeOptions"] == [
        {"OptionName": "version-depth", "OptionValues": ["10000"]}
    ]
    assert [one["ResourceType"] for one in action.parameters["ResourceTypes"]] == [
        "ec2:Instance",
        "ec2:LaunchTemplate",
        "imagebuilder:ImageRecipe",
        "imagebuilder:ContainerRecipe",
    ]
    (later,) = plan(wanted(include_shared=True), replace(saw, now=NOW + timedelta(hours=1))).actions
    (tomorrow,) = plan(wanted(include_shared=True), replace(saw, now=NOW + timedelta(days=1))).actions
    assert later.parameters == action.parameters
    assert tomorrow.parameters["ClientToken"] != action.parameters["ClientToken"]


def test_a_usage_report_that_failed_is_asked_for_again_on_the_same_day() -> None:
    """The token of the failed report would return that one (CreateImageUsageReportRequest, ClientToken)."""
    tokens = []
    for found in (None, report(state="error", report_id="r-1"), report(state="error", report_id="r-2")):
        usage = {ImageRef(REGION, "ami-1"): shared(CONSUMER, report=found)}
        saw = seen(region_state(OLD, NEWEST), usage=usage)
        (action,) = plan(wanted(include_shared=True), saw).actions
        tokens.append(action.parameters["ClientToken"])
    assert len(set(tokens)) == 3


def test_a_decision_lists_its_snapshots_and_until_when_the_image_can_be_restored() -> None:
    rules = (RetentionRule("EC2_IMAGE", 7), RetentionRule("EBS_SNAPSHOT", 9))
    made = plan(wanted(), seen(region_state(OLD, NEWEST, rules=rules)))
    mapping = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": "snap-ami-1", "VolumeSize": 8}}
    own = replace(OLD, described={"BlockDeviceMappings": [mapping]})
    (result,) = (one.to_dict(own) for one in made.decisions if one.kind == "deregister")
    assert result["recoverable_until"] == (NOW + timedelta(days=7)).isoformat()
    assert result["snapshots"] == [
        {"keep_reason": "", "retention_days": 9, "size_gib": 8, "snapshot_id": "snap-ami-1"}
    ]


def test_the_same_image_id_is_decided_in_each_region_by_itself() -> None:
    saw = seen(
        region_state(OLD, NEWEST), region_state(OLD, NEWEST, uses={"ami-1": (Evidence("parameter", "/web"),)})
    )
    assert [(one.ref.region, one.kind) for one in plan(wanted(), saw).decisions] == [
        ("eu-west-1", "deregister"),
        ("eu-west-1", "keep"),
        ("us-east-1", "keep"),
        ("us-east-1", "keep"),
    ]


def test_destructive_actions_come_last_in_all_regions() -> None:
    copy = own("ami-copy", 20, tags={}, source_image_id="ami-1", source_region=REGION)
    kept = {"ami-copy": (USED,)}
    young = own("ami-3", 2)
    made = plan(
        wanted(clocks=Clocks(disable=0, deregister=0)),
        seen(region_state(OLD, NEWEST), region_state(copy, young, uses=kept)),
    )
    assert calls(made.non_destructive) == [("CreateTags", "ami-copy")]
    assert made.non_destructive[0].parameters["Tags"] == [
        {"Key": "golden.images:origin-created", "Value": render_time(OLD.created)},
        {"Key": "golden.images:origin-tag:family", "Value": "web"},
    ]
    assert calls(made.destructive) == [("CreateTags", "snap-ami-1"), ("DeregisterImage", "ami-1")]
    disabling = plan(wanted(clocks=Clocks(disable=0, deregister=9)), seen(region_state(OLD, NEWEST)))
    assert calls(disabling.destructive) == [("DisableImage", "ami-1"), ("CreateTags", "ami-1")]
    assert disabling.non_destructive == ()


def test_unread_rules_of_the_recycle_bin_are_said_if_something_is_deregistered() -> None:
    denied = (Evidence.unreadable("ListRules", "AccessDeniedException: No.", "Allow rbin:ListRules."),)
    saw = seen(region_state(own("ami-1"), own("ami-new", 1), rules_unread=denied))
    (warning,) = plan(wanted(), saw).warnings
    assert warning == (
        f"{REGION}: the retention rules of the Recycle Bin could not be read, so recoverable_until is null "
        "for every image: ListRules: AccessDeniedException: No. Allow rbin:ListRules."
    )
    assert plan(wanted(keep_latest=2), saw).warnings == ()


@pytest.mark.parametrize(
    ("clocks", "stage", "instead"),
    [
        (Clocks(deregister=0), "DeregisterImage", "wait"),
        (Clocks(disable=0), "DisableImage", "wait"),
        (Clocks(deprecate=0, disable=0, deregister=0), "DeregisterImage", "deprecate"),
    ],
)
def test_a_tombstone_that_no_parameter_can_hold_stops_only_its_image(
    clocks: Clocks, stage: str, instead: str
) -> None:
    tags = {**OLD.image.tags, **{f"key{number}": "x" * 200 for number in range(40)}}
    saw = seen(region_state(replace(OLD, image=replace(OLD.image, tags=tags)), OLDER, NEWEST))
    asked = wanted(clocks=clocks)
    made = plan(replace(asked, tombstone_ssm_path="/golden"), saw)
    assert made.refusals == ()
    assert [one.resource for one in made.actions if one.operation == stage] == ["ami-2"]
    (decision,) = (one for one in made.decisions if one.ref.image_id == "ami-1")
    (reason,) = decision.reasons
    assert (decision.kind, reason[:18]) == (instead, "Its tombstone has ")
    assert reason.endswith(
        " characters, and a parameter can have 8192: set tombstone_s3_uri or tombstone_path instead of "
        "tombstone_ssm_path."
    )
    retired = [one.resource for one in plan(asked, saw).actions if one.operation == stage]
    assert retired == ["ami-1", "ami-2"]
