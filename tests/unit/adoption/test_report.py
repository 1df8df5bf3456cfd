# SPDX-License-Identifier: GPL-3.0-or-later

"""The report in all forms: an account that was not read stays unreadable in each."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._adoption.content import (
    add_curve,
    build_content,
)
from ansible_collections.golden.images.plugins.module_utils._adoption.document import (
    build_document,
    compare_reports,
)
from ansible_collections.golden.images.plugins.module_utils._adoption.result import build_result
from ansible_collections.golden.images.plugins.module_utils._adoption.screen import screen
from ansible_collections.golden.images.plugins.module_utils._adoption.state import AdoptionState, ImageUse
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, Target
from ansible_collections.golden.images.plugins.module_utils._reports.as_csv import render_csv
from ansible_collections.golden.images.plugins.module_utils._reports.as_sarif import render_sarif
from ansible_collections.golden.images.plugins.module_utils._reports.document import Bars, Grid, Mark

from tests.unit.adoption.examples import (
    CONSUMER,
    EU,
    MIDDLE,
    NEW,
    NOW,
    OF_AMAZON,
    OLD,
    OTHER_CONSUMER,
    OWNER,
    US,
    options,
    own,
    planned,
    refused,
    state,
    three_releases,
    used,
)

GONE = ImageRef(EU, "ami-0000dead")
DARK = {Target(OTHER_CONSUMER, region): refused(OTHER_CONSUMER, region, "AssumeRole") for region in (EU, US)}

BEFORE = {"written_at": "2026-11-01T00:00:00Z"}
REFUSED_RUN = {"failed": True, "failures": [refused(OWNER, EU, "DescribeImages").to_dict()], "msg": "x"}


def returned(current: AdoptionState, **given: Any) -> dict[str, Any]:
    """What the module returns."""
    plan = planned(current, **given)
    failures = [failure.to_dict() for failure in plan.failures]
    return {"failures": failures, **build_result(options(**given), current, plan)}


def content_of(*uses: ImageUse, given: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The content of the report on these uses."""
    options_given = given or {}
    current = state(*uses, **changes, **options_given)
    return build_content(returned(current, **options_given), deny_images=options_given.get("deny_images", ()))


def text_of(report: Mapping[str, Any], **context: Any) -> str:
    """What the role displays, on one line."""
    return " ".join(screen(report, {"check_mode": False, **context}, "/reports/adoption").text.split())


def rows_of(content: Mapping[str, Any]) -> list[dict[str, str]]:
    """The rows of the CSV."""
    text = render_csv(build_document(content).records)
    return list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))


@pytest.mark.parametrize("uses", [[], [used(NEW)], [used(OLD)]])
def test_an_unreadable_account_stays_unreadable_in_every_form(uses: list[ImageUse]) -> None:
    content = content_of(*uses, unread=DARK)
    assert content["status"] == "incomplete"
    (dark,) = [each for each in content["accounts"] if each["account_id"] == OTHER_CONSUMER]
    assert (dark["status"], dark["unread_regions"], dark["current"]) == ("unreadable", [EU, US], 0)
    document = build_document(content)
    assert not document.complete
    unread = [row for row in rows_of(content) if row["Account"] == OTHER_CONSUMER]
    assert [(row["Status"], row["Region"]) for row in unread] == [("unreadable", EU), ("unreadable", US)]
    sarif = json.loads(render_sarif(document, "2026-11-24T12:00:00Z"))
    assert "adoption_unreadable" in {each["ruleId"] for each in sarif["runs"][0]["results"]}
    (grid,) = [picture for picture in document.pictures if isinstance(picture, Grid)]
    cells = dict(grid.rows)[OTHER_CONSUMER]
    assert [cell and cell.mark for cell in cells] == [Mark.UNREADABLE, Mark.UNREADABLE]
    text = text_of(content, failures=content["failures"])
    assert text.startswith("Incomplete:")
    assert "1 of 2 accounts not wholly readable" in text


def test_a_partly_read_region_is_not_shown_as_current() -> None:
    content = content_of(used(NEW), unread={Target(CONSUMER, EU): refused(CONSUMER, EU)})
    (grid,) = build_document(content).pictures
    assert isinstance(grid, Grid)
    cell = dict(grid.rows)[CONSUMER][0]
    assert cell is not None
    assert (cell.text, cell.mark) == ("?", Mark.UNREADABLE)


