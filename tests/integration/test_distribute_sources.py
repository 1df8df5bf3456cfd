# SPDX-License-Identifier: GPL-3.0-or-later

"""The role distribute with the ways to name its source other than an id, and with several sources."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import observed
from .fixture import CONSUMERS, HOME, OWNER, Fixture
from .playbook import Ansible

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


def test_a_run_of_packer_with_several_builds_is_refused(
    aws: SimulatedAws, ansible: Ansible, base: dict[str, Any], manifest: str
) -> None:
    aws.clear_calls()
    refused = ansible.run(FQCN, {**base, "distribute_packer_manifest": manifest})
    assert refused.code != 0
    message = refused.task("Select the sources").result["msg"]
    assert "its run run-2 has the builds amazon-ebs.web, amazon-ebs.db." in message
    assert "Set distribute_packer_build to one of them" in message
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
    reports.mkdir()
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
    assert message.startswith("db: distribute_sources.db.source_parameter: /build/db in us-east-1 has")
    assert observed.changes(aws, refused=True) == refused.changed == []
    assert not (reports / "web").exists()

    ssm.put_parameter(Name="/build/db", Value=database, Type="String", Overwrite=True)
    # The image of web is copied, that of db is not.
    quota: dict[str, Any] = {"code": "ResourceLimitExceeded", "message": "Too many copies.", "status": 400}
    aws.add_fault("error", action="CopyImage", after=1, times=0, **quota)
    failed = ansible.run(FQCN, variables)
    assert failed.code != 0
    assert failed.task("Fail if a source failed").result["msg"].startswith("db: ")
    (copy,) = observed.own_images(aws, OWNER, AWAY)
    images = {"web": {HOME: fixture.image_id, AWAY: copy["ImageId"]}, "db": {}}
    assert failed.facts["distribute_images_by_source"] == images
    assert failed.facts["distribute_images"] == {}
    tags = observed.tags(copy)
    assert (tags["build"], tags["role"]) == ("7", "web")
    published = aws.client("ssm", OWNER, AWAY).get_parameter(Name="/golden/web")["Parameter"]["Value"]
    assert published == copy["ImageId"]
    assert (reports / "web" / "report.json").is_file()
    assert (reports / "db" / "report.json").is_file()
    assert not (ansible.folder / "images.json").exists()
    artifacts = failed.task("Show the result of all sources").result["ansible_stats"]["data"]
    assert artifacts["distribute_artifacts"]["images_by_source"] == images
    assert artifacts["distribute_artifacts"]["failed_sources"] == ["db"]
