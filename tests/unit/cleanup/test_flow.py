# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read, and what is read again before the destructive actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.read import Caller
from ansible_collections.golden.images.plugins.module_utils._cleanup import flow as cleanup
from ansible_collections.golden.images.plugins.module_utils._cleanup import plan as cleanup_plan
from ansible_collections.golden.images.plugins.module_utils._cleanup.next_reads import NextReads
from ansible_collections.golden.images.plugins.module_utils._cleanup.options import CleanupOptions
from ansible_collections.golden.images.plugins.module_utils._cleanup.snapshots import SNAPSHOT_TAG
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import (
    CleanupState,
    ImageUsage,
    KeyUsage,
    LateUses,
    OwnImage,
    OwnSnapshot,
    RegionState,
    SnapshotUsage,
    UsageReport,
)
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._keys.needed import ConsumerResources
from ansible_collections.golden.images.plugins.module_utils._model import (
    Grant,
    ImageRef,
    KeyRef,
    Sharing,
    SnapshotRef,
)
from ansible_collections.golden.images.plugins.module_utils._runner import Outcome
from botocore.exceptions import ClientError

from tests.unit.cleanup.examples import REGION, USED, ago, own, region_state, report, seen, shared, wanted
from tests.unit.examples import CONSUMER, OWNER
from tests.unit.wire import Wire

OLD, NEWEST = own("ami-1"), own("ami-new", 1)
ELSEWHERE = "us-east-1"
KEY = KeyRef(REGION, f"arn:aws:kms:{REGION}:{OWNER}:key/golden")
GRANT = Grant(
    "g-1", f"arn:aws:iam::{CONSUMER}:root", frozenset({"Decrypt"}), "golden-images:1", created=ago(days=1)
)
COPY = own("ami-copy", 0, state="pending", tags={}, source_image_id="ami-1", source_region=REGION)


def under_key(*images: OwnImage) -> RegionState:
    """A region with these images, whose snapshots are under one key."""
    state = region_state(*images)
    under = {one: replace(found, kms_key_id=KEY.key_arn) for one, found in state.snapshots.items()}
    return replace(state, snapshots=under)


class Client:
    """Takes every change and keeps it, but for tags of what is ``refused``.

    ``permissions`` are those of images and snapshots, an error code for those that cannot be read.
    """

    meta = Wire("ec2").client.meta

    def __init__(self) -> None:
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.refused = ""
        self.permissions: Mapping[str, Sequence[str] | str] = {}

    def describe_image_attribute(self, **request: str) -> dict[str, Any]:
        return {"LaunchPermissions": self._entries(request["ImageId"], "DescribeImageAttribute")}

    def describe_snapshot_attribute(self, **request: str) -> dict[str, Any]:
        entries = self._entries(request["SnapshotId"], "DescribeSnapshotAttribute")
        return {"CreateVolumePermissions": entries}

    def _entries(self, resource: str, operation: str) -> list[dict[str, str]]:
        found = self.permissions.get(resource, ())
        if isinstance(found, str):
            raise ClientError({"Error": {"Code": found, "Message": "No."}}, operation)
        return [{"UserId": account_id} for account_id in found]

    def __getattr__(self, name: str) -> Any:
        def call(**parameters: Any) -> dict[str, Any]:
            if self.refused in parameters.get("Resources", ()):
                raise ClientError({"Error": {"Code": "TagLimitExceeded", "Message": "No."}}, "CreateTags")
            self.calls.append((name, parameters))
            return {"DeleteSnapshotResults": []} if name == "deregister_image" else {}

        return call


class Clients:
    """The same client for everything."""

    default_region = REGION

    def __init__(self) -> None:
        self.everywhere = Client()

    def open(self, service: str, regions: Iterable[str]) -> None:
        """Nothing to do."""

    def rate_limited(self, _operation: str) -> Clients:
        return self

    def client(self, _service: str, _region: str) -> Any:
        return self.everywhere

    def ec2(self, _region: str) -> Any:
        return self.everywhere


