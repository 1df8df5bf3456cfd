# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of a distribution's report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._distribution.report import (
    complete_report,
    has_failed,
)
from ansible_collections.golden.images.plugins.modules import distribution_report

from tests.unit.distribution.examples import (
    EU,
    US,
    copied,
    copy,
    failure,
    reported,
    shared,
    verification,
)
from tests.unit.examples import OWNER, SOURCE_ID, SOURCE_REGION
from tests.unit.in_process import returned

VERIFIED = {
    "account_id": "222222222222",
    "findings": [],
    "image_id": f"ami-{EU}",
    "level": "visible",
    "reached": False,
    "region": EU,
}
PUBLISHED = {"results": [{"region": EU, "parameter": "/golden/web"}]}


def test_each_option_is_the_result_of_its_step() -> None:
    report = reported(
        copied(EU),
        {"failures": [failure(EU, action="CreateGrant")]},
        shared(EU),
        consumer_copy_result=copied(US),
        verify_result=verification(VERIFIED, level="launched", error="Not verified."),
        publish_result=PUBLISHED,
    )
    assert report["status"] == "partial"
    assert [region["shared"] for region in report["regions"]] == [True]
    assert [one["action"] for one in report["failures"]] == ["CreateGrant", "verify"]
    assert [one["region"] for one in report["consumer_images"]] == [US]
    assert report["verified"] == [VERIFIED]
    assert report["verification_level"] == "launched"
    assert [one["parameter"] for one in report["published"]] == ["/golden/web"]


def test_consumers_regions_and_accounts_that_the_image_was_meant_for() -> None:
    organization, unit = "arn:organization", "arn:unit"
    report = reported(
        copied(EU),
        {},
        {},
        account_ids=["012345678901", "222222222222"],
        org_arns=[organization],
        org_unit_arns=[unit],
        publish_account_ids=["012345678901"],
        regions=[US, EU, US],
    )
    assert report["desired"] == {
        "shared_with": ["012345678901", "222222222222", organization, unit],
        "published_in": ["012345678901"],
        "regions": [US, EU],
    }


def test_the_source_that_was_read_counts_before_the_one_that_was_asked_for() -> None:
    asked = {"source_image_id": "ami-0", "source_region": US, "source_parameter": "/golden/base"}
    report = reported(copied(EU), {}, shared(EU), **asked)
    assert (report["source_image_id"], report["source_region"]) == (SOURCE_ID, SOURCE_REGION)
    assert "desired" not in report


def test_check_mode_has_distributed_nothing() -> None:
    given = {"verify_result": verification(VERIFIED), "regions": [EU]}
    assert reported(copied(EU), {}, shared(EU), check_mode=True, **given)["status"] == "planned"
    assert reported(copied(EU), {}, shared(EU), **given)["status"] == "partial"
    assert reported(copied(EU), {}, {}, check_mode=True)["status"] == "failed"
    failing = {"failures": [failure(EU)]}
    assert reported(copied(EU), failing, shared(EU), check_mode=True)["status"] == "partial"


def test_steps_that_did_not_run_are_left_out() -> None:
    report = reported(copied(EU), {}, shared(EU))
    assert not {"consumer_images", "published", "verified", "desired"} & report.keys()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("copy_results", [{"results": [{}]}]),
        ("check_results", [{"failures": [{"action": 1}]}]),
        ("share_result", {"results": [{}]}),
        ("unshare_result", {"results": [{}]}),
        ("verify_result", {"report": {"results": [{}]}}),
        ("verify_result", {"level": "golden"}),
        ("publish_result", {"results": [{"region": 1}]}),
        ("verify_result", {"kept_back": {"message": 1}}),
    ],
)
def test_the_result_of_another_module_is_refused(option: str, value: Any) -> None:
    found = returned(distribution_report, {"copy_results": [copied(EU)], option: value})
    assert {one["action"] for one in found["failures"]} == {option}


