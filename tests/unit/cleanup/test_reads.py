# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS returns of images, snapshots, locks and the Recycle Bin decides about them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup import read_regions
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError

from tests.unit.cleanup.aws_answers import Answers
from tests.unit.cleanup.examples import (
    NEW_IMAGE,
    NEW_SNAPSHOT,
    OLD_ID,
    OLD_IMAGE,
    OLD_SNAPSHOT,
    Run,
    described,
)

NOW = datetime.now(UTC)
FORMER = "ami-0aaaaaaaaaaaaaaa0"


def images(**members: Any) -> dict[str, Any]:
    """The older image has these members, and not those that are None."""
    shown = {name: value for name, value in {**OLD_IMAGE, **members}.items() if value is not None}
    pages = [{"Images": [shown], "NextToken": "more"}, {"Images": [NEW_IMAGE]}]
    return {"describe_images": lambda request: pages["NextToken" in request]}


@pytest.mark.parametrize(
    ("members", "options", "decision", "reason"),
    [
        ({}, {}, "deregister", ""),
        ({"DeregistrationProtection": "enabled-with-cooldown"}, {}, "wait", "enabled-with-cooldown"),
        ({"State": "disabled"}, {}, "deregister", ""),
        ({"LastLaunchedTime": "2019-02-03T04:05:06.000Z"}, {"unused_for_days": 100}, "deregister", ""),
        (
            {"LastLaunchedTime": f"{NOW:%Y-%m-%dT%H:%M:%S.000Z}"},
            {"unused_for_days": 100},
            "keep",
            "last launched on",
        ),
        # botocore shape Image: the date is optional.
        ({"CreationDate": None}, {}, "keep", "creation date"),
        ({"CreationDate": "soon"}, {}, "keep", "creation date"),
        ({"ImageOwnerAlias": "aws-backup-vault"}, {}, None, ""),
        ({"ImageOwnerAlias": "aws-marketplace"}, {}, "keep", "AWS Marketplace image"),
    ],
)
def test_members_of_an_image_decide_about_it(
    members: dict[str, Any], options: dict[str, Any], decision: str | None, reason: str
) -> None:
    run = Run(options, **images(**members))
    decided = [one for one in run.result["results"] if one["image_id"] == OLD_ID]
    assert [one["decision"] for one in decided] == ([decision] if decision else [])
    assert all(reason in "".join(one["reasons"]) for one in decided)


@pytest.mark.parametrize(("members", "is_copy"), [({}, True), ({"SourceInstanceId": "i-1"}, False)])
def test_what_an_instance_was_started_from_is_no_source_of_a_copy(
    members: dict[str, str], is_copy: bool
) -> None:
    """A copy takes over the tags that its source has as a member of a family."""
    source = {"SourceImageId": OLD_ID, "SourceImageRegion": "eu-west-1"}
    made = described("ami-0bbbbbbbbbbbbbbb0", 2021, Tags=[], **source, **members)
    run = Run(describe_images={"Images": [OLD_IMAGE, NEW_IMAGE, made]})
    assert (len(run.result["results"]) == 3) is is_copy
    (own,) = (one for one in run.seen.regions["eu-west-1"].images if one.image.image_id == made["ImageId"])
    assert ((own.source or own.base).image_id, own.source is None) == (OLD_ID, not is_copy)


@pytest.mark.parametrize("answer", [{}, {"Images": [{"State": "available"}]}])
def test_without_a_list_of_the_images_there_is_no_plan(answer: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="AWS's response to DescribeImages lacks"):
        Run(describe_images=answer)
    with pytest.raises(ValidationError, match="UnauthorizedOperation"):
        Run(describe_images="UnauthorizedOperation")


def tiers(*snapshot_ids: str, **members: Any) -> dict[str, Any]:
    found = [{"SnapshotId": one, **members} for one in snapshot_ids]
    return {"describe_snapshot_tier_status": {"SnapshotTierStatuses": found}}


def snapshot(**members: Any) -> dict[str, Any]:
    return {"describe_snapshots": {"Snapshots": [{**OLD_SNAPSHOT, **members}, NEW_SNAPSHOT]}}


def restored(status: str | None, **ago: float) -> dict[str, Any]:
    """The old snapshot has a tiering operation of this status, and of this time, if any is given."""
    started = {"LastTieringStartTime": datetime.now(UTC) - timedelta(**ago)} if ago else {}
    return tiers("snap-2019", **({"LastTieringOperationStatus": status} if status else {}), **started)