def applied(
    first: CleanupState,
    now: Mapping[str, RegionState],
    path: Path,
    refused: str = "",
    usage: Mapping[ImageRef, ImageUsage] | None = None,
    permissions: Mapping[str, Sequence[str] | str] | None = None,
    **options: Any,
) -> tuple[Outcome, list[str]]:
    """What becomes of the plan where regions and usage have changed, and the changes that were made.

    ``permissions`` are those of the last look.
    """
    asked = replace(wanted(include_shared=usage is not None), tombstone_path=str(path), **options)
    clients: Any = Clients()
    clients.everywhere.permissions = permissions or {}
    clients.everywhere.refused = refused

    def inspect(_clients: Any, _wanted: CleanupOptions, saw: CleanupState, _reads: NextReads) -> CleanupState:
        read = {**first.usage, **(usage or {})}
        return replace(saw, usage=read, snapshot_usage=first.snapshot_usage, late_uses=first.late_uses)

    def wait_for_reports(_clients: Any, images: Iterable[ImageRef]) -> None:
        clients.everywhere.calls += [("wait", {"image": image}) for image in images]

    with (
        patch.object(cleanup, "wait_for_reports", wait_for_reports),
        patch.object(cleanup.read_regions, "read_region", lambda _clients, name, **_rest: now[name]),
        patch.object(cleanup, "inspect", inspect),
    ):
        outcome = cleanup.apply(clients, asked, first, cleanup_plan.plan(asked, first), lambda *_line: None)
    return outcome, [name for name, _parameters in clients.everywhere.calls]


@pytest.mark.parametrize(
    ("path", "problem"), [("missing/tombstones", "there is no directory"), ("", "is a directory")]
)
def test_without_a_file_for_tombstones_nothing_is_read(tmp_path: Path, path: str, problem: str) -> None:
    asked = replace(wanted(), tombstone_path=str(tmp_path / path))
    with pytest.raises(ValidationError, match=problem) as caught:
        cleanup.FLOW.read(Clients(), asked)
    assert [failure.action for failure in caught.value.failures] == ["tombstone_path"]


def test_the_source_of_a_copy_that_was_started_in_another_region_is_skipped(tmp_path: Path) -> None:
    first = seen(region_state(OLD, NEWEST), region_state())
    now = {REGION: first.regions[REGION], ELSEWHERE: region_state(COPY)}
    outcome, called = applied(first, now, tmp_path / "tombstones")
    assert called == []
    assert "running_copy ami-copy us-east-1" in "".join(outcome.warnings)


def test_the_result_has_the_decision_of_the_final_check(tmp_path: Path) -> None:
    first = seen(region_state(OLD, NEWEST), region_state())
    asked = replace(wanted(), tombstone_path=str(tmp_path / "tombstones"))
    planned = cleanup_plan.plan(asked, first)
    now = {REGION: first.regions[REGION], ELSEWHERE: region_state(COPY)}
    outcome, _called = applied(first, now, tmp_path / "tombstones")

    def result(outcome: Outcome) -> dict[str, Any]:
        found = cleanup.result(asked, first, planned, outcome)
        return {**found, "results": [(one["image_id"], one["decision"]) for one in found["results"]]}

    counted = {"evaluated_count": 2, "kms_keys": [], "regions": [REGION, ELSEWHERE], "unreadable": []}
    assert result(Outcome()) == {**counted, "results": [("ami-1", "deregister"), ("ami-new", "keep")]}
    assert result(outcome) == {**counted, "results": [("ami-1", "keep"), ("ami-new", "keep")]}


