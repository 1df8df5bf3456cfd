# SPDX-License-Identifier: GPL-3.0-or-later

"""A shared image is retired only if its accounts, or a usage report, show that they do not use it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import read
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError

from tests.unit.cleanup.examples import NEW_IMAGE, OLD_ID, OLD_IMAGE, REPORTED, Run, described
from tests.unit.examples import CONSUMER, OWNER, STRANGER

NOW = datetime.now(UTC)
BY_ROLE = {"include_shared": True, "consumer_role_name": "golden"}
BY_REPORT = {"include_shared": True, "trust_usage_reports": True}
SECOND_ID = "ami-0ccccccccccccccc0"


def shared(*account_ids: str) -> dict[str, Any]:
    """The launch permissions of every image."""
    return {"describe_image_attribute": {"LaunchPermissions": [{"UserId": one} for one in account_ids]}}


def volumes(*account_ids: str) -> dict[str, Any]:
    """Who can create volumes from every snapshot."""
    granted = [{"UserId": one} for one in account_ids]
    return {"describe_snapshot_attribute": {"CreateVolumePermissions": granted}}


def names(run: Run) -> list[str]:
    return [name for name, _request in run.clients.calls]


FROM_SNAPSHOT = {"BlockDeviceMappings": [{"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": "snap-2019"}}]}
CONFIGURATION = {"LaunchConfigurationName": "lc", "InstanceType": "t3.micro", "CreatedTime": NOW}
REFERENCE = {"ImageId": OLD_ID, "ResourceType": "ssm:Parameter", "Arn": "arn:x"}
TEMPLATE = {"LaunchTemplateId": "lt-1", "VersionNumber": 2}
TEXT = {"Name": "/text", "Value": OLD_ID, "Version": 1}
RESOLVES = {"LaunchTemplateVersions": [{**TEMPLATE, "LaunchTemplateData": {"ImageId": "resolve:ssm:/web:3"}}]}
COPYING = {"ImageId": "ami-9", "SourceImageId": OLD_ID, "SourceImageRegion": "eu-west-1"}
PARAMETERS = {
    "describe_parameters": {"Parameters": [{"Name": "/text"}]},
    "get_parameters": {"Parameters": [TEXT]},
}


@pytest.mark.parametrize(
    ("theirs", "uses"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param(
            {"describe_image_references": {"ImageReferences": [REFERENCE]}},
            ["ssm:Parameter arn:x"],
            id="a reference",
        ),
        pytest.param(
            {
                "describe_launch_configurations": {
                    "LaunchConfigurations": [{**CONFIGURATION, "ImageId": OLD_ID}]
                }
            },
            ["launch_configuration lc"],
            id="a launch configuration",
        ),
        # AWS does not document which parameters DescribeImageReferences finds.
        pytest.param(PARAMETERS, ["parameter /text"], id="a parameter"),
        pytest.param(
            {
                **PARAMETERS,
                "get_parameters": {"Parameters": [{**TEXT, "Value": "ami-0aaaaaaaaaaaaaaa0", "Version": 2}]},
                "get_parameter_history": {"Parameters": [{**TEXT, "Labels": ["old"]}]},
            },
            ["parameter /text:old"],
            id="a label",
        ),
        pytest.param(
            {
                "describe_launch_template_versions": RESOLVES,
                "get_parameter": {"Parameter": {"Value": OLD_ID}},
            },
            ["parameter /web:3"],
            id="a version of a parameter",
        ),
        # What creates volumes from a snapshot of the image uses it.
        pytest.param(
            {
                "describe_launch_template_versions": {
                    "LaunchTemplateVersions": [{**TEMPLATE, "LaunchTemplateData": FROM_SNAPSHOT}]
                }
            },
            ["snapshot snap-2019 in launch template lt-1 version 2"],
            id="a snapshot in a template",
        ),
        pytest.param(
            {
                "describe_launch_configurations": {
                    "LaunchConfigurations": [{**CONFIGURATION, "ImageId": "ami-own", **FROM_SNAPSHOT}]
                }
            },
            ["snapshot snap-2019 in launch configuration lc"],
            id="a snapshot in a launch configuration",
        ),
        pytest.param(
            {
                "describe_images": [
                    {"Images": [COPYING], "NextToken": "n"},
                    {"Images": [{"ImageId": "ami-8"}]},
                ]
            },
            ["running_copy ami-9"],
            id="a copy that it is making",
        ),
        pytest.param(
            {"describe_images": {"Images": [{**COPYING, "SourceImageRegion": "us-east-1"}]}},
            [],
            id="a copy of an image of another region",
        ),
    ],
)
def test_an_account_that_uses_a_shared_image_keeps_it(theirs: dict[str, Any], uses: list[str]) -> None:
    run = Run(BY_ROLE, {CONSUMER: theirs}, **shared(CONSUMER, OWNER))
    assert run.decision == ("keep" if uses else "deregister")
    assert run.evidence == [f"other_account {CONSUMER} {one}" for one in uses]
    pending = {"Owners": ["self"], "Filters": [{"Name": "state", "Values": ["pending"]}], "MaxResults": 1000}
    assert ("describe_images", pending) in run.clients.accounts[CONSUMER].calls


@pytest.mark.parametrize(
    "method",
    [
        "describe_image_references",
        "describe_auto_scaling_groups",
        "describe_fleets",
        "describe_spot_fleet_requests",
        "describe_spot_instance_requests",
        "describe_launch_template_versions",
        "describe_instances",
        "describe_launch_configurations",
        "describe_parameters",
        "get_parameters",
        "describe_images",
    ],
)
@pytest.mark.parametrize("answer", ["AccessDenied", {}], ids=["refused", "incomplete"])
def test_a_read_that_fails_in_an_account_counts_as_use(method: str, answer: Any) -> None:
    if answer == {} and method in ("describe_auto_scaling_groups", "describe_launch_configurations"):
        answer = "ThrottlingException"
    run = Run(
        BY_ROLE,
        {CONSUMER: {**PARAMETERS, "get_parameters": {"Parameters": []}, method: answer}},
        **shared(CONSUMER),
    )
    assert (run.decision, run.of()["reasons"]) == ("keep", [])
    assert "".join(part.capitalize() for part in method.split("_")) in run.unreadable
    assert {one["account_id"] for one in run.result["unreadable"]} == {CONSUMER}
    assert not [one.message for one in run.plan.failures if one.message.startswith("Account ")]


def test_an_account_whose_role_cannot_be_assumed_counts_as_one_that_uses_the_image() -> None:
    run = Run(BY_ROLE, {CONSUMER: {}}, **shared(CONSUMER, STRANGER))
    assert run.decision == "keep"
    assert "unreadable AssumeRole AccessDenied: No." in run.evidence
    (failure,) = run.plan.failures
    assert failure.message.startswith(
        f"Account {STRANGER} could not be read, so images or snapshots are kept"
    )
    assert Run(BY_ROLE, {CONSUMER: {}, STRANGER: {}}, **shared(CONSUMER, STRANGER)).decision == "deregister"


def test_an_unexpected_failure_in_an_account_counts_as_use() -> None:
    theirs = {CONSUMER: {"describe_instances": ZeroDivisionError("lost")}, STRANGER: {}}
    run = Run(BY_ROLE, theirs, **shared(CONSUMER, STRANGER))
    assert run.decision == "keep"
    assert any(one.startswith(f"unreadable {CONSUMER} ") and "lost" in one for one in run.evidence)


def test_reads_that_fail_for_the_same_reason_are_one_evidence() -> None:
    refused = dict.fromkeys(("describe_launch_template_versions",), "AccessDenied")
    group = {
        "AutoScalingGroupName": "web",
        "MinSize": 0,
        "MaxSize": 1,
        "DesiredCapacity": 1,
        "DefaultCooldown": 300,
        "AvailabilityZones": ["eu-west-1a"],
        "HealthCheckType": "EC2",
        "CreatedTime": NOW,
        "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "3"},
    }
    theirs = {**refused, "describe_auto_scaling_groups": {"AutoScalingGroups": [group]}}
    run = Run(BY_ROLE, {CONSUMER: theirs}, **shared(CONSUMER))
    assert len([one for one in run.evidence if one.startswith("unreadable ")]) == 1


def test_for_a_disabled_image_the_accounts_of_its_snapshots_are_read() -> None:
    """A disabled image has no launch permissions, so none are read, and no usage report."""
    images = {"describe_images": {"Images": [{**OLD_IMAGE, "State": "disabled"}, NEW_IMAGE]}}
    instance = {"InstanceId": "i-1", "ImageId": OLD_ID, "State": {"Name": "running"}}
    uses = {"describe_instances": {"Reservations": [{"Instances": [instance]}]}}
    for theirs, decision in (({}, "deregister"), (uses, "keep")):
        run = Run(BY_ROLE, {CONSUMER: theirs}, **images, **volumes(CONSUMER, OWNER))
        assert run.decision == decision
        assert not {"describe_image_attribute", "describe_image_usage_reports"} & {*names(run)}
    assert Run(BY_ROLE, **images, **volumes(CONSUMER)).decision == "keep"


@pytest.mark.parametrize("options", [BY_ROLE, {}])
def test_an_image_that_only_its_owner_may_launch_is_like_one_that_is_not_shared(
    options: dict[str, Any],
) -> None:
    run = Run(options, **shared(OWNER), **volumes(OWNER))
    assert (run.decision, run.evidence) == ("deregister", [])
    assert "describe_image_usage_reports" not in names(run)


def test_accounts_are_not_read_where_shared_images_are_kept_in_any_case() -> None:
    run = Run({"revoke_grants": True, "consumer_role_name": "golden"}, {CONSUMER: {}}, **shared(CONSUMER))
    assert (run.evidence, run.clients.accounts[CONSUMER].calls) == ([f"shared {CONSUMER}"], [])


DEPTH = [{"OptionName": "version-depth", "OptionValues": ["10000"]}]
TYPES = [
    {"ResourceType": one, **({"ResourceTypeOptions": DEPTH} if one == "ec2:LaunchTemplate" else {})}
    for one in sorted(REPORTED)
]


def report(*earlier: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    """A finished report of an hour ago with these members, but those that are None, and earlier ones."""
    whole = {
        "ImageId": OLD_ID,
        "ReportId": "r-2",
        "State": "available",
        "CreationTime": NOW - timedelta(hours=1),
        "ResourceTypes": TYPES,
        **members,
    }
    found = {name: value for name, value in whole.items() if value is not None}
    return {"describe_image_usage_reports": {"ImageUsageReports": [*earlier, found]}}


def entries(*counts: tuple[str, int], **members: Any) -> dict[str, Any]:
    """Uses by the account, each in a report."""
    found = [
        {"ImageId": OLD_ID, "ReportId": name, "AccountId": CONSUMER, "UsageCount": count, **members}
        for name, count in counts
    ]
    shown = [{name: value for name, value in one.items() if value is not None} for one in found]
    return {"describe_image_usage_report_entries": {"ImageUsageReportEntries": shown}}


def template_types(**options: Any) -> list[dict[str, Any]]:
    others = [one for one in TYPES if one["ResourceType"] != "ec2:LaunchTemplate"]
    return [*others, {"ResourceType": "ec2:LaunchTemplate", **options}]


EARLIER = {
    "ImageId": OLD_ID,
    "ReportId": "r-1",
    "State": "available",
    "CreationTime": NOW - timedelta(days=2),
    "ResourceTypes": TYPES,
}


@pytest.mark.parametrize(
    ("answers", "detail"),
    [
        pytest.param(report(), None, id="no use"),
        pytest.param({**report(), **entries(("r-2", 0))}, None, id="zero uses"),
        pytest.param(
            {**report(), **entries(("r-2", 1), ("r-2", 2))}, "3 uses in the usage report", id="uses"
        ),
        pytest.param({**report(EARLIER), **entries(("r-1", 9))}, None, id="uses in an earlier report"),
        pytest.param(
            {
                "describe_image_usage_reports": [
                    {**report()["describe_image_usage_reports"], "NextToken": "n"},
                    {"ImageUsageReports": [EARLIER]},
                ],
                **entries(("r-2", 1)),
            },
            "1 uses in the usage report",
            id="the earlier one is on the second page",
        ),
        pytest.param({}, "There is no usage report", id="none"),
        pytest.param(report(State="pending"), "pending", id="pending"),
        pytest.param(report(AccountIds=[STRANGER]), "account", id="about another account"),
        pytest.param(report(AccountIds=[CONSUMER]), None, id="about the account"),
        pytest.param(report(ResourceTypes=None), "cover", id="about nothing"),
        # The default (botocore shape ImageUsageResourceTypeOptionRequest) is 20 versions.
        pytest.param(report(ResourceTypes=template_types()), "version", id="about the latest versions"),
        pytest.param(
            report(ResourceTypes=template_types(ResourceTypeOptions=[{}])), "version", id="about no number"
        ),
        pytest.param(
            report(ResourceTypes=template_types(ResourceTypeOptions=[{"OptionValues": []}])),
            "version",
            id="about no versions",
        ),
    ],
)
def test_the_newest_usage_report_shows_whether_a_shared_image_is_used(
    answers: dict[str, Any], detail: str | None
) -> None:
    run = Run(BY_REPORT, **shared(CONSUMER), **answers)
    assert run.decision == ("keep" if detail else "deregister")
    assert (detail or "") in "".join(run.evidence)
    assert len(run.evidence) == bool(detail)


@pytest.mark.parametrize(
    ("answers", "member"),
    [
        ({"describe_image_usage_reports": {}}, "ImageUsageReports"),
        *((report(**{one: None}), one) for one in ("ImageId", "ReportId", "State", "CreationTime")),
        (report(ResourceTypes=[{}]), "ResourceType"),
        ({**report(), "describe_image_usage_report_entries": {}}, "ImageUsageReportEntries"),
        *(
            ({**report(), **entries(("r-2", 1), **{one: None})}, one)
            for one in ("ImageId", "ReportId", "AccountId", "UsageCount")
        ),
        ({"describe_image_usage_reports": "UnauthorizedOperation"}, "UnauthorizedOperation"),
    ],
)
def test_an_incomplete_report_is_no_proof_of_disuse(answers: dict[str, Any], member: str) -> None:
    """botocore's shapes of these answers require no member."""
    run = Run(BY_REPORT, **shared(CONSUMER), **answers)
    assert run.decision == "keep"
    assert f"lacks {member}" in "".join(run.evidence) or "UnauthorizedOperation: No." in "".join(run.evidence)
    assert run.unreadable[0].startswith("DescribeImageUsageReport")