RESTORED = "permanent-restore-completed"
UNTIL = datetime(2100, 1, 2, tzinfo=UTC)


def locks(**members: Any) -> dict[str, Any]:
    """A lock of the old snapshot, on the second page."""
    first = {"Snapshots": [{"SnapshotId": "snap-other", "LockState": "compliance"}], "NextToken": "t"}
    return {"describe_locked_snapshots": [first, {"Snapshots": [{"SnapshotId": "snap-2019", **members}]}]}


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        pytest.param({}, "", id="nothing"),
        pytest.param(snapshot(StorageTier="standard"), "", id="in the standard tier"),
        pytest.param(snapshot(StorageTier="archive"), "is archived, is being archived", id="archived"),
        # EBS User Guide, "View archived snapshots": its storage tier is standard.
        pytest.param(
            snapshot(StorageTier="standard", RestoreExpiryTime=UNTIL),
            "temporarily restored until 2100-01-02",
            id="temporarily restored",
        ),
        # Somebody may be about to enable its image (botocore shape SnapshotTierStatus).
        pytest.param(restored(None), "is being archived", id="of unknown status"),
        pytest.param(restored("archival-in-progress"), "is being archived", id="is being archived"),
        pytest.param(
            restored("permanent-restore-in-progress", days=14), "is being archived", id="is being restored"
        ),
        pytest.param(restored(RESTORED), "is being archived", id="restored at an unknown time"),
        pytest.param(restored(RESTORED, days=13, hours=23), "is being archived", id="restored lately"),
        pytest.param(restored(RESTORED, days=14, hours=1), "", id="restored earlier"),
        pytest.param(
            locks(LockState="governance", LockExpiresOn=UNTIL), "governance until 2100-01-02", id="locked"
        ),
        pytest.param(locks(LockState="expired", LockExpiresOn=UNTIL), "", id="was locked"),
        pytest.param(locks(), "locked", id="a lock without a state is one"),
        pytest.param(snapshot(Tags=[{"Key": "aws:backup:source-resource", "Value": "x"}]), "", id="managed"),
    ],
)
def test_what_keeps_a_snapshot_lets_its_image_wait(answers: dict[str, Any], reason: str) -> None:
    run = Run(**answers)
    reasons = "; ".join(run.of()["reasons"])
    assert (run.decision, reason in reasons, bool(reasons)) == (
        "wait" if reason else "deregister",
        True,
        bool(reason),
    )


def orphan(**members: Any) -> dict[str, Any]:
    """A snapshot that CreateImage made for a deregistered image."""
    made = {"SnapshotId": "snap-9", "VolumeId": "vol-0123456789abcdef0"}
    made["Description"] = f"Created by CreateImage(i-1) for {FORMER}"
    return {"describe_snapshots": {"Snapshots": [OLD_SNAPSHOT, NEW_SNAPSHOT, {**made, **members}]}}


def in_bin(*listed: Mapping[str, Any]) -> dict[str, Any]:
    return {"list_images_in_recycle_bin": {"Images": list(listed)}}


@pytest.mark.parametrize(
    ("answers", "deleted"),
    [
        pytest.param({}, True, id="an orphan"),
        pytest.param(in_bin({"ImageId": FORMER}), False, id="its image is in the Recycle Bin"),
        # AWS may list an image whose retention has expired, and restore it as well.
        pytest.param(in_bin({"ImageId": FORMER, "RecycleBinExitTime": NOW}), False, id="still listed there"),
        pytest.param(orphan(Description="mine"), False, id="of another description"),
        # botocore shape Snapshot: a user can have copied it to keep it.
        pytest.param(orphan(TransferType="standard"), False, id="a copy"),
        pytest.param(orphan(VolumeId="vol-ffffffff"), False, id="an old copy"),
        pytest.param(
            orphan(Tags=[{"Key": "aws:backup:source-resource", "Value": "x"}]), False, id="of AWS Backup"
        ),
    ],
)
def test_an_orphan_is_deleted_if_nothing_can_need_it(answers: dict[str, Any], deleted: bool) -> None:
    options = {"orphan_snapshots": True}
    run = Run(options, **{**orphan(), **answers})
    assert ("snap-9" in run.deleted) is deleted
    assert "snap-9" not in Run(**{**orphan(), **answers}).deleted