def test_a_grant_stays_with_a_warning_if_volumes_are_found_by_the_final_check(tmp_path: Path) -> None:
    asked = replace(
        wanted(), revoke_grants=True, consumer_role_name="golden", tombstone_path=str(tmp_path / "x")
    )
    first, now = (
        replace(
            seen(under_key(OLD, NEWEST)),
            key_usage={KEY: KeyUsage((GRANT,), {"ami-new": Sharing()})},
            consumer_resources={KEY: ConsumerResources({CONSUMER: volumes})},
        )
        for volumes in ((), ("vol-1",))
    )
    planned = cleanup_plan.plan(asked, first)
    assert [one.operation for one in planned.destructive][2:] == ["RevokeGrant", "DeleteSnapshot"]
    (key,) = cleanup.result(asked, first, planned, Outcome())["kms_keys"]
    assert (key["kms_key_arn"], key["kept_access"]) == (KEY.key_arn, [])
    clients: Any = Clients()
    with (
        patch.object(
            cleanup.read_regions, "read_region", lambda _clients, name, **_rest: first.regions[name]
        ),
        patch.object(cleanup, "inspect", lambda *_all: now),
    ):
        outcome = cleanup.apply(clients, asked, first, planned, lambda *_line: None)
    called = [name for name, _parameters in clients.everywhere.calls]
    assert called == ["create_tags", "deregister_image"]
    (warning,) = outcome.warnings
    assert all(text in warning for text in (KEY.key_arn, CONSUMER, "vol-1"))
    (key,) = cleanup.result(asked, first, planned, outcome)["kms_keys"]
    assert [one["resource_ids"] for one in key["kept_access"]] == [["vol-1"]]


def test_if_nothing_changed_the_plan_is_performed(tmp_path: Path) -> None:
    first = seen(region_state(OLD, NEWEST), region_state())
    outcome, called = applied(first, first.regions, tmp_path / "tombstones")
    assert called == ["create_tags", "deregister_image"]
    assert (outcome.failures, outcome.warnings) == ((), ())


LOOKS: dict[str, tuple[Mapping[str, Sequence[str] | str], str, str]] = {
    "shared": ({"ami-1": [CONSUMER]}, "keep", f"shared {CONSUMER}"),
    "its snapshot is shared": (
        {"snap-ami-1": [CONSUMER]},
        "wait",
        f"{CONSUMER}",
    ),
    "denied": ({"ami-1": "UnauthorizedOperation"}, "keep", "unreadable DescribeImageAttribute"),
    "its snapshot is denied": (
        {"snap-ami-1": "UnauthorizedOperation"},
        "wait",
        "DescribeSnapshotAttribute could not be read",
    ),
}


@pytest.mark.parametrize("look", LOOKS)
def test_an_image_stays_if_its_permissions_have_changed_right_before_it_goes(
    look: str, tmp_path: Path
) -> None:
    permissions, decision, reason = LOOKS[look]
    first = seen(region_state(OLD, own("ami-2", 200), NEWEST))
    outcome, called = applied(first, first.regions, tmp_path / "tombstones", permissions=permissions)
    assert [action.resource for action in outcome.performed] == ["snap-ami-2", "ami-2"]
    assert called == ["create_tags", "deregister_image"]
    (warning,) = outcome.warnings
    assert f"{REGION}/ami-1 was skipped, because the final check found: " in warning
    assert reason in warning
    asked = replace(wanted(), tombstone_path=str(tmp_path / "tombstones"))
    result = cleanup.result(asked, first, cleanup_plan.plan(asked, first), outcome)
    decided = {one["image_id"]: (one["decision"], one["snapshots"] != []) for one in result["results"]}
    assert decided == {"ami-1": (decision, False), "ami-2": ("deregister", True), "ami-new": ("keep", False)}
    is_denied = "denied" in look
    assert [failure.error_code for failure in outcome.failures] == ["cleanup_unreadable"] * is_denied
    assert len(result["unreadable"]) == is_denied


