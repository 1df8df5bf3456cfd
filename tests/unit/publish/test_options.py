# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading and checking the options of ``ami_publish``."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import Target

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, STRANGER
from tests.unit.publish.account import (
    LABEL,
    NAME,
    NEW,
    OLD,
    REGION,
    account,
    changed,
    options,
    parameter,
    run_on,
    version,
)
from tests.unit.step_results import copy_result, share_result

OTHER = "us-east-1"
ROLLBACK = {"images": None, "source_image_id": SOURCE_ID, "regions": [REGION, REGION]}


def refused(**changes: Any) -> list[str]:
    """The options that are refused, outside of check mode."""
    task = {"images": {REGION: SOURCE_ID}, "parameter": NAME, **changes}
    with pytest.raises(ValidationError) as caught:
        assert run_on(task, account(), check_mode=False).wanted
    assert all(failure.remedy for failure in caught.value.failures)
    return [failure.action for failure in caught.value.failures]


def test_the_external_id_is_not_shown() -> None:
    given = options(account_ids=[CONSUMER], consumer_role_name="golden-consumer", external_id="hush")
    run = run_on(given, account(consumer=account()))
    assert run.results
    assert "hush" not in repr((run.wanted, run.plan, run.result))


def test_what_is_listed_twice_counts_once() -> None:
    twice = {**ROLLBACK, "account_ids": [CONSUMER, CONSUMER], "consumer_role_name": "golden-consumer"}
    here = account(parameter=parameter(version(1, NEW, LABEL)))
    run = run_on(options(**twice), changed(here, consumer=here))
    assert [one["account_id"] for one in run.results] == [CONSUMER, OWNER]


def test_one_image_and_empty_strings() -> None:
    given = options(images=None, image_id=NEW, region=REGION, source_image_id="", source_region="")
    assert run_on(given, account()).result["images"] == {REGION: NEW}


def test_an_image_of_an_account() -> None:
    given = options(
        images=[{"account_id": CONSUMER, "region": REGION, "image_id": None}],
        consumer_role_name="golden-consumer",
    )
    (one,) = run_on(given, account(consumer=account())).results
    assert (one["account_id"], one["image_id"]) == (CONSUMER, None)


def test_only_check_mode_assumes_that_images_will_be_shared() -> None:
    given = options(account_ids=[CONSUMER], require_shared=False, consumer_role_name="golden-consumer")
    here = account(consumer=account(image=None))
    assert not run_on(given, here).plan.refusals
    (failure,) = run_on(given, here, check_mode=False).plan.refusals
    assert (failure.error_code, failure.account_id) == ("image_not_found", CONSUMER)


COPIES = {"images": None, "copy_result": copy_result({REGION: NEW, OTHER: NEW})}
OWN_COPY = {"account_id": CONSUMER, "region": REGION, "image_id": OLD}


def test_the_copies_of_an_earlier_task_are_published_where_they_are_shared() -> None:
    given = options(**COPIES, share_result=share_result(failed_regions=[OTHER]))
    (one,) = run_on(given, account()).results
    assert (one["region"], one["image_id"], one["label"]) == (REGION, NEW, LABEL)


def test_the_parameter_is_not_shared_with_accounts_that_aws_rejected() -> None:
    given = options(
        images=None,
        copy_result=copy_result({REGION: NEW}),
        share_result=share_result(rejected_account_ids=[STRANGER]),
        publish_share=[CONSUMER, STRANGER, CONSUMER, int("2" * 12)],
    )
    wanted = run_on({**given, "publish_share_purge": True}, account()).wanted
    assert wanted.publish_share == (CONSUMER, "2" * 12)
    # Who is named does not lose it because AWS has rejected it today.
    assert not wanted.purges_share


def test_the_image_is_published_if_aws_rejected_all_who_the_parameter_is_shared_with() -> None:
    given = options(
        images=None,
        copy_result=copy_result({REGION: NEW}),
        share_result=share_result(rejected_account_ids=[STRANGER]),
        publish_share=[STRANGER],
        publish_share_external=True,
    )
    (one,) = run_on(given, account()).results
    assert (one["image_id"], one["shared_with"]) == (NEW, [])