@pytest.mark.parametrize(
    ("uses", "status", "cell"),
    [
        ([], "unused", None),
        ([used(NEW, number=3)], "current", ("3/3", Mark.FULL)),
        ([used(NEW), used(OLD, number=2)], "behind", ("1/3", Mark.PARTIAL)),
        ([used(OLD)], "behind", ("0/1", Mark.BROKEN)),
        ([used(NEW), used(GONE)], "unknown", ("1/2", Mark.UNREADABLE)),
    ],
)
def test_status_and_share(uses: list[ImageUse], status: str, cell: Any) -> None:
    content = content_of(*uses)
    assert content["status"] == status
    (grid,) = build_document(content).pictures
    assert isinstance(grid, Grid)
    shown = dict(grid.rows)[CONSUMER][0]
    assert (shown and (shown.text, shown.mark)) == cell


def test_the_same_state_is_the_same_report_a_day_later() -> None:
    today = state(used(OLD), used(MIDDLE))
    tomorrow = replace(today, now=NOW + timedelta(days=1))
    assert build_content(returned(today)) == build_content(returned(tomorrow))
    assert returned(today)["uses"][0]["days_behind"] == 30
    assert returned(tomorrow)["uses"][0]["days_behind"] == 31


def test_a_refused_task_is_no_empty_report() -> None:
    failure = refused(OWNER, EU, "DescribeImages").to_dict()
    content = build_content({"failed": True, "failures": [failure], "msg": "x"})
    assert content["status"] == "incomplete"
    assert [finding["code"] for finding in content["findings"]] == ["adoption_unreadable"]
    assert build_document(content).empty
    assert build_content({"failed": True, "msg": "Broken."})["failures"][0]["message"] == "Broken."


def test_a_failure_without_an_account_is_a_row_of_the_csv() -> None:
    (row,) = rows_of(build_content(REFUSED_RUN))
    assert (row["Region"], row["Status"], row["Resource"]) == (EU, "unreadable", "DescribeImages")
    failed = refused(OWNER, EU, "DescribeImageUsageReports")
    given = {"depth": "usage_reports", "account_ids": (), "check_mode": True}
    nobody = replace(state(), looks={}, report_failures=(failed,))
    content = build_content(returned(nobody, **given))
    assert content["regions"] == [EU, US]
    shown = "AWS's usage reports show no use in what could be read."
    assert content["summary"].startswith(shown)
    assert text_of(content).startswith(f"Incomplete: {shown}")
    assert [(row["Account"], row["Region"], row["Status"]) for row in rows_of(content)] == [
        (OWNER, EU, "unreadable")
    ]


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ({}, "unused", "Not used: no use was found."),
        ({"depth": "launches"}, "unused", "Not used: no use was found."),
        ({"depth": "usage_reports"}, "unreported", "Not reported: AWS's usage reports show no use."),
    ],
)
def test_the_status_without_any_use(given: dict[str, str], status: str, said: str) -> None:
    content = content_of(given=given)
    assert content["status"] == status
    assert {account["status"] for account in content["accounts"]} == {status}
    assert text_of(content).startswith(said)


def test_no_use_is_only_said_of_what_could_be_read() -> None:
    content = content_of(unread=DARK)
    assert content["summary"].startswith("No use was found in what could be read.")
    assert text_of(content).startswith("Incomplete: no use was found in what could be read, 1 of 2 accounts")


def test_a_task_that_read_nothing_says_so() -> None:
    content = build_content(REFUSED_RUN)
    assert content["summary"].startswith("Nothing was read.")
    assert text_of(content).startswith("Incomplete: nothing was read.")


def test_findings_that_fail_the_task_leave_the_report_complete() -> None:
    given = {"max_releases_behind": 0, "fail_on": 2}
    content = content_of(used(OLD), given=given)
    assert (content["status"], content["failures"]) == ("behind", [])
    assert content["counts"] == {"high": 0, "medium": 1, "low": 0}


def test_each_resource_is_a_row_of_the_csv() -> None:
    content = content_of(used(OLD, number=2), used(NEW, "launch_template"))
    assert [(row["Kind"], row["Resource"], row["Status"]) for row in rows_of(content)] == [
        ("instance", "i-010", "behind"),
        ("instance", "i-011", "behind"),
        ("launch_template", "i-030", "current"),
    ]


