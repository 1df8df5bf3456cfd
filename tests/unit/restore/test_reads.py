# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS and the tombstones say of an image decides whether, and how, it is restored."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._restore.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._restore.options import RestoreOptions
from ansible_collections.golden.images.plugins.module_utils._runner import Outcome

from tests.unit.cleanup.aws_answers import Answers
from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, STRANGER, as_read

from .examples import DATED, record

REGION, FOLDER = "eu-west-1", f"eu-west-1/{SOURCE_ID}"
LATER = "2026-11-20T00:00:00Z"
PUBLIC = [{"Group": "all"}]
IMAGE = {
    "ImageId": SOURCE_ID,
    "OwnerId": OWNER,
    "State": "disabled",
    "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": "snap-1", "Encrypted": False}}],
}
IN_BIN = {"ImageId": SOURCE_ID, "RecycleBinEnterTime": datetime(2026, 11, 1, 1, tzinfo=UTC)}


def disabled(**snapshot: Any) -> dict[str, Any]:
    """A disabled image, whose snapshot has these members."""
    shown = {"Snapshots": [{"SnapshotId": "snap-1", **snapshot}]}
    return {"describe_images": {"Images": [IMAGE]}, "describe_snapshots": shown}


def binned(**answers: Any) -> dict[str, Any]:
    """An image that is in the Recycle Bin with its snapshot since its deregistration."""
    return {
        "list_images_in_recycle_bin": {"Images": [IN_BIN]},
        "list_snapshots_in_recycle_bin": {"Snapshots": [{"SnapshotId": "snap-1"}]},
        **answers,
    }


class Run:
    """A run of ``ami_restore``. Its tombstones are in Parameter Store, unless an option names another place.

    ``tombstones`` are their texts.
    """

    def __init__(
        self, answers: Mapping[str, Any], *tombstones: str, options: Mapping[str, Any] | None = None
    ) -> None:
        texts = tombstones or (json.dumps(record(image_id=SOURCE_ID)),)
        stored = {"get_parameter_history": {"Parameters": [{"Value": one} for one in texts]}}
        place = {} if options and any("tombstone" in one for one in options) else {"tombstone_ssm_path": "/r"}
        self.clients: Any = Answers(**{**stored, **answers})
        given = {"images": {REGION: SOURCE_ID}, **place, **(options or {})}
        self.wanted: Any = FLOW.options.read(as_read(RestoreOptions.argument_spec(), given), False)
        self.seen: Any = FLOW.read(self.clients, self.wanted)
        self.plan: Any = FLOW.plan(self.wanted, self.seen)

    @property
    def refusals(self) -> list[str]:
        return [one.error_code for one in self.plan.refusals]

    @property
    def calls(self) -> list[tuple[str, str | None]]:
        return [(one.operation, one.resource) for one in self.plan.actions]

    def result(self) -> dict[str, Any]:
        """What check mode returns of the image."""
        (one,) = FLOW.result(self.wanted, self.seen, self.plan, Outcome())["results"]
        return dict(one)

    def apply(self) -> Outcome:
        return FLOW.apply(self.clients, self.wanted, self.seen, self.plan, lambda _line: None)


@pytest.mark.parametrize(
    ("snapshot", "archiving", "refusals"),
    [
        pytest.param({}, [], [], id="in the standard tier"),
        pytest.param({"StorageTier": "standard"}, ["snap-9"], [], id="another one is being archived"),
        pytest.param({"StorageTier": "archive"}, [], ["snapshot_archived"], id="archived"),
        # EBS User Guide, "Archive an Amazon EBS snapshot": it can be used until the archival is complete.
        pytest.param({}, ["snap-1", "snap-9"], ["snapshot_archived"], id="is being archived"),
    ],
)
def test_an_image_whose_snapshot_is_archived_is_not_enabled(
    snapshot: dict[str, Any], archiving: list[str], refusals: list[str]
) -> None:
    tiers = {"SnapshotTierStatuses": [{"SnapshotId": one} for one in archiving]}
    run = Run({**disabled(**snapshot), "describe_snapshot_tier_status": tiers})
    assert run.refusals == refusals
    assert ("EnableImage", SOURCE_ID) in run.calls or refusals


