# SPDX-License-Identifier: GPL-3.0-or-later

"""Whichever call of a cleanup is its last, the next run completes it, and nothing is orphaned.

The flow runs in this process, where the calls can be counted and ended.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3.session
import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.clients import Clients, Connection
from ansible_collections.golden.images.plugins.module_utils._cleanup import apply
from ansible_collections.golden.images.plugins.module_utils._cleanup.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._runner import Outcome

from simulated_aws.client import SimulatedAws

from . import observed
from .encrypted import grants
from .fixture import HOME, OWNER, Fixture

READS = ("Describe", "Get", "List", "AssumeRole")


class Killed(Exception):
    """The process is no more: nothing that comes after reaches AWS."""


class Fuse:
    """Counts the calls of a session, and lets none through once so many have been answered."""

    def __init__(self, session: boto3.session.Session) -> None:
        self.calls: list[str] = []
        self.changes = 0
        self._calls_left: int | None = None
        self._changes_left: int | None = None
        self._lock = threading.Lock()
        session.events.register_first("before-send", self._before)
        session.events.register_first("after-call", self._after)

    def set(self, calls: int | None = None, changes: int | None = None) -> None:
        """Blow after so many calls, or so many that change something; the last one's response is lost."""
        self.calls, self.changes = [], 0
        self._calls_left, self._changes_left = calls, changes

    def _before(self, **_rest: Any) -> None:
        with self._lock:
            if self._is_blown():
                raise Killed

    def _after(self, model: Any, **_rest: Any) -> None:
        with self._lock:
            self.calls.append(model.name)
            self.changes += not model.name.startswith(READS)
            if self._is_blown():
                raise Killed

    def _is_blown(self) -> bool:
        return (self._calls_left is not None and len(self.calls) >= self._calls_left) or (
            self._changes_left is not None and self.changes >= self._changes_left
        )


class Cleanup:
    """A cleanup of images, some under a key, where others stay: one has a snapshot of them, one is a copy."""

    def __init__(self, aws: SimulatedAws, fixture: Fixture, tombstones: Path) -> None:
        self.aws, self._fixture, self._tombstones = aws, fixture, tombstones
        self.build()

    def build(self) -> None:
        """Reset the simulated AWS and build everything again."""
        encrypted = [{"device_name": "/dev/xvda", "size": 8, "kms_key": "golden", "encrypted": True}]
        plain = [{"device_name": "/dev/xvda", "size": 8}, {"device_name": "/dev/sdb", "size": 8}]
        common = {"account": OWNER, "region": HOME, "tags": {"family": "web"}, "devices": plain}
        under_key = {"devices": encrypted, "sharing": {"accounts": ["sandbox"]}}
        self.aws.reset()
        self._tombstones.unlink(missing_ok=True)
        built = self._fixture.add(
            roles={"golden": {"accounts": ["sandbox"], "trusts": [OWNER]}},
            kms_keys={"golden": {"account": OWNER, "regions": [HOME]}},
            images={
                "new": {**common, "age_days": 1},
                "protected": {**common, "devices": encrypted, "age_days": 50},
                "old": {**common, **under_key, "age_days": 100},
                "older": {**common, **under_key, "age_days": 200},
                "plain": {**common, "age_days": 300},
                "partly": {**common, "age_days": 400},
            },
        )
        self.key = str(built["kms_keys"]["golden"][HOME])
        new, self.protected, partly = (
            built["images"][name]["image_id"] for name in ("new", "protected", "partly")
        )
        snapshot_id = built["images"]["partly"]["snapshot_ids"][0]
        mapping = [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot_id}}]
        owner = self.aws.client("ec2", OWNER, HOME)
        other = owner.register_image(Name="other", RootDeviceName="/dev/xvda", BlockDeviceMappings=mapping)
        owner.enable_image_deregistration_protection(ImageId=self.protected)
        self.staying = {new, self.protected, other["ImageId"]}
        self.aws.update_settings(new_grant_age_seconds=24 * 3600)
        self.aws.client("kms", OWNER, HOME).create_grant(
            KeyId=self.key,
            GranteePrincipal=f"arn:aws:iam::{self.aws.account_id('sandbox')}:root",
            Operations=["Decrypt"],
            Name="golden-images:test",
        )
        # A copy that stays, and keeps what is known of it only by the image that goes.
        copied = self.aws.client("ec2", OWNER, HOME).copy_image(
            Name="copy", SourceImageId=partly, SourceRegion=HOME
        )
        self.staying.add(copied["ImageId"])
        owner.create_tags(Resources=[copied["ImageId"]], Tags=[{"Key": "keep", "Value": ""}])
        self.session = self.aws.session(OWNER, HOME)
        self.fuse = Fuse(self.session)
        self.clients = Clients(Connection(region=HOME, endpoint_url=self.aws.url), self.session)
        self.aws.clear_calls()

    def run(self, meanwhile: Callable[[], object] = lambda: None, **options: Any) -> Outcome:
        """A whole run, or as much of it as the fuse lets through; something is done once it has a plan."""
        wanted = FLOW.options.read(
            {
                **{name: spec.get("default") for name, spec in FLOW.options.argument_spec().items()},
                "regions": [HOME],
                "family_tag": "family",
                "protect_tags": ["keep"],
                "deregister_after_days": 0,
                "max_deletions": "100%",
                "include_shared": True,
                "consumer_role_name": "golden",
                "revoke_grants": True,
                "tombstone_path": str(self._tombstones),
                **options,
            },
            False,
        )
        seen = FLOW.read(self.clients, wanted)
        plan = FLOW.plan(wanted, seen)
        meanwhile()
        return FLOW.apply(self.clients, wanted, seen, plan, lambda *_line: None)

    def assert_done(self) -> None:
        """What was to go is gone with its snapshots and grants, and everything else is there with its own."""
        images = observed.own_images(self.aws, OWNER, HOME)
        assert {one["ImageId"] for one in images} == self.staying
        used = {one for image in images for one in observed.snapshot_ids(image)}
        assert observed.own_snapshots(self.aws, OWNER, HOME) == sorted(used)
        assert grants(self.aws, self.key) == []
        (copy,) = (one for one in images if one["Name"] == "copy")
        assert observed.tags(copy)["golden.images:origin-tag:family"] == "web"
        lines = self._tombstones.read_text(encoding="utf-8").splitlines()
        assert len({json.loads(line)["image_id"] for line in lines}) == 4


