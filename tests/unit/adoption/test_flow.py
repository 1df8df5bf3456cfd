# SPDX-License-Identifier: GPL-3.0-or-later

"""The flow without a role: missing usage reports are requested, and judged once they are there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._adoption.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._cleanup.sharing import REPORTED_TYPES, TEMPLATES
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError

from tests.unit.adoption.examples import CONSUMER, EU, US, options
from tests.unit.cleanup.aws_answers import Answers
from tests.unit.diagnose.accounts import Accounts
from tests.unit.examples import OWNER

IMAGES = [
    {
        "ImageId": f"ami-0000000{number}",
        "Name": f"web-{number}",
        "OwnerId": OWNER,
        "State": "available",
        "CreationDate": f"2026-0{number}-01T00:00:00.000Z",
        "Tags": [{"Key": "family", "Value": "web"}],
    }
    for number in (1, 2)
]


def report(number: int, **changes: Any) -> dict[str, Any]:
    """A report in an answer of DescribeImageUsageReports."""
    return {
        "ImageId": f"ami-0000000{number}",
        "ReportId": f"report-{number}",
        "State": "available",
        "CreationTime": datetime.now(UTC),
        "ResourceTypes": [
            {
                "ResourceType": name,
                "ResourceTypeOptions": [{"OptionName": "version-depth", "OptionValues": ["10000"]}]
                if name == TEMPLATES
                else [],
            }
            for name in REPORTED_TYPES
        ],
        **changes,
    }


def entry(number: int, account_id: str = CONSUMER) -> dict[str, Any]:
    """An entry in an answer of DescribeImageUsageReportEntries."""
    return {
        "ReportId": f"report-{number}",
        "ImageId": f"ami-0000000{number}",
        "AccountId": account_id,
        "ResourceType": "ec2:Instance",
        "UsageCount": 3,
    }


def owner(*reports: list[dict[str, Any]], **answers: Any) -> Answers:
    """The owner's account; reports are those of each call that lists them."""
    return Answers(
        **{
            "describe_images": {"Images": IMAGES},
            "describe_image_usage_reports": [{"ImageUsageReports": listed} for listed in reports],
            "describe_image_usage_report_entries": {"ImageUsageReportEntries": [entry(1)]},
            "create_image_usage_report": {"ReportId": "report-1"},
            **answers,
        }
    )


def run(answers: Answers, **given: Any) -> tuple[dict[str, Any], list[str], bool]:
    """The result, the error codes of the failures, and whether anything was requested."""
    clients: Any = answers
    chosen = options(**{"depth": "usage_reports", "account_ids": (), **given})
    current = FLOW.read(clients, chosen)
    plan = FLOW.plan(chosen, current)
    outcome = FLOW.apply(clients, chosen, current, plan, lambda _line: None)
    failures = [failure.error_code for failure in (*plan.failures, *outcome.failures)]
    return FLOW.result(chosen, current, plan, outcome), failures, bool(outcome.performed)


def statuses(result: dict[str, Any]) -> dict[str, str]:
    """The status of each account."""
    return {account["account_id"]: account["status"] for account in result["accounts"]}


def test_reports_of_the_last_day_are_used() -> None:
    result, failures, requested = run(owner([report(1), report(2)]))
    assert (statuses(result), failures, requested) == ({CONSUMER: "behind"}, [], False)


def test_missing_reports_are_requested_and_judged_once_they_are_there() -> None:
    answers = owner([], [], [report(1), report(2)])
    result, failures, requested = run(answers)
    assert (statuses(result), failures, requested) == ({CONSUMER: "behind"}, [], True)
    created = [request["ImageId"] for name, request in answers.calls if name == "create_image_usage_report"]
    assert created == ["ami-00000002", "ami-00000001"]


def test_a_report_that_an_earlier_run_requested_is_waited_for() -> None:
    pending = [report(1, State="pending"), report(2)]
    answers = owner(pending, [], [report(1), report(2)])
    result, failures, requested = run(answers)
    assert (statuses(result), failures, requested) == ({CONSUMER: "behind"}, [], False)
    _result, failures, _requested = run(owner(pending), check_mode=True)
    assert failures == ["usage_report_missing"]


def test_check_mode_requests_none_and_says_so() -> None:
    answers = owner([report(2)])
    _result, failures, requested = run(answers, check_mode=True, account_ids=(CONSUMER,))
    assert (failures, requested) == (["usage_report_missing"], False)
    assert "create_image_usage_report" not in [name for name, _request in answers.calls]


def test_a_request_that_aws_refuses_is_a_failure_and_leaves_the_accounts_unreadable() -> None:
    answers = owner([report(2)], create_image_usage_report="UnauthorizedOperation")
    result, failures, requested = run(answers, account_ids=(CONSUMER,))
    assert failures == ["UnauthorizedOperation"]
    assert (statuses(result), requested) == ({CONSUMER: "unreadable"}, False)
    (finding,) = result["findings"]
    assert "could not be read: UnauthorizedOperation" in finding["message"]
    assert "There is no usage report" not in finding["message"]


def test_a_region_without_the_types_of_image_builder_gets_a_report_of_the_others() -> None:
    answers = owner(
        [report(2)],
        [],
        [report(1), report(2)],
        create_image_usage_report=["InvalidParameterValue", {"ReportId": "report-1"}],
    )
    _result, failures, requested = run(answers)
    assert (failures, requested) == ([], True)
    types = [
        len(request["ResourceTypes"])
        for name, request in answers.calls
        if name == "create_image_usage_report"
    ]
    assert types == [4, 2]