@pytest.mark.parametrize(
    ("permissions", "reason"),
    [
        ({}, ""),
        ({"snap-9": [CONSUMER]}, "were changed during the run."),
        (
            {"snap-9": "UnauthorizedOperation"},
            "could not be read: UnauthorizedOperation: No.",
        ),
    ],
)
def test_a_snapshot_without_an_image_stays_if_it_was_shared_right_before_its_deletion(
    permissions: Mapping[str, Sequence[str] | str], reason: str, tmp_path: Path
) -> None:
    leftover = OwnSnapshot("snap-9", tags={SNAPSHOT_TAG: "ami-9"})
    first = seen(
        region_state(NEWEST, snapshots={"snap-9": leftover}),
        snapshot_usage={SnapshotRef(REGION, "snap-9"): SnapshotUsage()},
    )
    outcome, called = applied(first, first.regions, tmp_path / "tombstones", permissions=permissions)
    assert called == ["delete_snapshot"] * (not reason)
    assert outcome.failures == ()
    warning = f"{REGION}/snap-9 was kept, because its permissions {reason} The next run decides."
    assert outcome.warnings == ((warning,) if reason else ())


def test_a_warning_has_the_remedy_that_no_failure_has(tmp_path: Path) -> None:
    first = seen(region_state(OLD, NEWEST))
    denied = {"ami-1": "UnauthorizedOperation"}
    failing, _called = applied(first, first.regions, tmp_path / "1", permissions=denied)
    passing, _called = applied(first, first.regions, tmp_path / "2", permissions=denied, fail_on="none")
    assert passing.failures == ()
    assert passing.warnings == (f"{failing.warnings[0]} {failing.failures[0].remedy}",)


def test_so_does_an_image_whose_tombstone_has_a_permission_that_was_removed(tmp_path: Path) -> None:
    usage = {ImageRef(REGION, "ami-1"): shared(CONSUMER, report=report())}
    first = seen(region_state(OLD, NEWEST), usage=usage)
    outcome, called = applied(first, first.regions, tmp_path / "tombstones", usage=usage)
    assert (called, outcome.failures) == ([], ())
    (warning,) = outcome.warnings
    assert warning == (
        f"{REGION}/ami-1 was skipped, because the final check found: Its permissions, or those of a "
        "snapshot, were changed during the run. The next run decides."
    )


class Unreadable(dict[str, RegionState]):
    """Regions whose images cannot be listed."""

    def __missing__(self, region: str) -> RegionState:
        raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": region}}, "DescribeImages")


def test_nothing_is_retired_if_the_final_check_cannot_list_the_images_of_a_region(tmp_path: Path) -> None:
    first = seen(region_state(OLD, NEWEST), region_state())
    now = Unreadable({REGION: first.regions[REGION]})
    outcome, called = applied(first, now, tmp_path / "tombstones")
    assert (called, outcome.performed) == ([], ())
    (failure,) = outcome.failures
    assert (failure.region, failure.error_code) == (ELSEWHERE, "UnauthorizedOperation")
    assert not (tmp_path / "tombstones").exists()


def test_nothing_is_retired_if_its_tombstone_cannot_be_written(tmp_path: Path) -> None:
    first = seen(region_state(OLD, NEWEST), region_state())
    outcome, called = applied(first, first.regions, tmp_path / "missing" / "tombstones")
    assert (called, outcome.performed) == ([], ())
    assert [failure.error_code for failure in outcome.failures] == ["tombstone_not_written"]


@pytest.mark.parametrize(
    ("new", "called", "skipped"),
    [
        (report(), ["create_tags", "deregister_image"], ""),
        (report(used_by={CONSUMER: 2}), [], f"other_account {CONSUMER} 2 uses"),
        (report(state="pending"), [], "The usage report is pending."),
        (
            report(created=ago(days=7)),
            [],
            "The usage report of 2026-11-17 12:00 is from before 2026-11-23 12:00.",
        ),
    ],
)
def test_an_old_report_chooses_an_image_and_a_new_one_decides(
    new: UsageReport, called: list[str], skipped: str, tmp_path: Path
) -> None:
    ref = ImageRef(REGION, "ami-1")
    old = {ref: shared(CONSUMER, report=report(created=ago(days=7)))}
    first = seen(region_state(OLD, NEWEST), usage=old)
    now = {ref: shared(CONSUMER, report=new)}
    permissions = {"ami-1": [CONSUMER]}
    outcome, made = applied(first, first.regions, tmp_path / "tombstones", usage=now, permissions=permissions)
    assert made == ["create_image_usage_report", "wait", *called]
    assert skipped in "".join(outcome.warnings)
    assert len(outcome.warnings) == bool(skipped)


