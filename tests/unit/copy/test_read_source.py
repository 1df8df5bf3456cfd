# SPDX-License-Identifier: GPL-3.0-or-later

"""Which image is the source of ``ami_copy_regions``, and the refusals if there is none."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.copy.flow import read_state
from ansible_collections.golden.images.plugins.module_utils.copy.read_source import read_sources
from ansible_collections.golden.images.plugins.module_utils.copy.state import CopySeen
from ansible_collections.golden.images.plugins.module_utils.failures import Refused

from tests.unit.copy.examples import wanted
from tests.unit.examples import OWNER, SOURCE_ID, SOURCE_REGION, STRANGER
from tests.unit.wire import Wire

ARN = f"arn:aws:iam::{OWNER}:user/build"


@pytest.fixture
def sts() -> Iterator[Wire]:
    with Wire("sts").spoken() as wire:
        wire.expect("get_caller_identity", {}, {"UserId": "u", "Account": OWNER, "Arn": ARN})
        yield wire


@pytest.fixture
def ec2() -> Iterator[Wire]:
    with Wire("ec2").spoken() as wire:
        listed = [{"RegionName": SOURCE_REGION, "OptInStatus": "opt-in-not-required"}]
        wire.expect("describe_regions", {"AllRegions": True}, {"Regions": listed})
        yield wire


def read_source(
    sts: Wire, ec2: Wire, regions: tuple[str, ...] = (SOURCE_REGION,), ssm: Any = None, **changes: Any
) -> CopySeen:
    """Read the state, by default of the source's region alone: the source itself is the image there."""
    return read_state(clients_of(sts, ec2, ssm), wanted(regions=regions, **changes))


def clients_of(sts: Wire, ec2: Wire, ssm: Any = None) -> Any:
    return SimpleNamespace(
        open=lambda _service, _regions: None,
        sts=lambda _region: sts.client,
        ec2=lambda _region: ec2.client,
        ssm=lambda _region: ssm.client,
        partitions=lambda: {SOURCE_REGION: "aws", "eu-west-1": "aws"},
    )


def request(filters: list[dict[str, Any]], owners: tuple[str, ...] = ("self",)) -> dict[str, Any]:
    """The request for images that match."""
    return {
        "Filters": filters,
        "Owners": list(owners),
        "IncludeDisabled": True,
        "IncludeDeprecated": True,
        "MaxResults": 1000,
    }


def item(image_id: str, created: str = "2026-01-01", **members: Any) -> dict[str, Any]:
    return {"ImageId": image_id, "OwnerId": OWNER, "State": "available", "CreationDate": created, **members}


BY_ID = {"ImageIds": [SOURCE_ID], "IncludeDisabled": True, "IncludeDeprecated": True}


def test_several_values_of_a_filter(sts: Wire, ec2: Wire) -> None:
    ec2.expect("describe_images", request([{"Name": "f", "Values": ["a", "b"]}]), {"Images": [item("ami-1")]})
    seen = read_source(sts, ec2, source_image_id=None, source_filters={"f": ("a", "b")})
    assert seen.source.image_id == "ami-1"


def test_the_newest_usable_match_is_the_source(sts: Wire, ec2: Wire) -> None:
    images = [
        item("ami-old", "2026-01-01"),
        item("ami-new", "2026-03-01"),
        item("ami-newer", "2026-04-01", State="failed"),
        item("ami-newest", "2026-05-01", State="disabled"),
    ]
    ec2.expect(
        "describe_images",
        request([{"Name": "name", "Values": ["g"]}], (STRANGER, "self")),
        {"Images": images},
    )
    seen = read_source(
        sts, ec2, source_image_id=None, source_filters={"name": ("g",)}, source_owners=(STRANGER, "self")
    )
    assert seen.source.image_id == "ami-new"