def test_a_report_that_failed_replaces_no_other(tmp_path: Path) -> None:
    file, beside = tmp_path / "distribution.json", tmp_path / "distribution.failed.json"
    options = {"copy_results": [copied(EU)], "report_path": str(file)}
    found = returned(distribution_report, options)
    assert not file.exists()
    assert '"status": "failed"' in beside.read_text(encoding="utf-8")
    assert found["report_path"] == str(beside)


def test_a_page_is_written_to_a_new_directory_of_a_source(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "web"
    names = {"222222222222": "web"}
    given = {"verify_result": verification(VERIFIED), "publish_result": PUBLISHED, "account_names": names}
    reported(copied(EU), {}, shared(EU), report_dir=str(folder), **given)
    page = (folder / "latest.html").read_text(encoding="utf-8")
    assert "Distribution of golden" in page
    assert "web (222222222222)" in page


def test_a_verification_that_was_refused_is_reported() -> None:
    report = reported(copied(EU), {}, shared(EU), verify_result={"msg": "No such option.", "failed": False})
    assert report["status"] == "partial"
    assert [(one["action"], one["message"]) for one in report["failures"]] == [("verify", "No such option.")]


def test_there_is_no_level_without_a_verified_account() -> None:
    report = reported(copied(EU), {}, shared(EU), verify_result=verification(level="launched"))
    assert "verification_level" not in report


def test_a_region_has_its_image_and_its_permissions() -> None:
    report = reported(copied(EU), {}, shared(EU))
    assert report == {
        "failures": [],
        "launch_permissions": [{"account_ids": ["222222222222"], "regions": [EU]}],
        "regions": [
            {
                "account_id": OWNER,
                "best_effort": False,
                "copy_seconds": None,
                "image_id": f"ami-{EU}",
                "kms_key_arn": f"key-{EU}",
                "name": "golden",
                "region": EU,
                "shared": True,
                "shared_tags": {"version": "1"},
                "snapshot_ids": [f"snap-{EU}"],
                "state": "available",
            }
        ],
        "source_image_id": SOURCE_ID,
        "source_region": SOURCE_REGION,
        "status": "distributed",
        "volume_permissions": [],
    }


def test_a_region_that_is_not_shared() -> None:
    (region,) = reported(copied(EU), {}, {})["regions"]
    assert region["shared"] is False
    assert region["image_id"] == f"ami-{EU}"
    assert region["shared_tags"] is None


TASK_FAILED = {"failed": True, "msg": "The task includes an undefined variable."}


@pytest.mark.parametrize(
    ("copy_result", "grant_result", "share_result", "status"),
    [
        pytest.param(copied(EU, US), {}, shared(EU, US), "distributed", id="all"),
        pytest.param(copied(EU), {"failures": []}, shared(EU), "distributed", id="all, with key access"),
        pytest.param(copied(EU, US), {}, shared(EU), "partial", id="one is not shared"),
        pytest.param(copied(EU, US), {}, {}, "failed", id="none is shared"),
        pytest.param({}, {}, {}, "failed", id="nothing was done"),
        pytest.param(
            copied(EU, US, failures=[failure(US)]),
            {},
            shared(EU, US),
            "partial",
            id="shared, yet a failure",
        ),
        pytest.param(copied(EU, failures=[failure(EU)]), {}, {}, "failed", id="a failure and nothing shared"),
        pytest.param(copied(EU), {"failures": [failure(EU)]}, shared(EU), "partial", id="key access failed"),
        pytest.param(copied(EU), {}, shared(EU, failures=[failure(EU)]), "partial", id="a share failed"),
        pytest.param(TASK_FAILED, {}, {}, "failed", id="the copy task failed"),
        pytest.param(copied(EU), TASK_FAILED, shared(EU), "partial", id="the grant task failed"),
        pytest.param(copied(EU), {}, TASK_FAILED, "failed", id="the share task failed"),
        pytest.param(copied(EU), {"skipped": True}, shared(EU), "distributed", id="a step was skipped"),
    ],
)
def test_status(copy_result: Any, grant_result: Any, share_result: Any, status: str) -> None:
    report = reported(copy_result, grant_result, share_result)
    assert report["status"] == status
    assert has_failed(report) is (status == "failed")


def test_failures_of_all_steps_in_their_order() -> None:
    report = reported(
        copied(EU, failures=[failure(EU, message="copy")]),
        {"failed": True, "failures": [failure(EU, message="grant", action="CreateGrant")]},
        {"failed": True, "failures": [failure(EU, message="share")]},
    )
    assert [item["message"] for item in report["failures"]] == ["copy", "grant", "share"]
    assert report["failures"][1]["action"] == "CreateGrant"


def test_a_failed_task_without_failures_is_a_failure() -> None:
    (item,) = reported(copied(EU), TASK_FAILED, shared(EU))["failures"]
    assert item["message"] == TASK_FAILED["msg"]
    assert item["region"] is None


def test_a_failed_task_with_failures_is_not_counted_twice() -> None:
    report = reported(copied(EU, failed=True, msg="1 problem", failures=[failure(EU)]), {}, {})
    assert len(report["failures"]) == 1


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(copied(EU, changed=False, results=[copy(EU, origin="found")]), id="found, not copied"),
        pytest.param(copied(EU, results=[copy(EU, progress=None)]), id="its progress is not known"),
        pytest.param(copied(EU, actions=[{"action": "CopyImage"}]), id="with its calls"),
    ],
)
def test_a_second_run_of_the_same_distribution_has_the_same_report(again: dict[str, Any]) -> None:
    assert reported(again, {}, shared(EU)) == reported(copied(EU), {}, shared(EU))


