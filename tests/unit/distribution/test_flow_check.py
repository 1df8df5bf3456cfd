# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a distribution's later steps, checked before its first."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.module_utils.distribution.flow_check import wanted_from
from plugins.module_utils.failures import Refused

GIVEN: dict[str, Any] = {
    "account_ids": ["012345678901"],
    "org_arns": [],
    "org_unit_arns": [],
    "shared_tags": None,
    "share_snapshots": True,
    "purge_launch_permissions": False,
    "principals": [],
    "access_method": "auto",
    "auto_scaling": False,
    "consumer_role_name": None,
    "external_id": None,
    "purge_grants": False,
    "parameter": None,
    "launch_templates": [],
    "copy_into_accounts": False,
    "verify_level": "none",
    "instance_type": None,
    "subnet_ids": {},
    "security_group_ids": {},
    "regions": ["eu-west-1", "us-east-1"],
}


def refused(**params: Any) -> list[str]:
    with pytest.raises(Refused) as caught:
        wanted_from({**GIVEN, **params}, False)
    return [failure.action or "" for failure in caught.value.failures]


def test_options_that_every_step_takes_are_accepted():
    wanted_from(GIVEN, False)


def test_options_of_every_step_are_accepted():
    subnets = {"eu-west-1": "subnet-0123456789abcdef0", "us-east-1": "subnet-0fedcba9876543210"}
    wanted_from(
        {**GIVEN, "parameter": "/golden/web", "launch_templates": ["web"], "verify_level": "launched"}
        | {"subnet_ids": subnets},
        False,
    )


def test_a_dry_run_needs_no_subnet():
    wanted_from({**GIVEN, "verify_level": "authorized"}, False)


def test_nobody_has_to_be_named():
    wanted_from({**GIVEN, "account_ids": []}, False)


@pytest.mark.parametrize(
    ("params", "options"),
    [
        ({"shared_tags": {"aws:mine": "1"}}, ["shared_tags"]),
        ({"principals": ["deploy"]}, ["principals"]),
        ({"auto_scaling": True}, ["auto_scaling"]),
        (
            {
                "access_method": "grant",
                "org_arns": ["arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5"],
            },
            ["access_method"],
        ),
        ({"parameter": "//web"}, ["parameter"]),
        ({"launch_templates": ["web"]}, ["launch_templates"]),
        ({"verify_level": "visible", "account_ids": []}, ["account_ids"]),
        ({"copy_into_accounts": True}, ["consumer_role_name"]),
        ({"copy_into_accounts": True, "account_ids": [], "consumer_role_name": "golden"}, ["account_ids"]),
        (
            {"verify_level": "launched", "subnet_ids": {"eu-west-1": "subnet-0123456789abcdef0"}},
            ["subnet_ids"],
        ),
        ({"shared_tags": {"aws:mine": "1"}, "principals": ["deploy"]}, ["shared_tags", "principals"]),
    ],
)
def test_each_step_refuses_its_own(params: dict[str, Any], options: list[str]):
    assert refused(**params) == options


def test_what_two_steps_refuse_is_said_once():
    assert refused(account_ids=[123456789012]) == ["account_ids"]


def test_a_purge_with_nobody_named_is_refused():
    assert "purge_launch_permissions" in refused(
        account_ids=[], purge_launch_permissions=True, purge_grants=True
    )