DELETIONS = {
    "describe_locked_snapshots": ("Snapshots", {"Snapshots": [{"LockState": "compliance"}]}, "SnapshotId"),
    "describe_snapshot_tier_status": ("SnapshotTierStatuses", {"SnapshotTierStatuses": [{}]}, "SnapshotId"),
    "describe_snapshots": ("Snapshots", {"Snapshots": [{}]}, "SnapshotId"),
    "list_images_in_recycle_bin": ("Images", {"Images": [{}]}, "ImageId"),
}


@pytest.mark.parametrize("method", DELETIONS)
def test_what_only_deletions_need_stops_them_alone(method: str) -> None:
    listed, without_member, member = DELETIONS[method]
    action = "".join(part.capitalize() for part in method.split("_"))
    for answer, reason in (
        ("UnauthorizedOperation", "UnauthorizedOperation: No."),
        ({}, f"lacks {listed}"),
        (without_member, f"lacks {member}"),
    ):
        run = Run(**{method: answer})
        assert (run.decision, run.deleted, run.unreadable) == ("wait", [], [action])
        assert reason in "".join(run.of()["reasons"])
        assert Run({"disable_after_days": 0}, **{method: answer}).decision in ("disable", "deprecate", "wait")


def rules(**of_rule: Any) -> dict[str, Any]:
    """A rule for images and one for snapshots, each on the second page, with these members."""
    period = {"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}

    def listed(request: Mapping[str, Any]) -> Mapping[str, Any]:
        if "NextToken" in request:
            return {"Rules": [{"Identifier": request["ResourceType"], "RetentionPeriod": period}]}
        return {"Rules": [], "NextToken": "t"}

    def rule(request: Mapping[str, Any]) -> Any:
        whole = {"ResourceType": request["Identifier"], "RetentionPeriod": period, "Status": "available"}
        return {name: value for name, value in {**whole, **of_rule}.items() if value is not None}

    return {"list_rules": listed, "get_rule": rule}


@pytest.mark.parametrize(
    ("answers", "days"),
    [
        pytest.param({}, None, id="no rule"),
        pytest.param(rules(), 7, id="for all"),
        pytest.param(
            rules(ResourceTags=[{"ResourceTagKey": "family", "ResourceTagValue": "web"}]), 7, id="for its tag"
        ),
        pytest.param(
            rules(ResourceTags=[{"ResourceTagKey": "family", "ResourceTagValue": "db"}]),
            None,
            id="for others",
        ),
        pytest.param(rules(ResourceTags=[{"ResourceTagKey": "empty"}]), 7, id="for an empty tag"),
        pytest.param(
            rules(ExcludeResourceTags=[{"ResourceTagKey": "empty"}]), None, id="not for an empty tag"
        ),
        pytest.param(rules(Status="pending"), None, id="not in effect yet"),
        pytest.param(rules(Status=None), None, id="without a status"),
        # (botocore operation GetRule, errors.)
        pytest.param({**rules(), "get_rule": "ResourceNotFoundException"}, None, id="deleted since"),
    ],
)
def test_until_when_an_image_can_be_restored(answers: dict[str, Any], days: int | None) -> None:
    tags = [*OLD_IMAGE["Tags"], {"Key": "empty", "Value": ""}]
    run = Run(**{**answers, **images(Tags=tags), **snapshot(Tags=tags)})
    until = run.of()["recoverable_until"]
    assert (until is None) is (days is None)
    if days and until:
        assert datetime.fromisoformat(until) == run.seen.now + timedelta(days=days)
    assert [one["retention_days"] for one in run.of()["snapshots"]] == [days or 0]
    assert (run.plan.warnings, run.plan.failures) == ((), ())


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"list_rules": "AccessDeniedException"}, "AccessDeniedException: No."),
        ({"list_rules": {}}, "lacks Rules"),
        ({"list_rules": {"Rules": [{}]}}, "lacks Identifier"),
        ({**rules(), "get_rule": "AccessDeniedException"}, "AccessDeniedException: No."),
        (rules(RetentionPeriod=None), "lacks RetentionPeriod"),
        (rules(ResourceType=None), "lacks ResourceType"),
    ],
)
def test_without_the_rules_of_the_recycle_bin_only_the_date_is_unknown(
    answers: dict[str, Any], reason: str
) -> None:
    run = Run(**answers)
    assert (run.decision, run.of()["recoverable_until"], run.deleted) == ("deregister", None, ["snap-2019"])
    (warning,) = run.plan.warnings
    assert reason in warning


