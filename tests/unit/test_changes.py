# SPDX-License-Identifier: GPL-3.0-or-later

"""The diff of a plan: what it says of actions, and how few lines that takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._changes import (
    ADDED,
    Change,
    changes_of,
    consumers_text,
    format_changes,
)
from ansible_collections.golden.images.plugins.module_utils._model import Target
from ansible_collections.golden.images.plugins.module_utils._plan import KNOWN_AFTER_APPLY, Action, TargetPlan

from tests.unit.examples import OWNER, STRANGER, target_in

EU, US = target_in("eu-west-1"), target_in("us-west-2")
REGIONS = [target_in(f"region-{number:02}") for number in range(20)]
ACCOUNTS = [f"{200_000_000_000 + number}" for number in range(12)]
USERS = [{"UserId": one} for one in ACCOUNTS]
KEY = "arn:aws:kms:eu-west-1:111111111111:key/1234-ab"


def text_of(plans: Iterable[TargetPlan]) -> list[str]:
    found = list(plans)
    return format_changes(changes_of(found), [one.target for one in found]).splitlines()


def one(
    operation: str,
    parameters: Mapping[str, Any],
    resource: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> list[str]:
    """The diff of one action."""
    action = Action(EU, operation, parameters, resource)
    return text_of([TargetPlan(EU, (action,), before or {}, after or {})])


def statement(*principals: str) -> dict[str, Any]:
    arns = [f"arn:aws:iam::{one}:root" for one in principals]
    return {KEY: {"policy_statements": [{"Principal": {"AWS": arns}, "Action": "kms:Decrypt"}]}}


def grant(*principals: str) -> dict[str, Any]:
    return {KEY: {"grants": [{"grantees": list(principals), "operations": ["Decrypt"]}]}}


COPY = {"Name": "golden", "SourceImageId": "ami-1", "SourceRegion": "us-west-2"}
VERSION = {"LaunchTemplateId": "lt-1", "SourceVersion": "37"}
NEW_DEFAULT = {"LaunchTemplateId": "lt-1", "DefaultVersion": KNOWN_AFTER_APPLY}


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (("CopyImage", COPY), "+ copy of ami-1 from us-west-2 as golden"),
        (("CopyImage", {**COPY, "Encrypted": True}), "+ copy of ami-1 from us-west-2 as golden, encrypted"),
        (
            ("ModifyImageAttribute", {"LaunchPermission": {"Add": USERS}}, "ami-1"),
            "+ launch permission on ami-1 for 12 accounts",
        ),
        (
            ("ModifyImageAttribute", {"LaunchPermission": {"Remove": USERS[:1]}}, "ami-1"),
            "- launch permission on ami-1 for 200000000000",
        ),
        (
            ("ModifyImageAttribute", {"LaunchPermission": {"Add": [*USERS, {"Group": "all"}]}}, "ami-1"),
            "+ launch permission on ami-1 for all AWS accounts (public)",
        ),
        (
            ("ModifySnapshotAttribute", {"CreateVolumePermission": {"Add": USERS}}, "snap-1"),
            "+ create volume permission on snap-1 for 12 accounts",
        ),
        (
            ("CreateTags", {"Resources": ["ami-1"], "Tags": [{"Key": "a", "Value": "1"}]}, "ami-1"),
            "+ tag a=1 on ami-1",
        ),
        (
            ("DeleteTags", {"Resources": ["snap-1", "snap-2"], "Tags": [{"Key": "a"}, {"Key": "b"}]}),
            "- tags a, b on snap-1, snap-2",
        ),
        (
            ("CreateGrant", {"KeyId": KEY, "GranteePrincipal": "arn:aws:iam::200000000000:root"}, KEY),
            "+ KMS grant on 1234-ab for 200000000000",
        ),
        (("DeregisterImage", {}, "ami-1"), "- deregister ami-1"),
        (("EnableImage", {}, "ami-1"), "+ enable ami-1"),
        (("RunInstances", {}), "+ launch 1 instance"),
        (("RevokeGrant", {"KeyId": KEY, "GrantId": "g-1"}, "g-1"), "- revoke g-1"),
        (
            ("PutParameter", {"Name": "/golden/web", "Value": "ami-1"}),
            "+ parameter /golden/web = ami-1",
        ),
        (
            ("PutParameter", {"Name": "/golden/web", "Value": KNOWN_AFTER_APPLY}),
            "+ parameter /golden/web = ID of the region's image",
        ),
        (
            ("LabelParameterVersion", {"Name": "/golden/web", "Labels": ["v1"]}),
            "+ label v1 on /golden/web",
        ),
        (
            ("CreateResourceShare", {"principals": ["200000000000"], "resourceArns": ["arn"]}, "/golden/web"),
            "+ share /golden/web through AWS RAM for 200000000000",
        ),
        (
            ("AssociateResourceShare", {"resourceArns": ["arn"]}, "/golden/web"),
            "+ share /golden/web through AWS RAM",
        ),
        (
            ("DisassociateResourceShare", {"principals": ["200000000000"]}, "/golden/web"),
            "- share /golden/web through AWS RAM for 200000000000",
        ),
        (("DeleteResourceShare", {}, "/golden/web"), "- delete the resource share of /golden/web"),
        (("CreateLaunchTemplateVersion", VERSION, "lt-1"), "+ version based on version 37 of lt-1"),
        (("ModifyLaunchTemplate", NEW_DEFAULT, "lt-1"), "~ default version of lt-1"),
        (
            ("ModifyLaunchTemplate", {**NEW_DEFAULT, "DefaultVersion": "2"}, "lt-1"),
            "~ default version 2 of lt-1",
        ),
        (("SomethingNew", {}, "x-1"), "~ SomethingNew x-1"),
    ],
)
def test_an_action_in_words(action: tuple[Any, ...], expected: str) -> None:
    assert one(*action) == [f"eu-west-1: {expected}"]


def test_a_new_parameter_has_its_tags() -> None:
    tags = [{"Key": "team", "Value": "web"}]
    assert one("PutParameter", {"Name": "/a", "Value": "ami-1", "Tags": tags}) == [
        "eu-west-1: + parameter /a = ami-1",
        "eu-west-1: + tag team=web on /a",
    ]


def test_a_parameter_that_exists_is_replaced() -> None:
    (line,) = one("PutParameter", {"Name": "/a", "Value": "ami-1"}, before={"parameter": {"name": "/a"}})
    assert line == "eu-west-1: ~ parameter /a = ami-1"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (statement(), statement(ACCOUNTS[0]), [f"+ key policy on 1234-ab for {ACCOUNTS[0]}"]),
        (statement(*ACCOUNTS), statement(), ["- key policy on 1234-ab for 12 accounts"]),
        (
            statement(OWNER),
            statement(STRANGER),
            [f"+ key policy on 1234-ab for {STRANGER}", f"- key policy on 1234-ab for {OWNER}"],
        ),
        (statement(OWNER), statement(OWNER), ["~ key policy of 1234-ab"]),
        ({}, {}, ["~ key policy of 1234-ab"]),
    ],
)
def test_a_key_policy_shows_who_gets_and_loses_access(
    before: dict[str, Any], after: dict[str, Any], expected: list[str]
) -> None:
    lines = one("PutKeyPolicy", {"KeyId": KEY, "Policy": "{}"}, KEY, before, after)
    assert lines == [f"eu-west-1: {line}" for line in expected]


def test_an_image_that_is_disabled_shows_who_loses_it() -> None:
    launch = {"account_ids": ["200000000000"], "org_arns": ["arn:org"], "org_unit_arns": [], "public": False}
    before = {"images": {"ami-1": {"launch_permissions": launch}}}
    lines = one("DisableImage", {}, "ami-1", before)
    assert lines == [
        "eu-west-1: - disable ami-1",
        "eu-west-1: - launch permission on ami-1 for 200000000000, arn:org",
    ]
    before["images"]["ami-1"]["launch_permissions"] = {"public": True}
    assert one("DisableImage", {}, "ami-1", before)[1].endswith("for all AWS accounts (public)")
    for shown in ({}, {"images": {}}, {"images": {"ami-1": {"state": "available"}}}):
        assert one("DisableImage", {}, "ami-1", shown) == ["eu-west-1: - disable ami-1"]


def test_revoked_grants_show_who_loses_access() -> None:
    revokes = tuple(
        Action(EU, "RevokeGrant", {"KeyId": KEY, "GrantId": name}, name) for name in ("g-1", "g-2")
    )
    plan = TargetPlan(EU, revokes, grant(OWNER, STRANGER, ACCOUNTS[0]), grant(ACCOUNTS[0]))
    assert text_of([plan]) == [f"eu-west-1: - KMS grant on 1234-ab for {OWNER}, {STRANGER}"]


def distribution(region: Target, users: list[dict[str, str]]) -> TargetPlan:
    """A copy with two snapshots, shared in batches."""
    name = region.region
    snapshots = [f"snap-{name}-{number}" for number in (1, 2)]
    permission = {"CreateVolumePermission": {"Add": users}}
    batches = (users[:5], users[5:])
    return TargetPlan(
        region,
        (
            Action(region, "CopyImage", {**COPY, "Name": f"golden-{name}"}),
            *(Action(region, "ModifySnapshotAttribute", permission, one) for one in snapshots),
            *(
                Action(region, "ModifyImageAttribute", {"LaunchPermission": {"Add": batch}}, f"ami-{name}")
                for batch in batches
                if batch
            ),
        ),
    )


def test_what_is_the_same_in_all_regions_is_one_line() -> None:
    assert text_of(distribution(region, USERS) for region in REGIONS) == [
        "20 regions, such as region-00: + copy of ami-1 from us-west-2 as",
        "    golden-region-00",
        "20 regions: + create volume permission on 2 snapshots for 12 accounts",
        "20 regions: + launch permission for 12 accounts",
    ]


def test_exceptions_are_named() -> None:
    plans = [distribution(region, USERS) for region in REGIONS[1:]]
    lines = text_of([*plans, distribution(REGIONS[0], USERS[:1])])
    assert "19 regions (not region-00): + launch permission for 12 accounts" in lines
    assert f"region-00: + launch permission on ami-region-00 for {ACCOUNTS[0]}" in lines


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (REGIONS[:3], "region-00, region-01, region-02: + x"),
        (REGIONS[:5], "5 regions (region-00, region-01, region-02 and 2 more): + x"),
        (REGIONS[:18], "18 regions (not region-18, region-19): + x"),
        (REGIONS, "20 regions: + x"),
        ([], "+ x"),
    ],
)
def test_the_place_of_a_change(found: list[Target], expected: str) -> None:
    changes = [Change(target, ADDED, "x") for target in found] or [Change(None, ADDED, "x")]
    assert format_changes(changes, REGIONS) == expected + "\n"


def test_several_accounts_are_counted() -> None:
    targets = [Target(account, region) for account in ACCOUNTS for region in ("eu-west-1", "us-west-2")]
    changes = [Change(target, ADDED, "x") for target in targets]
    assert format_changes(changes, targets) == "12 accounts in 2 regions: + x\n"
    assert format_changes(changes[:1], targets) == f"{ACCOUNTS[0]} eu-west-1: + x\n"


def test_a_name_with_the_account_and_the_region_is_that_of_the_first_one() -> None:
    targets = [Target(account, region) for account in ACCOUNTS for region in ("eu-west-1", "us-west-2")]
    changes = [Change(target, ADDED, f"copy as {target.account_id}/{target.region}") for target in targets]
    assert format_changes(changes, targets).split("\n")[0] == (
        f"12 accounts in 2 regions, such as {ACCOUNTS[0]} eu-west-1: + copy as"
    )
    assert len(format_changes(changes, targets).splitlines()) == 2


def test_lines_are_as_wide_as_a_terminal_and_do_not_control_it() -> None:
    tags = [{"Key": f"key{number}" * 30, "Value": "v\x9b2J" * 60} for number in range(9)]
    lines = one("CreateTags", {"Resources": ["ami-1"], "Tags": tags}, "ami-1")
    assert max(map(len, lines)) <= 80
    assert "\x9b" not in "".join(lines)
    assert lines[0].startswith("eu-west-1: + tags key0")
    assert "and 6 more on ami-1" in " ".join(" ".join(lines).split())


def test_long_diffs_end_with_the_number_of_the_rest() -> None:
    lines = format_changes(
        [Change(EU, ADDED, f"change {number}") for number in range(300)], [EU]
    ).splitlines()
    assert len(lines) == 201
    assert lines[-1] == "100 more changes"


def test_nothing_is_no_line() -> None:
    assert format_changes([], [EU]) == ""


@pytest.mark.parametrize(
    ("consumers", "expected"),
    [
        ([OWNER], OWNER),
        (["arn:aws:iam::1:role/a"], "arn:aws:iam::1:role/a"),
        (ACCOUNTS, "12 accounts"),
        ([*ACCOUNTS, "arn:aws:organizations::1:o"], "12 accounts and 1 principal"),
        (ACCOUNTS[:10], ", ".join(ACCOUNTS[:10])),
        ([f"arn:aws:iam::{number}:role/a" for number in range(11)], "11 principals"),
    ],
)
def test_consumers_are_named_or_counted(consumers: list[str], expected: str) -> None:
    assert consumers_text(consumers) == expected
