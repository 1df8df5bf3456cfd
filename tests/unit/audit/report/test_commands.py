# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands for findings: with the audit's allowlist, and no wider than the findings."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._audit.causes.unknown_key_principal import (
    REVOKE_OWN,
)
from ansible_collections.golden.images.plugins.module_utils._audit.report.commands import Commands
from ansible_collections.golden.images.plugins.module_utils._reports.document import Item

from tests.unit.audit.examples import EU, PUBLIC, accounts, allowing, orgs, region, rule, under_key
from tests.unit.audit.report.examples import report
from tests.unit.examples import ORG, SOURCE_ID, UNIT
from tests.unit.kms_grant.examples import KEY, A, B, made, root


def items_of(content: dict[str, Any], code: str, *principals: str) -> list[Item]:
    """The findings of a report with a code, also of these principals only."""
    found = [Item.of(one) for one in content["findings"] if one["code"] == code]
    items = [one for one in found if not principals or one.principal in principals]
    assert items
    return items


def command(content: dict[str, Any], code: str) -> list[str]:
    """The words of the command for the findings of a report with a code; none without a command."""
    return shlex.split(Commands(content).fix(items_of(content, code)))


def variables(words: list[str]) -> dict[str, Any]:
    given: dict[str, Any] = json.loads(words[-1])
    return given


def test_principals_that_are_not_allowed_lose_their_images_and_nobody_else_does() -> None:
    content = report(region(accounts(A, B)), check_keys=False)
    commands, items = Commands(content), items_of(content, "unknown_account", A)
    words = shlex.split(commands.fix(items))
    assert words[3:5] == ["golden.images.unshare_ami", "--check"]
    assert variables(words) == {
        "unshare_account_ids": [A],
        "unshare_images": {EU: [SOURCE_ID]},
        "unshare_check_keys": False,
    }
    assert "No other principal loses access." in commands.note(items)


@pytest.mark.parametrize(
    ("code", "option", "name"),
    [
        ("unknown_organization", "unshare_org_arns", ORG),
        ("unknown_organizational_unit", "unshare_org_unit_arns", UNIT),
    ],
)
def test_organizations_and_units_are_unshared(code: str, option: str, name: str) -> None:
    given = variables(command(report(region(orgs(ORG, units=[UNIT]))), code))
    assert given == {option: [name], "unshare_images": {EU: [SOURCE_ID]}}


def many_images(*principals: str) -> dict[str, Any]:
    """A report with 41 images that each of the principals can use, and is not allowed to."""
    content = report(region(accounts(A)))
    (finding,) = content["findings"]
    findings = [
        {**finding, "principal": principal, "image_id": f"ami-{number}", "resource": f"ami-{number}"}
        for number in range(41)
        for principal in principals
    ]
    return {**content, "findings": findings}


def test_all_images_are_unshared_only_if_the_principal_can_use_no_other() -> None:
    content = many_images(A, B)
    content["images"] = []
    items = items_of(content, "unknown_account", A)
    expected = {"unshare_account_ids": [A], "unshare_all_images": True, "unshare_regions": [EU]}
    assert variables(shlex.split(Commands(content).fix(items))) == expected
    # One image is of another group, or the account is allowed on one.
    other = {**content["findings"][0], "principal": A, "image_id": "ami-x", "resource": "ami-x"}
    assert Commands({**content, "findings": [*content["findings"], other]}).fix(items) == ""
    (image,) = report(region(accounts(A)), **allowing(A))["images"]
    assert Commands({**content, "images": [image]}).fix(items) == ""


def test_a_command_that_takes_more_says_what() -> None:
    content = many_images(A, B)
    # Each can use an image that the other cannot.
    items = [
        one
        for one in items_of(content, "unknown_account")
        if (one.principal, one.image_id) in {(A, "ami-1"), (B, "ami-2")}
    ]
    commands = Commands(content)
    assert variables(shlex.split(commands.fix(items)))["remediate_images"] == {EU: ["ami-1", "ami-2"]}
    assert commands.note(items).endswith(
        f"It also removes what 2 other findings with the same code are about: access of {A}, {B} to "
        f"ami-1 in {EU}, ami-2 in {EU}."
    )
    everything = [Item.of(one) for one in report(region(PUBLIC))["findings"]]
    assert "also" not in Commands(report(region(PUBLIC))).note(everything)


def test_it_selects_the_images_and_the_code_and_allows_what_the_audit_allowed() -> None:
    rules = [rule(accounts(B), "golden-*")]
    content = report(region(accounts(A)), **allowing(B, rules=rules))
    words = shlex.split(Commands(content).remediate(items_of(content, "unknown_account")))
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
    for content, number in ((report(region(many)), 12), (report(under_key(many)), 24)):
        words = shlex.split(Commands(content).remediate(items_of(content, "unknown_account")))
        assert variables(words)["remediate_max_removals"] == number


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


@pytest.mark.parametrize(
    ("state", "operations"),
    [
        ("Disabled", ["enable-key"]),
        ("PendingDeletion", ["cancel-key-deletion", "enable-key"]),
        ("PendingImport", []),
    ],
)
def test_the_command_for_a_key_that_is_not_enabled_enables_it(state: str, operations: list[str]) -> None:
    content = report(under_key(accounts(A), made(root(A)), key=replace(KEY, state=state)))
    items = items_of(content, "key_not_enabled")
    words = f"--region {EU} \\\n  --key-id {KEY.arn}"
    commands = Commands(content)
    assert commands.fix(items) == " &&\n".join(f"aws kms {operation} {words}" for operation in operations)
    assert "at once" in commands.note(items)


def test_a_command_enables_only_a_few_keys() -> None:
    content = report(under_key(accounts(A), made(root(A)), key=replace(KEY, state="Disabled")))
    (item,) = items_of(content, "key_not_enabled")
    keys = [f"{KEY.arn}{number}" for number in range(41)]
    content["kms_keys"] = [{**content["kms_keys"][0], "kms_key_arn": arn} for arn in keys]
    commands = Commands(content)
    assert commands.fix([replace(item, resource=arn) for arn in keys[:40]]).count("enable-key") == 40
    assert commands.fix([replace(item, resource=arn) for arn in keys]) == ""


@pytest.mark.parametrize(
    ("principals", "options"),
    [
        ([A, B], {"account_ids": [A, B]}),
        (
            [A, f"arn:aws:iam::{B}:role/web"],
            {"account_ids": [A], "principals": [f"arn:aws:iam::{B}:role/web"]},
        ),
        ([A, "o-a1b2c3d4e5"], {}),
    ],
)
def test_the_command_for_own_access_of_unknown_principals_revokes_it(
    principals: list[str], options: dict[str, Any]
) -> None:
    content = report(under_key(accounts(A), made(root(A))))
    item = Item(
        code="unknown_key_principal",
        severity="medium",
        message="x",
        remedy=f"Remove it.{REVOKE_OWN}",
        region=EU,
        resource=KEY.arn,
    )
    items = [replace(item, principal=principal) for principal in principals]
    words = shlex.split(Commands(content).fix(items))
    given = {"kms_key_ids": {EU: KEY.arn}, **options, "state": "absent", "revoke_in_use": True}
    assert [json.loads(word) for word in words[-1:]] == ([given] if options else [])
    several = [*items, replace(items[0], resource=f"{KEY.arn}2")]
    assert Commands(content).fix(several) == ""
    assert Commands(content).fix([replace(items[0], remedy="Remove it.")]) == ""
