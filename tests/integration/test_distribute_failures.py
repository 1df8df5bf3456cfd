# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook distribute_ami.yml with failures in a region: it keeps completed work, reports failures, and a
rerun completes the rest."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import observed
from .fixture import CONSUMERS, HOME, OWNER, Fixture
from .playbook import Ansible, Run

FQCN = "golden.images.distribute_ami"
GOOD, BAD = "eu-west-1", "us-west-2"
REASON = "Given key ID is not accessible"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """The path of the report."""
    return tmp_path / "report.json"


@pytest.fixture
def variables(fixture: Fixture, report: Path) -> dict[str, Any]:
    """A distribution to one account in two regions other than the source region."""
    return {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": [GOOD, BAD],
        "distribute_account_ids": fixture.account_ids(CONSUMERS[0]),
        "distribute_report_path": str(report),
    }


def _assert_nothing_shared(aws: SimulatedAws) -> None:
    for action in ("ModifyImageAttribute", "ModifySnapshotAttribute"):
        assert observed.attempts(aws, action) == []


def _assert_finished(aws: SimulatedAws, fixture: Fixture, run: Run, report: Path) -> None:
    assert run.code == 0, run.text
    consumer = set(fixture.account_ids(CONSUMERS[0]))
    for region in (GOOD, BAD):
        (copy,) = observed.own_images(aws, OWNER, region)
        assert copy["State"] == "available"
        assert run.facts["distribute_images"][region] == copy["ImageId"]
        assert observed.sharing(aws, OWNER, region, copy["ImageId"]) == (consumer, [consumer, consumer])
        assert observed.own_snapshots(aws, OWNER, region) == sorted(observed.snapshot_ids(copy))
    assert json.loads(report.read_text(encoding="utf-8"))["status"] == "distributed"


@pytest.mark.quick
def test_a_failed_required_region_keeps_other_copies_and_prevents_sharing(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, variables: dict[str, Any], report: Path
) -> None:
    refusal = {"code": "ResourceLimitExceeded", "message": "Too many snapshot copies", "status": 400}
    aws.add_fault("error", action="CopyImage", region=BAD, **refusal)

    failed = ansible.run(FQCN, variables)
    assert failed.code != 0
    copied = failed.task("Start the copies")
    assert copied.status == "failed"
    assert copied.codes == [(BAD, "ResourceLimitExceeded")]
    (kept,) = observed.own_images(aws, OWNER, GOOD)
    assert copied.result["images"] == {GOOD: kept["ImageId"]}
    assert [action["region"] for action in copied.result["actions"]] == [GOOD]
    assert "Too many snapshot copies" in copied.result["msg"]
    _assert_nothing_shared(aws)
    assert not report.exists()
    written = json.loads(report.with_name("report.failed.json").read_text(encoding="utf-8"))
    assert written["status"] == "failed"
    assert [(failure["region"], failure["error_code"]) for failure in written["failures"]] == copied.codes
    # What was copied is named.
    assert f"Copied and not shared yet: {kept['ImageId']} in {GOOD}" in _shown(failed)

    rerun = ansible.run(FQCN, variables)
    _assert_finished(aws, fixture, rerun, report)
    # Once in each region, and again in the region that refused it.
    assert observed.attempts(aws, "CopyImage") == [GOOD, BAD, BAD]
    assert observed.own_images(aws, OWNER, GOOD)[0]["ImageId"] == kept["ImageId"]


def _artifacts(run: Run) -> dict[str, Any]:
    stats = run.task("distribute : Show the result").result["ansible_stats"]
    passed: dict[str, Any] = stats["data"]["distribute_artifacts"]
    return passed


def _shown(run: Run) -> str:
    """What the role displays at its end, in one line."""
    text: str = run.task("distribute : Show the result").result["text"]
    return " ".join(text.split())


def _expire_once_copies_run(aws: SimulatedAws, number: int) -> None:
    """Let all credentials expire as soon as so many copies have been started."""
    while len(observed.attempts(aws, "CopyImage")) < number:
        time.sleep(0.05)
    aws.add_fault("expired", times=0)


