# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls by resource: within one, their order counts; how often a waiter asks does not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.record.calls import by_resource, resource_of, with_lists


def call(action: str, error: str = "", **parameters: Any) -> SimpleNamespace:
    """A recorded call in us-east-1."""
    return SimpleNamespace(
        account_id="111111111111",
        region="us-east-1",
        service="ec2",
        action=action,
        parameters=parameters,
        error_code=error,
        status=400 if error else 200,
        changes=not action.startswith("Describe"),
    )


def actions(*calls: SimpleNamespace) -> list[list[str]]:
    """The actions on each resource."""
    return [[one["action"] for one in placed] for placed in by_resource(calls).values()]


def test_calls_to_different_resources_come_in_any_order() -> None:
    one, two = call("ModifyImageAttribute", ImageId="a"), call("ModifyImageAttribute", ImageId="b")
    assert by_resource([one, two]) == by_resource([two, one])
    assert [*by_resource([one, two])] == ["111111111111 us-east-1 ec2 a", "111111111111 us-east-1 ec2 b"]


def test_calls_to_one_resource_keep_their_order() -> None:
    read, change = call("DescribeImages", **{"ImageId.1": "a"}), call("DeregisterImage", ImageId="a")
    assert actions(read, change) == [["DescribeImages", "DeregisterImage"]]
    assert actions(change, read) == [["DeregisterImage", "DescribeImages"]]


def test_a_read_that_is_repeated_counts_once_and_a_change_each_time() -> None:
    read, change = call("DescribeImages", **{"ImageId.1": "a"}), call("CreateTags", **{"ResourceId.1": "a"})
    assert actions(read, read, change, change, read, read) == [
        ["DescribeImages", "CreateTags", "CreateTags", "DescribeImages"]
    ]


def test_a_change_that_is_refused_repeatedly_counts_once() -> None:
    refused = call("CopyImage", "RequestLimitExceeded", SourceImageId="a")
    assert actions(refused, refused, call("CopyImage", SourceImageId="a")) == [["CopyImage", "CopyImage"]]


def test_a_call_without_an_answer_is_left_out() -> None:
    lost = call("CopyImage", SourceImageId="a")
    lost.status = None
    assert actions(lost, call("CopyImage", SourceImageId="a")) == [["CopyImage"]]


def test_calls_without_a_resource_have_no_order_and_count_once() -> None:
    one, two = call("DescribeImages", Owner="self"), call("DescribeRegions")
    assert by_resource([one, two, one]) == by_resource([two, one])


@pytest.mark.parametrize(
    ("parameters", "resource"),
    [
        ({"ImageId": ["b", "a"]}, "a, b"),
        ({"Name": "copy", "SourceImageId": "a"}, "a"),
        ({"Names": ["/b", "/a"]}, "/a, /b"),
        ({"LaunchPermission.Add.1.UserId": "1", "Filter.1.Name": "state"}, ""),
    ],
)
def test_the_resource_is_what_the_first_known_parameter_names(
    parameters: dict[str, Any], resource: str
) -> None:
    assert resource_of(parameters) == resource


def test_items_of_a_list_are_a_sorted_list() -> None:
    given = {
        "ImageId.1": "b",
        "ImageId.2": "a",
        "Filter.1.Name": "n",
        "Filter.1.Value": ["v"],
        "DryRun": "true",
    }
    assert with_lists(given) == {
        "DryRun": "true",
        "Filter.1.Name": "n",
        "Filter.1.Value": ["v"],
        "ImageId": ["a", "b"],
    }
