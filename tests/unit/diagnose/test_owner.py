# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings from the account that owns an image."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.golden.images.plugins.module_utils._diagnose.state import (
    OwnerView,
)
from ansible_collections.golden.images.plugins.module_utils._keys.access import KeyDryRun
from ansible_collections.golden.images.plugins.module_utils._model import Key, PublicAccessBlock, Sharing

from tests.unit.diagnose.examples import (
    ENCRYPTED,
    IMAGE_NOT_VISIBLE,
    SHARED,
    TRIED,
    UNDECIDED,
    UNREADABLE,
    codes,
    consumer,
    diagnosis,
    encrypted,
    of_encrypted,
    owner,
)
from tests.unit.examples import ORG, OWNER, STRANGER, UNIT, source_image
from tests.unit.keys.examples import DEFAULT, key_arn
from tests.unit.kms_grant.examples import KEY

PUBLIC, PRIVATE = Sharing(public=True), Sharing()


IN_UNIT, IN_ORG = Sharing(org_unit_arns=frozenset({UNIT})), Sharing(org_arns=frozenset({ORG}))


B, U, N = "blocking", "unknown", "harmless"


FOREIGN = Key(key_arn("theirs", account_id=STRANGER))
# Images whose key may be one that their owner cannot use.
UNSURE = {
    "unreadable key": owner(image=ENCRYPTED, key_problems={KEY.arn: UNREADABLE}),
    "key of another account": encrypted(key=FOREIGN),
    "key beside another one": owner(image=ENCRYPTED, undecided_keys={KEY.arn: UNDECIDED}),
}


@pytest.mark.parametrize(
    ("of_owner", "expected", "launches"),
    [
        pytest.param(owner(), [], "yes", id="shared"),
        pytest.param(owner(PRIVATE), [("not_shared", B)], "no", id="not shared"),
        pytest.param(owner(Sharing(frozenset({STRANGER}))), [("not_shared", B)], "no", id="with another"),
        pytest.param(owner(PUBLIC), [("public", N)], "yes", id="public"),
        pytest.param(
            owner(PUBLIC, image_block=PublicAccessBlock("block-new-sharing")),
            [("public", N), ("block_public_access", N)],
            "yes",
            id="public before block public access",
        ),
        pytest.param(
            owner(PUBLIC, image_block=PublicAccessBlock("unblocked")),
            [("public", N)],
            "yes",
            id="public, not blocked",
        ),
        pytest.param(owner(IN_UNIT), [("shared_through_organization", U)], "unknown", id="through a unit"),
        pytest.param(
            owner(IN_ORG), [("shared_through_organization", U)], "unknown", id="through an organization"
        ),
        pytest.param(owner(IN_UNIT | SHARED), [], "yes", id="through a unit and by name"),
        pytest.param(
            owner(volume_permissions={"snap-1": SHARED, "snap-2": PRIVATE}),
            [("missing_volume_permission", N)],
            "yes",
            id="second snapshot not shared",
        ),
        pytest.param(
            owner(
                volume_permissions={"snap-1": PUBLIC}, snapshot_block=PublicAccessBlock("block-all-sharing")
            ),
            [("missing_volume_permission", N)],
            "yes",
            id="public snapshots that are hidden",
        ),
        pytest.param(owner(volume_permissions={"snap-1": PUBLIC}), [], "yes", id="public snapshots"),
        pytest.param(
            owner(volume_permissions={"snap-1": PUBLIC}, snapshot_block=PublicAccessBlock("unreadable")),
            [("missing_volume_permission", N)],
            "yes",
            id="public snapshots that may be hidden",
        ),
        pytest.param(
            owner(PRIVATE, image=source_image(state="disabled")),
            [("image_disabled", B), ("not_shared", B)],
            "no",
            id="disabled",
        ),
        pytest.param(
            owner(image=source_image(state="pending")), [("image_not_available", B)], "no", id="pending"
        ),
        pytest.param(
            owner(image=source_image(state="failed", state_reason="It broke.")),
            [("image_not_available", B)],
            "no",
            id="failed",
        ),
        pytest.param(
            owner(image=source_image(deprecation_time="2026-11-23T00:00:00.000Z")),
            [("image_deprecated", N)],
            "yes",
            id="deprecated",
        ),
        pytest.param(
            owner(image=source_image(deprecation_time="2026-11-25T00:00:00.000Z")),
            [],
            "yes",
            id="deprecated tomorrow",
        ),
        pytest.param(OwnerView(), [("image_not_found", B)], "no", id="nowhere"),
        pytest.param(OwnerView(elsewhere=("us-east-1",)), [("wrong_region", B)], "no", id="elsewhere"),
        pytest.param(OwnerView(problem=UNREADABLE), [("owner_unreadable", U)], "unknown", id="unreadable"),
        pytest.param(
            OwnerView(image=source_image(owner_id=STRANGER)),
            [("not_owner", U)],
            "unknown",
            id="another account's",
        ),
    ],
)
def test_findings_of_the_owner(of_owner: OwnerView, expected: list[tuple[str, str]], launches: str) -> None:
    found = diagnosis(of_owner)
    assert codes(found) == expected
    assert (found["can_launch"], found["level"]) == (launches, None)
    assert all(finding["message"] and finding["remedy"].endswith(".") for finding in found["findings"])


