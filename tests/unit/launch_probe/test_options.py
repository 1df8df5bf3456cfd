# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading and checking the options of ``ami_launch_probe``."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._launch_probe.options import ProbeOptions

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID
from tests.unit.launch_probe.examples import HERE, REGION, SUBNET, params


@pytest.mark.parametrize(
    ("changes", "option", "says"),
    [
        ({"account_ids": []}, "account_ids", "there are no accounts"),
        ({"account_ids": [12345678901]}, "account_ids", "is a number"),
        ({"wait_timeout": 0}, "wait_timeout", "at least 1 second"),
        ({"subnet_ids": {}}, "subnet_ids", f"{REGION} in account {CONSUMER}"),
        ({"subnet_ids": {REGION: {OWNER: SUBNET}}}, "subnet_ids", f"{REGION} in account {CONSUMER}"),
        ({"subnet_ids": {REGION: "mine"}}, "subnet_ids", "'mine' is not a valid subnet ID"),
        ({"subnet_ids": {REGION: {11122223333: SUBNET, CONSUMER: SUBNET}}}, "subnet_ids", "is a number"),
        ({"security_group_ids": {REGION: ["default"]}}, "security_group_ids", "sg-0123456789abcdef0"),
        (
            {"security_group_ids": {REGION: None}},
            "security_group_ids",
            "null is not a valid security group ID",
        ),
        ({"images": {REGION: None}}, "images", "is null"),
        ({"launch_tags": {"golden.images:probe": "x"}}, "launch_tags", "begins with 'golden.images:'"),
    ],
)
def test_options_that_are_not_valid_are_refused(changes: dict[str, Any], option: str, says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ProbeOptions.read(params(**changes), False)
    assert {failure.action for failure in caught.value.failures} == {option}
    assert says in str(caught.value)


def test_a_single_security_group_may_be_a_string() -> None:
    groups = {REGION: "sg-0123456789abcdef0", "us-east-1": {CONSUMER: ["sg-01234567", "sg-76543210"]}}
    want = ProbeOptions.read(params(security_group_ids=groups), False)
    assert want.network.group_ids(HERE) == ("sg-0123456789abcdef0",)


def test_the_tags_of_launches() -> None:
    assert ProbeOptions.read(params(launch_tags={"CostCenter": 42}), False).launch_tags == {
        "CostCenter": "42"
    }
    assert ProbeOptions.read(params(), False).launch_tags == {}


def test_accounts_are_sorted_and_check_mode_only_plans() -> None:
    want = ProbeOptions.read(params(account_ids=[OWNER, CONSUMER, OWNER]), True)
    assert [target.account_id for target in want.targets()] == sorted((OWNER, CONSUMER))
    assert want.by_target.images == {(None, REGION): SOURCE_ID}
    assert (want.check_mode, want.wait_timeout, want.instance_type) == (True, 300, None)