@pytest.mark.nightly
def test_copies_are_named_when_the_credentials_expire_while_they_run(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, variables: dict[str, Any], report: Path
) -> None:
    """AWS continues a copy that it has accepted, whatever becomes of the caller."""
    aws.update_settings(copy_seconds=20)
    expiry = threading.Thread(target=_expire_once_copies_run, args=(aws, 2))
    expiry.start()
    failed = ansible.run(FQCN, variables)
    expiry.join()
    aws.clear_faults()
    assert failed.code != 0
    started = {region: observed.own_images(aws, OWNER, region)[0]["ImageId"] for region in (GOOD, BAD)}
    assert [one.action for one in observed.changes(aws)] == ["CopyImage", "CopyImage"]
    sentence = _shown(failed)
    for region, image_id in started.items():
        assert f"{image_id} in {region} (pending)" in sentence
    assert "Rerun to complete the distribution" in sentence
    for false in ("Nothing was distributed", "no region was completed"):
        assert false not in sentence
    written = json.loads(report.with_name("report.failed.json").read_text(encoding="utf-8"))
    assert {one["region"]: one["image_id"] for one in written["regions"]} == started
    assert {one["error_code"] for one in written["failures"]} <= {"ExpiredToken", "RequestExpired"}
    assert (_artifacts(failed)["status"], _artifacts(failed)["images"]) == ("failed", {})

    rerun = ansible.run(FQCN, variables)
    _assert_finished(aws, fixture, rerun, report)
    assert rerun.facts["distribute_images"] == started
    assert observed.attempts(aws, "CopyImage") == [GOOD, BAD]


@pytest.mark.quick
def test_a_failed_run_keeps_the_record_of_the_one_before(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, variables: dict[str, Any], report: Path
) -> None:
    folder = report.parent / "reports"
    variables |= {"distribute_report_dir": str(folder)}
    done = ansible.run(FQCN, variables)
    _assert_finished(aws, fixture, done, report)
    good = {path: path.read_bytes() for path in (report, *folder.iterdir())}
    assert {path.name for path in good} >= {"latest.json", "latest.html", "latest.csv", "latest.sarif"}

    wrong = ansible.run(FQCN, {**variables, "distribute_source_image_id": "ami-0123456789abcdef0"})
    assert wrong.code != 0
    assert {path: path.read_bytes() for path in good} == good
    beside = report.with_name("report.failed.json")
    written = json.loads(beside.read_text(encoding="utf-8"))
    assert (written["status"], written["regions"]) == ("failed", [])
    asked = (written["source_image_id"], written["source_region"], written["desired"]["regions"])
    assert asked == ("ami-0123456789abcdef0", HOME, variables["distribute_regions"])
    new = {path.name for path in folder.iterdir()} - {path.name for path in good}
    assert {name.partition(".")[2] for name in new} == {
        f"failed.{ending}" for ending in ("json", "csv", "sarif", "html")
    }
    # The next node refuses what the failed one passes on, and reads the good record.
    passed = _artifacts(wrong)
    assert (passed["status"], passed["images"], passed["failed_regions"]) == ("failed", {}, [])