def test_a_snapshot_that_is_restored_from_the_archive_for_a_time_is_named() -> None:
    """EBS User Guide, "View archived snapshots": its storage tier is standard."""
    until = datetime(2027, 1, 2, tzinfo=UTC)
    run = Run(disabled(StorageTier="standard", RestoreExpiryTime=until))
    assert run.refusals == []
    assert "snap-1 of ami-" in "".join(run.plan.warnings)
    assert "is archived and only restored until 2027-01-02" in "".join(run.plan.warnings)


def test_a_snapshot_loses_the_tag_with_which_a_cleanup_would_delete_it() -> None:
    tags = [{"Key": "golden.images:cleanup-image-ids", "Value": SOURCE_ID}]
    assert ("DeleteTags", "snap-1") in Run(disabled(Tags=tags)).calls
    assert ("DeleteTags", "snap-1") not in Run(disabled(Tags=[])).calls


FROM_BIN = [("RestoreSnapshotFromRecycleBin", "snap-1"), ("RestoreImageFromRecycleBin", SOURCE_ID)]
NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("answers", "refusals"),
    [
        pytest.param({}, [], id="there"),
        pytest.param(
            {
                "list_snapshots_in_recycle_bin": [
                    {"Snapshots": [{"SnapshotId": "snap-9"}], "NextToken": "t"},
                    {"Snapshots": [{"SnapshotId": "snap-1"}]},
                ]
            },
            [],
            id="on the second page",
        ),
        pytest.param(
            {
                "list_snapshots_in_recycle_bin": {
                    "Snapshots": [{"SnapshotId": "snap-1", "RecycleBinExitTime": NOW.replace(year=2100)}]
                }
            },
            [],
            id="retained",
        ),
        # Whatever AWS still lists: it cannot be restored (botocore shape SnapshotRecycleBinInfo).
        pytest.param(
            {
                "list_snapshots_in_recycle_bin": {
                    "Snapshots": [{"SnapshotId": "snap-1", "RecycleBinExitTime": NOW}]
                }
            },
            ["snapshots_lost"],
            id="its retention has expired",
        ),
        pytest.param({"list_snapshots_in_recycle_bin": {"Snapshots": []}}, ["snapshots_lost"], id="gone"),
    ],
)
def test_an_image_comes_out_of_the_recycle_bin_with_its_snapshots_or_not_at_all(
    answers: dict[str, Any], refusals: list[str]
) -> None:
    run = Run(binned(**answers))
    assert run.refusals == refusals
    assert run.calls[:2] == ([] if refusals else FROM_BIN)


def tags_of(number: int, *others: dict[str, str]) -> list[dict[str, str]]:
    listed = [{"Key": f"key-{one}", "Value": ""} for one in range(number)]
    return [{"ResourceId": SOURCE_ID, **one} for one in (*listed, *others)]


IN_BIN_TAG = {"Key": "aws:recycle-bin:resource-in-bin", "Value": "true"}
FULL = json.dumps(record(image_id=SOURCE_ID, tags={f"key-{number}": "" for number in range(50)}))


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        pytest.param({"Tags": tags_of(49, IN_BIN_TAG)}, False, id="those of AWS do not count"),
        pytest.param({"Tags": tags_of(50, IN_BIN_TAG)}, True, id="no room"),
        pytest.param(
            [{"Tags": tags_of(49), "NextToken": "t"}, {"Tags": tags_of(0, {"Key": "z"})}],
            True,
            id="on two pages",
        ),
        pytest.param({"Tags": tags_of(0, IN_BIN_TAG)}, False, id="AWS shows only its own"),
        pytest.param({"Tags": []}, True, id="AWS shows none, the tombstone too many"),
        pytest.param("UnauthorizedOperation", True, id="AWS refuses, the tombstone has too many"),
    ],
)
def test_the_tags_in_the_recycle_bin_count_else_those_of_the_tombstone(answer: Any, refused: bool) -> None:
    run = Run(binned(describe_tags=answer), FULL)
    assert run.refusals == ["too_many_tags"] * refused


@pytest.mark.parametrize(
    ("answers", "member"),
    [
        (binned(list_snapshots_in_recycle_bin={}), "Snapshots"),
        (binned(list_snapshots_in_recycle_bin={"Snapshots": [{}]}), "SnapshotId"),
        (binned(describe_snapshots={}), "Snapshots"),
        ({**disabled(), "describe_snapshots": {"Snapshots": [{}]}}, "SnapshotId"),
        ({**disabled(), "get_parameter_history": {}}, "Parameters"),
        ({**disabled(), "get_parameter_history": {"Parameters": [{}]}}, "Value"),
    ],
)
def test_an_incomplete_response_is_nothing_lost(answers: dict[str, Any], member: str) -> None:
    with pytest.raises(ValidationError, match=f"lacks {member}"):
        Run(answers)


