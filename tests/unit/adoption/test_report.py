# SPDX-License-Identifier: GPL-3.0-or-later

"""The report in all forms: an account that was not read stays unreadable in each."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._adoption.content import (
    build_content,
    describe_denied,
    list_current,
    remember,
)
from ansible_collections.golden.images.plugins.module_utils._adoption.document import (
    build_document,
    compare_reports,
)
from ansible_collections.golden.images.plugins.module_utils._adoption.result import build_result
from ansible_collections.golden.images.plugins.module_utils._adoption.screen import screen
from ansible_collections.golden.images.plugins.module_utils._adoption.state import (
    LAUNCHES,
    AdoptionState,
    ImageUse,
)
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import UsageReport
from ansible_collections.golden.images.plugins.module_utils._listing import count
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, ScanResults, Target
from ansible_collections.golden.images.plugins.module_utils._reports.as_csv import render_csv
from ansible_collections.golden.images.plugins.module_utils._reports.as_sarif import render_sarif
from ansible_collections.golden.images.plugins.module_utils._reports.document import Bars, Changes, Grid, Mark
from ansible_collections.golden.images.plugins.module_utils._reports.html.render import render_html
from ansible_collections.golden.images.plugins.module_utils._reports.screen import Tone
from botocore import xform_name

from tests.unit.adoption.account import OPERATIONS, read_state, using
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
from tests.unit.reports.examples import PAGE_FILES

GONE = ImageRef(EU, "ami-0000dead")
DARK = {Target(OTHER_CONSUMER, region): refused(OTHER_CONSUMER, region, "AssumeRole") for region in (EU, US)}

WRITTEN_AT = "2026-11-24T12:00:00+00:00"
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
    return build_content(options(**options_given), returned(current, **options_given))


def text_of(report: Mapping[str, Any], **context: Any) -> str:
    """What the role displays, on one line."""
    return " ".join(screen(report, {"check_mode": False, **context}, "/reports/adoption").text.split())


def rows_of(content: Mapping[str, Any]) -> list[dict[str, str]]:
    """The rows of the CSV."""
    text = render_csv(build_document(content).records)
    return list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))


def check_unreadable(content: Mapping[str, Any], account_id: str, regions: list[str]) -> None:
    """Check that no form of a report shows as read what was not read of one of its accounts."""
    assert content["status"] == "incomplete"
    (dark,) = [each for each in content["accounts"] if each["account_id"] == account_id]
    assert (dark["status"], dark["unread_regions"]) == ("unreadable", regions)
    document = build_document(content)
    assert not document.complete
    unread = [row for row in rows_of(content) if row["Status"] == "unreadable"]
    assert [(row["Account"], row["Region"]) for row in unread] == [(account_id, each) for each in regions]
    sarif = json.loads(render_sarif(document, WRITTEN_AT))
    assert "adoption_unreadable" in {each["ruleId"] for each in sarif["runs"][0]["results"]}
    (grid,) = [picture for picture in document.pictures if isinstance(picture, Grid)]
    cells = dict(zip(grid.columns, dict(grid.rows)[account_id], strict=True))
    assert [cell and cell.mark for cell in map(cells.get, regions)] == [Mark.UNREADABLE] * len(regions)
    page = render_html(document, WRITTEN_AT, PAGE_FILES)
    text = text_of(content, failures=content["failures"])
    assert text.startswith("Incomplete:")
    assert "1 of them not read, or only in part." in page
    assert f"1 of {count(len(content['accounts']), 'account')} not read, or only in part" in text
    for failure in content["failures"]:
        assert (failure["action"] in page, failure["error_code"] in page) == (True, True)
        assert " ".join(failure["message"].split()).rstrip(".") in text_of(content)


@pytest.mark.parametrize("uses", [[], [used(NEW)], [used(OLD)]])
def test_an_unreadable_account_stays_unreadable_in_every_form(uses: list[ImageUse]) -> None:
    content = content_of(*uses, unread=DARK)
    check_unreadable(content, OTHER_CONSUMER, [EU, US])
    assert [each["current"] for each in content["accounts"] if each["account_id"] == OTHER_CONSUMER] == [0]
    assert [row["Account"] for row in rows_of(content)].count(OTHER_CONSUMER) == 2


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_account_of_which_one_source_is_denied_is_unreadable_in_every_form(operation: str) -> None:
    current = read_state(using(**{xform_name(operation): "AccessDenied"}))
    content = build_content(options(depth=LAUNCHES), returned(current, depth=LAUNCHES))
    check_unreadable(content, CONSUMER, [EU])
    assert operation in {failure["action"] for failure in content["failures"]}


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
    document = build_document(content)
    grids = [picture for picture in document.pictures if isinstance(picture, Grid)]
    shown = dict(grids[0].rows)[CONSUMER][0] if grids else None
    assert (shown and (shown.text, shown.mark)) == cell
    # Only then is the status green.
    assert (document.complete and not document.empty) is (status == "current")


def test_the_same_state_is_the_same_report_a_day_later() -> None:
    today = state(used(OLD), used(MIDDLE))
    tomorrow = replace(today, now=NOW + timedelta(days=1))
    assert build_content(options(), returned(today)) == build_content(options(), returned(tomorrow))
    assert returned(today)["uses"][0]["days_behind"] == 30
    assert returned(tomorrow)["uses"][0]["days_behind"] == 31


def test_a_refused_task_is_no_empty_report() -> None:
    failure = refused(OWNER, EU, "DescribeImages").to_dict()
    content = build_content(options(), {"failed": True, "failures": [failure], "msg": "x"})
    assert content["status"] == "incomplete"
    assert [finding["code"] for finding in content["findings"]] == ["adoption_unreadable"]
    assert build_document(content).empty
    assert build_content(options(), {"failed": True, "msg": "Broken."})["failures"][0]["message"] == "Broken."


def test_a_failure_without_an_account_is_a_row_of_the_csv() -> None:
    (row,) = rows_of(build_content(options(), REFUSED_RUN))
    assert (row["Region"], row["Status"], row["Resource"]) == (EU, "unreadable", "DescribeImages")
    failed = refused(OWNER, EU, "DescribeImageUsageReports")
    given = {"depth": "usage_reports", "account_ids": (), "check_mode": True}
    nobody = replace(state(), looks={}, report_failures=(failed,))
    content = build_content(options(**given), returned(nobody, **given))
    assert content["scope"]["regions"] == [EU, US]
    shown = "AWS's usage reports show no use in what could be read."
    assert content["summary"].startswith(shown)
    assert text_of(content).startswith(f"Incomplete: {shown}")
    assert [(row["Account"], row["Region"], row["Status"]) for row in rows_of(content)] == [
        (OWNER, EU, "unreadable")
    ]


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ({}, "unused", "Not used: no use of these families was found."),
        ({"depth": "launches"}, "unused", "Not used: no use of these families was found."),
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
    assert content["summary"].startswith("No use of these families was found in what could be read.")
    assert text_of(content).startswith("Incomplete: no use of these families was found in what could be read")


def test_a_task_that_read_nothing_says_so() -> None:
    content = build_content(options(), REFUSED_RUN)
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
    shown = "o use of these families was found, 7 of other images."
    assert content["summary"].startswith(f"N{shown}")
    assert text_of(content).startswith(f"Not used: n{shown}")


def test_the_curve_grows_with_each_changed_report() -> None:
    first = {**content_of(used(OLD)), "written_at": "2026-11-01T00:00:00Z"}
    same = remember(first, content_of(used(OLD)))
    assert same["curve"] == []
    second = remember(first, content_of(used(NEW)))
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
    assert compare_reports(before, build_content(options(), returned(unread))).removed == ()


LATER = {"written_at": "2026-11-08T00:00:00Z"}
BOTH = (CONSUMER, OTHER_CONSUMER)
DB = {**three_releases(), GONE: own(GONE.image_id, 5, tags={"family": "db"})}


def changed_scope(**scope: Any) -> dict[str, Any]:
    """A report without uses that is of another scope."""
    content = content_of(used(NEW))
    return {**content, "scope": {**content["scope"], **scope}}


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (changed_scope(depth="launches"), "depth (was instances)"),
        (changed_scope(account_id=OTHER_CONSUMER), f"owner (was {OWNER})"),
        (changed_scope(account_ids=[OTHER_CONSUMER]), f"(no longer {CONSUMER}, now also {OTHER_CONSUMER})"),
        (changed_scope(account_ids=[*BOTH]), f"accounts (now also {OTHER_CONSUMER})"),
        (changed_scope(account_ids=[]), "accounts (now all that AWS reports)"),
        (changed_scope(regions=[US]), f"regions (no longer {EU})"),
        (changed_scope(families=["db"]), "families (no longer web, now also db)"),
        (changed_scope(deny_images=["ami-1"]), "denied images (now also ami-1)"),
    ],
)
def test_reports_of_different_scopes_are_not_compared(after: dict[str, Any], said: str) -> None:
    before = {**content_of(used(OLD)), **BEFORE}
    for first, second in ((before, after), ({**after, **BEFORE}, content_of(used(OLD)))):
        changes = compare_reports(first, second)
        assert (changes.added, changes.removed) == ((), ())
        assert changes.note.startswith("Not compared with the last report, which had another scope: ")
        assert remember(first, second)["curve"] == []
    assert said in compare_reports(before, after).note
    # Reports of one scope are compared.
    again = {**content_of(used(NEW)), "scope": before["scope"]}
    assert compare_reports(before, again).note == ""
    assert len(compare_reports(before, again).removed) == 1
    assert len(remember(before, again)["curve"]) == 1


def test_the_scope_is_what_was_looked_at() -> None:
    given = {"deny_images": (GONE.image_id,), "account_ids": (OTHER_CONSUMER, CONSUMER)}
    assert content_of(given=given, images=DB)["scope"] == {
        "account_id": OWNER,
        "account_ids": [CONSUMER, OTHER_CONSUMER],
        "deny_images": [GONE.image_id],
        "depth": "instances",
        "families": ["db", "web"],
        "regions": [EU, US],
    }


def test_a_refused_run_is_not_compared_and_keeps_the_curve() -> None:
    before = {**content_of(used(OLD)), **BEFORE}
    refusal = remember(before, build_content(options(), REFUSED_RUN))
    assert compare_reports(before, refusal) == Changes(BEFORE["written_at"], note="This report read nothing.")
    after = content_of(used(OLD))
    changes = compare_reports({**refusal, **LATER}, after)
    assert (changes.added, changes.note) == ((), "The last report read nothing.")
    assert [point["behind"] for point in remember({**refusal, **LATER}, after)["curve"]] == [1]


AT_REPORTS = {"depth": "usage_reports", "account_ids": ()}


def reported(*uses: ImageUse, **changes: Any) -> dict[str, Any]:
    """The content of a report on what usage reports show."""
    return content_of(
        *(replace(use, kind="reported_use", names=()) for use in uses), given=AT_REPORTS, **changes
    )


def test_reported_uses_of_a_deregistered_image_have_not_gone() -> None:
    """AWS reports no use of it any more, and the instances still run."""
    before = {**reported(used(NEW), used(MIDDLE, number=3)), **BEFORE}
    images = three_releases()
    del images[MIDDLE]
    after = remember(before, reported(used(NEW), images=images))
    assert (after["status"], after["totals"]["unknown"], after["totals"]["behind"]) == ("unknown", 3, 0)
    assert after["summary"].startswith("1 of 4 reported uses of the current release.")
    (sentence,) = [one for one in after["not_looked_at"] if "web-2" in one]
    assert f"3 uses of web-2 ({MIDDLE.image_id}) in account {CONSUMER}" in sentence
    changes = compare_reports(before, after)
    said = f"Account {CONSUMER} in {EU}: reported use of web-2 (not counted any more)"
    assert (changes.added, changes.removed) == ((said,), ())
    assert [(point["behind"], point["unknown"]) for point in after["curve"]] == [(3, 0)]
    assert ("unknown", "web-2") in [(row["Status"], row["Release"]) for row in rows_of(after)]
    assert text_of(after).startswith("Not known: 1 of 4 reported uses of the current release")
    # A report in a single file and one in a directory can both be remembered.
    assert remember(before, after) == after
    # It stays so in later reports, and after a report that read nothing.
    later = remember({**after, **LATER}, reported(used(NEW), images=images))
    assert (later["totals"], later["status"]) == (after["totals"], "unknown")
    refusal = remember({**after, **LATER}, build_content(options(**AT_REPORTS), REFUSED_RUN))
    assert remember({**refusal, **LATER}, reported(images=images))["totals"]["unknown"] == 3
    # An image without a reported use can go.
    assert (
        remember({**reported(used(NEW)), **BEFORE}, reported(used(NEW), images=images))["status"] == "current"
    )
    # A role sees what runs.
    assert remember(before, content_of(used(NEW), images=images))["uncounted"] == []


def test_what_the_reports_of_all_accounts_do_not_show_any_more_has_gone() -> None:
    before = {**reported(used(OLD)), **BEFORE}
    after = {**reported(), "accounts": []}
    assert len(compare_reports(before, after).removed) == 1
    unread = {**after, "failures": [refused(OWNER, EU, "DescribeImageUsageReports").to_dict()]}
    assert compare_reports(before, unread).removed == ()


def test_an_incomplete_report_is_no_point_of_the_curve() -> None:
    first = {**content_of(used(OLD)), **BEFORE}
    dark = {**remember(first, build_content(options(), REFUSED_RUN)), "written_at": "2026-11-08T00:00:00Z"}
    assert [point["behind"] for point in dark["curve"]] == [1]
    (bars,) = [picture for picture in build_document(dark).pictures if isinstance(picture, Bars)]
    assert [label for label, _values in bars.rows] == ["2026-11-01"]
    # The last complete report stays, also if this one counts as much.
    partly = {**content_of(used(OLD), unread=DARK), **BEFORE}
    assert remember(first, partly)["curve"] == dark["curve"]
    assert remember(dark, content_of(used(NEW)))["curve"] == dark["curve"]


@pytest.mark.parametrize(
    ("times", "labels"),
    [
        (["2026-11-01T10:00", "2026-11-02T10:00"], ["2026-11-01", "2026-11-02"]),
        (
            ["2026-11-01T10:00", "2026-11-02T10:00", "2026-11-02T11:05"],
            ["2026-11-01", "2026-11-02 10:00", "2026-11-02 11:05"],
        ),
    ],
)
def test_points_of_one_day_have_their_times(times: list[str], labels: list[str]) -> None:
    content = content_of(used(OLD))
    for number, time in enumerate(times):
        content = remember(
            {**content, "written_at": f"{time}:00+00:00"}, content_of(used(OLD, number=number + 2))
        )
    (bars,) = [picture for picture in build_document(content).pictures if isinstance(picture, Bars)]
    assert [label for label, _values in bars.rows] == [*labels, "now"]


def test_a_long_curve_keeps_a_point_of_each_day() -> None:
    content = content_of(used(OLD))
    for hour in range(24 * 4):
        time = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=hour)
        content = remember(
            {**content, "written_at": f"{time:%FT%TZ}"}, content_of(used(OLD, number=hour + 2))
        )
    times = [point["since"] for point in content["curve"]]
    assert len(times) == 52
    days = Counter(time[:10] for time in times)
    assert days == {"2026-11-01": 1, "2026-11-02": 3, "2026-11-03": 24, "2026-11-04": 24}
    assert times[0] == "2026-11-01T23:00:00Z"
    for day in range(60):
        time = datetime(2026, 12, 1, tzinfo=UTC) + timedelta(days=day)
        content = remember(
            {**content, "written_at": f"{time:%FT%TZ}"}, content_of(used(OLD, number=day % 2 + 2))
        )
    assert next(point["since"][:10] for point in content["curve"]) == "2026-12-09"


@pytest.mark.parametrize(
    ("given", "limits", "unsaid", "said"),
    [
        ({}, [OWNER, "next launch", "AWS Config", "owner has not enabled"], ["CodeBuild"], []),
        ({"account_ids": (OWNER,), "depth": "launches"}, ["CodeBuild"], [OWNER, "next launch"], []),
        ({"regions": (EU,)}, [], ["owner has not enabled"], [f"Only {EU} was looked at"]),
        (AT_REPORTS, [OWNER, "deregistered", "AWS Config"], ["EKS"], []),
        (
            {**AT_REPORTS, "deny_images": ("ami-0000dead", OLD.image_id)},
            [],
            [],
            ["deny_images: the use of ami-0000dead was not"],
        ),
        ({"deny_images": ("ami-0000dead",)}, [], ["deny_images"], []),
        ({"max_age_days": 30}, [], ["max_age_days"], []),
    ],
)
def test_what_was_not_looked_at_is_said(
    given: dict[str, Any], limits: list[str], unsaid: list[str], said: list[str]
) -> None:
    content = content_of(given=given)
    texts = " ".join(content["limits"]), " ".join(content["not_looked_at"])
    assert [part for part in limits if part not in texts[0]] == []
    assert [part for part in said if part not in texts[1]] == []
    assert [part for part in unsaid if part in " ".join(texts)] == []


def test_what_a_depth_never_shows_is_one_line_below_the_news_and_a_closed_part_of_the_page() -> None:
    content = content_of(used(OLD), given={"regions": (EU,), "max_releases_behind": 0}, unread=DARK)
    changes = {"since": "2026-11-01T00:00:00+00:00", "added": ["Something."], "removed": []}
    text = text_of(content, changes=changes)
    parts = (
        f"{CONSUMER} 1",
        f"account {OTHER_CONSUMER}: You are not authorized",
        f"Account {CONSUMER} in {EU}: 1 instance",
        "Since 2026-11-01",
        f"Only {EU} was looked at",
        "Not looked at: what the next launch takes, such as launch templates; instances that AWS",
        "Report: ",
    )
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert text.count("Not looked at") == 1
    document = build_document(content)
    assert [value for name, value in document.facts if name == "Not looked at"] == content["not_looked_at"]
    (limits,) = [table for table in document.tables if table.title == "What this depth never shows"]
    assert [row["limit"] for row in limits.rows] == content["limits"]


def test_findings_that_fail_the_role_are_not_displayed_twice() -> None:
    given = {"max_releases_behind": 0, "fail_on": 2}
    current = state(used(OLD))
    result = returned(current, **given)
    content = build_content(options(**given), result)
    shown = screen(content, {"check_mode": False, "failures": result["failures"]}, "/reports")
    (finding,) = content["findings"]
    tones = {line.tone for line in shown.lines if line.text.startswith(f"- Account {CONSUMER} in {EU}")}
    assert tones == {Tone.FAILURE}
    # Its message names the place.
    assert f"- {finding['message']}" in " ".join(shown.failure.split())


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        ((1, 20), "Usage reports only count, the oldest of these as of 2026-11-23 16:00 UTC."),
        ((), "Usage reports only count."),
        ((30,), "Usage reports only count."),
    ],
)
def test_the_time_of_the_oldest_usage_report_is_said(hours: tuple[int, ...], said: str) -> None:
    reports = {
        ref: UsageReport("available", NOW - timedelta(hours=hour))
        for ref, hour in zip((NEW, OLD), hours, strict=False)
    }
    content = build_content(
        options(**AT_REPORTS), returned(replace(state(**AT_REPORTS), reports=reports), **AT_REPORTS)
    )
    (sentence,) = [one for one in content["not_looked_at"] if one.startswith("Usage reports")]
    assert sentence.startswith(said)
    assert "24 hours before" in sentence


def test_releases_without_a_date_are_said_where_their_age_matters() -> None:
    given = {"max_age_days": 30}
    undated = {ref: replace(own, created=None) for ref, own in three_releases().items()}
    content = content_of(images=undated, given=given)
    assert list(list_current(content)) == [("web", "not known, 3 releases have no date")]
    text = " ".join(content["not_looked_at"])
    assert f"web-1 ({OLD.image_id})" in text
    assert "max_age_days" in text
    assert "max_age_days" not in " ".join(content_of(images=undated)["not_looked_at"])


DENYING = {"deny_images": (GONE.image_id,)}
DENIED_USES = [used(GONE, **OF_AMAZON), used(NEW)]


def test_who_runs_a_denied_image_is_said_first_and_in_every_form() -> None:
    content = content_of(*DENIED_USES, given=DENYING, unread=DARK)
    said = f"Denied: 1 use of {GONE.image_id}, or of what comes from it, in 1 account."
    assert content["summary"].startswith(said)
    text = text_of(content)
    assert text.startswith(f"{said} Incomplete: ")
    assert "account behind denied current worst release" in text
    assert f"{CONSUMER} 1 1 1 {GONE.image_id}" in text
    assert [row["Denied"] for row in rows_of(content) if row["Status"] == "behind"] == [GONE.image_id]
    (behind,) = [
        table for table in build_document(content).tables if table.title.startswith("Accounts behind")
    ]
    assert [row["denied"] for row in behind.rows] == [1]


def test_the_picture_omits_regions_without_a_use() -> None:
    def columns(**changes: Any) -> tuple[str, ...]:
        (grid,) = build_document(content_of(used(NEW), **changes)).pictures
        assert isinstance(grid, Grid)
        assert "have none are omitted." in grid.note
        assert all(len(cells) == len(grid.columns) for _label, cells in grid.rows)
        return grid.columns

    assert columns() == (EU,)
    unread = {Target(OTHER_CONSUMER, US): refused(OTHER_CONSUMER, US)}
    assert columns(unread=unread) == (EU, US)
    # Those with uses are in sight also if there are many that could not be read.
    before = {Target(OTHER_CONSUMER, region): refused(OTHER_CONSUMER, region) for region in ("ca-west-1", US)}
    assert columns(unread=before) == (EU, "ca-west-1", US)
    assert build_document(content_of()).pictures == ()


def test_a_denied_image_without_a_use_is_said_to_have_none_in_what_was_read() -> None:
    none = f"No use of {GONE.image_id} was found in what was read."
    content = content_of(used(NEW), given=DENYING)
    assert text_of(content).startswith(f"{none} Up to date: ")
    assert none in content["summary"]
    # Usage reports cannot tell of an image that the owner does not have.
    assert none not in content_of(used(NEW), given={**DENYING, **AT_REPORTS})["summary"]
    owned = {"deny_images": (OLD.image_id,), **AT_REPORTS}
    assert f"No use of {OLD.image_id} was found" in content_of(used(NEW), given=owned)["summary"]


@pytest.mark.parametrize(
    ("given", "changed", "fault"),
    [
        ({"deny_images": (NEW.image_id,)}, {}, "is denied"),
        (
            {},
            {"new": {"scan": ScanResults(highest_severity="CRITICAL")}},
            "has findings of Amazon Inspector",
        ),
    ],
)
def test_a_current_release_that_nobody_should_change_to(
    given: dict[str, Any], changed: dict[str, Any], fault: str
) -> None:
    content = content_of(used(OLD), given=given, images=three_releases(**changed))
    said = f"web-3 ({NEW.image_id}, 2026-11-22), which {fault}: distribute a fixed release"
    assert f"Current release of web: {said}." in text_of(content)
    assert ("Current release", f"web: {said}") in build_document(content).facts


def test_the_screen_names_the_worst_accounts_and_their_owners() -> None:
    late = replace(used(OLD, number=2), owners=("Owner=payments",))
    text = text_of(content_of(used(NEW), late))
    assert "1 of 3 uses of the current release, 2 behind in 1 account." in text
    assert f"Current release of web: web-3 ({NEW.image_id}, 2026-11-22)." in text
    assert f"{CONSUMER} 2 1 web-1 2 2026-10-25 Owner=payments" in text
    wide = screen(content_of(used(NEW), late), {"check_mode": False}, None)
    assert max(len(line.text) for line in wide.lines) <= 80
    assert wide.artifacts["behind_accounts"] == f'["{CONSUMER}"]'


def test_the_screen_says_that_a_release_was_recalled_also_if_a_newer_one_followed() -> None:
    content = content_of(used(NEW), used(OLD))
    (account,) = content["accounts"]
    recalled = {**account, "worst": {**account["worst"], "withdrawn": "recalled"}}
    assert f"{CONSUMER} 1 1 web-1 2 recalled" in text_of({**content, "accounts": [recalled]})


def test_a_denied_image_may_be_behind_a_use_of_unknown_origin() -> None:
    given = {"deny_images": (OLD.image_id,)}
    ((text, is_used),) = describe_denied(
        content_of(used(GONE, owner_id=OTHER_CONSUMER, number=2), given=given)
    )
    assert text == f"No use of {OLD.image_id} was found, but 2 uses are not known: they can be of it."
    assert not is_used