def test_reports_that_cannot_be_read_are_a_failure() -> None:
    answers = owner(describe_image_usage_reports="UnauthorizedOperation")
    result, failures, _requested = run(answers, account_ids=(CONSUMER,))
    assert failures == ["UnauthorizedOperation"]
    assert statuses(result) == {CONSUMER: "unreadable"}


@pytest.mark.parametrize(
    ("given", "option", "message"),
    [
        ({"families": ("wbe",)}, "families", "Its families are web."),
        ({"family_tag": "Family"}, "family_tag", "none of the 2 images"),
        ({"family_tag": None, "family_name_pattern": "db-.*"}, "family_name_pattern", "none of the 2 images"),
    ],
)
def test_a_family_without_images_is_one_error(given: dict[str, Any], option: str, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        run(owner([]), **given)
    (failure,) = refused.value.failures
    assert (failure.error_code, failure.action) == ("family_not_found", option)
    assert message in failure.message


def test_images_of_the_owner_that_cannot_be_read_are_one_error() -> None:
    """Without them, the newest release could be missing, and an old one look current."""
    with pytest.raises(ValidationError) as refused:
        run(owner([], describe_images="UnauthorizedOperation"))
    (failure,) = refused.value.failures
    assert (failure.error_code, failure.region) == ("UnauthorizedOperation", EU)


def owner_in(images: Mapping[str, Any], consumer: Answers | None = None) -> Accounts:
    """The owner's account, whose images are others in each region; a consumer that it can read."""
    regions = [{"RegionName": name, "OptInStatus": "opt-in-not-required"} for name in images]
    aws = Accounts(describe_regions={"Regions": regions})
    aws.accounts[CONSUMER] = consumer or Answers()
    aws.regions = {
        region: Answers(**{**aws.answers, "describe_images": found}) for region, found in images.items()
    }
    return aws


def copies(*sources: dict[str, Any]) -> dict[str, Any]:
    """An answer of DescribeImages with copies of these images in the other region."""
    beyond = {"SourceImageRegion": EU, "CreationDate": "2026-11-20T00:00:00.000Z"}
    return {
        "Images": [
            {**one, "ImageId": f"{one['ImageId']}c", "SourceImageId": one["ImageId"], **beyond}
            for one in sources
        ]
    }


def running(image_id: str) -> Answers:
    """An account with an instance of the image in each region."""
    image = {"ImageId": image_id, "OwnerId": OWNER, "State": "available"}
    instance = {"InstanceId": "i-1", "State": {"Name": "running"}, "ImageMetadata": image}
    return Answers(describe_instance_image_metadata={"InstanceImageMetadata": [instance]})


BY_INSTANCES = {"depth": "instances", "account_ids": (CONSUMER,), "consumer_role_name": "reader"}


def test_regions_limit_where_uses_are_looked_for_and_not_the_releases() -> None:
    """The dates of copies do not tell which release is newer: those of their sources do."""
    answers = owner_in({EU: {"Images": IMAGES}, US: copies(*IMAGES)}, running("ami-00000001c"))
    result, failures, _requested = run(answers, regions=(US,), **BY_INSTANCES)
    assert (statuses(result), result["regions"], failures) == ({CONSUMER: "behind"}, [US], [])
    assert result["accounts"][0]["worst"]["releases_behind"] == 1


def test_uses_are_looked_for_in_regions_without_an_image_too() -> None:
    """The owner may have deregistered the images there; what was launched from them still runs."""
    consumer = running("ami-0000dead")
    answers = owner_in({EU: {"Images": IMAGES}, US: {"Images": []}}, consumer)
    result, failures, _requested = run(answers, **BY_INSTANCES)
    assert (statuses(result), result["regions"], failures) == ({CONSUMER: "unknown"}, [EU, US], [])
    assert [name for name, _request in consumer.calls].count("describe_instance_image_metadata") == 2


def test_images_of_a_region_that_is_not_named_may_be_unreadable_and_that_is_said() -> None:
    answers = owner_in({EU: {"Images": IMAGES}, US: "UnauthorizedOperation"}, running("ami-00000002"))
    result, failures, _requested = run(answers, regions=(EU,), **BY_INSTANCES)
    assert (statuses(result), failures) == ({CONSUMER: "current"}, [])
    assert f"The owner's images in {US} could not be read" in " ".join(result["not_looked_at"])
    for regions in ((), (EU, US)):
        with pytest.raises(ValidationError) as refused:
            run(answers, regions=regions, **BY_INSTANCES)
        assert [failure.region for failure in refused.value.failures] == [US]


def test_usage_reports_are_read_in_the_named_regions_only() -> None:
    answers = owner_in({EU: {"Images": IMAGES}, US: copies(*IMAGES)})
    result, failures, _requested = run(answers, regions=(US,), check_mode=True, account_ids=(CONSUMER,))
    assert (statuses(result), result["regions"]) == ({CONSUMER: "unreadable"}, [US])
    assert failures == ["usage_report_missing"]


def test_usage_reports_in_regions_without_an_image_are_one_error() -> None:
    with pytest.raises(ValidationError) as refused:
        run(owner_in({EU: {"Images": IMAGES}, US: {"Images": []}}), regions=(US,))
    (failure,) = refused.value.failures
    assert (failure.error_code, failure.action) == ("family_not_found", "regions")
    assert f"no image of a family in {US}" in failure.message
