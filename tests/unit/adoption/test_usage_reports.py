# SPDX-License-Identifier: GPL-3.0-or-later

"""What usage reports show without a role in any account. They leave out some use: no account is unused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._adoption.plan import plan, sum_up
from ansible_collections.golden.images.plugins.module_utils._adoption.state import (
    USAGE_REPORTS,
    AdoptionState,
)
from ansible_collections.golden.images.plugins.module_utils._adoption.usage_reports import (
    list_failures,
    list_requests,
    look_at_reports,
    without_recipes,
)
from ansible_collections.golden.images.plugins.module_utils._cleanup.sharing import REPORTED_TYPES
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import UsageReport
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._finding import Severity
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef

from tests.unit.adoption.examples import (
    CONSUMER,
    EU,
    MIDDLE,
    NEW,
    NOW,
    OLD,
    OLD_US,
    OTHER_CONSUMER,
    OWNER,
    US,
    ago,
    catalog,
    options,
    own,
    refused,
    three_releases,
)


def report(used_by: dict[str, int] | None = None, kind: str = "ec2:Instance", **changes: Any) -> UsageReport:
    """A report that counts, with so many resources of one kind in each account."""
    values: dict[str, Any] = {
        "state": "available",
        "created": ago(hours=1),
        "report_id": "r-1",
        "resource_types": frozenset(REPORTED_TYPES),
        "account_ids": frozenset(),
        "template_versions": 10_000,
        "used_by_type": {(account_id, kind): number for account_id, number in (used_by or {}).items()},
    }
    return UsageReport(**{**values, **changes})


def reported(
    changed: dict[ImageRef, UsageReport | None] | None = None,
    account_ids: tuple[str, ...] = (),
    failed: dict[str, Failure] | None = None,
) -> AdoptionState:
    """The state with reports on all images, with these changes."""
    released = catalog()
    given = {ref: report() for ref in released.reported} | (changed or {})
    reports = {ref: one for ref, one in given.items() if one is not None}
    failures = list_failures(released, reports, failed or {}, NOW)
    looks = look_at_reports(released, reports, failures, account_ids, NOW)
    return AdoptionState(NOW, released, looks, reports=reports, report_failures=failures)


def statuses(current: AdoptionState, **given: Any) -> dict[str, str]:
    """The status of each account."""
    judged = plan(options(depth="usage_reports", account_ids=(), **given), current).judged
    return {one.account_id: one.status for one in sum_up(current, judged, USAGE_REPORTS)}


def test_accounts_are_those_of_the_reports() -> None:
    current = reported({OLD: report({CONSUMER: 3}), NEW: report({OTHER_CONSUMER: 2, CONSUMER: 1})})
    assert statuses(current) == {CONSUMER: "behind", OTHER_CONSUMER: "current"}
    found = plan(options(depth="usage_reports", account_ids=()), current)
    assert [(one.use.use.kind, one.number, one.behind) for one in found.judged if one.is_behind] == [
        ("reported_instance", 3, 2)
    ]
    assert found.actions == ()
    assert found.failures == ()


def test_a_named_account_without_entries_is_unreported_and_others_are_left_out() -> None:
    current = reported({OLD: report({OTHER_CONSUMER: 3})}, account_ids=(CONSUMER,))
    assert statuses(current) == {CONSUMER: "unreported"}


def test_the_owner_is_not_looked_at_even_if_it_is_named() -> None:
    current = reported({OLD: report({CONSUMER: 3})}, account_ids=(OWNER, CONSUMER))
    assert statuses(current) == {CONSUMER: "behind"}
    assert statuses(reported({OLD: report({CONSUMER: 3})}, account_ids=(OWNER,))) == {}


def test_a_denied_image_of_no_family_is_looked_at_too() -> None:
    denied = ImageRef("ap-south-1", "ami-0000ba5e")
    given = {"deny_images": (denied.image_id,)}
    images = {**three_releases(), denied: own(denied.image_id, 9, tags={})}
    released = catalog(images, **given)
    (request,) = list_requests(released, {ref: report() for ref in three_releases()}, NOW)
    assert (request.target.region, request.resource) == (denied.region, denied.image_id)
    reports = {ref: report({CONSUMER: 2} if ref == denied else None) for ref in released.reported}
    current = AdoptionState(NOW, released, look_at_reports(released, reports, (), (), NOW), reports=reports)
    assert statuses(current, **given) == {CONSUMER: "behind"}
    # Without its report, nobody knows.
    del reports[denied]
    assert [failure.region for failure in list_failures(released, reports, {}, NOW)] == [denied.region]


def test_an_entry_that_counts_nothing_is_no_use() -> None:
    current = reported({OLD: report({CONSUMER: 0})}, account_ids=(CONSUMER,))
    assert statuses(current) == {CONSUMER: "unreported"}
    assert all(look.uses == () for look in current.looks.values())


@pytest.mark.parametrize(
    ("lacking", "requested"),
    [
        (None, True),
        (report(state="pending"), False),
        # Waiting for it would not help.
        (report(state="pending", template_versions=20), True),
        (report(state="error"), True),
        (report(created=ago(hours=25)), True),
        (report(resource_types=frozenset({"ec2:Instance"})), True),
        (report({CONSUMER: 1}, account_ids=frozenset({CONSUMER})), True),
        # A template whose default version is older than the versions that it covers would be missed.
        (report(template_versions=20), True),
    ],
)
def test_a_report_that_does_not_count_leaves_its_region_unreadable(
    lacking: UsageReport | None, requested: bool
) -> None:
    current = reported({OLD: lacking, NEW: report({CONSUMER: 1})}, account_ids=(CONSUMER,))
    assert statuses(current) == {CONSUMER: "unreadable"}
    checked = plan(options(depth="usage_reports", check_mode=True), current)
    assert [(one.error_code, one.region) for one in checked.failures] == [("usage_report_missing", EU)]
    assert [finding.code for finding in checked.findings] == ["adoption_unreadable"]
    real = plan(options(depth="usage_reports"), current)
    assert [action.resource for action in real.actions] == ([OLD.image_id] if requested else [])
    # What a request or a pending report will show is judged once it is there.
    assert real.failures == ()


@pytest.mark.parametrize(
    "rejected",
    [
        report(state="error"),
        report(created=ago(days=3)),
        report(account_ids=frozenset({CONSUMER})),
        report(resource_types=frozenset({"ec2:Instance"})),
    ],
)
def test_each_rejected_report_is_replaced_by_a_request_with_its_own_token(rejected: UsageReport) -> None:
    """The token of an earlier request would return the earlier report, behind the rejected one."""

    def token(lacking: UsageReport | None) -> str:
        (action,) = plan(options(depth="usage_reports"), reported({MIDDLE: lacking})).actions
        return str(action.parameters["ClientToken"])

    tokens = [token(None), token(rejected), token(replace(rejected, report_id="r-2"))]
    assert len(set(tokens)) == 3
    assert token(rejected) == tokens[1]


def test_without_any_report_nobody_is_not_the_answer() -> None:
    current = reported(dict.fromkeys(catalog().reported))
    found = plan(options(depth="usage_reports", account_ids=(), check_mode=True), current)
    assert {failure.region for failure in found.failures} == {EU, US}
    assert len(found.actions) == 5


def test_reports_that_cannot_be_read_are_requested_in_the_other_regions_only() -> None:
    failed = {US: refused(OWNER, US, "DescribeImageUsageReports")}
    current = reported({OLD: None, OLD_US: None}, (CONSUMER, OTHER_CONSUMER), failed)
    found = plan(options(depth="usage_reports"), current)
    assert [action.resource for action in found.actions] == [OLD.image_id]
    # One failure for each region, whatever the number of accounts.
    checked = plan(options(depth="usage_reports", check_mode=True), current)
    assert sorted(failure.region or "" for failure in checked.failures) == [EU, US]
    assert statuses(current) == {CONSUMER: "unreadable", OTHER_CONSUMER: "unreadable"}


def test_a_region_that_cannot_be_read_stays_a_failure_without_requests() -> None:
    found = plan(options(depth="usage_reports"), reported(failed={US: refused(OWNER, US)}))
    assert (found.actions, [failure.region for failure in found.failures]) == ((), [US])


def test_a_region_without_recipes_gets_a_report_of_the_other_types() -> None:
    (action,) = plan(options(depth="usage_reports"), reported({MIDDLE: None})).actions
    fewer = without_recipes(action)
    assert [each["ResourceType"] for each in fewer.parameters["ResourceTypes"]] == [
        "ec2:Instance",
        "ec2:LaunchTemplate",
    ]
    assert fewer.parameters["ClientToken"] != action.parameters["ClientToken"]
    both = frozenset({"ec2:Instance", "ec2:LaunchTemplate"})
    assert reported({MIDDLE: report(resource_types=both)}).report_failures == ()


def test_other_depths_request_no_report() -> None:
    current = replace(reported(dict.fromkeys(catalog().reported)), report_failures=())
    assert plan(options(), current).actions == ()


TYPES = {
    "ec2:Instance": ("reported_instance", "behind"),
    "ec2:LaunchTemplate": ("reported_launch_template", "unknown"),
    "imagebuilder:ImageRecipe": ("reported_recipe", "unknown"),
    "imagebuilder:ContainerRecipe": ("reported_recipe", "unknown"),
}


@pytest.mark.parametrize(
    ("kind", "noun", "status"),
    [
        *((kind, *TYPES[kind]) for kind in REPORTED_TYPES),
        # A type that AWS adds later.
        ("ec2:Fleet", "reported_use", "behind"),
    ],
)
def test_an_old_version_of_a_template_may_not_be_launched(kind: str, noun: str, status: str) -> None:
    """AWS counts a template once if any of its versions names the image, and versions stay."""
    current = reported({OLD: report({CONSUMER: 2}, kind), NEW: report({CONSUMER: 1}, kind)})
    assert statuses(current) == {CONSUMER: status}
    chosen = options(depth="usage_reports", account_ids=(), max_releases_behind=0)
    (finding,) = plan(chosen, current).findings
    assert f"2 {noun.replace('_', ' ')}s of" in finding.message
    assert ("Some version names it" in finding.message) is (status == "unknown")
    assert statuses(reported({NEW: report({CONSUMER: 1}, kind)})) == {CONSUMER: "current"}


def test_a_template_of_which_some_version_names_a_denied_image_is_a_finding() -> None:
    current = reported({OLD: report({CONSUMER: 2}, "ec2:LaunchTemplate")})
    given = {"deny_images": (OLD.image_id,)}
    assert statuses(current, **given) == {CONSUMER: "unknown"}
    (finding,) = plan(options(depth="usage_reports", account_ids=(), **given), current).findings
    assert (finding.code, finding.severity) == ("denied_image_used", Severity.HIGH)


@pytest.mark.parametrize(
    ("lacking", "remedy"),
    [
        (None, "it requests a report"),
        (report(state="pending"), "AWS is still making it"),
        (report(state="error"), "AWS could not make it"),
    ],
)
def test_what_to_do_about_a_report_that_does_not_count(lacking: UsageReport | None, remedy: str) -> None:
    (failure,) = reported({OLD: lacking}).report_failures
    assert remedy in failure.remedy
