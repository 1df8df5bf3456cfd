# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading parameters, their versions and their tags."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws.errors import IncompleteAnswer
from ansible_collections.golden.images.plugins.module_utils.publish import read_parameters as parameters
from botocore.exceptions import ClientError

from tests.unit.publish.account import (
    NAME,
)
from tests.unit.publish.examples import (
    listed,
)
from tests.unit.wire import Wire


@pytest.fixture
def ssm() -> Iterator[Wire]:
    with Wire("ssm").spoken() as wire:
        yield wire


def test_versions_are_sorted_by_number(ssm: Wire) -> None:
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
    assert found.labeled("source-ami-2") == found.latest
    assert found.labeled("source-ami-1") is None


@pytest.mark.parametrize(
    "changes", [{"DataType": "text"}, {"Type": "StringList"}, {"Type": "SecureString", "DataType": "text"}]
)
def test_other_types_hold_no_image(ssm: Wire, changes: dict[str, str]) -> None:
    ssm.expect(
        "get_parameter_history", {"Name": NAME, "MaxResults": 50}, {"Parameters": [listed(1, **changes)]}
    )
    found = parameters.parameter(ssm.client, NAME)
    assert found is not None
    assert not found.holds_image


def test_a_parameter_that_does_not_exist(ssm: Wire) -> None:
    ssm.refuse("get_parameter_history", {"Name": NAME, "MaxResults": 50}, "ParameterNotFound")
    assert parameters.parameter(ssm.client, NAME) is None


def test_other_errors_are_raised(ssm: Wire) -> None:
    ssm.refuse("get_parameter_history", {"Name": NAME, "MaxResults": 50}, "AccessDeniedException")
    with pytest.raises(ClientError):
        parameters.parameter(ssm.client, NAME)


def test_the_tags(ssm: Wire) -> None:
    request = {"ResourceType": "Parameter", "ResourceId": NAME}
    ssm.expect("list_tags_for_resource", request, {"TagList": [{"Key": "a", "Value": "b"}]})
    assert parameters.tags(ssm.client, NAME) == {"a": "b"}


@pytest.mark.parametrize("member", ["Version", "Value", "Type"])
def test_a_version_that_is_not_complete_is_a_failed_read(ssm: Wire, member: str) -> None:
    """botocore shape ParameterHistory requires no member."""
    item = {name: value for name, value in listed(1).items() if name != member}
    ssm.expect("get_parameter_history", {"Name": NAME, "MaxResults": 50}, {"Parameters": [item]})
    with pytest.raises(IncompleteAnswer, match=f"GetParameterHistory lacks {member}"):
        parameters.parameter(ssm.client, NAME)


def test_an_empty_answer_is_no_missing_parameter(ssm: Wire) -> None:
    ssm.expect("get_parameter_history", {"Name": NAME, "MaxResults": 50}, {})
    with pytest.raises(IncompleteAnswer, match="lacks Parameters"):
        parameters.parameter(ssm.client, NAME)
    ssm.expect("list_tags_for_resource", {"ResourceType": "Parameter", "ResourceId": NAME}, {})
    with pytest.raises(IncompleteAnswer, match="lacks TagList"):
        parameters.tags(ssm.client, NAME)
