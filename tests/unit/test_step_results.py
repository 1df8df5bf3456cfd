# SPDX-License-Identifier: GPL-3.0-or-later

"""What later steps take from the results of earlier ones."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._step_results import (
    CONSUMER_COPIES,
    COPY_RESULT,
    GRANT_RESULT,
    OWNED_COPIES,
    SHARE_RESULT,
    VERIFY_RESULT,
    CopyResult,
    GrantResult,
    ShareResult,
)

from tests.unit.examples import SOURCE_ID
from tests.unit.step_results import consumer_copy_result, copy_result, grant_result, share_result

EU, US = "eu-west-1", "us-east-1"
COPY = "ami-0123456789abcdef0"


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        pytest.param(copy_result({EU: COPY}), {"images": {EU: COPY}, "kms_key_arns": {EU: ()}}, id="plain"),
        pytest.param(
            copy_result({EU: None}, {EU: "k"}, state=None),
            {"images": {EU: None}, "kms_key_arns": {EU: ("k",)}, "has_pending": False},
            id="planned in check mode",
        ),
        pytest.param(copy_result({EU: COPY, US: COPY}, state="pending"), {"has_pending": True}, id="pending"),
        pytest.param(
            copy_result(
                {EU: COPY},
                {EU: "k"},
                results=[{"region": EU, "snapshot_kms_key_arns": ["k", "l"], "state": "available"}],
            ),
            {"kms_key_arns": {EU: ("k", "l")}},
            id="several keys",
        ),
        pytest.param(
            copy_result({}, {}, results=[{"region": EU, "snapshot_kms_key_arns": [], "state": "failed"}]),
            {"images": {}, "kms_key_arns": {}},
            id="a region that failed",
        ),
    ],
)
def test_copies(result: dict[str, Any], expected: dict[str, Any]) -> None:
    copies = CopyResult.from_dict(result)
    assert {name: getattr(copies, name) for name in expected} == expected
    assert (copies.source_image_id, copies.source_region) == (SOURCE_ID, "us-west-2")


def test_grants() -> None:
    keys = [
        {"kms_key_arn": "all", "access_known": True},
        {"kms_key_arn": "some", "access_known": True},
        {"kms_key_arn": "unknown", "access_known": False},
    ]
    granted = GrantResult.from_dict(
        grant_result(
            consumers=["a", "b"],
            consumers_without_access=[{"consumers": ["b"], "kms_key_arns": ["some"]}],
            failed_regions=[US],
            kms_key_arns={EU: "all", US: "failed", "ap-south-1": None},
            rejected_account_ids=["c"],
            changed=True,
            results=[{"kms_keys": keys}],
        )
    )
    assert granted == GrantResult(
        {"all": frozenset("ab"), "some": frozenset("a")},
        frozenset({"all", "some", "unknown", "failed"}),
        frozenset({US}),
        frozenset("c"),
        changed=True,
    )


def test_shares() -> None:
    shared = share_result(changed=True, failed_regions=[US], rejected_account_ids=["c"])
    assert ShareResult.from_dict(shared) == ShareResult(frozenset({US}), frozenset("c"), changed=True)


@pytest.mark.parametrize(
    ("shared", "regions"),
    [(None, [EU, US]), (ShareResult(frozenset({US, "ap-south-1"})), [EU])],
)
def test_copies_that_accounts_can_use(shared: ShareResult | None, regions: list[str]) -> None:
    left = CopyResult.from_dict(copy_result({EU: COPY, US: None}, {EU: "k"})).left_by(shared)
    assert left.images == {region: {EU: COPY, US: None}[region] for region in regions}
    assert left.kms_key_arns == {region: {EU: ("k",), US: ()}[region] for region in regions}


@pytest.mark.parametrize(
    "kind", [CONSUMER_COPIES, COPY_RESULT, GRANT_RESULT, OWNED_COPIES, SHARE_RESULT, VERIFY_RESULT]
)
@pytest.mark.parametrize("given", [None, {}, {"changed": False, "skipped": True}])
def test_a_task_that_did_not_run_has_no_result(kind: Any, given: Any) -> None:
    assert kind.value(given, pytest.fail) is None


BOTH = {"1": "available", "2": "available"}


@pytest.mark.parametrize(
    ("result", "owned"),
    [
        pytest.param(consumer_copy_result(BOTH, [EU, US]), {"1": {EU, US}, "2": {EU, US}}, id="all"),
        pytest.param(consumer_copy_result({**BOTH, "2": "pending"}), {"1": {EU}}, id="one is pending"),
        pytest.param(consumer_copy_result({**BOTH, "2": None}), {"1": {EU}}, id="one is planned"),
        pytest.param(
            consumer_copy_result(BOTH, [EU, US], [("2", US)]), {"1": {EU, US}, "2": {EU}}, id="one failed"
        ),
        pytest.param(consumer_copy_result(BOTH, [EU, US], [("2", None)]), {"1": {EU, US}}, id="an account"),
        pytest.param(
            consumer_copy_result(BOTH, [EU, US], [(None, US)]), {"1": {EU}, "2": {EU}}, id="a region"
        ),
        pytest.param(consumer_copy_result(BOTH, [EU, US], [(None, None)]), {}, id="nobody knows where"),
    ],
)
def test_regions_in_which_accounts_own_copies(result: dict[str, Any], owned: dict[str, set[str]]) -> None:
    assert OWNED_COPIES.value(result, pytest.fail) == owned


def test_copies_in_several_accounts_are_refused() -> None:
    refused: list[str] = []
    images = [{"account_id": "1", "region": EU, "image_id": COPY}]
    result = {**copy_result({EU: COPY}), "images": images}
    assert COPY_RESULT.value(result, lambda problem, *_rest: refused.append(problem)) is None
    assert refused == ["it is not a result of ami_copy_regions: images must be a mapping."]


@pytest.mark.parametrize(
    ("result", "regions"),
    [
        pytest.param({"verified_regions": [EU, US]}, (EU, US), id="verified"),
        pytest.param({"msg": "One account has not.", "verified_regions": [EU]}, (EU,), id="in one region"),
        pytest.param({"verified_regions": []}, (), id="in none"),
        pytest.param({"failed": False, "msg": "No such option."}, (), id="refused"),
    ],
)
def test_regions_that_were_verified(result: dict[str, Any], regions: tuple[str, ...]) -> None:
    assert VERIFY_RESULT.value(result, pytest.fail) == regions


def test_a_result_of_something_else_is_no_verification() -> None:
    refused: list[str] = []
    assert VERIFY_RESULT.value(share_result(), lambda problem, *_rest: refused.append(problem)) is None
    assert refused == ["it is not a result of ami_verify: verified_regions is missing."]