FINISHED = own("ami-copy", 0, tags={"keep": ""}, source_image_id="ami-1", source_region=REGION)
HELD = region_state(FINISHED, own("ami-2", 0), uses={"ami-copy": (USED,)})


def test_an_image_stays_if_its_copy_could_not_be_tagged_with_what_it_inherits(tmp_path: Path) -> None:
    other = own("ami-other", 200)
    first = seen(region_state(OLD, other, NEWEST), HELD)
    outcome, called = applied(first, first.regions, tmp_path / "tombstones", refused="ami-copy")
    assert [action.resource for action in outcome.performed] == ["snap-ami-other", "ami-other"]
    assert [failure.error_code for failure in outcome.failures] == ["TagLimitExceeded"]
    assert called == ["create_tags", "deregister_image"]
    assert "us-east-1/ami-copy comes from it" in "".join(outcome.warnings)


def test_so_does_an_image_whose_copy_was_finished_during_the_run(tmp_path: Path) -> None:
    first = seen(region_state(OLD, NEWEST), region_state())
    now = {REGION: first.regions[REGION], ELSEWHERE: HELD}
    outcome, called = applied(first, now, tmp_path / "tombstones")
    assert (called, outcome.failures) == ([], ())
    assert "us-east-1/ami-copy comes from it" in "".join(outcome.warnings)


def test_a_copy_that_has_been_tagged_blocks_nothing(tmp_path: Path) -> None:
    """Whether or not DescribeImages shows the tags already."""
    first = seen(region_state(OLD, NEWEST), HELD)
    outcome, called = applied(first, first.regions, tmp_path / "tombstones")
    assert called == ["create_tags", "create_tags", "deregister_image"]
    assert (outcome.failures, outcome.warnings) == ((), ())


def test_reading_goes_on_until_nothing_is_left_to_read() -> None:
    bulk = replace(seen(region_state(OLD, NEWEST)), usage={}, snapshot_usage={}, late_uses={})
    rounds: list[NextReads] = []

    def inspect(_clients: Any, _wanted: CleanupOptions, saw: CleanupState, reads: NextReads) -> CleanupState:
        rounds.append(reads)
        read = {ref: ImageUsage() for ref in reads.images}
        snapshots = {ref: SnapshotUsage() for ref in reads.snapshots}
        late = dict.fromkeys(reads.late, LateUses())
        return replace(
            saw,
            usage={**saw.usage, **read},
            snapshot_usage={**saw.snapshot_usage, **snapshots},
            late_uses={**saw.late_uses, **late},
        )

    caller = Caller(OWNER, "aws")
    clients: Any = Clients()
    with (
        patch.object(cleanup, "identify_with_regions", lambda *_: (caller, (REGION,))),
        patch.object(cleanup.read_regions, "read_region", lambda _clients, name, **_rest: bulk.regions[name]),
        patch.object(cleanup, "inspect", inspect),
    ):
        saw = cleanup.FLOW.read(clients, wanted())
    ref, snapshot = ImageRef(REGION, "ami-1"), SnapshotRef(REGION, "snap-ami-1")
    assert rounds == [
        NextReads(images={ref: (snapshot,)}),
        NextReads(snapshots=(snapshot,)),
        NextReads(late=(REGION,)),
    ]
    assert (saw.usage, saw.snapshot_usage) == ({ref: ImageUsage()}, {snapshot: SnapshotUsage()})
