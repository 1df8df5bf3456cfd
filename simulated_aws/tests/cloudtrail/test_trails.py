# SPDX-License-Identifier: GPL-3.0-or-later
"""Which trails an account sees, and what it can read of them.

Sources: botocore operations DescribeTrails, GetTrailStatus and GetEventSelectors, and shapes
DescribeTrailsRequest, GetTrailStatusRequest and EventSelector; what a member of an organization cannot read:
https://github.com/turbot/steampipe-plugin-aws/issues/577 and
https://github.com/cloud-custodian/cloud-custodian/pull/6394.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

MANAGEMENT, MEMBER = "100000000001", "200000000002"
HOME, AWAY = "us-east-1", "eu-west-1"
FIXTURE: dict[str, Any] = {
    "accounts": {"management": MANAGEMENT, "member": MEMBER, "outsider": "9" * 12},
    "organization": {"management_account": "management", "accounts": ["member"]},
}
ORGANIZATION = f"arn:aws:cloudtrail:{HOME}:{MANAGEMENT}:trail/organization"
EVERYWHERE = f"arn:aws:cloudtrail:{HOME}:{MEMBER}:trail/everywhere"
HERE = f"arn:aws:cloudtrail:{HOME}:{MEMBER}:trail/here"


@pytest.fixture(scope="module")
def aws() -> Iterator[SimulatedAws]:
    with SimulatedAws.start() as started:
        started.load_fixture(FIXTURE)
        for account in ("management", "member"):
            started.client("s3", account, HOME).create_bucket(Bucket=f"trails-{account}")
        make: Any = started.client("cloudtrail", "management", HOME).create_trail
        bucket = {"S3BucketName": "trails-management"}
        make(Name="organization", IsMultiRegionTrail=True, IsOrganizationTrail=True, **bucket)
        make(Name="own", IsMultiRegionTrail=True, **bucket)
        make = started.client("cloudtrail", "member", HOME).create_trail
        bucket = {"S3BucketName": "trails-member"}
        make(Name="everywhere", IsMultiRegionTrail=True, **bucket)
        make(Name="here", **bucket)
        yield started


def refused(call: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return str(error.value.response["Error"]["Code"])


@pytest.mark.parametrize(
    ("account", "region", "parameters", "arns"),
    [
        ("member", HOME, {}, {ORGANIZATION, EVERYWHERE, HERE}),
        ("member", AWAY, {}, {ORGANIZATION, EVERYWHERE}),
        ("member", HOME, {"includeShadowTrails": False}, {EVERYWHERE, HERE}),
        ("member", AWAY, {"includeShadowTrails": False}, set()),
        ("member", AWAY, {"trailNameList": ["everywhere", ORGANIZATION]}, {ORGANIZATION}),
        ("outsider", HOME, {}, set()),
    ],
)
def test_shadow_trails_are_those_of_other_regions_and_of_the_organization(
    aws: SimulatedAws, account: str, region: str, parameters: dict[str, Any], arns: set[str]
) -> None:
    found = aws.client("cloudtrail", account, region).describe_trails(**parameters)["trailList"]
    assert {one["TrailARN"] for one in found} == arns


def test_the_status_of_a_shadow_trail_needs_its_arn(aws: SimulatedAws) -> None:
    there: Any = aws.client("cloudtrail", "member", AWAY)
    for arn in (ORGANIZATION, EVERYWHERE):
        assert there.get_trail_status(Name=arn)["IsLogging"] is False
        assert refused(there.get_trail_status, Name=arn.rpartition("/")[2]) == "TrailNotFoundException"
    here: Any = aws.client("cloudtrail", "member", HOME)
    here.start_logging(Name="everywhere")
    assert here.get_trail_status(Name="everywhere")["IsLogging"]
    assert there.get_trail_status(Name=EVERYWHERE)["IsLogging"]
    assert refused(here.get_trail_status, Name="organization") == "TrailNotFoundException"
    assert refused(there.get_trail_status, Name=HERE) == "TrailNotFoundException"


def test_event_selectors_are_read_in_the_home_region_and_account(aws: SimulatedAws) -> None:
    there: Any = aws.client("cloudtrail", "member", AWAY)
    here: Any = aws.client("cloudtrail", "member", HOME)
    assert here.get_event_selectors(TrailName=EVERYWHERE)["TrailARN"] == EVERYWHERE
    assert refused(there.get_event_selectors, TrailName=EVERYWHERE) == "TrailNotFoundException"
    for client in (here, there):
        code = refused(client.get_event_selectors, TrailName=ORGANIZATION)
        assert code == "CloudTrailARNInvalidException"
    own: Any = aws.client("cloudtrail", "management", HOME)
    assert own.get_event_selectors(TrailName="organization")["EventSelectors"]


def test_a_trail_without_event_selectors_logs_all_management_events(aws: SimulatedAws) -> None:
    here: Any = aws.client("cloudtrail", "member", HOME)
    default = {
        "ReadWriteType": "All",
        "IncludeManagementEvents": True,
        "DataResources": [],
        "ExcludeManagementEventSources": [],
    }
    (trail,) = here.describe_trails(trailNameList=["here"])["trailList"]
    assert not trail["HasCustomEventSelectors"]
    assert "CloudWatchLogsLogGroupArn" not in trail
    assert here.get_event_selectors(TrailName="here")["EventSelectors"] == [default]

    advanced = [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]
    here.put_event_selectors(TrailName="here", AdvancedEventSelectors=advanced)
    found = here.get_event_selectors(TrailName="here")
    assert (found["AdvancedEventSelectors"], "EventSelectors" in found) == (advanced, False)
    (trail,) = here.describe_trails(trailNameList=["here"])["trailList"]
    assert trail["HasCustomEventSelectors"]

    basic = [{**default, "ReadWriteType": "ReadOnly"}]
    here.put_event_selectors(TrailName="here", EventSelectors=basic)
    found = here.get_event_selectors(TrailName="here")
    assert (found["EventSelectors"], "AdvancedEventSelectors" in found) == (basic, False)