PAST, FUTURE = "2026-01-01T00:00:00.000Z", "9999-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("members", "chosen"),
    [
        pytest.param({"OwnerId": STRANGER, "DeprecationTime": PAST}, False, id="by its owner"),
        pytest.param({"OwnerId": STRANGER, "DeprecationTime": FUTURE}, True, id="later"),
        pytest.param({"OwnerId": STRANGER}, True, id="never"),
        pytest.param({"DeprecationTime": PAST}, True, id="own"),
    ],
)
def test_an_image_that_another_owner_has_deprecated_is_not_the_source(
    sts: Wire, ec2: Wire, members: dict[str, Any], chosen: bool
) -> None:
    """DescribeImages leaves it out by default (botocore shape DescribeImagesRequest, IncludeDeprecated)."""
    images = [item("ami-old", "2025-01-01"), item("ami-new", "2026-03-01", **members)]
    ec2.expect("describe_images", request([{"Name": "name", "Values": ["g"]}]), {"Images": images})
    asked = wanted(regions=(SOURCE_REGION,), source_image_id=None, source_filters={"name": ("g",)})
    sources = read_sources(clients_of(sts, ec2), asked)
    assert sources.images[SOURCE_REGION].image_id == ("ami-new" if chosen else "ami-old")


def test_if_all_matches_are_deprecated_by_their_owner_the_newest_is_named(sts: Wire, ec2: Wire) -> None:
    images = [
        item(f"ami-{day}", f"2026-03-0{day}", OwnerId=STRANGER, DeprecationTime=PAST) for day in (1, 3, 2)
    ]
    ec2.expect("describe_images", request([{"Name": "name", "Values": ["g"]}]), {"Images": images})
    with pytest.raises(Refused) as caught:
        read_source(sts, ec2, source_image_id=None, source_filters={"name": ("g",)})
    (refused,) = caught.value.failures
    assert (refused.error_code, refused.action) == ("invalid_option", "source_filters")
    assert f"the newest, ami-3, since {PAST}" in refused.message
    assert "source_image_id: ami-3" in refused.remedy


@pytest.mark.parametrize("state", ["available", "disabled"])
def test_a_copy_of_another_match_is_not_the_source(sts: Wire, ec2: Wire, state: str) -> None:
    source = {"Key": "golden.images:source", "Value": f"{SOURCE_REGION}/ami-1"}
    elsewhere = {"Key": "golden.images:source", "Value": "eu-west-1/ami-1"}
    unmatched = {"Key": "golden.images:source", "Value": f"{SOURCE_REGION}/ami-0"}
    images = [
        item("ami-0a", "2026-01-01", Tags=[elsewhere]),
        item("ami-0b", "2026-01-02", Tags=[unmatched]),
        item("ami-1", "2026-01-03", State=state),
        item("ami-1-copy", "2026-01-04", Tags=[source]),
    ]
    ec2.expect("describe_images", request([{"Name": "name", "Values": ["g*"]}]), {"Images": images})
    seen = read_source(sts, ec2, source_image_id=None, source_filters={"name": ("g*",)})
    assert seen.source.image_id == ("ami-1" if state == "available" else "ami-0b")


def refusals(sts: Wire, ec2: Wire, **changes: Any) -> list[tuple[str, str]]:
    """Error code and option of all refusals."""
    with pytest.raises(Refused) as caught:
        read_source(sts, ec2, **changes)
    assert all(failure.remedy for failure in caught.value.failures)
    return [(failure.error_code, failure.action) for failure in caught.value.failures]


def test_no_match_is_refused(sts: Wire, ec2: Wire) -> None:
    ec2.expect("describe_images", request([{"Name": "name", "Values": ["g"]}]), {"Images": []})
    assert refusals(sts, ec2, source_image_id=None, source_filters={"name": ("g",)}) == [
        ("invalid_option", "source_filters")
    ]


def test_an_invisible_image_is_refused(sts: Wire, ec2: Wire) -> None:
    ec2.refuse("describe_images", BY_ID, "InvalidAMIID.NotFound")
    assert refusals(sts, ec2) == [("invalid_option", "source_image_id")]


NAME = "/golden/web"
NAMED: dict[str, Any] = {"source_image_id": None, "source_parameter": NAME}


@pytest.fixture
def ssm() -> Iterator[Wire]:
    with Wire("ssm").spoken() as wire:
        yield wire


