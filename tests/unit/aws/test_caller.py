# SPDX-License-Identifier: GPL-3.0-or-later

"""The account of the credentials, its regions, and the region of these calls."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws.caller import (
    identify,
    identify_with_regions,
    preferred_region,
)
from ansible_collections.golden.images.plugins.module_utils.aws.read import Caller
from ansible_collections.golden.images.plugins.module_utils.failures import Refused

from tests.unit.wire import Wire

HOME = "eu-west-1"
OWNER = "111122223333"
IDENTITY = {"UserId": "u", "Account": OWNER, "Arn": f"arn:aws-cn:iam::{OWNER}:user/build"}


def clients(sts: Wire, ec2: Wire | None = None) -> SimpleNamespace:
    return SimpleNamespace(
        default_region=HOME,
        open=lambda _service, _regions: None,
        sts=lambda _region: sts.client,
        ec2=lambda _region: ec2.client if ec2 else None,
    )


@pytest.mark.parametrize(
    ("regions", "expected"),
    [
        ([HOME], HOME),
        (["ap-east-1", HOME], HOME),
        (["cn-north-1", "cn-northwest-1"], "cn-north-1"),
    ],
)
def test_the_default_region_is_preferred_if_the_task_includes_it(regions: list[str], expected: str) -> None:
    clients = SimpleNamespace(default_region=HOME)
    assert preferred_region(clients, regions) == expected  # type: ignore[arg-type]


def test_the_account_and_its_regions(sts: Wire, ec2: Wire) -> None:
    sts.expect("get_caller_identity", {}, IDENTITY)
    ec2.expect(
        "describe_regions",
        {"AllRegions": True},
        {"Regions": [{"RegionName": HOME, "OptInStatus": "opt-in-not-required"}]},
    )
    caller, regions = identify_with_regions(clients(sts, ec2))  # type: ignore[arg-type]
    assert caller == Caller(OWNER, "aws-cn")
    assert regions == {HOME: "opt-in-not-required"}


def test_credentials_that_are_not_valid_are_refused(sts: Wire) -> None:
    sts.refuse("get_caller_identity", {}, "InvalidClientTokenId")
    with pytest.raises(Refused) as caught:
        identify(clients(sts), HOME)  # type: ignore[arg-type]
    assert [(one.error_code, one.action) for one in caught.value.failures] == [
        ("InvalidClientTokenId", "GetCallerIdentity")
    ]


def test_a_denied_list_of_regions_is_refused(sts: Wire, ec2: Wire) -> None:
    sts.expect("get_caller_identity", {}, IDENTITY)
    ec2.refuse("describe_regions", {"AllRegions": True}, "UnauthorizedOperation")
    with pytest.raises(Refused) as caught:
        identify_with_regions(clients(sts, ec2))  # type: ignore[arg-type]
    assert [(one.error_code, one.action, one.region) for one in caught.value.failures] == [
        ("UnauthorizedOperation", "DescribeRegions", HOME)
    ]
