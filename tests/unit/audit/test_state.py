# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of the allowlist, and the keys of an image."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.audit.state import Problem, RegionSeen
from ansible_collections.golden.images.plugins.module_utils.model import PublicAccessBlock, Sharing

from tests.unit.audit.examples import (
    ENCRYPTED,
    EU,
    IMAGE,
    PUBLIC,
    US,
    accounts,
    allowing,
    audit_of,
    codes,
    orgs,
    refused,
    region,
    rule,
    under_key,
)
from tests.unit.examples import ORG, volumes
from tests.unit.kms_grant.examples import KEY, A, B


@pytest.mark.parametrize(
    ("image", "which", "fits"),
    [
        pytest.param({"name": "edge-1"}, {"name_pattern": "edge-*"}, True, id="a name"),
        pytest.param({"name": "Edge-1"}, {"name_pattern": "edge-*"}, False, id="another case"),
        pytest.param({"name": "my-edge-1"}, {"name_pattern": "edge-*"}, False, id="only a part"),
        pytest.param({"tags": {"for": "all", "x": "y"}}, {"tags": {"for": "all"}}, True, id="a tag"),
        pytest.param({"tags": {"for": "some"}}, {"tags": {"for": "all"}}, False, id="another value"),
        pytest.param(
            {"name": "edge-1"}, {"name_pattern": "edge-*", "tags": {"a": "b"}}, False, id="one of both"
        ),
    ],
)
def test_rules_add_to_what_is_allowed(image: dict[str, Any], which: dict[str, Any], fits: bool) -> None:
    seen = region(accounts(A, B) | PUBLIC, PUBLIC, replace(IMAGE, **image))
    wanted = allowing(A, rules=[rule(accounts(B) | PUBLIC, **which)])
    expected = ["public", "unknown_account", "snapshot_public"]
    assert [item[0] for item in codes(audit_of(seen, **wanted))] == ([] if fits else expected)


def test_an_image_is_allowed_for_all_rules_that_fit_it() -> None:
    rules = [rule(accounts(B), IMAGE.name), rule(orgs(ORG), "*"), rule(PUBLIC, "another-*")]
    seen = [
        region(accounts(A, B) | orgs(ORG) | PUBLIC, image=replace(IMAGE, name=name))
        for name in (IMAGE.name, "another-1")
    ]
    found = audit_of(*seen, **allowing(A, rules=rules))["findings"]
    assert [
        (one["region"], one["code"]) for one in found if one["code"].startswith(("public", "unknown"))
    ] == [
        (EU, "public"),
        (US, "unknown_account"),
    ]


@pytest.mark.parametrize(
    ("block", "hides"),
    [("block-all-sharing", True), ("block-new-sharing", False), ("unblocked", False), (None, False)],
)
def test_which_block_hides_public_snapshots(block: str | None, hides: bool) -> None:
    """(botocore shape EnableSnapshotBlockPublicAccessRequest, State.)"""
    assert RegionSeen(snapshot_block=block and PublicAccessBlock(block)).hides_public_snapshots is hides


def test_who_can_use_a_snapshot_that_is_public_while_that_is_blocked() -> None:
    shared = region(volume=PUBLIC | accounts(A))
    assert shared.effective_volume("snap-00000001") == PUBLIC | accounts(A)
    blocked = replace(shared, snapshot_block=PublicAccessBlock("block-all-sharing"))
    assert blocked.effective_volume("snap-00000001") == accounts(A)
    assert blocked.effective_volume("snap-unknown") == Sharing()


def test_the_keys_of_an_image_are_those_of_its_snapshots() -> None:
    seen = replace(
        under_key(accounts(A)),
        key_of={
            "snap-00000001": "arn:b",
            "snap-00000002": "arn:a",
            "snap-00000003": "arn:a",
            "snap-00000009": KEY.arn,
        },
    )
    image = replace(
        ENCRYPTED,
        devices=volumes("snap-00000001", "snap-00000002", "snap-00000003", "snap-00000004", encrypted=True),
    )
    assert seen.key_arns(image) == ["arn:a", "arn:b"]
    assert seen.key_arns(ENCRYPTED) == ["arn:b"]


def test_the_keys_that_are_associated_with_the_snapshots_of_an_image() -> None:
    seen = replace(
        under_key(accounts(A)),
        associated_keys={"snap-00000001": ("arn:b", "arn:a"), "snap-00000009": ("arn:c",)},
    )
    assert seen.associated_key_arns(ENCRYPTED) == ["arn:a", "arn:b"]
    assert under_key(accounts(A)).associated_key_arns(ENCRYPTED) == []


@pytest.mark.parametrize(
    ("code", "resource", "expected"),
    [
        ("key_unreadable", "snap-00000001", True),
        ("key_unreadable", KEY.arn, False),
        ("key_unreadable", "DescribeSnapshots", False),
        ("snapshot_unreadable", "snap-00000001", False),
    ],
)
def test_a_snapshot_whose_key_is_not_known(code: str, resource: str, expected: bool) -> None:
    assert Problem(code, resource, refused()).is_snapshots_key is expected
