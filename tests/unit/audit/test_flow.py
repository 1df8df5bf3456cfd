# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_share_audit``, and the result for regions that it may not read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError

from tests.unit.audit.account import EU, Account, item, run, unreadable
from tests.unit.audit.examples import IMAGE, PUBLIC, accounts, audit_of, codes, region, rule
from tests.unit.examples import CONSUMER, ORG, OWNER


def test_a_region_is_read_once() -> None:
    aws = Account(item())
    found = run(aws, regions=[EU, EU])
    assert [one["region"] for one in found.results] == [EU]
    assert set(aws.asked.values()) == {1}


def test_a_region_is_read_if_none_is_named() -> None:
    assert list(run(Account(item()), regions=[]).result["regions"]) == [EU]


@pytest.mark.parametrize(("value", "tag"), [("all", "all"), (7, "7"), (None, "")])
def test_values_of_tags_are_texts(value: Any, tag: str) -> None:
    seen = region(accounts(CONSUMER), image=replace(IMAGE, tags={"audience": tag}))
    for given, expected in ((value, 0), ("other", 1)):
        found = audit_of(seen, rules=[rule(accounts(CONSUMER) | PUBLIC, tags={"audience": given})])
        assert len(codes(found)) == expected


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        pytest.param({"allowed_account_ids": [12345678901]}, ["allowed_account_ids"], id="a number"),
        pytest.param({"allowed_org_arns": ["o-a1b2c3d4e5"]}, ["allowed_org_arns"], id="not a full ARN"),
        pytest.param({"allowed_org_unit_arns": [ORG]}, ["allowed_org_unit_arns"], id="not a unit"),
        pytest.param(
            {"rules": [{"account_ids": [CONSUMER]}]},
            ["rules[0].name_pattern"],
            id="a rule without conditions",
        ),
        pytest.param(
            {
                "rules": [
                    {"name_pattern": "a"},
                    {"name_pattern": " ", "account_ids": ["1"], "org_arns": [1.1]},
                ]
            },
            ["rules", "rules"],
            id="two unreadable values in a rule",
        ),
        pytest.param(
            {"rules": [{"name_pattern": "a"}, {"name_pattern": " ", "org_arns": ["x"]}]},
            ["rules[1].name_pattern", "rules[1].org_arns"],
            id="two invalid values in a rule",
        ),
    ],
)
def test_invalid_options_are_refused(changes: dict[str, Any], options: list[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        _ = run(Account(), **changes).wanted
    assert sorted(item.action for item in refused.value.failures) == options
    assert all(item.message.startswith(item.action) for item in refused.value.failures)


def test_a_report_has_the_rules_as_they_are_set() -> None:
    rules = [
        {"name_pattern": "web-*", "account_ids": [CONSUMER, OWNER], "org_arns": [ORG]},
        {"tags": {"audience": "all"}, "public": True},
    ]
    assert run(Account(), rules=rules).wanted.policy()["rules"] == rules


def test_the_result() -> None:
    found = run(Account(item()), fail_on="high")
    assert [one.error_code for one in found.plan.failures] == ["unknown_account"]
    assert codes(found.result) == [("unknown_account", item()["ImageId"], CONSUMER)]
    told = found.result
    assert (told["account_id"], told["check_keys"], told["check_snapshots"]) == (OWNER, True, True)
    assert (told["unused_snapshots"], told["kms_keys"]) == ([], [])


def test_a_region_that_cannot_be_read_fails_the_task() -> None:
    found = run(Account(refused={"describe_images": "UnauthorizedOperation"}))
    assert [(one.region, one.error_code) for one in found.plan.failures] == [(EU, "UnauthorizedOperation")]
    assert unreadable(found) == [("region_unreadable", EU, None)]


def test_an_unknown_region_is_refused() -> None:
    with pytest.raises(ValidationError, match="no region 'eu-west-9'"):
        _ = run(Account(), regions=["eu-west-9"]).seen