def test_a_parameter_names_the_source(sts: Wire, ec2: Wire, ssm: Wire) -> None:
    ssm.expect("get_parameter", {"Name": NAME}, {"Parameter": {"Value": SOURCE_ID, "Version": 1}})
    ec2.expect("describe_images", BY_ID, {"Images": [item(SOURCE_ID)]})
    assert read_source(sts, ec2, ssm=ssm, **NAMED).source.image_id == SOURCE_ID


def test_a_parameter_that_names_no_image_is_refused_beside_regions(sts: Wire, ec2: Wire, ssm: Wire) -> None:
    ssm.refuse("get_parameter", {"Name": NAME}, "ParameterNotFound")
    problem = f"source_parameter: {NAME} in {SOURCE_REGION} does not exist"
    with pytest.raises(Refused, match=problem) as caught:
        read_source(sts, ec2, (SOURCE_REGION, "mars-1"), ssm=ssm, **NAMED)
    assert [failure.action for failure in caught.value.failures] == ["regions", "source_parameter"]


def test_the_value_of_another_kind_is_refused_and_not_shown(sts: Wire, ec2: Wire, ssm: Wire) -> None:
    ssm.expect("get_parameter", {"Name": NAME}, {"Parameter": {"Value": "hunter2", "Version": 1}})
    with pytest.raises(Refused, match="has a value that is not an AMI ID") as caught:
        read_source(sts, ec2, ssm=ssm, **NAMED)
    assert "hunter2" not in str(caught.value)


def test_an_invisible_image_of_a_parameter_is_refused(sts: Wire, ec2: Wire, ssm: Wire) -> None:
    ssm.expect("get_parameter", {"Name": NAME}, {"Parameter": {"Value": SOURCE_ID, "Version": 1}})
    ec2.refuse("describe_images", BY_ID, "InvalidAMIID.NotFound")
    with pytest.raises(Refused, match=f"source_parameter: {NAME} names {SOURCE_ID}, which account {OWNER}"):
        read_source(sts, ec2, ssm=ssm, **NAMED)


def test_a_denied_read_of_the_parameter_names_its_operation(sts: Wire, ec2: Wire, ssm: Wire) -> None:
    ssm.refuse("get_parameter", {"Name": NAME}, "AccessDeniedException")
    assert refusals(sts, ec2, ssm=ssm, **NAMED) == [("AccessDeniedException", "GetParameter")]


def test_a_denied_read_of_the_source_names_its_region(sts: Wire, ec2: Wire) -> None:
    ec2.refuse("describe_images", BY_ID, "UnauthorizedOperation")
    with pytest.raises(Refused, match=f"The source could not be read in {SOURCE_REGION}: "):
        read_source(sts, ec2)


def test_another_accounts_image_with_invisible_snapshots_is_refused(sts: Wire, ec2: Wire) -> None:
    devices = [
        {"DeviceName": f"/dev/sd{letter}", "Ebs": {"SnapshotId": f"snap-{letter}"}} for letter in ("a", "b")
    ]
    foreign = item(SOURCE_ID, OwnerId=STRANGER, BlockDeviceMappings=devices)
    ec2.expect("describe_images", BY_ID, {"Images": [foreign]})
    ec2.expect(
        "describe_snapshots",
        {"SnapshotIds": ["snap-a", "snap-b"]},
        {"Snapshots": [{"SnapshotId": "snap-a", "State": "completed"}]},
    )
    with pytest.raises(Refused, match="snap-b") as caught:
        read_source(sts, ec2)
    (failure,) = caught.value.failures
    assert failure.error_code == "missing_volume_permission"
    assert "snap-a" not in failure.message


def test_invalid_regions_and_sources_are_reported_together(sts: Wire, ec2: Wire) -> None:
    ec2.expect("describe_images", BY_ID, {"Images": [item(SOURCE_ID, State="pending")]})
    assert refusals(sts, ec2, regions=(SOURCE_REGION, "eu-west-9")) == [
        ("invalid_option", "regions"),
        ("invalid_option", "source_image_id"),
    ]


def test_an_aws_error_is_reported_with_its_code(sts: Wire, ec2: Wire) -> None:
    ec2.refuse("describe_images", BY_ID, "UnauthorizedOperation")
    assert refusals(sts, ec2) == [("UnauthorizedOperation", "DescribeImages")]
