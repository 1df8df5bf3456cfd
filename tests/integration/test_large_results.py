# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles need nothing of a large result that only its file has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from .encrypted import DISTRIBUTE
from .playbook import Ansible, Run
from .publishing import PARAMETER
from .test_into_accounts import CONSUMERS, PLACES, fixture, variables

pytestmark = pytest.mark.nightly

__all__ = ["fixture", "variables"]
LIMITED = {
    "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "callback_plugins"),
    "ANSIBLE_CALLBACKS_ENABLED": "small_results",
}


def _artifacts(run: Run, task: str) -> dict[str, Any]:
    """What the run passes to the next job of a workflow."""
    passed: dict[str, Any] = run.task(task).result["ansible_stats"]["data"]["distribute_artifacts"]
    return passed


def test_a_distribution_into_accounts_is_complete(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any], tmp_path: Path
) -> None:
    aws.update_settings(copy_seconds=1)
    variables |= {
        "distribute_publish_parameter": PARAMETER,
        "distribute_report_path": "report.json",
        "distribute_verify_level": "authorized",
    }
    planned = ansible.run(DISTRIBUTE, variables, "--check", "--diff", environment=LIMITED)
    assert planned.code == 0, planned.text
    done = ansible.run(DISTRIBUTE, variables, environment=LIMITED)
    assert done.code == 0, done.text
    copied = done.task("Copy the image into each consumer account").result
    assert (copied["images"], copied["results"]) == (None, None)
    assert {"images", "results"} <= {*copied["omitted"]}
    assert done.facts["distribute_consumer_images"] is None
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["status"] == "distributed"
    lengths = {name: len(report[name]) for name in ("consumer_images", "verified", "published")}
    owners = len(PLACES) // len(CONSUMERS)
    assert lengths == {
        "consumer_images": len(PLACES),
        "verified": len(PLACES),
        "published": len(PLACES) + owners,
    }
    assert len(json.loads(_artifacts(done, "Show the result")["copies"])) == len(PLACES)

    variables |= {"distribute_unshare_after_copy": True, "distribute_purge_access": True}
    revoked = ansible.run(DISTRIBUTE, variables, environment=LIMITED)
    assert revoked.code == 0, revoked.text
    assert {change.action for change in revoked.actions} == {
        *("ModifyImageAttribute", "ModifySnapshotAttribute", "RevokeGrant"),
    }

    # Later roles take the copies from the report, and have null facts themselves.
    consumers = {
        "account_ids": variables["distribute_account_ids"],
        "consumer_role_name": variables["distribute_consumer_role_name"],
        "external_id": variables["distribute_external_id"],
        "images": report,
    }
    for role, playbook, fact in (
        ("verify", "verify_ami", "verify_results"),
        ("publish", "publish_ami", "publish_results"),
        ("diagnose", "diagnose_ami", "diagnose_results"),
    ):
        given = {f"{role}_{name}": value for name, value in consumers.items()}
        more = {"publish_parameter": PARAMETER} if role == "publish" else {}
        run = ansible.run(f"golden.images.{playbook}", {**given, **more}, environment=LIMITED)
        assert run.code == 0, run.text
        assert run.facts[fact] is None


def test_several_sources_have_all_copies_in_their_reports(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any], tmp_path: Path
) -> None:
    aws.update_settings(copy_seconds=1)
    source = {"source_image_id": variables.pop("distribute_source_image_id")}
    variables |= {"distribute_report_dir": "reports", "distribute_sources": {"web": source}}
    done = ansible.run(DISTRIBUTE, variables, environment=LIMITED)
    assert done.code == 0, done.text
    assert done.facts["distribute_consumer_images"] is None
    report = json.loads((tmp_path / "reports" / "web" / "latest.json").read_text(encoding="utf-8"))
    assert len(report["consumer_images"]) == len(PLACES)
    artifacts = _artifacts(done, "Show the result of all sources")
    assert artifacts["status"] == "distributed"
    assert len(json.loads(artifacts["copies"])) == len(PLACES)


def test_an_answer_of_a_survey_names_no_file(ansible: Ansible, tmp_path: Path) -> None:
    """A file of the job's container, which has secrets, and one that the collection seems to have written."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    for path in (tmp_path / "envvars", folder / "golden.images-envvars.json"):
        path.write_text('{"large_result_form": 1, "AWS_SECRET_ACCESS_KEY": "of the job"}', encoding="utf-8")
        path.chmod(0o600)
        variables = {
            "share_account_ids": ["111122223333"],
            "share_images": {"result_path": str(path), "omitted": ["AWS_SECRET_ACCESS_KEY"]},
        }
        run = ansible.run("golden.images.share_ami", variables, environment={"TMPDIR": str(folder)})
        assert run.code != 0
        assert "is not a valid AMI ID" in run.text
        assert "of the job" not in run.text
