# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``ami_publish`` refuses as a whole, and what it returns."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError

from tests.unit.examples import CONSUMER, OWNER, STRANGER
from tests.unit.publish.account import (
    BACK,
    LABEL,
    NAME,
    NEW,
    OLD,
    REGION,
    TEMPLATE,
    account,
    codes,
    image,
    options,
    parameter,
    run_on,
    shown,
    template,
    version,
)
from tests.unit.step_results import copy_result

DENIED = {"GetParameterHistory": "AccessDeniedException"}
BEST_EFFORT = {"best_effort_regions": [REGION]}
ROLE = {"consumer_role_name": "golden-consumer"}


@pytest.mark.parametrize(
    ("given", "refuse", "expected"),
    [
        ({}, DENIED, ("AccessDeniedException", OWNER, REGION)),
        ({"account_ids": [CONSUMER]}, {}, ("missing_consumer_role", CONSUMER, None)),
        (
            {
                "images": [{"account_id": STRANGER, "region": REGION, "image_id": NEW}],
                "account_ids": [CONSUMER],
            },
            {},
            ("invalid_option", None, None),
        ),
    ],
    ids=["a failed read", "an account without a role", "an account without an image"],
)
def test_a_run_is_refused(
    given: dict[str, Any], refuse: dict[str, str], expected: tuple[str, str | None, str | None]
) -> None:
    with pytest.raises(ValidationError) as caught:
        assert run_on(options(**given), account(refuse=refuse)).seen
    (failure,) = caught.value.failures
    assert (failure.error_code, failure.account_id, failure.region) == expected


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"images": {REGION: NEW, "cn-north-1": NEW}}, "images"),
        ({"images": None, "image_id": NEW, "region": "cn-north-1"}, "region"),
        ({**BACK, "regions": [REGION, "cn-north-1"]}, "regions"),
    ],
    ids=["several images", "one image", "a rollback"],
)
def test_a_region_of_another_partition_is_refused_with_the_option_that_names_it(
    given: dict[str, Any], option: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        assert run_on(options(**given), account()).seen
    assert [failure.action for failure in caught.value.failures] == [option]


@pytest.mark.parametrize(
    ("here", "code"),
    [({"refuse": DENIED}, "AccessDeniedException"), ({"image": None}, "image_not_found")],
    ids=["a failed read", "a refusal"],
)
def test_a_best_effort_region_is_left_out(here: dict[str, Any], code: str) -> None:
    run = run_on(options(**BEST_EFFORT), account(**here), check_mode=False)
    assert (run.plan.actions, run.plan.refusals, codes(run.plan.targets)) == ((), (), [])
    assert [(one.error_code, one.region) for one in run.plan.tolerated] == [(code, REGION)]
    assert run.results == []
    assert run.nothing_done == "The image is published in no region. The result lists why."


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    "images", [{"images": {REGION: NEW}}, {"images": None, "copy_result": copy_result({REGION: NEW})}]
)
@pytest.mark.parametrize("verify_result", [{"verified_regions": []}, {"msg": "Refused.", "failed": False}])
def test_what_is_verified_in_no_region_is_not_published(
    images: dict[str, Any], verify_result: dict[str, Any], check_mode: bool
) -> None:
    run = run_on(options(**images, verify_result=verify_result), account(), check_mode=check_mode)
    assert run.plan.warnings == ("In no region is every account verified, so nothing is published.",)
    assert (run.result, run.outcome.performed) == ({"images": {}, "results": []}, ())
    assert run.nothing_done == ""
    assert run.aws.calls == []


FULL = {"PutParameter": "ParameterLimitExceeded"}


@pytest.mark.parametrize("is_tolerated", [False, True])
def test_a_failed_change_is_tolerated_in_a_best_effort_region(is_tolerated: bool) -> None:
    run = run_on(options(**(BEST_EFFORT if is_tolerated else {})), account(refuse=FULL), check_mode=False)
    failures, none = (
        (run.outcome.tolerated, run.outcome.failures)
        if is_tolerated
        else (run.outcome.failures, run.outcome.tolerated)
    )
    assert [(one.error_code, one.message) for one in failures] == [("ParameterLimitExceeded", "No.")]
    assert (none, run.outcome.performed, run.results) == ((), (), [])


def test_a_failure_in_another_account_names_it() -> None:
    images = [{"account_id": CONSUMER, "region": REGION, "image_id": NEW}]
    abroad = account(image=image(owner_id=STRANGER), refuse=FULL)
    run = run_on(options(images=images, **ROLE), account(consumer=abroad), check_mode=False)
    (failure,) = run.outcome.failures
    assert failure.message == f"In account {CONSUMER}: No."
    assert run.outcome.performed == ()


def test_the_result_has_the_versions_that_were_made() -> None:
    here = account(parameter=parameter(version(3, OLD)), templates={TEMPLATE: template()})
    want = options(launch_templates=[TEMPLATE])
    expected = {
        "account_id": OWNER,
        "changed": True,
        "image_id": NEW,
        "label": LABEL,
        "launch_templates": {TEMPLATE: 2},
        "parameter": NAME,
        "parameter_arn": f"arn:aws:ssm:{REGION}:{OWNER}:parameter{NAME}",
        "parameter_version": 4,
        "region": REGION,
        "shared_with": [],
    }
    planned = {**expected, "launch_templates": {TEMPLATE: None}, "parameter_version": None}
    assert run_on(want, here).result == {"images": {REGION: NEW}, "results": [planned]}
    assert run_on(want, here, check_mode=False).result == {"images": {REGION: NEW}, "results": [expected]}
    assert run_on(want, here, check_mode=False).results == [{**expected, "changed": False}]


@pytest.mark.parametrize(
    ("reads", "expected"), [([3], 3), ([5, 5], 5)], ids=["only a label", "another run put a newer version"]
)
def test_the_result_has_the_newest_version_with_the_image(reads: list[int], expected: int) -> None:
    answers = {"GetParameter": [{"Parameter": shown(version(number, NEW))} for number in reads]}
    here = account(parameter=parameter(version(3, NEW)), answers=answers)
    (one,) = run_on(options(), here, check_mode=False).results
    assert (one["changed"], one["parameter_version"]) == (True, expected)
