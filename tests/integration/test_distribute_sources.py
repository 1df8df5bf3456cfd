# SPDX-License-Identifier: GPL-3.0-or-later

"""The role distribute with the ways to name its source other than an ID, and with several sources."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import encrypted, observed, probing
from .encrypted import EXTERNAL_ID, ROLE, EncryptedFixture
from .fixture import CONSUMERS, HOME, OWNER, Fixture
from .playbook import Ansible, Run, prediction_error

FQCN = "golden.images.distribute_ami"
AWAY = "eu-west-1"


@pytest.fixture
def base(fixture: Fixture) -> dict[str, Any]:
    """A distribution without a source."""
    return {
        "distribute_source_region": HOME,
        "distribute_regions": [HOME, AWAY],
        "distribute_account_ids": fixture.account_ids(*CONSUMERS),
    }


@pytest.fixture
def manifest(fixture: Fixture, ansible: Ansible) -> str:
    """The manifest of two runs of Packer; the last one has built two images."""
    builds = [
        {
            "name": name,
            "builder_type": "amazon-ebs",
            "build_time": 1792000000,
            "files": None,
            "artifact_id": f"{HOME}:{image_id}",
            "packer_run_uuid": run,
            "custom_data": None,
        }
        for name, image_id, run in (
            ("web", "ami-0000000000000dead", "run-1"),
            ("web", fixture.image_id, "run-2"),
            ("db", "ami-0000000000000dead", "run-2"),
        )
    ]
    path = ansible.folder / "packer-manifest.json"
    path.write_text(json.dumps({"builds": builds, "last_run_uuid": "run-2"}), encoding="utf-8")
    return path.name


@pytest.mark.quick
def test_the_image_that_a_parameter_names_is_distributed(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, base: dict[str, Any]
) -> None:
    ssm = aws.client("ssm", OWNER, HOME)
    ssm.put_parameter(Name="/build/web", Value=fixture.image_id, Type="String")
    files = [ansible.folder / "images.auto.tfvars.json", ansible.folder / "images.env"]
    variables = {
        **base,
        "distribute_source_parameter": "/build/web",
        "distribute_output_files": [path.name for path in files],
    }
    done = ansible.run(FQCN, variables)
    assert done.code == 0, done.text
    away = observed.own_images(aws, OWNER, AWAY)[0]["ImageId"]
    assert done.facts["distribute_images"] == {HOME: fixture.image_id, AWAY: away}
    terraform, environment = (path.read_text(encoding="utf-8") for path in files)
    assert json.loads(terraform) == {"golden_images": {HOME: fixture.image_id, AWAY: away}}
    assert environment == f"AMI_EU_WEST_1={away}\nAMI_US_EAST_1={fixture.image_id}\n"


@pytest.mark.nightly
def test_a_run_of_packer_with_several_builds_is_refused(
    aws: SimulatedAws, ansible: Ansible, base: dict[str, Any], manifest: str
) -> None:
    aws.clear_calls()
    refused = ansible.run(FQCN, {**base, "distribute_packer_manifest": manifest})
    assert refused.code != 0
    message = refused.task("Select the sources").result["msg"]
    assert "its run run-2 has the builds amazon-ebs.web, amazon-ebs.db." in message
    assert "Set packer_build to one of them" in message
    assert aws.calls() == []


def test_several_sources_are_checked_first_and_fail_alone(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, base: dict[str, Any], manifest: str
) -> None:
    disks = [{"device_name": "/dev/xvda", "size": 8}]
    database = fixture.add_images(
        {"db": {"account": OWNER, "region": HOME, "name": "golden-db", "devices": disks}}
    )["db"]
    ssm = aws.client("ssm", OWNER, HOME)
    ssm.put_parameter(Name="/build/db", Value="none", Type="String")
    sources = {
        "web": {"packer_build": "web", "publish_parameter": "/golden/web", "tags": {"role": "web"}},
        "db": {"source_parameter": "/build/db"},
    }
    reports = ansible.folder / "reports"
    variables = {
        **base,
        # As a survey sends it.
        "distribute_sources": json.dumps(sources),
        "distribute_packer_manifest": manifest,
        "distribute_tags": {"build": "7"},
        "distribute_report_dir": str(reports),
        "distribute_output_files": ["images.json"],
    }
    aws.clear_calls()

    refused = ansible.run(FQCN, variables)
    assert refused.code != 0
    message = refused.task("Fail if a source cannot be distributed").result["msg"]
    assert message.startswith("db: source_parameter: /build/db in us-east-1 has")
    assert observed.changes(aws, refused=True) == refused.changed == []
    assert not reports.exists()

    ssm.put_parameter(Name="/build/db", Value=database, Type="String", Overwrite=True)
    # The image of web is copied, that of db is not.
    quota: dict[str, Any] = {"code": "ResourceLimitExceeded", "message": "Too many copies.", "status": 400}
    aws.add_fault("error", action="CopyImage", after=1, times=0, **quota)
    failed = ansible.run(FQCN, variables)
    assert failed.code != 0
    assert failed.task("Fail if a source failed").result["msg"].startswith("db: ")
    # Ansible warns of a loop within a loop that has the same variable.
    assert "already in use" not in failed.text
    (copy,) = observed.own_images(aws, OWNER, AWAY)
    images = {"web": {HOME: fixture.image_id, AWAY: copy["ImageId"]}, "db": {}}
    assert failed.facts["distribute_images_by_source"] == images
    assert failed.facts["distribute_images"] == {}
    tags = observed.tags(copy)
    assert (tags["build"], tags["role"]) == ("7", "web")
    published = aws.client("ssm", OWNER, AWAY).get_parameter(Name="/golden/web")["Parameter"]["Value"]
    assert published == copy["ImageId"]
    assert (reports / "web" / "latest.json").is_file()
    # No region of it was completed.
    assert not (reports / "db" / "latest.json").exists()
    assert len([*(reports / "db").glob("report-*.failed.json")]) == 1
    assert not (ansible.folder / "images.json").exists()
    artifacts = _artifacts(failed)
    assert artifacts["images_by_source"] == images
    assert (artifacts["failed_sources"], artifacts["failed_regions"]) == (["db"], [AWAY, HOME])
    assert artifacts["status"] == "partial"


def _artifacts(run: Run) -> dict[str, Any]:
    """What the run passes to the next job of a workflow."""
    stats = run.task("Show the result of all sources").result["ansible_stats"]
    passed: dict[str, Any] = stats["data"]["distribute_artifacts"]
    return passed


@pytest.mark.nightly
def test_each_source_is_copied_into_accounts_verified_and_uploaded(aws: SimulatedAws, tmp_path: Path) -> None:
    fixture = EncryptedFixture(aws)
    ansible = Ansible(fixture.environment(OWNER), tmp_path)
    consumer, bucket = CONSUMERS[1], "golden-reports"
    fixture.add(kms_keys={"of consumer": {"account": consumer, "regions": [HOME], "alias": "alias/theirs"}})
    disks = [{"device_name": "/dev/xvda", "size": 8}]
    database = fixture.add_images(
        {"db": {"account": OWNER, "region": HOME, "name": "golden-db", "devices": disks}}
    )["db"]
    sources = {"web": fixture.image_id, "db": database}
    s3 = aws.client("s3", OWNER, HOME)
    s3.create_bucket(Bucket=bucket)
    reports = tmp_path / "reports"
    variables = {
        "distribute_sources": {name: {"source_image_id": image_id} for name, image_id in sources.items()},
        "distribute_source_region": HOME,
        "distribute_regions": [HOME],
        "distribute_account_ids": fixture.account_ids(consumer),
        "distribute_consumer_role_name": ROLE,
        "distribute_external_id": EXTERNAL_ID,
        "distribute_copy_into_accounts": True,
        "distribute_consumer_kms_key_id": "alias/theirs",
        "distribute_verify_level": "launched",
        "distribute_verify_subnet_ids": probing.subnet_ids(aws, [consumer], HOME),
        "distribute_report_dir": str(reports),
        "distribute_report_s3_uri": f"s3://{bucket}/runs",
        "distribute_output_files": ["images.auto.tfvars.json"],
    }
    aws.clear_calls()

    planned = ansible.run(FQCN, variables, "--check")
    assert planned.code == 0, planned.text
    assert encrypted.changes(aws) == []
    assert [one["source"] for one in planned.facts["distribute_consumer_images"]] == [*sources]
    assert (_artifacts(planned)["status"], _artifacts(planned)["report_s3_uri"]) == ("planned", None)
    assert not reports.exists()

    done = ansible.run(FQCN, variables)
    assert done.code == 0, done.text
    assert prediction_error(planned.actions, done.actions) == ""
    copies = {
        observed.tags(image)["golden.images:source"].removeprefix(f"{HOME}/"): image["ImageId"]
        for image in observed.own_images(aws, consumer, HOME)
    }
    assert done.facts["distribute_consumer_images"] == [
        {
            "account_id": aws.account_id(consumer),
            "image_id": copies[image_id],
            "region": HOME,
            "source": name,
        }
        for name, image_id in sources.items()
    ]
    images = {name: {HOME: image_id} for name, image_id in sources.items()}
    assert done.facts["distribute_images_by_source"] == images
    assert [one["source"] for one in done.facts["distribute_results"]] == [*sources]
    for name, image_id in sources.items():
        text = s3.get_object(Bucket=bucket, Key=f"runs/{name}/latest.json")["Body"].read()
        assert text == (reports / name / "latest.json").read_bytes()
        report = json.loads(text)
        assert [(one["image_id"], one["level"]) for one in report["verified"]] == [
            (copies[image_id], "launched")
        ]
    assert probing.instances(aws, consumer, HOME, *probing.LIVING) == []
    terraform = json.loads((tmp_path / "images.auto.tfvars.json").read_text(encoding="utf-8"))
    assert terraform == {"golden_images_by_source": images}
    artifacts = _artifacts(done)
    assert (artifacts["status"], artifacts["images_by_source"]) == ("distributed", images)
    assert artifacts["report_s3_uri"] == f"s3://{bucket}/runs/"
    assert artifacts["report_url"] == f"https://console.aws.amazon.com/s3/buckets/{bucket}?prefix=runs/"

    # The report of one source cannot be written: what each source has is still not that of another.
    (reports / "web" / "latest.json").unlink()
    (reports / "web" / "latest.json").mkdir()
    aws.clear_calls()
    of_accounts = ("distribute_consumer", "distribute_copy", "distribute_external", "distribute_verify")
    shared_only = {name: value for name, value in variables.items() if not name.startswith(of_accounts)}
    failed = ansible.run(FQCN, shared_only)
    assert failed.code != 0
    message = failed.task("Fail if a source failed").result["msg"]
    assert message.startswith("web: ")
    assert "Is a directory" in message
    assert "db: " not in message
    assert encrypted.changes(aws, refused=True) == []
    assert failed.facts["distribute_images_by_source"] == images
    assert failed.facts["distribute_consumer_images"] == []
    assert _artifacts(failed)["report_s3_uri"] == f"s3://{bucket}/runs/"


@pytest.mark.nightly
def test_the_copies_of_all_sources_run_at_the_same_time(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, base: dict[str, Any]
) -> None:
    disks = [{"device_name": "/dev/xvda", "size": 8}]
    images = fixture.add_images(
        {
            name: {"account": OWNER, "region": HOME, "name": f"golden-{name}", "devices": disks}
            for name in ("db", "cache")
        }
    )
    sources: dict[str, Any] = {name: {"source_image_id": image_id} for name, image_id in images.items()}
    sources["web"] = {"source_filters": {"image-id": fixture.image_id}}
    variables = {**base, "distribute_sources": sources, "distribute_regions": [HOME, AWAY, "us-west-2"]}
    seconds = 15
    aws.update_settings(copy_seconds=seconds)
    aws.clear_calls()

    done = ansible.run(FQCN, variables)

    assert done.code == 0, done.text
    started = [call.time for call in aws.calls(action="CopyImage")]
    assert len(started) == 6
    # None had ended when the last one was started.
    assert max(started) - min(started) < seconds
    assert min(call.time for call in aws.calls(action="ModifyImageAttribute")) > min(started) + seconds
    # The table of each source tells which copies this run has made.
    tables = [task.result["text"] for task in done.tasks if task.name.endswith("Show the result")]
    assert len(tables) == 3
    assert all("copied" in text for text in tables)

    aws.clear_calls()
    again = ansible.run(FQCN, variables)
    assert again.code == 0, again.text
    assert observed.changes(aws) == []
    assert "golden.images.distribute : Start the copies" not in [task.name for task in again.tasks]
