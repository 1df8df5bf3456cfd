# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of the allowlist, and the keys of an image."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._audit.state import Listed, Problem
from ansible_collections.golden.images.plugins.module_utils._model import Key, KeyState, PublicAccessBlock

from tests.unit.audit.examples import (
    ENCRYPTED,
    EU,
    IMAGE,
    PRIVATE,
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
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import policy_of
from tests.unit.kms_grant.examples import A, B, made, root


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
    state = PublicAccessBlock(block) if block else None
    found = audit_of(region(volume=PUBLIC | accounts(A), snapshot_block=state), **allowing(A))
    assert [code for code, _resource, principal in codes(found) if principal == "all"] == [
        "snapshot_public_blocked" if hides else "snapshot_public"
    ]
    assert ("snapshot_wider_than_image", "snap-00000001", A) in codes(found)


def test_the_keys_of_an_image_are_those_of_its_snapshots() -> None:
    first, second, other = (key_arn(name) for name in "abc")
    seen = under_key(
        PRIVATE,
        images=(
            Listed(
                replace(
                    ENCRYPTED,
                    devices=volumes(*(f"snap-0000000{number}" for number in range(1, 5)), encrypted=True),
                )
            ),
        ),
        key_of={
            "snap-00000001": second,
            "snap-00000002": first,
            "snap-00000003": first,
            "snap-00000009": other,
        },
        associated_keys={"snap-00000001": (other, first), "snap-00000009": (second,)},
        keys={one: KeyState(Key(one), (), policy_of()) for one in (first, second, other)},
    )
    (image,) = audit_of(seen)["results"]
    assert (image["kms_key_arns"], image["associated_kms_key_arns"]) == ([first, second], [first, other])


@pytest.mark.parametrize(
    ("code", "resource", "expected"),
    [
        ("key_unreadable", "snap-00000009", True),
        ("key_unreadable", key_arn("other"), False),
        ("key_unreadable", "DescribeSnapshots", False),
        ("snapshot_unreadable", "snap-00000009", False),
    ],
)
def test_a_snapshot_whose_key_is_not_known_may_need_any_grant(
    code: str, resource: str, expected: bool
) -> None:
    seen = under_key(PRIVATE, made(root(B)), problems=(Problem(code, resource, refused(), "ami-9"),))
    found = [one for one, _resource, principal in codes(audit_of(seen)) if principal == B]
    assert found == ([] if expected else ["grant_without_share"])
