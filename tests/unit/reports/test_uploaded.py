# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a report was uploaded to, in what a role displays and passes on."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._reports.screen import WIDTH, Line, Screen
from ansible_collections.golden.images.plugins.module_utils._reports.uploaded import (
    add_report,
    add_report_place,
    find_common_folder,
)

SCREEN = Screen((Line("Audited."), Line("Report: audit")), {"status": "clean"})
URL = "https://console.aws.amazon.com/s3/buckets/golden-reports?prefix=audit/"
DONE = {"report_s3_uri": "s3://reports/audit/", "report_url": URL}
FAILED: dict[str, Any] = {
    **DONE,
    "report_failures": [{"region": None, "message": "Access Denied", "remedy": "Allow s3:PutObject."}],
}
NONE = {"status": "clean", "report_s3_uri": None, "report_url": None}


def test_the_link_is_displayed_and_passed_on() -> None:
    screen = add_report_place(SCREEN, DONE, False)
    assert screen.text.splitlines() == [
        "Audited.",
        "Report: audit",
        "Uploaded: s3://reports/audit/",
        f"Console: {URL}",
    ]
    assert all(len(line.text) <= WIDTH for line in screen.lines)
    assert screen.artifacts == {"status": "clean", **DONE}
    assert screen.failure == ""


@pytest.mark.parametrize("result", [{}, {"report_s3_uri": None, "report_url": None}])
def test_nothing_is_displayed_without_an_upload(result: dict[str, Any]) -> None:
    screen = add_report_place(SCREEN, result, False)
    assert screen.lines == SCREEN.lines
    assert screen.artifacts == NONE


def test_a_plan_uploads_nothing() -> None:
    screen = add_report_place(SCREEN, DONE, True)
    assert screen.lines[-1].text == "Upload (not in check mode): s3://reports/audit/"
    assert screen.artifacts == NONE


def test_a_failed_upload_fails_the_role_and_hides_no_other_failure() -> None:
    screen = add_report(
        Screen(SCREEN.lines, SCREEN.artifacts, "The audit found 1 high finding."), FAILED, False
    )
    assert screen.text.splitlines()[2:] == [
        "The report was not uploaded.",
        "- Access Denied. Allow s3:PutObject.",
    ]
    assert screen.artifacts == NONE
    assert screen.failure == (
        "The audit found 1 high finding.\nThe report was not uploaded.\n- Access Denied. Allow s3:PutObject."
    )
    many = [{"region": None, "message": f"{number} {'x ' * 240}x.", "remedy": ""} for number in range(5)]
    found = "\n".join(["The audit found 9.", *("y " * 240 for _ in range(5))])
    long = Screen(SCREEN.lines, SCREEN.artifacts, found)
    message = add_report(long, {**DONE, "report_failures": many}, False).failure
    texts = [f"- {failure['message']}" for failure in many]
    assert message == "\n".join([found, "The report was not uploaded.", *texts])


def test_the_folder_above_those_of_several_reports() -> None:
    done = {"report_s3_uri": "s3://reports/audit/web.1/", "report_url": f"{URL}web.1/"}
    found = {"report_s3_uri": "s3://reports/audit/", "report_url": URL}
    assert find_common_folder({"db": {}, "new": {"report_s3_uri": None}, "web.1": done}) == found
    page = URL.removesuffix("?prefix=audit/")
    done = {"report_s3_uri": "s3://reports/web/", "report_url": f"{page}?prefix=web/"}
    assert find_common_folder({"web": done}) == {"report_s3_uri": "s3://reports/", "report_url": page}
    assert find_common_folder({"db": {}, "web": {}}) == {}


@pytest.mark.parametrize(
    ("uri", "head"),
    [(DONE["report_s3_uri"], "The report was not uploaded."), (None, "The report was not written.")],
)
def test_a_report_of_a_module_that_failed_fails_the_role(uri: str | None, head: str) -> None:
    result = {"report_failures": FAILED["report_failures"], "report_s3_uri": uri, "report_url": None}
    screen = add_report(SCREEN, result, False)
    assert screen.text.splitlines()[2:] == [head, "- Access Denied. Allow s3:PutObject."]
    assert screen.failure == f"{head}\n- Access Denied. Allow s3:PutObject."
    assert screen.artifacts == NONE


@pytest.mark.parametrize("is_plan", [False, True])
def test_the_report_of_a_module_is_displayed_as_that_of_an_upload(is_plan: bool) -> None:
    result = {**DONE, "report_failures": []}
    assert add_report(SCREEN, result, is_plan) == add_report_place(SCREEN, DONE, is_plan)