def test_a_failure_that_repeats_has_the_same_report() -> None:
    first, second = (copied(EU, failures=[failure(EU, request_id=number)]) for number in ("1", "2"))
    assert reported(first, {}, {}) == reported(second, {}, {})


def test_other_keys_of_a_result_are_left_out() -> None:
    task = {"invocation": {"module_args": {"secret_key": "wJalrXUtnFEMI"}}}
    report = reported({**copied(EU), **task}, {**task}, {**shared(EU), **task})
    assert "wJalrXUtnFEMI" not in str(report)


def test_consumer_copies_are_reported_with_their_failures() -> None:
    mine = {
        "failures": [failure(EU, account_id="222222222222")],
        "results": [copy(EU, account_id="222222222222")],
    }
    report = reported(copied(EU), {}, shared(EU), consumer_copy_result=mine)
    assert [(item["account_id"], item["region"], item["image_id"]) for item in report["consumer_images"]] == [
        ("222222222222", EU, f"ami-{EU}")
    ]
    assert [item["account_id"] for item in report["failures"]] == ["222222222222"]
    assert report["status"] == "partial"
    assert "consumer_images" not in reported(copied(EU), {}, shared(EU))


def report_with(seconds: Any, **changes: Any) -> dict[str, Any]:
    """A report with a copy in the owner's account and one of a consumer, which took as long."""
    mine = {"results": [copy(US, account_id="222222222222", copy_seconds=seconds)]}
    found = copied(results=[copy(EU, copy_seconds=seconds, **changes)])
    return reported(found, {}, shared(EU), consumer_copy_result=mine)


def seconds_of(report: dict[str, Any]) -> list[int | None]:
    return [one["copy_seconds"] for one in (*report["regions"], *report["consumer_images"])]


@pytest.mark.parametrize(
    ("seconds", "known"), [(421, 421), (0, 0), (None, None), ("421", None), (True, None)]
)
def test_how_long_copies_took(seconds: Any, known: int | None) -> None:
    assert seconds_of(report_with(seconds)) == [known, known]


