# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``ami_kms_grant`` takes from the results of earlier steps, and leaves to later ones."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError

from tests.unit.examples import ORG
from tests.unit.keys.examples import key_arn
from tests.unit.kms_grant.examples import EU, US, A, B, Run, grantees, root
from tests.unit.kms_grant.kms_in_memory import world
from tests.unit.step_results import consumer_copy_result, copy_result, grant_result, share_result

COPY = "ami-0123456789abcdef0"
KEYS = {EU: key_arn("a", EU), US: key_arn("a", US)}
COPIES = copy_result({EU: COPY, US: COPY}, KEYS)
BEST_EFFORT = {"best_effort_consumers": True}


def of_copies(copies: dict[str, Any], *account_ids: str, **options: Any) -> dict[str, Any]:
    return {"copy_result": copies, "account_ids": list(account_ids), **options}


def test_the_keys_of_copies() -> None:
    aws = world(EU, US)
    done = Run(of_copies(COPIES, A), aws)
    assert done.outcome.failures == ()
    assert done.result["kms_key_arns"] == KEYS
    assert [grantees(aws.key(region)) for region in (EU, US)] == [{root(A)}] * 2
    assert done.wanted.ignored_image_ids == {COPY}


@pytest.mark.parametrize(
    ("earlier", "regions"),
    [
        pytest.param(None, [EU, US], id="no earlier task"),
        pytest.param({"changed": False, "skipped": True}, [EU, US], id="a skipped one"),
        pytest.param(grant_result(kms_key_arns={EU: KEYS[EU]}), [US], id="one key is known"),
        pytest.param(grant_result(kms_key_arns=KEYS), [], id="all keys are known"),
        pytest.param(grant_result(failed_regions=[EU]), [US], id="a region that failed"),
    ],
)
def test_keys_of_an_earlier_task_are_left_out(earlier: dict[str, Any] | None, regions: list[str]) -> None:
    aws = world(EU, US)
    done = Run(of_copies(COPIES, A, grant_result=earlier), aws)
    assert [item["region"] for item in done.results] == regions
    assert [region for region in (EU, US) if aws.regions[region].calls] == regions


def test_accounts_that_own_all_copies_are_left_out_and_purged() -> None:
    aws = world(EU, US)
    assert Run(of_copies(COPIES, A), aws).outcome.failures == ()
    own = consumer_copy_result({A: "available", B: "pending"}, KEYS)
    done = Run(of_copies(COPIES, A, B, consumer_copy_result=own, purge_grants=True), aws)
    assert done.result["consumers"] == [B]
    assert [grantees(aws.key(region)) for region in (EU, US)] == [{root(B)}] * 2


def test_an_account_with_a_copy_in_one_of_two_regions_keeps_its_access() -> None:
    aws = world(EU, US)
    assert Run(of_copies(COPIES, A), aws).outcome.failures == ()
    own = consumer_copy_result({A: "available"}, [EU])
    done = Run(of_copies(COPIES, A, B, consumer_copy_result=own, purge_grants=True), aws)
    assert done.outcome.failures == ()
    assert [grantees(aws.key(region)) for region in (EU, US)] == [{root(A), root(B)}] * 2


def test_accounts_with_own_copies_are_refused_where_access_is_removed() -> None:
    own = consumer_copy_result({A: "available"}, KEYS)
    with pytest.raises(ValidationError) as caught:
        Run(of_copies(COPIES, A, consumer_copy_result=own, state="absent"), world(EU, US)).wanted  # noqa: B018
    assert [failure.action for failure in caught.value.failures] == ["consumer_copy_result"]


@pytest.mark.parametrize("more", [{}, {"org_arns": [ORG]}])
def test_auto_scaling_and_a_purge_need_no_account_that_is_left(more: dict[str, Any]) -> None:
    own = consumer_copy_result({A: "available"}, KEYS)
    options = {"auto_scaling": True, "consumer_role_name": "r", "purge_grants": True, **more}
    wanted = Run(of_copies(COPIES, A, consumer_copy_result=own, **options), world(EU, US)).wanted
    # The purge revokes the access of the account if there is another consumer.
    assert (wanted.account_ids, wanted.auto_scaling, wanted.purge_grants) == ((), False, bool(more))


def test_access_stays_in_regions_in_which_the_sharing_failed() -> None:
    aws = world(EU, US)
    assert Run(of_copies(COPIES, A), aws).outcome.failures == ()
    failed = share_result(failed_regions=[EU])
    done = Run(of_copies(COPIES, A, share_result=failed, state="absent"), aws)
    assert [item["region"] for item in done.results] == [US]
    assert [grantees(aws.key(region)) for region in (EU, US)] == [{root(A)}, set()]


@pytest.mark.parametrize(
    ("state", "check_mode", "lacking"),
    [("available", False, []), ("pending", False, None), ("pending", True, [])],
)
def test_access_is_not_known_while_copies_are_waited_for(
    state: str, check_mode: bool, lacking: list[str] | None
) -> None:
    aws = world(EU)
    copies = copy_result({EU: COPY}, {EU: KEYS[EU]}, state=state)
    assert Run(of_copies(copies, A), aws).outcome.failures == ()
    key = Run(of_copies(copies, A), aws, check_mode=check_mode).key
    assert key["consumers_without_access"] == lacking


@pytest.mark.parametrize("options", [{}, BEST_EFFORT])
def test_what_kms_refuses_to_one_consumer(options: dict[str, Any]) -> None:
    aws = world(EU, US)
    aws.regions[EU].unknown = {root(A)}
    done = Run(of_copies(COPIES, A, B, **options), aws)
    assert [(item.region, item.account_id) for item in done.outcome.failures] == [(EU, A)]
    assert done.outcome.fails is not bool(options)
    assert (done.result["rejected_account_ids"], done.result["failed_regions"]) == ([A], [])


def test_a_failed_region_fails_the_task_beside_a_consumer() -> None:
    aws = world(EU, US)
    aws.regions[EU].unknown = {root(A)}
    aws.regions[US].refuse = {"CreateGrant": "LimitExceededException"}
    done = Run(of_copies(COPIES, A, B, **BEST_EFFORT), aws)
    assert done.outcome.fails
    assert done.result["failed_regions"] == [US]
    done = Run(of_copies(COPIES, A, B, **BEST_EFFORT, best_effort_regions=[US]), aws)
    assert not done.outcome.fails
    assert (done.result["rejected_account_ids"], done.result["failed_regions"]) == ([A], [US])