@pytest.fixture
def cleanup(aws: SimulatedAws, fixture: Fixture, tmp_path: Path) -> Iterator[Cleanup]:
    """A cleanup that has not begun."""
    return Cleanup(aws, fixture, tmp_path / "tombstones")


@pytest.mark.nightly
def test_whichever_call_is_the_last_the_next_run_completes_the_cleanup(cleanup: Cleanup) -> None:
    outcome = cleanup.run()
    assert outcome.failures == ()
    cleanup.assert_done()
    calls, changes = list(cleanup.fuse.calls), cleanup.fuse.changes
    assert {"DeregisterImage", "CreateTags", "RevokeGrant", "DeleteSnapshot"} <= set(calls)

    cleanup.build()
    first_change = next(number for number, name in enumerate(calls) if not name.startswith(READS))
    for number in range(first_change):
        # Before the first change a run that ends leaves everything as it was.
        cleanup.fuse.set(calls=number)
        with suppress(Exception):
            cleanup.run()
        assert cleanup.fuse.changes == 0

    for number in range(1, changes + 1):
        # AWS did it and the response is lost, which covers a kill before the next call as well.
        cleanup.build()
        cleanup.fuse.set(changes=number)
        with suppress(Exception):
            cleanup.run()
        assert cleanup.fuse.changes >= number
        cleanup.fuse.set()
        assert cleanup.run().failures == ()
        cleanup.assert_done()


def test_an_image_that_is_shared_during_the_run_keeps_the_grant_of_its_account(cleanup: Cleanup) -> None:
    def share() -> None:
        permission = {"Add": [{"UserId": cleanup.aws.account_id("sandbox")}]}
        owner = cleanup.aws.client("ec2", OWNER, HOME)
        owner.modify_image_attribute(ImageId=cleanup.protected, LaunchPermission=permission)

    outcome = cleanup.run(share)
    assert outcome.failures == ()
    assert "RevokeGrant" not in [action.operation for action in outcome.performed]
    assert len(grants(cleanup.aws, cleanup.key)) == 1
    left = {one["ImageId"] for one in observed.own_images(cleanup.aws, OWNER, HOME)}
    assert left == cleanup.staying


DATES = ("golden.images:cleanup-disabled", "golden.images:cleanup-deprecated")
STAGES = {"deprecate_after_days": 0, "disable_after_days": 0, "deregister_after_days": 30}


@pytest.mark.nightly
@pytest.mark.parametrize(
    "stages", [STAGES, {**STAGES, "disable_after_days": None}], ids=["disable", "deprecate"]
)
def test_whichever_call_is_the_last_the_waiting_time_begins_with_the_next_run(
    cleanup: Cleanup, stages: dict[str, int | None]
) -> None:
    date = DATES[stages["disable_after_days"] is None]
    assert cleanup.run(**stages).failures == ()
    retired = _dated(cleanup, date)
    assert len(retired) == 5
    for number in range(1, cleanup.fuse.changes + 1):
        cleanup.build()
        cleanup.fuse.set(changes=number)
        with suppress(Exception):
            cleanup.run(**stages)
        cleanup.fuse.set()
        assert cleanup.run(**stages).failures == ()
        assert len(_dated(cleanup, date)) == len(retired)
        # And that is all.
        cleanup.fuse.set()
        assert cleanup.run(**stages).performed == ()
        assert cleanup.fuse.changes == 0


def _dated(cleanup: Cleanup, key: str) -> list[dict[str, Any]]:
    images = observed.own_images(cleanup.aws, OWNER, HOME)
    return [one for one in images if key in observed.tags(one)]