def test_without_a_resource_that_could_exist_no_call_is_about_none() -> None:
    run = Run({"get_parameter_history": "ParameterNotFound"})
    assert run.refusals == ["image_lost"]
    assert {"describe_tags", "describe_snapshots"} & {name for name, _request in run.clients.calls} == set()


def stored(**changes: Any) -> bytes:
    return json.dumps(record(image_id=SOURCE_ID, **changes)).encode()


def s3(*objects: bytes | str) -> dict[str, Any]:
    """The objects of a bucket, by number, on a page each; a text is the code with which S3 refuses one."""
    keys = [f"web/{FOLDER}/{number}.json" for number in range(len(objects))]

    def get_object(request: Mapping[str, Any]) -> Any:
        content = objects[keys.index(request["Key"])]
        return content if isinstance(content, str) else {"Body": io.BytesIO(content)}

    pages: list[dict[str, Any]] = [
        {"Contents": [{"Key": key}], "IsTruncated": True, "NextContinuationToken": key} for key in keys
    ]
    return {"list_objects_v2": [*pages, {}], "get_object": get_object}


@pytest.mark.parametrize(
    ("objects", "tombstone", "warned"),
    [
        pytest.param((stored(),), DATED, False, id="one"),
        pytest.param((stored(), stored(written_at=LATER)), LATER, False, id="the later one"),
        # (botocore operation GetObject, errors.)
        pytest.param(("NoSuchKey", stored()), DATED, False, id="deleted since it was listed"),
        pytest.param((b"\x1f\x8b{", stored()), DATED, True, id="not UTF-8"),
    ],
)
def test_tombstones_in_s3(objects: tuple[Any, ...], tombstone: str, warned: bool) -> None:
    """The bucket must belong to the account: S3 finds it by its name."""
    run = Run({**disabled(), **s3(*objects)}, options={"tombstone_s3_uri": "s3://retired/web"})
    assert (run.refusals, run.result()["tombstone"]) == ([], tombstone)
    text = f"A text in tombstone_s3_uri for {FOLDER} is not a valid tombstone and is skipped."
    assert (text in "".join(run.plan.warnings)) is warned
    of_s3 = [request for name, request in run.clients.calls if name in ("list_objects_v2", "get_object")]
    assert {(one["Bucket"], one["ExpectedBucketOwner"]) for one in of_s3} == {("retired", OWNER)}
    assert of_s3[0]["Prefix"] == f"web/{FOLDER}/"


@pytest.mark.parametrize(
    ("answer", "tombstone"),
    [
        pytest.param(
            [
                {"Parameters": [{"Value": stored().decode()}], "NextToken": "t"},
                {"Parameters": [{"Value": stored(written_at=LATER).decode()}]},
            ],
            LATER,
            id="on two pages",
        ),
        pytest.param("ParameterNotFound", None, id="none"),
    ],
)
def test_tombstones_in_parameter_store(answer: Any, tombstone: str | None) -> None:
    run = Run({**disabled(), "get_parameter_history": answer})
    assert run.refusals == ([] if tombstone else ["tombstone_not_found"])
    assert [one.tombstone for one in run.plan.images] == [tombstone]
    assert run.clients.calls[1] == ("get_parameter_history", {"Name": f"/r/{FOLDER}"})


def test_the_places_without_a_tombstone_are_named() -> None:
    run = Run(
        {**disabled(), "get_parameter_history": "ParameterNotFound"},
        options={"tombstone_ssm_path": "/r", "tombstone_s3_uri": "s3://retired/web"},
    )
    (refused,) = run.plan.refusals
    assert refused.message == f"There is no tombstone of {FOLDER} in s3://retired/web, /r."


def run_with_file(path: Path) -> Run:
    return Run(disabled(), options={"tombstone_path": str(path)})


def test_a_file_has_a_tombstone_in_every_line(tmp_path: Path) -> None:
    path = tmp_path / "retired.jsonl"
    lines = [
        stored(written_at=LATER),
        stored(launch_permissions={"account_ids": [], "public": False}),
        json.dumps(record(image_id="ami-other")).encode(),
        json.dumps(record(image_id="ami-other", account_id=STRANGER)).encode(),
    ]
    path.write_bytes(b"\n".join([b'{"half', b"", b'{"name": "\xff', *lines]))
    run = run_with_file(path)
    assert run.result()["tombstone"] == LATER
    assert run.result()["launch_permissions"]["account_ids"] == [CONSUMER]
    skipped = [f"Line {one} of {path} is not a valid tombstone and is skipped." for one in (1, 3)]
    assert [*run.plan.warnings][-2:] == skipped