def test_a_partial_run_lists_all_regions_and_keeps_the_earlier_image_of_the_others(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, variables: dict[str, Any], report: Path
) -> None:
    done = ansible.run(FQCN, variables)
    _assert_finished(aws, fixture, done, report)
    earlier = done.facts["distribute_images"]
    newer = aws.client("ec2", OWNER, HOME).copy_image(
        Name="golden-next", SourceImageId=fixture.image_id, SourceRegion=HOME
    )["ImageId"]
    aws.client("ec2", OWNER, HOME).get_waiter("image_available").wait(
        Owners=["self"], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    aws.clear_calls()
    aws.add_fault("error", service="ec2", region=BAD, times=0, code="InternalFailure", status=400)
    later = {
        **variables,
        "distribute_source_image_id": newer,
        "distribute_best_effort_regions": [BAD],
    }
    partial = ansible.run(FQCN, later)
    assert partial.code == 0, partial.text
    written = json.loads(report.read_text(encoding="utf-8"))
    assert (written["status"], written["desired"]["regions"]) == ("partial", [GOOD, BAD])
    rows = {one["region"]: one for one in written["regions"]}
    assert (rows[GOOD]["shared"], "earlier" in rows[GOOD]) == (True, False)
    assert rows[GOOD]["image_id"] != earlier[GOOD]
    assert (rows[BAD]["shared"], rows[BAD]["image_id"]) == (False, None)
    kept = rows[BAD]["earlier"]
    assert (kept["image_id"], kept["source_image_id"]) == (earlier[BAD], fixture.image_id)
    assert f"{BAD} has {earlier[BAD]} ({fixture.image_id}, " in _shown(partial)
    passed = _artifacts(partial)
    assert (passed["status"], passed["images"]) == ("partial", {GOOD: rows[GOOD]["image_id"]})
    assert passed["failed_regions"] == [BAD]


@pytest.mark.nightly
def test_check_mode_says_that_it_has_distributed_nothing(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any], report: Path
) -> None:
    planned = ansible.run(FQCN, variables, "--check")
    assert planned.code == 0, planned.text
    assert observed.changes(aws, refused=True) == []
    assert _artifacts(planned)["status"] == "planned"
    assert "would be distributed to 2 regions" in _shown(planned)
    assert not report.exists()
    done = ansible.run(FQCN, variables)
    assert (done.code, _artifacts(done)["status"]) == (0, "distributed"), done.text
    assert {one.action for one in observed.changes(aws)} >= {"CopyImage", "ModifyImageAttribute"}
    # Nothing is left to do, and it is distributed.
    again = ansible.run(FQCN, variables, "--check")
    assert (again.code, _artifacts(again)["status"]) == (0, "planned")


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("trouble", "code"),
    [("refused", "InternalFailure"), ("slow", "copy_pending"), ("silent", "region_timeout")],
)
def test_a_best_effort_region_does_not_delay_others(
    aws: SimulatedAws,
    fixture: Fixture,
    ansible: Ansible,
    variables: dict[str, Any],
    report: Path,
    trouble: str,
    code: str,
) -> None:
    variables["distribute_best_effort_regions"] = [BAD]
    if trouble == "refused":
        aws.add_fault("error", action="CopyImage", region=BAD, times=0, code=code, status=400)
    elif trouble == "silent":
        aws.add_fault("freeze", action="DescribeImages", region=BAD, times=0)
    else:
        aws.update_settings(copy_seconds=1, copy_seconds_by_region={BAD: 20})

    first = ansible.run(FQCN, variables)
    assert first.code == 0, first.text
    assert list(first.facts["distribute_images"]) == [GOOD]
    (good,) = observed.own_images(aws, OWNER, GOOD)
    consumer = set(fixture.account_ids(CONSUMERS[0]))
    assert observed.sharing(aws, OWNER, GOOD, good["ImageId"]) == (consumer, [consumer, consumer])
    assert BAD not in observed.attempts(aws, "ModifyImageAttribute")
    written = json.loads(report.read_text(encoding="utf-8"))
    assert [(failure["region"], failure["error_code"]) for failure in written["failures"]] == [(BAD, code)]
    assert written["status"] == "partial"
    assert f"Best-effort regions skipped: {BAD}" in first.text

    aws.clear_faults()
    if trouble == "slow":
        aws.client("ec2", OWNER, BAD).get_waiter("image_available").wait(
            Owners=["self"], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
    rerun = ansible.run(FQCN, variables)
    _assert_finished(aws, fixture, rerun, report)


@pytest.mark.nightly
def test_a_best_effort_region_has_time_to_settle(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, variables: dict[str, Any], report: Path
) -> None:
    """(EC2 Developer Guide, "Eventual consistency": EC2 may not know the source everywhere yet.)"""
    variables["distribute_best_effort_regions"] = [BAD]
    # Four attempts within 7 seconds; the next one is made after 15.
    aws.add_fault(
        "error", action="CopyImage", region=BAD, times=4, code="InvalidAMIID.Unavailable", status=400
    )
    run = ansible.run(FQCN, variables)
    _assert_finished(aws, fixture, run, report)
    assert observed.attempts(aws, "CopyImage") == [GOOD, *[BAD] * 5]


@pytest.mark.nightly
def test_a_best_effort_region_that_rejects_all_accounts_is_not_shared_and_fails_the_role(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, variables: dict[str, Any], report: Path
) -> None:
    variables["distribute_best_effort_regions"] = [BAD]
    refusal = {"code": "InvalidAMIAttributeItemValue", "status": 400}
    for action in ("ModifySnapshotAttribute", "ModifyImageAttribute"):
        aws.add_fault("error", action=action, region=BAD, times=0, **refusal)
    failed = ansible.run(FQCN, variables)
    assert failed.code != 0
    assert failed.task("Share the copies").status != "failed"
    assert f"AWS rejected {variables['distribute_account_ids'][0]}" in failed.text
    assert list(failed.facts["distribute_images"]) == [GOOD]
    written = json.loads(report.read_text(encoding="utf-8"))
    assert {one["region"]: one["shared"] for one in written["regions"]} == {GOOD: True, BAD: False}
    assert {one["error_code"] for one in written["failures"]} == {"consumer_rejected"}

    aws.clear_faults()
    rerun = ansible.run(FQCN, variables)
    _assert_finished(aws, fixture, rerun, report)


def test_a_failed_copy_is_replaced_once(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, variables: dict[str, Any], report: Path
) -> None:
    aws.update_settings(copy_seconds=1, copy_failures=[{"region": BAD, "message": REASON}])
    # A read does not find a copy for a moment.
    missing = {"code": "InvalidAMIID.NotFound", "message": "It does not exist.", "status": 400}
    aws.add_fault("error", action="DescribeImageAttribute", times=2, **missing)
    run = ansible.run(FQCN, variables)
    _assert_finished(aws, fixture, run, report)
    assert observed.attempts(aws, "CopyImage") == [GOOD, BAD, BAD]
    assert observed.attempts(aws, "DeregisterImage") == [BAD]
    assert REASON in run.text
    assert observed.changes(aws) == run.actions


@pytest.mark.nightly
def test_a_copy_that_fails_twice_is_reported_and_replaced_by_the_next_run(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, variables: dict[str, Any], report: Path
) -> None:
    aws.update_settings(copy_seconds=1, copy_failures=[{"region": BAD, "message": REASON, "times": 2}])
    failed = ansible.run(FQCN, variables)
    assert failed.code != 0
    waited = failed.task("Wait for the copies")
    assert waited.codes == [(BAD, "copy_failed")]
    assert REASON in waited.result["msg"]
    _assert_nothing_shared(aws)
    # The first failed copy was removed, the second is kept for inspection.
    assert [image["State"] for image in observed.own_images(aws, OWNER, BAD)] == ["failed"]
    assert [image["State"] for image in observed.own_images(aws, OWNER, GOOD)] == ["available"]

    rerun = ansible.run(FQCN, variables)
    _assert_finished(aws, fixture, rerun, report)
    assert observed.attempts(aws, "CopyImage") == [GOOD, BAD, BAD, BAD]


@pytest.mark.nightly
def test_a_dropped_connection_after_copy_image_makes_no_second_copy(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, variables: dict[str, Any], report: Path
) -> None:
    aws.add_fault("drop", action="CopyImage", when="after", times=2)
    run = ansible.run(FQCN, variables)
    _assert_finished(aws, fixture, run, report)
    # The call was retried in each region, with the same client token.
    assert observed.attempts(aws, "CopyImage") == [GOOD, GOOD, BAD, BAD]
    tokens = [call.parameters["ClientToken"] for call in aws.calls(action="CopyImage")]
    assert len(set(tokens)) == 2


@pytest.mark.nightly
def test_after_a_timeout_a_rerun_waits_for_the_same_copies(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, variables: dict[str, Any], report: Path
) -> None:
    aws.update_settings(copy_seconds=20)
    late = ansible.run(FQCN, {**variables, "distribute_copy_wait_timeout": 2})
    assert late.code != 0
    waited = late.task("Wait for the copies")
    assert waited.codes == [(GOOD, "copy_pending"), (BAD, "copy_pending")]
    ids = {region: observed.own_images(aws, OWNER, region)[0]["ImageId"] for region in (GOOD, BAD)}
    assert waited.result["images"] == ids
    _assert_nothing_shared(aws)

    rerun = ansible.run(FQCN, variables)
    _assert_finished(aws, fixture, rerun, report)
    assert rerun.facts["distribute_images"] == ids
    assert observed.attempts(aws, "CopyImage") == [GOOD, BAD]


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("DescribeImageAttribute", "InvalidAMIID.NotFound"),
        ("DescribeSnapshotAttribute", "InvalidSnapshot.NotFound"),
    ],
)
def test_a_copy_that_a_read_does_not_find_for_a_moment_is_shared(
    aws: SimulatedAws,
    fixture: Fixture,
    ansible: Ansible,
    variables: dict[str, Any],
    report: Path,
    action: str,
    code: str,
) -> None:
    """(EC2 Developer Guide, "Eventual consistency in the Amazon EC2 API".)"""
    aws.add_fault("error", action=action, code=code, message="It does not exist.", status=400, times=2)
    _assert_finished(aws, fixture, ansible.run(FQCN, variables), report)