@pytest.mark.nightly
def test_an_image_that_was_disabled_by_other_means_waits_from_the_first_run_on(cleanup: Cleanup) -> None:
    owner = cleanup.aws.client("ec2", OWNER, HOME)
    old = next(one for one in observed.own_images(cleanup.aws, OWNER, HOME) if "older" in one["Name"])
    owner.disable_image(ImageId=old["ImageId"])
    assert cleanup.run(**{**STAGES, "deprecate_after_days": None}).failures == ()
    assert old["ImageId"] in {one["ImageId"] for one in _dated(cleanup, DATES[0])}


@pytest.mark.nightly
@pytest.mark.parametrize("action", ["DeregisterImage", "CreateTags", "RevokeGrant", "DeleteSnapshot"])
def test_a_call_whose_answer_is_lost_is_done(cleanup: Cleanup, action: str) -> None:
    cleanup.aws.add_fault("drop", action=action, when="after", times=2)
    outcome = cleanup.run()
    assert outcome.failures == ()
    operations = [one.operation for one in outcome.performed]
    assert operations.count("DeregisterImage") == 4
    assert {"RevokeGrant", "DeleteSnapshot"} <= set(operations)
    cleanup.assert_done()


@pytest.mark.nightly
def test_snapshots_are_deleted_after_a_lost_answer_though_no_deletion_was_planned(cleanup: Cleanup) -> None:
    images = observed.own_images(cleanup.aws, OWNER, HOME)
    (partly,) = (one["ImageId"] for one in images if "partly" in one["Name"])
    owner = cleanup.aws.client("ec2", OWNER, HOME)
    owner.create_tags(Resources=[partly], Tags=[{"Key": "keep", "Value": ""}])
    cleanup.aws.add_fault("drop", action="DeregisterImage", when="after", times=3)
    # Where grants are revoked, deletions of snapshots are planned.
    outcome = cleanup.run(revoke_grants=False)
    assert outcome.failures == ()
    operations = [one.operation for one in outcome.performed]
    assert operations.count("DeregisterImage") == 3
    remaining = observed.own_images(cleanup.aws, OWNER, HOME)
    used = {one for image in remaining for one in observed.snapshot_ids(image)}
    assert observed.own_snapshots(cleanup.aws, OWNER, HOME) == sorted(used)


@pytest.mark.nightly
@pytest.mark.parametrize("lost", [False, True], ids=["answered", "lost"])
def test_snapshots_that_deregistered_images_hold_for_a_while_are_deleted(
    cleanup: Cleanup, lost: bool
) -> None:
    """(boto/boto#3019.)"""
    cleanup.aws.update_settings(snapshot_in_use_seconds=4)
    if lost:
        cleanup.aws.add_fault("drop", action="DeregisterImage", when="after", times=4)
    outcome = cleanup.run()
    assert outcome.failures == ()
    assert "InvalidSnapshot.InUse" in {call.error_code for call in cleanup.aws.calls(action="DeleteSnapshot")}
    cleanup.assert_done()


@pytest.mark.nightly
def test_snapshots_that_stay_in_use_are_deleted_by_the_next_run(
    cleanup: Cleanup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply, "_RELEASE_TIMEOUT", 0.0)
    cleanup.aws.update_settings(snapshot_in_use_seconds=3600)
    outcome = cleanup.run()
    assert {failure.error_code for failure in outcome.failures} == {"InvalidSnapshot.InUse"}
    assert all("the snapshot is marked" in failure.remedy for failure in outcome.failures)
    cleanup.aws.update_settings(snapshot_in_use_seconds=0)
    assert cleanup.run().failures == ()
    cleanup.assert_done()


@pytest.mark.nightly
@pytest.mark.parametrize("action", ["DisableImage", "EnableImageDeprecation"])
def test_a_stage_whose_answer_is_lost_is_reached(
    cleanup: Cleanup, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The repeated call is the next one.
    monkeypatch.setattr(apply, "_SIDE_BY_SIDE", 1)
    cleanup.aws.add_fault("drop", action=action, when="after", times=1)
    # AWS documents no answer to a repeated call that disables an image.
    refused = {"code": "InvalidAMIID.Unavailable", "message": "Not available.", "status": 400}
    if action == "DisableImage":
        cleanup.aws.add_fault("error", action=action, after=1, times=1, **refused)
    index = action != "DisableImage"
    stages = {**STAGES, "disable_after_days": None if index else 0}
    outcome = cleanup.run(**stages)
    assert outcome.failures == ()
    assert [one.operation for one in outcome.performed].count(action) == 5
    assert len(_dated(cleanup, DATES[index])) == 5


@pytest.mark.nightly
def test_an_image_that_stays_available_is_not_disabled_by_a_lost_answer(cleanup: Cleanup) -> None:
    refused = {"code": "InvalidAMIID.Unavailable", "message": "Not available.", "status": 400}
    cleanup.aws.add_fault("error", action="DisableImage", times=1, **refused)
    outcome = cleanup.run(**STAGES)
    assert [one.error_code for one in outcome.failures] == ["InvalidAMIID.Unavailable"]
    assert len(_dated(cleanup, DATES[0])) == 4
