# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands for findings: with the audit's allowlist, and no wider than the findings."""

from __future__ import annotations

import json
import shlex
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._audit.report.commands import Commands
from ansible_collections.golden.images.plugins.module_utils._reports.document import Item

from tests.unit.audit.examples import EU, PUBLIC, accounts, allowing, orgs, region, rule, under_key
from tests.unit.audit.report.examples import report
from tests.unit.examples import ORG, SOURCE_ID, UNIT
from tests.unit.kms_grant.examples import KEY, A, B, made, root


def command(content: dict[str, Any], code: str) -> list[str]:
    """The words of the command for the findings of a report with a code; none without a command."""
    items = [Item.of(finding) for finding in content["findings"] if finding["code"] == code]
    assert items
    return shlex.split(Commands(content).fix(items))


def variables(words: list[str]) -> dict[str, Any]:
    given: dict[str, Any] = json.loads(words[-1])
    return given


def test_it_selects_the_images_and_the_code_and_allows_what_the_audit_allowed() -> None:
    rules = [rule(accounts(B), "golden-*")]
    words = command(report(region(accounts(A)), **allowing(B, rules=rules)), "unknown_account")
    assert words[:5] == [
        *("ansible-playbook", "-i", "localhost,", "golden.images.remediate_ami_sharing", "--check")
    ]
    assert variables(words) == {
        "remediate_finding_codes": ["unknown_account"],
        "remediate_images": {EU: [SOURCE_ID]},
        "remediate_allowed_account_ids": [B],
        "remediate_rules": rules,
    }


def test_that_nobody_is_allowed_has_to_be_said() -> None:
    assert variables(command(report(region(PUBLIC)), "public")) == {
        "remediate_finding_codes": ["public"],
        "remediate_images": {EU: [SOURCE_ID]},
        "remediate_allow_empty_allowlist": True,
    }


def test_more_removals_than_the_default_are_allowed_by_their_number() -> None:
    many = accounts(*(f"{number:012}" for number in range(12)))
    given = variables(command(report(region(many)), "unknown_account"))
    assert given["remediate_max_removals"] == 12
    with_key = variables(command(report(under_key(many)), "unknown_account"))
    assert with_key["remediate_max_removals"] == 24


def test_keys_that_were_not_read_are_not_read_again() -> None:
    content = report(region(PUBLIC), check_keys=False)
    assert variables(command(content, "public"))["remediate_check_keys"] is False


def test_an_unused_grant_is_selected_by_the_image_under_its_key() -> None:
    content = report(under_key(accounts(), made(root(A))))
    assert variables(command(content, "grant_without_share")) == {
        "remediate_finding_codes": ["grant_without_share"],
        "remediate_images": {EU: [SOURCE_ID]},
        "remediate_allow_empty_allowlist": True,
    }


def test_many_images_are_selected_by_their_regions() -> None:
    content = report(region(PUBLIC))
    (finding,) = content["findings"]
    many = [{**finding, "image_id": f"ami-{number}", "resource": f"ami-{number}"} for number in range(41)]
    given = variables(command({**content, "findings": many}, "public"))
    assert "remediate_images" not in given
    assert (given["remediate_regions"], given["remediate_max_removals"]) == ([EU], 41)


def test_accounts_that_lack_a_key_get_a_grant() -> None:
    content = report(
        under_key(accounts(A, B) | orgs(ORG, units=[UNIT])),
        **allowing(accounts(A, B), orgs(ORG, units=[UNIT])),
    )
    words = command(content, "missing_key_access")
    assert words[:5] == ["ansible", "localhost", "--check", "-m", "golden.images.ami_kms_grant"]
    assert variables(words) == {
        "kms_key_ids": {EU: KEY.arn},
        "account_ids": sorted([A, B]),
        "org_arns": [ORG],
        "org_unit_arns": [UNIT],
    }


def test_who_is_not_allowed_gets_no_grant() -> None:
    assert command(report(under_key(accounts(A, B)), **allowing(B)), "missing_key_access") == []


def test_a_finding_that_no_command_fixes_has_none() -> None:
    content = report(region(PUBLIC))
    finding = {**content["findings"][0], "code": "default_key"}
    assert Commands(content).fix([Item.of(finding)]) == ""