TWO = {"describe_images": {"Images": [OLD_IMAGE, described(SECOND_ID, 2018), NEW_IMAGE]}}


def gone_with(image_id: str, answer: Any) -> Any:
    """An answer that refuses requests about an image that is gone."""
    return lambda request: "InvalidAMIID.NotFound" if image_id in request["ImageIds"] else answer


@pytest.mark.parametrize(
    "answers",
    [
        {"describe_image_references": gone_with(SECOND_ID, {"ImageReferences": []}), **report()},
        {"describe_image_usage_reports": gone_with(SECOND_ID, report()["describe_image_usage_reports"])},
    ],
    ids=["references", "reports"],
)
def test_one_image_that_is_gone_makes_no_other_one_unreadable(answers: dict[str, Any]) -> None:
    """Whether AWS refuses such an ID is not documented."""
    snapshots = {
        "describe_snapshots": {"Snapshots": [{"SnapshotId": f"snap-{one}"} for one in (2018, 2019, 2020)]}
    }
    run = Run(BY_REPORT, **TWO, **snapshots, **shared(CONSUMER), **answers)
    assert (run.decision, run.of(SECOND_ID)["decision"]) == ("deregister", "keep")
    assert "unreadable" in [one["kind"] for one in run.of(SECOND_ID)["evidence"]]