def test_images_of_no_family_are_only_counted() -> None:
    content = content_of(used(GONE, **OF_AMAZON, number=7))
    assert content["uses"] == []
    assert content["totals"] == {"behind": 0, "current": 0, "other": 7, "unknown": 0}


def test_the_curve_grows_with_each_changed_report() -> None:
    first = {**content_of(used(OLD)), "written_at": "2026-11-01T00:00:00Z"}
    same = add_curve(first, content_of(used(OLD)))
    assert same["curve"] == []
    second = add_curve(first, content_of(used(NEW)))
    assert [(point["since"], point["behind"]) for point in second["curve"]] == [("2026-11-01T00:00:00Z", 1)]
    names = [picture.title for picture in build_document(second).pictures]
    assert names == ["Accounts by share of the current release", "Adoption over time"]


def test_changes_between_reports() -> None:
    before = {**content_of(used(OLD)), "written_at": "2026-11-01T00:00:00Z"}
    changes = compare_reports(before, content_of(used(MIDDLE)))
    assert changes.added == (f"Account {CONSUMER} in {EU}: instance of web-2 (behind)",)
    assert changes.removed == (f"Account {CONSUMER} in {EU}: instance of web-1 (behind)",)
    # What could not be read now has not gone.
    dark = state()
    looks = {target: look for target, look in dark.looks.items() if target.region != EU}
    unread = replace(dark, looks=looks, unread={Target(CONSUMER, EU): refused(CONSUMER, EU)})
    assert compare_reports(before, build_content(returned(unread))).removed == ()


@pytest.mark.parametrize(
    "after",
    [
        build_content(REFUSED_RUN),
        content_of(given={"depth": "launches"}),
        {**content_of(), "account_id": OTHER_CONSUMER},
        {**content_of(), "accounts": []},
        {**content_of(), "regions": [US]},
        {**content_of(), "releases": []},
    ],
    ids=["refused", "another depth", "another owner", "another account", "another region", "another family"],
)
def test_what_a_run_did_not_look_at_has_not_gone(after: dict[str, Any]) -> None:
    assert compare_reports({**content_of(used(OLD)), **BEFORE}, after).removed == ()


DENYING = {"deny_images": (GONE.image_id,)}
DENIED_USES = [used(GONE, **OF_AMAZON), used(NEW)]


def test_a_use_has_not_gone_because_its_image_is_not_denied_any_more() -> None:
    before = {**content_of(*DENIED_USES, given=DENYING), **BEFORE}
    assert before["totals"] == {"behind": 1, "current": 1, "other": 0, "unknown": 0}
    after = content_of(*DENIED_USES)
    assert compare_reports(before, after).removed == ()
    # Nor does the curve fall.
    assert add_curve(before, after)["curve"] == []
    gone = f"Account {CONSUMER} in {EU}: instance of {GONE.image_id} (behind)"
    for also in ((), (OLD.image_id,)):
        still_denied = content_of(used(NEW), given={"deny_images": (GONE.image_id, *also)})
        assert compare_reports(before, still_denied).removed == (gone,)
        assert [point["behind"] for point in add_curve(before, still_denied)["curve"]] == [1]


def test_a_report_of_fewer_families_is_no_progress_on_the_curve() -> None:
    two = {**three_releases(), GONE: own(GONE.image_id, 5, tags={"family": "db"})}
    before = {**content_of(used(OLD), used(GONE), images=two), **BEFORE}
    assert add_curve(before, content_of(used(OLD)))["curve"] == []
    assert add_curve({**content_of(used(OLD)), **BEFORE}, before)["curve"] != []


def test_the_curve_says_if_its_reports_are_of_different_numbers_of_accounts() -> None:
    first = {**content_of(used(OLD)), **BEFORE}
    notes = []
    for others in ({}, {Target(OTHER_CONSUMER, EU): state(used(OLD)).looks[Target(CONSUMER, EU)]}):
        content = add_curve(first, content_of(used(NEW), others=others))
        (bars,) = [picture for picture in build_document(content).pictures if isinstance(picture, Bars)]
        notes.append(bars.note)
    assert notes == ["", "The reports are of different numbers of accounts: 1, 2."]


