# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports in S3: what is written where, and what happens if a bucket cannot be written to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import observed
from .encrypted import EXTERNAL_ID, ROLE, EncryptedFixture
from .fixture import CONSUMERS, HOME, OWNER, STRANGER, Fixture
from .playbook import Ansible, Run

AWAY = "eu-west-1"
BUCKET = "golden-reports"
AUDIT, DISTRIBUTE = "golden.images.audit_ami_sharing", "golden.images.distribute_ami"
CLEANUP, VERIFY = "golden.images.cleanup_amis", "golden.images.verify_ami"
TYPES = {
    "report.csv": "text/csv; charset=utf-8",
    "report.html": "text/html; charset=utf-8",
    "report.json": "application/json",
    "report.sarif": "application/sarif+json",
}


def _bucket(aws: SimulatedAws, account: str = OWNER) -> Any:
    """A client for a new bucket in another region than that of the run."""
    s3 = aws.client("s3", account, AWAY)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": AWAY})
    aws.clear_calls()
    return s3


def _puts(aws: SimulatedAws) -> list[str]:
    return [call.action for call in aws.calls() if call.action.startswith("PUT /")]


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, Any]:
    return {
        "audit_regions": [HOME],
        "audit_report_dir": str(tmp_path / "audit"),
        "audit_report_s3_uri": f"s3://{BUCKET}/web audit",
    }


def _assert_uploaded(s3: Any, folder: str, local: Path) -> None:
    """The objects in the folder are the local files, with their media types."""
    objects = {key: s3.get_object(Bucket=BUCKET, Key=f"{folder}/{key}") for key in TYPES}
    assert {key: one["ContentType"] for key, one in objects.items()} == TYPES
    assert {key: one["Body"].read() for key, one in objects.items()} == {
        key: (local / key).read_bytes() for key in TYPES
    }


def _artifacts(run: Run, name: str = "audit_artifacts") -> Any:
    shown = next(task for task in run.tasks if task.action == "golden.images.role_result")
    return shown.result["ansible_stats"]["data"][name]


@pytest.mark.per_python
@pytest.mark.quick
def test_the_files_are_in_the_bucket_of_another_region(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any], tmp_path: Path
) -> None:
    s3 = _bucket(aws)
    planned = ansible.run(AUDIT, variables, "--check")
    assert planned.code == 0, planned.text
    assert _puts(aws) == []
    assert _artifacts(planned)["report_s3_uri"] is None

    done = ansible.run(AUDIT, variables)
    assert done.code == 0, done.text
    _assert_uploaded(s3, "web audit", tmp_path / "audit")
    # No access control list, and no encryption other than the bucket's.
    sent = {name for call in aws.calls() if call.action.startswith("PUT /") for name in call.parameters}
    assert not {name for name in sent if "acl" in name.lower() or "encryption" in name.lower()}
    assert _artifacts(done)["report_s3_uri"] == f"s3://{BUCKET}/web audit/"
    url = f"https://console.aws.amazon.com/s3/buckets/{BUCKET}?prefix=web%20audit/"
    assert _artifacts(done)["report_url"] == url
    assert "X-Amz-Signature" not in done.text


@pytest.mark.nightly
def test_a_cleanup_uploads_its_report(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, tmp_path: Path
) -> None:
    s3 = _bucket(aws)
    variables = {
        "cleanup_regions": [HOME],
        "cleanup_family_tag": "Name",
        "cleanup_deprecate_after_days": 30,
        "cleanup_report_dir": str(tmp_path / "cleanup"),
        "cleanup_report_s3_uri": f"s3://{BUCKET}",
    }
    planned = ansible.run(CLEANUP, variables, "--check")
    assert planned.code == 0, planned.text
    assert (_puts(aws), _artifacts(planned, "cleanup_artifacts")["report_s3_uri"]) == ([], None)

    done = ansible.run(CLEANUP, variables)
    assert done.code == 0, done.text
    (image,) = json.loads(s3.get_object(Bucket=BUCKET, Key="report.json")["Body"].read())["images"]
    assert (image["image_id"], image["decision"]) == (fixture.image_id, "keep")
    assert _artifacts(done, "cleanup_artifacts")["report_s3_uri"] == f"s3://{BUCKET}/"


