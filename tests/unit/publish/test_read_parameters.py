# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of Parameter Store, and what becomes of its answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.publish import read_parameters as parameters
from botocore.exceptions import ClientError

from tests.unit.wire import Wire

NAME = "/golden/web"


@pytest.fixture
def ssm() -> Iterator[Wire]:
    with Wire("ssm").spoken() as wire:
        yield wire


def listed(number: int, **changes: Any) -> dict[str, Any]:
    """A version as AWS lists it."""
    return {
        "Name": NAME,
        "Type": "String",
        "Value": f"ami-{number}",
        "Version": number,
        "DataType": "aws:ec2:image",
        "LastModifiedDate": datetime(2026, 11, 24, tzinfo=UTC),
        **changes,
    }


def test_all_versions_in_the_order_of_their_numbers(ssm: Wire) -> None:
    first = {"Name": NAME, "MaxResults": 50}
    ssm.expect(
        "get_parameter_history",
        first,
        {"Parameters": [listed(2, Labels=["source-ami-2"], Tier="Advanced")], "NextToken": "more"},
    )
    ssm.expect("get_parameter_history", {**first, "NextToken": "more"}, {"Parameters": [listed(1)]})
    found = parameters.parameter(ssm.client, NAME)
    assert found is not None
    assert [(one.version, one.value, one.tier, one.labels) for one in found.versions] == [
        (1, "ami-1", "Standard", frozenset()),
        (2, "ami-2", "Advanced", frozenset({"source-ami-2"})),
    ]
    assert found.holds_image
    assert found.labelled("source-ami-2") == found.latest
    assert found.labelled("source-ami-1") is None


@pytest.mark.parametrize(
    "changes", [{"DataType": "text"}, {"Type": "StringList"}, {"Type": "SecureString", "DataType": "text"}]
)
def test_other_kinds(ssm: Wire, changes: dict[str, str]) -> None:
    ssm.expect(
        "get_parameter_history", {"Name": NAME, "MaxResults": 50}, {"Parameters": [listed(1, **changes)]}
    )
    found = parameters.parameter(ssm.client, NAME)
    assert found is not None
    assert not found.holds_image


def test_none_of_that_name(ssm: Wire) -> None:
    ssm.refuse("get_parameter_history", {"Name": NAME, "MaxResults": 50}, "ParameterNotFound")
    assert parameters.parameter(ssm.client, NAME) is None
    ssm.refuse("get_parameter", {"Name": NAME}, "ParameterNotFound")
    assert parameters.current(ssm.client, NAME) is None


def test_other_refusals_are_no_absence(ssm: Wire) -> None:
    ssm.refuse("get_parameter_history", {"Name": NAME, "MaxResults": 50}, "AccessDeniedException")
    with pytest.raises(ClientError):
        parameters.parameter(ssm.client, NAME)
    ssm.refuse("get_parameter", {"Name": NAME}, "AccessDeniedException")
    with pytest.raises(ClientError):
        parameters.current(ssm.client, NAME)


def test_what_it_is_now_and_its_tags(ssm: Wire) -> None:
    ssm.expect("get_parameter", {"Name": NAME}, {"Parameter": listed(7)})
    assert parameters.current(ssm.client, NAME) == (7, "ami-7")
    request = {"ResourceType": "Parameter", "ResourceId": NAME}
    ssm.expect("list_tags_for_resource", request, {"TagList": [{"Key": "a", "Value": "b"}]})
    assert parameters.tags(ssm.client, NAME) == {"a": "b"}