def test_an_image_that_another_account_does_not_find_makes_no_other_one_unreadable() -> None:
    snapshots = {
        "describe_snapshots": {"Snapshots": [{"SnapshotId": f"snap-{one}"} for one in (2018, 2019, 2020)]}
    }
    theirs = {"describe_image_references": gone_with(SECOND_ID, {"ImageReferences": []})}
    run = Run(BY_ROLE, {CONSUMER: theirs}, **TWO, **snapshots, **shared(CONSUMER))
    assert (run.decision, run.of(SECOND_ID)["decision"]) == ("deregister", "keep")


def listed_again(answer: Any) -> Any:
    """The images, and the answer for the one that is looked for by its ID."""
    every = {"Images": [OLD_IMAGE, NEW_IMAGE]}
    return lambda request: answer if "Filters" in request else every


@pytest.mark.parametrize(
    ("again", "is_gone"),
    [
        pytest.param({"Images": []}, True, id="not listed"),
        pytest.param({"Images": [{**OLD_IMAGE, "State": "deregistered"}]}, True, id="deregistered"),
        pytest.param({"Images": [OLD_IMAGE]}, False, id="available"),
        pytest.param("RequestLimitExceeded", False, id="not readable"),
    ],
)
def test_an_image_that_was_deregistered_since_it_was_listed_stays_and_is_not_unreadable(
    again: Any, is_gone: bool
) -> None:
    answers = {"describe_image_attribute": "InvalidAMIID.Unavailable", "describe_images": listed_again(again)}
    run = Run(**answers)
    assert (run.decision, run.unreadable) == ("keep", [] if is_gone else ["DescribeImageAttribute"])
    (evidence,) = run.evidence
    assert (evidence == f"gone {OLD_ID} deregistered since it was listed") is is_gone