@pytest.mark.nightly
def test_a_verification_that_fails_uploads_its_report(aws: SimulatedAws, tmp_path: Path) -> None:
    fixture = EncryptedFixture(aws)
    ansible = Ansible(fixture.environment(OWNER), tmp_path)
    s3 = _bucket(aws)
    variables = {
        # It is shared with no account.
        "verify_images": {HOME: fixture.image_id},
        "verify_account_ids": fixture.account_ids("web-staging"),
        "verify_consumer_role_name": ROLE,
        "verify_external_id": EXTERNAL_ID,
        "verify_level": "visible",
        "verify_report_dir": str(tmp_path / "verification"),
        "verify_report_s3_uri": f"s3://{BUCKET}/verification/",
    }
    failed = ansible.run(VERIFY, variables)
    assert failed.code != 0
    _assert_uploaded(s3, "verification", tmp_path / "verification")
    report = json.loads((tmp_path / "verification" / "report.json").read_text(encoding="utf-8"))
    assert (report["status"], report["failed_regions"]) == ("failed", [HOME])
    artifacts = _artifacts(failed, "verify_artifacts")
    assert artifacts["report_s3_uri"] == f"s3://{BUCKET}/verification/"


def test_a_missing_bucket_fails_before_anything_is_done(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, tmp_path: Path
) -> None:
    variables = {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": [HOME, AWAY],
        "distribute_account_ids": fixture.account_ids(*CONSUMERS),
        "distribute_report_path": str(tmp_path / "web.json"),
        "distribute_report_s3_uri": "s3://no-such-bucket/web",
    }
    missing = ansible.run(DISTRIBUTE, variables)
    assert missing.code != 0
    assert "report_s3_uri: there is no bucket no-such-bucket" in missing.text
    assert observed.changes(aws, refused=True) == []


@pytest.mark.nightly
def test_a_distribution_that_fails_leaves_the_latest_objects_of_the_one_before(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, tmp_path: Path
) -> None:
    s3 = _bucket(aws)
    folder = tmp_path / "web"
    variables = {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": [HOME],
        "distribute_account_ids": fixture.account_ids(*CONSUMERS),
        "distribute_report_path": str(tmp_path / "web.json"),
        "distribute_report_dir": str(folder),
        "distribute_report_s3_uri": f"s3://{BUCKET}/web/",
    }

    def stored() -> dict[str, bytes]:
        found = s3.list_objects_v2(Bucket=BUCKET, Prefix="web/")["Contents"]
        return {
            one["Key"].removeprefix("web/"): s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read()
            for one in found
        }

    done = ansible.run(DISTRIBUTE, variables)
    assert done.code == 0, done.text
    good = stored()
    assert {path.name: path.read_bytes() for path in (tmp_path / "web.json", *folder.iterdir())} == good
    assert len([name for name in good if name.startswith("latest.")]) == 4

    wrong = ansible.run(DISTRIBUTE, {**variables, "distribute_source_image_id": "ami-0123456789abcdef0"})
    assert wrong.code != 0
    both = stored()
    assert good.items() <= both.items()
    failed = sorted(name.partition(".")[2] for name in both.keys() - good.keys())
    assert failed == ["failed.csv", "failed.html", "failed.json", "failed.json", "failed.sarif"]
    assert json.loads(both["web.failed.json"])["status"] == "failed"


@pytest.mark.nightly
def test_a_bucket_of_another_account_gets_no_report(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any], tmp_path: Path
) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3 = _bucket(aws, STRANGER)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy)
    run = ansible.run(AUDIT, variables)
    assert run.code != 0
    assert f"The report was not uploaded to s3://{BUCKET}/web audit/: Access Denied" in run.text
    assert "set report_s3_bucket_owner" in run.text
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)
    # Nothing else is lost.
    assert {path.name for path in (tmp_path / "audit").iterdir()} == set(TYPES)
    assert run.facts["audit_report"]["regions"][HOME]["read"]
    assert _artifacts(run)["report_s3_uri"] is None