TOMBSTONE = f"/retired/eu-west-1/{OLD_ID}"


def named(*names: str) -> dict[str, Any]:
    """Parameters of these names, all of which name the old image."""
    return {
        "describe_parameters": {"Parameters": [{"Name": one} for one in names]},
        "get_parameters": lambda request: {
            "Parameters": [{"Name": one, "Value": OLD_ID, "Version": 1} for one in request["Names"]]
        },
    }


@pytest.mark.parametrize(
    ("name", "used"),
    [
        (TOMBSTONE, False),
        # Others may have their place beside them.
        *((one, True) for one in ("/retired", "/retired/eu-west-1", f"{TOMBSTONE}/b", f"/x{TOMBSTONE}")),
        ("/retired/web/latest", True),
    ],
)
def test_a_tombstone_names_its_image_and_does_not_use_it(name: str, used: bool) -> None:
    arn = f"arn:aws:ssm:eu-west-1:{OLD_IMAGE['OwnerId']}:parameter{name}"
    reference = {"ImageId": OLD_ID, "ResourceType": "ssm:Parameter", "Arn": arn}
    for answers, evidence in (
        (named(name), f"parameter {name}"),
        ({"describe_image_references": {"ImageReferences": [reference]}}, f"ssm:Parameter {arn}"),
    ):
        assert Run(**answers).evidence == [evidence] * used
        elsewhere = Run({"tombstone_ssm_path": None, "tombstone_s3_uri": "s3://retired"}, **answers)
        assert elsewhere.evidence == [evidence]


def test_only_in_the_home_region_parameters_can_be_tombstones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answers, "default_region", "us-east-1")
    assert Run(**named(TOMBSTONE)).evidence == [f"parameter {TOMBSTONE}"]


def test_an_older_botocore_cannot_read_what_aws_services_hide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the parameter the reads are made, for what they show, and what they may hide counts as use."""
    model = Answers().client("ec2", "eu-west-1").meta.service_model
    for operation in ("DescribeInstances", "DescribeLaunchTemplateVersions"):
        members = model.operation_model(operation).input_shape.members
        monkeypatch.delitem(members, "IncludeManagedResources")
    run = Run()
    assert (run.decision, run.unreadable) == (
        "keep",
        ["DescribeInstances", "DescribeLaunchTemplateVersions"],
    )
    assert all("botocore 1.42.94 or newer" in one for one in run.evidence)
    assert {"describe_instances", "describe_launch_template_versions"} <= {
        name for name, _ in run.clients.calls
    }


def test_snapshots_have_the_keys_that_are_associated_with_them() -> None:
    shown = snapshot(KmsKeyId="arn:own", AssociatedKmsKeys=[{"KmsKeyId": "arn:other"}])
    found = Run(**shown).seen.regions["eu-west-1"].snapshots["snap-2019"]
    assert (found.kms_key_id, found.associated_key_arns) == ("arn:own", ("arn:other",))


# What restoring an image reads with the same functions.
def test_snapshots_whose_archival_is_in_progress() -> None:
    clients: Any = Answers(**tiers("snap-1"))
    assert read_regions.read_archiving_snapshots(clients.ec2("eu-west-1")) == ("snap-1",)
    filters = [{"Name": "last-tiering-operation", "Values": ["archival-in-progress"]}]
    assert clients.calls == [("describe_snapshot_tier_status", {"Filters": filters, "MaxResults": 1000})]


@pytest.mark.parametrize(("exits", "stays"), [(NOW, False), (NOW + timedelta(seconds=1), True), (None, True)])
def test_an_image_whose_retention_has_expired_is_left_out_if_asked_for(
    exits: datetime | None, stays: bool
) -> None:
    """The cleanup does not ask: the snapshots of what AWS lists are kept."""
    image = {
        "ImageId": OLD_ID,
        "RecycleBinEnterTime": NOW,
        **({"RecycleBinExitTime": exits} if exits else {}),
    }
    clients: Any = Answers(**in_bin(image))
    ec2 = clients.ec2("eu-west-1")
    assert read_regions.read_binned_images(ec2, NOW) == ((OLD_ID, NOW),) * stays
    assert read_regions.read_binned_images(ec2) == ((OLD_ID, NOW),)