def test_what_the_reports_of_all_accounts_do_not_show_any_more_has_gone() -> None:
    before = {**content_of(used(OLD)), **BEFORE, "depth": "usage_reports"}
    after = {**content_of(), "accounts": [], "all_accounts": True, "depth": "usage_reports"}
    assert len(compare_reports(before, after).removed) == 1
    unread = {**after, "failures": [refused(OWNER, EU, "DescribeImageUsageReports").to_dict()]}
    assert compare_reports(before, unread).removed == ()


def test_an_incomplete_report_is_no_point_of_the_curve() -> None:
    first = {**content_of(used(OLD)), **BEFORE}
    dark = {**add_curve(first, build_content(REFUSED_RUN)), "written_at": "2026-11-08T00:00:00Z"}
    assert [point["behind"] for point in dark["curve"]] == [1]
    (bars,) = [picture for picture in build_document(dark).pictures if isinstance(picture, Bars)]
    assert [label for label, _values in bars.rows] == ["2026-11-01"]
    # The last complete report stays, also if this one counts as much.
    partly = {**content_of(used(OLD), unread=DARK), **BEFORE}
    assert add_curve(first, partly)["curve"] == dark["curve"]
    assert add_curve(dark, content_of(used(NEW)))["curve"] == dark["curve"]


@pytest.mark.parametrize("changed", [{"depth": "launches"}, {"account_id": OTHER_CONSUMER}])
def test_the_curve_compares_reports_of_one_owner_and_depth(changed: dict[str, str]) -> None:
    first = {**content_of(used(OLD)), **BEFORE}
    assert add_curve(first, {**content_of(used(NEW)), **changed})["curve"] == []


AT_REPORTS = {"depth": "usage_reports"}


@pytest.mark.parametrize(
    ("given", "said", "unsaid"),
    [
        ({}, [OWNER, "The depth launches reads them.", "Regions without an image", "AWS Config"], ["Only"]),
        ({"account_ids": (OWNER,), "depth": "launches"}, ["CodeBuild"], [OWNER, "The depth launches"]),
        ({"regions": (EU,)}, [f"Only {EU} was looked at"], ["Regions without an image"]),
        (AT_REPORTS, [OWNER, "deregistered", "AWS Config"], ["deny_images"]),
        (
            {**AT_REPORTS, "deny_images": ("ami-0000dead", OLD.image_id)},
            ["the use of ami-0000dead was not"],
            [],
        ),
        ({"deny_images": ("ami-0000dead",)}, [], ["deny_images"]),
        ({"max_age_days": 30}, [], ["max_age_days"]),
    ],
)
def test_what_was_not_looked_at_is_said(given: dict[str, Any], said: list[str], unsaid: list[str]) -> None:
    text = " ".join(content_of(given=given)["not_looked_at"])
    assert [part for part in said if part not in text] == []
    assert [part for part in unsaid if part in text] == []


def test_releases_without_a_date_are_said_where_their_age_matters() -> None:
    given = {"max_age_days": 30}
    undated = {ref: replace(own, created=None) for ref, own in three_releases().items()}
    text = " ".join(content_of(images=undated, given=given)["not_looked_at"])
    assert f"web-1 ({OLD.image_id})" in text
    assert "max_age_days" in text
    assert "max_age_days" not in " ".join(content_of(images=undated)["not_looked_at"])


def test_the_screen_tells_denied_uses_and_what_could_not_be_read_first() -> None:
    content = content_of(*DENIED_USES, given=DENYING, unread=DARK)
    text = text_of(content)
    assert f"{CONSUMER} 1 1 {GONE.image_id} 0 denied" in text
    assert text.index(f"account {OTHER_CONSUMER}: You are not authorized") < text.index("was not looked at")


def test_the_screen_names_the_worst_accounts_and_their_owners() -> None:
    late = replace(used(OLD, number=2), owners=("Owner=payments",))
    text = text_of(content_of(used(NEW), late))
    assert "1 of 3 uses of the current release, 2 behind in 1 account." in text
    assert f"Current release of web: web-3 ({NEW.image_id}, 2026-11-22)." in text
    assert f"{CONSUMER} 2 1 web-1 2 2026-10-25 Owner=payments" in text
    wide = screen(content_of(used(NEW), late), {"check_mode": False}, None)
    assert max(len(line.text) for line in wide.lines) <= 80
    assert wide.artifacts["behind_accounts"] == f'["{CONSUMER}"]'