@pytest.mark.parametrize(
    ("before", "now", "seconds"),
    [
        pytest.param(report_with(421), report_with(None), [421, 421], id="not read again"),
        pytest.param(report_with(421), report_with(90), [90, 90], id="read again"),
        pytest.param(report_with(421), report_with(None, image_id="ami-2"), [None, 421], id="another copy"),
        pytest.param(report_with(421), report_with(None, image_id=None), [None, 421], id="no copy"),
        pytest.param(report_with(None), report_with(None), [None, None], id="never read"),
        pytest.param({}, report_with(None), [None, None], id="an empty report"),
    ],
)
def test_a_later_report_remembers_how_long_copies_took(
    before: dict[str, Any], now: dict[str, Any], seconds: list[int | None]
) -> None:
    found = complete_report(before, now)
    assert seconds_of(found) == seconds
    for one in (*found["regions"], *found["consumer_images"], *now["regions"], *now["consumer_images"]):
        del one["copy_seconds"]
    assert found == now


def test_a_report_without_consumer_copies_stays_without() -> None:
    now = reported(copied(EU), {}, shared(EU))
    assert complete_report(report_with(421), now).keys() == now.keys()


THEN, LONG_AGO = "2026-11-24T12:00:00+00:00", "2026-10-01T12:00:00+00:00"
REGIONS = {"regions": [EU, US]}


def partial(**changes: Any) -> dict[str, Any]:
    """A report of a run that has not reached one of two regions."""
    return reported(copied(EU, failures=[failure(US)]), {}, shared(EU), **REGIONS, **changes)


def earlier(report: dict[str, Any]) -> dict[str, Any]:
    return {one["region"]: one.get("earlier") for one in report["regions"]}


def test_a_partial_report_lists_all_regions() -> None:
    report = partial()
    assert (report["status"], report["desired"]) == ("partial", REGIONS)
    assert [(one["region"], one["shared"], one["image_id"]) for one in report["regions"]] == [
        (EU, True, f"ami-{EU}"),
        (US, False, None),
    ]


def test_a_region_without_a_failure_and_an_image_makes_a_report_partial() -> None:
    assert reported(copied(EU), {}, shared(EU), **REGIONS)["status"] == "partial"


@pytest.mark.parametrize("result", [{}, shared()])
def test_a_failed_report_lists_no_region_that_was_not_read(result: dict[str, Any]) -> None:
    report = reported(copied(failures=[failure(US)]), {}, result, **REGIONS)
    assert (report["status"], report["regions"]) == ("failed", [])


def test_a_region_that_was_not_reached_keeps_its_earlier_image() -> None:
    complete = {**reported(copied(EU, US), {}, shared(EU, US)), "written_at": THEN}
    first = complete_report(complete, partial())
    kept = {"image_id": f"ami-{US}", "source_image_id": SOURCE_ID, "written_at": THEN}
    assert earlier(first) == {EU: None, US: kept}
    # The image of the region itself is none, whatever was there before.
    assert first["regions"][1]["image_id"] is None
    # A further run that does not reach it, and one that does.
    again = complete_report({**first, "written_at": LONG_AGO}, partial())
    assert again == first
    done = complete_report(again, reported(copied(EU, US), {}, shared(EU, US), **REGIONS))
    assert earlier(done) == {EU: None, US: None}


@pytest.mark.parametrize(
    "previous",
    [
        pytest.param(reported(copied(EU), {}, shared(EU)), id="another region"),
        pytest.param(reported(copied(EU, US), {}, shared(EU)), id="never shared there"),
    ],
)
def test_without_an_earlier_image_there_is_none(previous: dict[str, Any]) -> None:
    assert earlier(complete_report(previous, partial())) == {EU: None, US: None}


def test_the_newest_of_several_previous_reports_counts() -> None:
    older = {**reported(copied(US), {}, shared(US)), "written_at": LONG_AGO}
    newer = {**older, "written_at": THEN}
    kept = earlier(complete_report(older, complete_report(newer, partial())))[US]
    assert kept["written_at"] == THEN


def test_a_failed_run_keeps_no_earlier_image() -> None:
    complete = {**reported(copied(EU, US), {}, shared(EU, US)), "written_at": THEN}
    failed = reported(copied(EU), {}, {}, **REGIONS)
    assert complete_report(complete, failed) == failed