def test_another_accounts_tombstone_of_the_image_is_refused(tmp_path: Path) -> None:
    """Whoever wrote it would decide whom the image is shared with."""
    path = tmp_path / "retired.jsonl"
    public = {"account_ids": [], "public": True}
    path.write_bytes(stored() + b"\n" + stored(account_id=STRANGER, launch_permissions=public))
    with pytest.raises(ValidationError) as caught:
        run_with_file(path)
    (failure,) = caught.value.failures
    assert (failure.error_code, failure.action, failure.region) == ("foreign_tombstone", "images", REGION)
    assert failure.message == (
        f"Line 2 of {path} is a tombstone of account {STRANGER}, not of account {OWNER}."
    )


def test_a_file_that_cannot_be_read_is_refused_without_python_s_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "retired.jsonl"
    path.touch()

    def denied(*_arguments: Any, **_options: Any) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", denied)
    with pytest.raises(ValidationError) as caught:
        run_with_file(path)
    (failure,) = caught.value.failures
    assert failure.message == f"tombstone_path: {path}: Permission denied."


def test_each_step_waits_until_aws_has_finished_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """EBS User Guide, "Considerations for Recycle Bin"; EC2 Developer Guide, "Eventual consistency"."""
    delays: list[float] = []
    monkeypatch.setattr("botocore.waiter.time.sleep", delays.append)
    states = [{"Snapshots": [{"SnapshotId": "snap-1", "State": one}]} for one in ("pending", "completed")]
    shown = {"Images": [IMAGE]}
    run = Run(
        binned(
            describe_snapshots=[{"Snapshots": []}, *states],
            describe_images=[
                *({"Images": []}, {"Images": []}, "InvalidAMIID.NotFound", shown, shown, shown),
                {"Images": [{**IMAGE, "State": "available"}]},
            ],
            describe_image_attribute={"LaunchPermissions": [{"UserId": CONSUMER}]},
        )
    )
    outcome = run.apply()
    assert (outcome.failures, delays) == ((), [3, 3, 3])
    changes = [
        name for name, _request in run.clients.calls if not name.startswith(("describe", "list", "get"))
    ]
    assert changes == [
        *("restore_snapshot_from_recycle_bin", "restore_image_from_recycle_bin", "create_tags"),
        *("enable_image", "modify_image_attribute", "delete_tags"),
    ]


def open_to(*entries: dict[str, str]) -> dict[str, Any]:
    return {"CreateVolumePermissions": list(entries)}


@pytest.mark.parametrize(
    ("of_snapshot", "remedy", "closed"),
    [
        pytest.param([open_to({"UserId": CONSUMER})], SOURCE_ID, {SOURCE_ID}, id="the image"),
        pytest.param([open_to(*PUBLIC), open_to()], "snap-1", {SOURCE_ID, "snap-1"}, id="both"),
        pytest.param(["UnauthorizedOperation"], "snap-1", {SOURCE_ID}, id="the snapshot cannot be read"),
    ],
)
def test_what_came_out_of_the_recycle_bin_and_is_public_is_closed_if_the_restore_fails(
    of_snapshot: list[Any], remedy: str, closed: set[str]
) -> None:
    failed = {"Images": [{**IMAGE, "State": "error"}]}
    run = Run(
        binned(
            describe_snapshots=[
                {"Snapshots": []},
                {"Snapshots": [{"SnapshotId": "snap-1", "State": "completed"}]},
            ],
            describe_images=[{"Images": []}, failed],
            describe_image_attribute=[*[{"LaunchPermissions": PUBLIC}] * 2, {"LaunchPermissions": []}],
            describe_snapshot_attribute=[open_to(), *of_snapshot],
        ),
        options={"allow_public": True},
    )
    (failure,) = run.apply().failures
    assert failure.error_code == "image_not_retired"
    assert remedy in failure.remedy
    removed = [
        request.get("ImageId", request.get("SnapshotId"))
        for name, request in run.clients.calls
        if name in ("modify_image_attribute", "modify_snapshot_attribute")
    ]
    assert set(removed) == closed
