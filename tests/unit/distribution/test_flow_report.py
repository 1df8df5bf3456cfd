# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a distribution takes its parts from the module's options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.golden.images.plugins.module_utils.distribution.flow_report import FLOW, content
from ansible_collections.golden.images.plugins.module_utils.distribution.parameters import parameters
from ansible_collections.golden.images.plugins.modules.distribution_report import ARGUMENT_SPEC

from tests.unit.distribution.examples import EU, US, copied, failure, shared
from tests.unit.examples import SOURCE_ID

VERIFIED = {
    "account_id": "222222222222",
    "findings": [],
    "image_id": f"ami-{EU}",
    "level": "visible",
    "reached": False,
    "region": EU,
}
PUBLISHED = {"results": [{"region": EU, "parameter": "/golden/web"}]}


def params(**given: Any) -> dict[str, Any]:
    return parameters(ARGUMENT_SPEC, {"copy_result": copied(EU), **given})


def test_each_option_is_the_result_of_its_step():
    report = content(
        params(
            grant_result={"failures": [failure(EU, action="CreateGrant")]},
            share_result=shared(EU),
            consumer_copy_result=copied(US),
            verification_results=[VERIFIED],
            verification_error="Not verified.",
            verification_level="launched",
            publish_result=PUBLISHED,
        )
    )
    assert report["status"] == "partial"
    assert [region["shared"] for region in report["regions"]] == [True]
    assert [one["action"] for one in report["failures"]] == ["CreateGrant", "verify"]
    assert [one["region"] for one in report["consumer_images"]] == [US]
    assert report["verified"] == [VERIFIED]
    assert report["verification_level"] == "launched"
    assert [one["parameter"] for one in report["published"]] == ["/golden/web"]


def test_consumers_and_accounts_that_the_image_was_meant_for():
    organization, unit = "arn:organization", "arn:unit"
    report = content(
        params(
            account_ids=["012345678901", 222222222222],
            org_arns=[organization],
            org_unit_arns=[unit],
            publish_account_ids=["012345678901"],
        )
    )
    assert report["wanted"] == {
        "shared_with": ["012345678901", "222222222222", organization, unit],
        "published_in": ["012345678901"],
    }


def test_check_mode_has_distributed_nothing():
    given = params(share_result=shared(EU), verification_results=[VERIFIED], regions=[EU])
    assert FLOW.wanted(given, True).content["status"] == "planned"
    assert FLOW.wanted(given, False).content["status"] == "partial"
    assert FLOW.wanted(params(), True).content["status"] == "failed"
    failing = params(share_result=shared(EU), grant_result={"failures": [failure(EU)]})
    assert FLOW.wanted(failing, True).content["status"] == "partial"


def test_the_regions_that_were_wanted():
    assert content(params(regions=[US, EU, US]))["wanted"] == {"regions": [US, EU]}


def test_what_the_first_step_has_started_is_named_although_a_later_one_was_refused():
    refused = {"failed": True, "failures": [failure(EU, error_code="RequestExpired")]}
    report = content(params(copy_result=refused, start_result=copied(EU, US)))
    assert [(one["region"], one["image_id"]) for one in report["regions"]] == [
        (EU, f"ami-{EU}"),
        (US, f"ami-{US}"),
    ]
    assert (report["status"], report["source_image_id"]) == ("failed", SOURCE_ID)
    assert [one["error_code"] for one in report["failures"]] == ["RequestExpired"]


def test_steps_that_did_not_run_are_left_out():
    report = content(params(share_result=shared(EU)))
    assert report["status"] == "distributed"
    assert not {"consumer_images", "published", "verified", "wanted"} & report.keys()


def test_the_module_writes_the_report(tmp_path: Path):
    file = tmp_path / "distribution.json"
    wanted = FLOW.wanted(params(report_path=str(file)), False)
    seen = FLOW.read(None, wanted)
    outcome = FLOW.apply(None, wanted, seen, FLOW.plan(wanted, seen), print)
    assert outcome.failures == ()
    # It failed: no report of another run is replaced.
    assert not file.exists()
    beside = tmp_path / "distribution.failed.json"
    assert '"status": "failed"' in beside.read_text(encoding="utf-8")
    assert FLOW.result(wanted, seen, FLOW.plan(wanted, seen), outcome)["report_path"] == str(beside)
    assert wanted.content == content(params())
    assert not FLOW.needs_aws


def test_the_module_writes_a_page_to_a_new_directory_of_a_source(tmp_path: Path):
    folder = tmp_path / "reports" / "web"
    given = params(
        share_result=shared(EU),
        verification_results=[VERIFIED],
        publish_result=PUBLISHED,
        report_dir=str(folder),
        account_names={"222222222222": "web"},
    )
    wanted = FLOW.wanted(given, False)
    seen = FLOW.read(None, wanted)
    outcome = FLOW.apply(None, wanted, seen, FLOW.plan(wanted, seen), print)
    assert outcome.failures == ()
    page = (folder / "latest.html").read_text(encoding="utf-8")
    assert "Distribution of golden" in page
    assert "web (222222222222)" in page