def of_copies(*results: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The report on several results of copies, without any other step."""
    report: dict[str, Any] = returned(distribution_report, {"copy_results": [*results], **options})["report"]
    return report


REFUSED = {"failed": True, "failures": [failure(EU, error_code="RequestExpired")]}
SKIPPED = {"changed": False, "skipped": True}


@pytest.mark.parametrize(
    ("results", "regions", "messages"),
    [
        pytest.param([copied(EU), copied(EU, US)], [EU, US], [], id="the last one with copies"),
        pytest.param(
            [copied(EU, failures=[failure(US)]), copied(EU)], [EU], [], id="what is repaired by then"
        ),
        pytest.param([{}, copied(EU), SKIPPED], [EU], [], id="tasks that have not run"),
        pytest.param(
            [copied(EU, failures=[failure(US, message="Limit.")]), REFUSED],
            [EU],
            ["Limit.", "No."],
            id="a refusal does not hide what was started",
        ),
        pytest.param([copied(EU), TASK_FAILED], [EU], [TASK_FAILED["msg"]], id="nor an exception"),
        pytest.param([{}, REFUSED], [], ["No."], id="no copies"),
        pytest.param([], [], [], id="no task"),
    ],
)
def test_the_last_result_with_copies_counts(
    results: list[dict[str, Any]], regions: list[str], messages: list[str]
) -> None:
    report = of_copies(*results)
    assert [one["region"] for one in report["regions"]] == regions
    assert [one["message"] for one in report["failures"]] == messages


def test_checks_that_failed_are_reported_beside_copies_of_an_earlier_task() -> None:
    passed = copied(US, failures=[failure(US, message="Tolerated.")])
    report = of_copies(copied(EU), check_results=[{}, passed, SKIPPED, REFUSED], source_image_id="ami-asked")
    assert [one["message"] for one in report["failures"]] == ["No."]
    assert [one["region"] for one in report["regions"]] == [EU]
    refused = of_copies(check_results=[passed, REFUSED], source_image_id="ami-asked")
    assert (refused["status"], refused["regions"]) == ("failed", [])
    assert refused["source_image_id"] == "ami-asked"


@pytest.mark.parametrize("option", ["report_path", "report_dir"])
def test_a_report_is_not_written_to_a_place_that_a_check_has_refused(option: str, tmp_path: Path) -> None:
    place = tmp_path / "none" / "deeper"
    refused = {"failed": True, "failures": [{"action": option, "message": "No such directory."}]}
    report = of_copies(copied(EU), check_results=[refused], **{option: str(place)})
    assert [one["message"] for one in report["failures"]] == ["No such directory."]
    assert list(tmp_path.iterdir()) == []


def test_access_that_was_removed_is_that_of_the_later_result_with_earlier_failures() -> None:
    before = shared(EU, failures=[failure(EU, message="One account.")])
    after = shared(EU, launch_permissions=[], failures=[failure(EU, message="Busy.")])
    report = reported(copied(EU), {}, before, unshare_result=after)
    assert (report["launch_permissions"], report["regions"][0]["shared"]) == ([], True)
    assert [one["message"] for one in report["failures"]] == ["Busy.", "One account."]
    skipped = reported(copied(EU), {}, before, unshare_result=SKIPPED)
    assert skipped == reported(copied(EU), {}, before)


def test_an_uncertain_account_is_no_failure_unless_it_keeps_the_image_back() -> None:
    uncertain = {
        "account_id": "2",
        "findings": [],
        "image_id": f"ami-{EU}",
        "reached": False,
        "region": EU,
        "uncertain": True,
    }
    failed = {**uncertain, "uncertain": False}
    given = copied(EU), {}, shared(EU)
    assert reported(*given, verify_result=verification(uncertain))["status"] == "distributed"
    assert reported(*given, verify_result=verification(failed))["status"] == "partial"
    kept = {"error_code": "key_use_uncertain", "message": "Not published.", "remedy": "Set it."}
    report = reported(*given, verify_result=verification(uncertain, kept_back=kept))
    assert report["status"] == "partial"
    assert [(one["action"], one["error_code"], one["remedy"]) for one in report["failures"]] == [
        ("publish", "key_use_uncertain", "Set it.")
    ]
