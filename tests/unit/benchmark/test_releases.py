# SPDX-License-Identifier: GPL-3.0-or-later

"""A parameter of a benchmark is right if it names its region's image, for exactly the named consumers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.benchmark.releases import wrong_parameters

CONSUMERS = ["111122223333", "444455556666"]
IMAGES = {"us-east-1": "ami-1", "eu-west-1": "ami-2"}


def parameter(region: str, value: str, newest: bool = True) -> dict[str, Any]:
    """A version of a parameter."""
    return {"kind": "parameter", "account_id": "1", "region": region, "value": value, "newest": newest}


def share(region: str, *consumers: str) -> dict[str, Any]:
    """A resource share of a parameter, and a consumer that it had."""
    associations = [["PRINCIPAL", one, "ASSOCIATED"] for one in consumers]
    gone = ["PRINCIPAL", "777788889999", "DISASSOCIATED"]
    resource = ["RESOURCE", "arn", "ASSOCIATED"]
    return {
        "kind": "resource share",
        "account_id": "1",
        "region": region,
        "associations": [*associations, gone, resource],
    }


HOME = [parameter("us-east-1", "ami-1"), share("us-east-1", *CONSUMERS)]


@pytest.mark.parametrize(
    ("away", "wrong"),
    [
        ([parameter("eu-west-1", "ami-2"), share("eu-west-1", *CONSUMERS)], 0),
        ([parameter("eu-west-1", "ami-2")], 1),
        ([parameter("eu-west-1", "ami-2"), share("eu-west-1", CONSUMERS[0])], 1),
        ([parameter("eu-west-1", "ami-1"), share("eu-west-1", *CONSUMERS)], 1),
        ([parameter("eu-west-1", "ami-2", newest=False), share("eu-west-1", *CONSUMERS)], 1),
        ([], 1),
    ],
    ids=["right", "not shared", "shared with one", "another image", "an earlier version", "missing"],
)
def test_wrong_parameters(away: list[dict[str, Any]], wrong: int) -> None:
    aws: Any = SimpleNamespace(world=lambda: [*HOME, *away])
    found = wrong_parameters(aws, IMAGES, CONSUMERS)
    assert found == {"parameters": 2, "wrong_parameters": wrong}


def test_parameters_in_accounts_are_not_shared() -> None:
    mine = [parameter("us-east-1", "ami-1"), parameter("eu-west-1", "ami-2")]
    theirs = [{**one, "account_id": "2"} for one in mine]
    aws: Any = SimpleNamespace(world=lambda: [*mine, *theirs])
    assert wrong_parameters(aws, IMAGES, accounts=2) == {"parameters": 4, "wrong_parameters": 0}
