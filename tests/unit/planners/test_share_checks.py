# SPDX-License-Identifier: GPL-3.0-or-later

"""What the share planner refuses, and what it warns of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.model import Sharing
from ansible_collections.golden.images.plugins.module_utils.planners import share

from tests.unit.examples import ORG, OWNER, STRANGER, UNIT, place, source_image, volumes
from tests.unit.planners.sharing import (
    IMAGE,
    NOBODY,
    PUBLIC,
    REGION,
    accounts,
    planned,
    seen,
    shared,
    wanted,
    with_accounts,
)

A = "222222222222"
IN_ORG = Sharing(org_arns=frozenset({ORG}))
ENCRYPTED = {"devices": volumes("snap-1", encrypted=True)}


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        pytest.param({"owner_id": STRANGER}, "NotOwner", STRANGER, id="another account's"),
        pytest.param({"state": "pending"}, "ImageNotAvailable", "is pending.", id="pending"),
        pytest.param(
            {"state": "failed", "state_reason": "No key"}, "ImageNotAvailable", "(No key)", id="failed"
        ),
    ],
)
def test_an_image_that_cannot_be_shared(changes: dict[str, Any], code: str, text: str) -> None:
    (failure,) = planned(wanted(with_accounts(A)), shared(**changes)).refusals
    assert failure.error_code == code
    assert (failure.region, failure.account_id) == (REGION, OWNER)
    assert IMAGE in failure.message
    assert text in failure.message


def test_a_pending_image_only_needs_time() -> None:
    (failure,) = planned(wanted(with_accounts(A)), shared(state="pending")).refusals
    assert failure.remedy == "Wait until it is available."


def test_a_stranger_is_told_whose_credentials_to_use() -> None:
    (failure,) = planned(wanted(with_accounts(A)), shared(owner_id=STRANGER)).refusals
    assert STRANGER in failure.remedy


@pytest.mark.parametrize(
    ("found", "codes"),
    [
        pytest.param(shared(), [], id="may be public"),
        pytest.param(
            replace(shared(), image_block="unblocked", snapshot_block="unblocked"),
            [],
            id="nothing is blocked",
        ),
        pytest.param(shared(**ENCRYPTED), ["EncryptedImage"], id="encrypted"),
        pytest.param(
            shared(devices=volumes("snap-1") + volumes("snap-2", encrypted=True)),
            ["EncryptedImage"],
            id="one volume encrypted",
        ),
        pytest.param(shared(product_codes=("abc123",)), ["ProductCode"], id="product code"),
        pytest.param(
            replace(shared(), image_block="block-new-sharing"), ["BlockPublicAccess"], id="images blocked"
        ),
        pytest.param(
            replace(shared(), snapshot_block="block-new-sharing"),
            ["BlockPublicAccess"],
            id="snapshots blocked",
        ),
        pytest.param(
            replace(shared(), snapshot_block="block-all-sharing"),
            ["BlockPublicAccess"],
            id="snapshots all blocked",
        ),
        pytest.param(
            replace(
                shared(**ENCRYPTED, product_codes=("abc",)),
                image_block="block-new-sharing",
                snapshot_block="block-all-sharing",
            ),
            ["EncryptedImage", "ProductCode", "BlockPublicAccess", "BlockPublicAccess"],
            id="all reasons at once",
        ),
    ],
)
def test_publishing(found: share.Shared, codes: list[str]) -> None:
    failures = planned(wanted(PUBLIC), found).refusals
    assert [failure.error_code for failure in failures] == codes
    assert all(failure.remedy and failure.region == REGION for failure in failures)


@pytest.mark.parametrize(
    "want",
    [
        pytest.param(wanted(with_accounts(A)), id="shared with accounts"),
        pytest.param(wanted(PUBLIC, present=False), id="made private"),
    ],
)
def test_what_forbids_publishing_forbids_nothing_else(want: share.ShareWanted) -> None:
    found = replace(
        shared(PUBLIC, **ENCRYPTED, product_codes=("abc",)),
        image_block="block-new-sharing",
        snapshot_block="block-all-sharing",
    )
    assert planned(want, found).refusals == ()


def test_a_refusal_in_one_region_is_the_whole_plans() -> None:
    saw = share.ShareSeen(OWNER, {place("eu-west-1"): shared(), place("us-west-2"): shared(state="pending")})
    assert [failure.region for failure in share.plan(wanted(with_accounts(A)), saw).refusals] == ["us-west-2"]


def warnings(want: share.ShareWanted, found: share.Shared) -> str:
    return "\n".join(planned(want, found).warnings)


@pytest.mark.parametrize(
    ("want", "warned"),
    [
        pytest.param(wanted(IN_ORG), True, id="an organization alone"),
        pytest.param(wanted(Sharing(org_unit_arns=frozenset({UNIT}))), True, id="a unit alone"),
        pytest.param(wanted(IN_ORG | with_accounts(OWNER)), True, id="the owner is nobody"),
        pytest.param(wanted(IN_ORG | with_accounts(A)), False, id="with accounts"),
        pytest.param(wanted(IN_ORG, share_snapshots=False), False, id="snapshots not asked for"),
        pytest.param(wanted(IN_ORG, present=False), False, id="withdrawn"),
    ],
)
def test_organizations_get_no_snapshots(want: share.ShareWanted, warned: bool) -> None:
    assert ("cannot be shared with organizations" in warnings(want, shared())) is warned


@pytest.mark.parametrize(
    ("named", "current", "warned"),
    [
        pytest.param(with_accounts(*accounts(1_000)), NOBODY, False, id="as many as the quota"),
        pytest.param(with_accounts(*accounts(1_001)), NOBODY, True, id="one more"),
        pytest.param(with_accounts(*accounts(1_000)), IN_ORG, True, id="an organization counts"),
        pytest.param(with_accounts(A), with_accounts(*accounts(1_000)), True, id="together with those there"),
    ],
)
def test_more_than_the_quota_is_aws_to_decide(named: Sharing, current: Sharing, warned: bool) -> None:
    plan = planned(wanted(named), shared(current))
    assert ("AWS's default quota is 1000" in "\n".join(plan.warnings)) is warned
    assert plan.refusals == ()


@pytest.mark.parametrize(
    ("want", "current", "through"),
    [
        pytest.param(
            wanted(with_accounts(A), present=False), with_accounts(A) | IN_ORG, ORG, id="an organization"
        ),
        pytest.param(
            wanted(with_accounts(A), present=False),
            with_accounts(A) | Sharing(org_unit_arns=frozenset({UNIT})),
            UNIT,
            id="a unit",
        ),
        pytest.param(
            wanted(with_accounts(A), present=False), with_accounts(A) | PUBLIC, "public", id="everybody"
        ),
        pytest.param(wanted(IN_ORG, purge=True), with_accounts(A), ORG, id="purged, yet in the organization"),
        pytest.param(wanted(with_accounts(A), present=False), with_accounts(A), None, id="nothing covers it"),
        pytest.param(wanted(with_accounts(A), present=False), IN_ORG, None, id="nothing is withdrawn"),
        pytest.param(
            wanted(with_accounts(A) | IN_ORG, present=False),
            with_accounts(A) | IN_ORG,
            None,
            id="both withdrawn",
        ),
    ],
)
def test_an_account_may_keep_access(want: share.ShareWanted, current: Sharing, through: str | None) -> None:
    found = [text for text in planned(want, shared(current)).warnings if "Access may remain" in text]
    assert len(found) == (0 if through is None else 1)
    assert all(str(through) in text and A in text for text in found)


def test_many_withdrawn_accounts_are_counted_rather_than_listed() -> None:
    many = with_accounts(*accounts(7))
    text = warnings(wanted(many, present=False), shared(many | IN_ORG))
    assert text.endswith(f"{', '.join(accounts(5))} and 2 more.")


def test_a_warning_of_all_regions_is_given_once() -> None:
    saw = share.ShareSeen(OWNER, {place("eu-west-1"): shared(), place("us-west-2"): shared()})
    plan = share.plan(wanted(with_accounts(OWNER, A)), saw)
    assert plan.warnings == (f"{OWNER} owns the images and needs no permission: skipped.",)


def test_a_warning_of_some_regions_names_them() -> None:
    saw = share.ShareSeen(
        OWNER,
        {place("eu-west-1"): shared(), place("us-west-2"): shared(with_accounts(A) | IN_ORG)},
    )
    (warning,) = share.plan(wanted(with_accounts(A), present=False), saw).warnings
    assert warning.startswith("us-west-2: Access may remain")


def test_a_planned_copy_of_an_encrypted_source_cannot_be_public() -> None:
    found = share.Shared.planned(OWNER, source_image(**ENCRYPTED))
    plan = share.plan(wanted(PUBLIC, images={REGION: None}), seen(found))
    assert [failure.error_code for failure in plan.refusals] == ["EncryptedImage"]