def test_accounts_get_their_own_copies_and_not_those_that_aws_rejected() -> None:
    given = options(
        images=None,
        consumer_copy_result={"images": [OWN_COPY]},
        copy_result=copy_result({REGION: NEW}),
        share_result=share_result(rejected_account_ids=[STRANGER]),
        account_ids=[CONSUMER, STRANGER],
        consumer_role_name="golden-consumer",
    )
    wanted = run_on(given, account()).wanted
    assert wanted.account_ids == (CONSUMER,)
    assert wanted.targets(OWNER) == {Target(CONSUMER, REGION): OLD, Target(OWNER, REGION): NEW}


@pytest.mark.parametrize("images", [COPIES, {"images": {REGION: NEW, OTHER: NEW}}])
def test_images_of_regions_that_are_not_verified_are_left_out(images: dict[str, Any]) -> None:
    given = options(**images, verify_result={"verified_regions": [REGION]})
    assert run_on(given, account()).wanted.all_regions == (REGION,)


REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    ({"images": None}, ["images"]),
    ({"images": {}}, ["images"]),
    ({"images": "ami"}, ["images"]),
    ({"images": {REGION: None}}, ["images"]),
    ({"images": None, "copy_result": copy_result({})}, ["copy_result"]),
    ({**COPIES, "share_result": share_result(failed_regions=[REGION, OTHER])}, ["copy_result"]),
    ({"verify_result": {"verified_regions": [OTHER]}}, ["verify_result"]),
    ({"verify_result": {"results": []}}, ["verify_result"]),
    ({**COPIES, "consumer_copy_result": {"images": {REGION: NEW}}}, ["consumer_copy_result"]),
    (
        {**COPIES, "consumer_copy_result": {"images": [{**OWN_COPY, "image_id": "i-1"}]}},
        ["consumer_copy_result"],
    ),
    ({**ROLLBACK, "regions": []}, ["regions"]),
    ({**ROLLBACK, "source_image_id": ""}, ["source_image_id"]),
    ({**ROLLBACK, "source_image_id": "", "regions": []}, ["images"]),
    ({**ROLLBACK, "source_image_id": "source-x"}, ["source_image_id"]),
    ({"regions": [REGION]}, ["regions"]),
    ({"account_ids": [12345678901]}, ["account_ids"]),
    ({"parameter_tags": {"aws:x": "y"}}, ["parameter_tags"]),
    ({"parameter_tags": {"a,b": "y"}}, ["parameter_tags"]),
    ({"parameter_tags": {"a": "y\tz"}}, ["parameter_tags"]),
    ({"parameter_tags": {f"key{number}": "" for number in range(51)}}, ["parameter_tags"]),
    ({"source_region": "EU west"}, ["source_region"]),
    ({"launch_templates": ["web", "golden web"]}, ["launch_templates"]),
    ({"publish_share": ["golden"]}, ["publish_share"]),
    ({"publish_share": [12345678901]}, ["publish_share"]),
    ({"publish_share": ["o-a1b2c3d4e5", CONSUMER]}, ["publish_share"]),
    ({"publish_share": [CONSUMER], "tier": "Standard"}, ["tier"]),
    ({"publish_share": [CONSUMER], "tier": "Intelligent-Tiering"}, ["tier"]),
    ({"publish_share_external": True}, ["publish_share_external"]),
    ({"wait_timeout": -1}, ["wait_timeout"]),
    ({"parameter": "golden/web", "wait_timeout": -1}, ["parameter", "wait_timeout"]),
]


@pytest.mark.parametrize(("changes", "options"), REFUSED, ids=str)
def test_options_that_are_not_valid_are_refused(changes: dict[str, Any], options: list[str]) -> None:
    assert refused(**changes) == options


@pytest.mark.parametrize("name", ["golden", "/golden", "/a" * 15, " /golden/web.1_x-y "])
def test_valid_parameter_names(name: str) -> None:
    (one,) = run_on(options(parameter=name), account()).results
    assert one["parameter"] == name.strip()


@pytest.mark.parametrize("name", ["/", "a/b", "/a//b", "/a/", "/a" * 16, "/a b", "/aws/x", "SSMx", "/x:1"])
def test_parameter_names_that_are_not_valid(name: str) -> None:
    assert refused(parameter=name) == ["parameter"]