def test_an_image_that_the_account_sees_may_be_shared_after_all() -> None:
    found = diagnosis(owner(PRIVATE), consumer())
    assert codes(found) == [("not_shared", U)]
    assert found["findings"][0]["message"].endswith("although the account sees it.")
    assert codes(diagnosis(owner(PRIVATE), IMAGE_NOT_VISIBLE)) == [("not_shared", B)]


@pytest.mark.parametrize(
    ("of_owner", "expected"),
    [
        pytest.param(owner(PRIVATE), [], id="needs no sharing"),
        pytest.param(encrypted(launch=PRIVATE), [], id="needs no key access"),
        pytest.param(encrypted(key=DEFAULT), [], id="may use aws/ebs"),
        pytest.param(
            encrypted(key=replace(KEY, state="Disabled")), [("key_not_enabled", B)], id="disabled key"
        ),
        pytest.param(
            owner(PRIVATE, image=source_image(state="disabled")), [("image_disabled", B)], id="disabled image"
        ),
        pytest.param(
            encrypted(key_problems={KEY.arn: UNREADABLE}), [], id="its own key, whose grants are unreadable"
        ),
        pytest.param(
            encrypted(key=replace(FOREIGN, state="Disabled")),
            [("key_not_enabled", B), ("key_unreadable", U)],
            id="a disabled key of another account",
        ),
        *(pytest.param(one, [("key_unreadable", U)], id=name) for name, one in UNSURE.items()),
    ],
)
def test_the_owner_as_consumer(of_owner: OwnerView, expected: list[tuple[str, str]]) -> None:
    assert codes(diagnosis(of_owner, account_id=OWNER)) == expected


@pytest.mark.parametrize(
    ("tried", "expected"),
    [
        pytest.param(TRIED, [], id="allowed"),
        pytest.param(replace(TRIED, refused={"CreateGrant": "No."}), [("key_unreadable", U)], id="refused"),
        pytest.param(replace(TRIED, problem="No idea."), [("key_unreadable", U)], id="not tried"),
    ],
)
@pytest.mark.parametrize("of_owner", [pytest.param(one, id=name) for name, one in UNSURE.items()])
def test_dry_runs_of_the_owner(
    of_owner: OwnerView, tried: KeyDryRun, expected: list[tuple[str, str]]
) -> None:
    of_account = of_encrypted(keys={KEY.arn: tried, FOREIGN.arn: tried})
    assert codes(diagnosis(of_owner, of_account, account_id=OWNER)) == expected


def test_the_organizations_and_units_that_an_image_is_shared_with_are_named() -> None:
    (found,) = diagnosis(owner(IN_UNIT | IN_ORG))["findings"]
    assert f"through {', '.join(sorted((UNIT, ORG)))} only." in found["message"]


def test_what_sets_block_public_access_is_said() -> None:
    """(botocore shape GetImageBlockPublicAccessStateResult, ManagedBy.)"""
    block = PublicAccessBlock("block-new-sharing", "declarative-policy")
    messages = [one["message"] for one in diagnosis(owner(PUBLIC, image_block=block))["findings"]]
    assert any("is on (block-new-sharing, set by a declarative policy)" in one for one in messages)