@pytest.mark.parametrize(
    ("answer", "decision", "unreadable"),
    [
        pytest.param({"CreateVolumePermissions": []}, "deregister", [], id="not shared"),
        pytest.param({"CreateVolumePermissions": [{"UserId": CONSUMER}]}, "wait", [], id="shared"),
        pytest.param("InvalidSnapshot.NotFound", "deregister", [], id="gone"),
        pytest.param(
            "UnauthorizedOperation",
            "wait",
            ["DescribeSnapshotAttribute"],
            id="its permissions are not readable",
        ),
    ],
)
def test_a_snapshot_that_may_be_shared_lets_its_image_wait(
    answer: Any, decision: str, unreadable: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "_PROBABLY_GONE_TIMEOUT", 0.0)
    run = Run(describe_snapshot_attribute=answer)
    assert (run.decision, run.unreadable) == (decision, unreadable)


@pytest.mark.parametrize(
    ("options", "answers", "reads"),
    [
        pytest.param({}, {}, True, id="to be deregistered"),
        pytest.param(
            {}, {"describe_image_references": {"ImageReferences": [REFERENCE]}}, False, id="it is used"
        ),
        pytest.param({}, {"describe_image_references": "UnauthorizedOperation"}, False, id="it may be used"),
        pytest.param({}, shared(CONSUMER), False, id="it is shared"),
        pytest.param({"deregister_after_days": 9}, {}, False, id="it is not due"),
        pytest.param(
            {"deregister_after_days": None, "deprecate_after_days": 0}, {}, False, id="it is only deprecated"
        ),
    ],
)
def test_snapshots_are_read_only_of_images_that_may_be_retired_now(
    options: dict[str, Any], answers: dict[str, Any], reads: bool
) -> None:
    assert ("describe_snapshot_attribute" in names(Run(options, **answers))) is reads


@pytest.mark.parametrize("method", ["describe_image_references", "describe_image_attribute"])
def test_a_bug_ends_the_reading(method: str) -> None:
    with pytest.raises(ValidationError):
        Run(**{method: KeyError("x")})
