# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``ami_publish`` refuses, performs and returns."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.model import ConsumerRole, ImagesByTarget
from ansible_collections.golden.images.plugins.module_utils.publish.apply import PublishRun
from ansible_collections.golden.images.plugins.module_utils.publish.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils.publish.state import TemplateVersion
from ansible_collections.golden.images.plugins.module_utils.runner import Outcome

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, STRANGER, target_in
from tests.unit.publish.account import (
    LABEL,
    NAME,
    NEW,
    OLD,
    REGION,
    TEMPLATE,
    TEMPLATE_ID,
)
from tests.unit.publish.examples import (
    ABROAD,
    HISTORY,
    IMAGES,
    Region,
    found,
    parameter,
    seen,
    template,
    version,
    wanted,
)
from tests.unit.wire import Wire

ARN = f"arn:aws:iam::{OWNER}:user/build"
PUT = {"Name": NAME, "Value": NEW, "Type": "String", "DataType": "aws:ec2:image"}


@pytest.fixture
def sts() -> Iterator[Wire]:
    with Wire("sts").spoken() as wire:
        wire.expect("get_caller_identity", {}, {"UserId": "u", "Account": OWNER, "Arn": ARN})
        yield wire


@pytest.fixture
def ec2() -> Iterator[Wire]:
    with Wire("ec2").spoken() as wire:
        yield wire


@pytest.fixture
def ssm() -> Iterator[Wire]:
    with Wire("ssm").spoken() as wire:
        yield wire


@pytest.fixture
def region(sts: Wire, ec2: Wire, ssm: Wire) -> Region:
    return Region(sts, ec2, ssm)


def codes(region: Region, **changes: Any) -> list[tuple[str, str | None, str | None]]:
    with pytest.raises(Refused) as caught:
        region.seen(**changes)
    return [(one.error_code, one.account_id, one.region) for one in caught.value.failures]


def test_an_error_while_reading_is_refused(region: Region) -> None:
    region.ssm.refuse("get_parameter_history", HISTORY, "AccessDeniedException")
    assert codes(region) == [("AccessDeniedException", OWNER, REGION)]


def test_an_error_while_reading_a_best_effort_region_leaves_it_out(region: Region) -> None:
    region.ssm.refuse("get_parameter_history", HISTORY, "AccessDeniedException")
    best_effort = frozenset({REGION})
    saw = region.seen(best_effort_regions=best_effort)
    want = wanted(best_effort_regions=best_effort)
    left_out = FLOW.plan(want, saw)
    assert (left_out.actions, left_out.refusals) == ((), ())
    assert [one.error_code for one in left_out.tolerated] == ["AccessDeniedException"]
    assert FLOW.result(want, saw, left_out, Outcome())["results"] == []


def test_a_refusal_and_a_failure_in_a_best_effort_region_are_tolerated(ssm: Wire) -> None:
    want = wanted(best_effort_regions=frozenset({REGION}))
    refused = FLOW.plan(want, seen(found(image=None)))
    assert (refused.actions, refused.refusals) == ((), ())
    assert [one.region for one in refused.tolerated] == [REGION]

    here = SimpleNamespace(default_region=REGION, open=lambda *_: None, ec2=lambda _region: None)
    here.ssm, here.unrepeated = (lambda _region: ssm.client), (lambda: here)
    saw = seen(found())
    ssm.refuse("put_parameter", PUT, "ParameterLimitExceeded", "No more.")
    outcome = FLOW.apply(here, want, saw, FLOW.plan(want, saw), str)
    assert [one.error_code for one in outcome.tolerated] == ["ParameterLimitExceeded"]
    assert (outcome.failures, outcome.performed) == ((), ())
    assert FLOW.result(want, saw, FLOW.plan(want, saw), outcome)["results"] == []


@pytest.mark.parametrize(("account_id", "named"), [(OWNER, False), (CONSUMER, True)])
def test_a_failure_in_another_account_names_it(
    sts: Wire, ec2: Wire, ssm: Wire, account_id: str, named: bool
) -> None:
    here = SimpleNamespace(
        default_region=REGION,
        open=lambda _service, _regions: None,
        sts=lambda _region: sts.client,
        ec2=lambda _region: ec2.client,
        ssm=lambda _region: ssm.client,
        with_role=lambda *_: here,
        unrepeated=lambda: here,
    )
    images = ImagesByTarget({(account_id, REGION): NEW})
    role = ConsumerRole("golden-consumer")
    ssm.refuse("get_parameter_history", HISTORY, "ParameterNotFound")
    ec2.expect(
        "describe_images", IMAGES, {"Images": [{"ImageId": NEW, "OwnerId": STRANGER, "State": "available"}]}
    )
    want = wanted(images=images, consumer_role=role)
    seen = FLOW.read(here, want)
    ssm.refuse("put_parameter", PUT, "ParameterLimitExceeded", "No more.")
    outcome = FLOW.apply(here, want, seen, FLOW.plan(want, seen), str)
    (failure,) = outcome.failures
    assert failure.message == (f"In account {CONSUMER}: No more." if named else "No more.")
    assert outcome.performed == ()


def test_an_account_without_a_role_is_refused(region: Region) -> None:
    assert [code for code, _, _ in codes(region, account_ids=(CONSUMER,))] == ["missing_consumer_role"]


def test_an_account_without_an_image_is_refused(region: Region) -> None:
    abroad = ImagesByTarget({(STRANGER, REGION): NEW})
    assert codes(region, images=abroad, account_ids=(CONSUMER,)) == [("invalid_option", None, None)]


def test_the_result_has_the_versions_that_were_made() -> None:
    here = found(parameter=parameter(version(3, OLD)), templates={TEMPLATE: template()})
    want, saw = wanted(launch_templates=(TEMPLATE,)), seen(here)
    run = PublishRun(version=4, defaults={TEMPLATE_ID: 2})
    assert FLOW.result(want, saw, FLOW.plan(want, saw), Outcome(state={target_in(): run})) == {
        "images": {REGION: NEW},
        "results": [
            {
                "account_id": OWNER,
                "changed": True,
                "image_id": NEW,
                "label": LABEL,
                "launch_templates": {TEMPLATE: 2},
                "parameter": NAME,
                "parameter_version": 4,
                "region": REGION,
            }
        ],
    }


def test_the_result_of_a_second_run_has_the_present_versions() -> None:
    latest = TemplateVersion(7, {"ImageId": NEW})
    here = found(
        parameter=parameter(version(3, NEW, LABEL)), templates={TEMPLATE: template(NEW, latest=latest)}
    )
    want, saw = wanted(launch_templates=(TEMPLATE,)), seen(here)
    (one,) = FLOW.result(want, saw, FLOW.plan(want, saw), Outcome())["results"]
    assert (one["changed"], one["parameter_version"], one["launch_templates"]) == (False, 3, {TEMPLATE: 1})


@pytest.mark.parametrize(
    ("value", "made", "expected"),
    [(NEW, 5, 5), (NEW, None, 3), (OLD, None, None)],
    ids=["another run put a newer version", "only a label", "a new version is planned"],
)
def test_the_result_has_the_newest_version_with_the_image(
    value: str, made: int | None, expected: int | None
) -> None:
    want, saw = wanted(), seen(found(parameter=parameter(version(3, value))))
    (one,) = FLOW.result(
        want, saw, FLOW.plan(want, saw), Outcome(state={target_in(): PublishRun(version=made)})
    )["results"]
    assert (one["changed"], one["parameter_version"]) == (True, expected)


def test_a_rollback_in_several_accounts_returns_a_list_of_images() -> None:
    want = wanted(images=None, regions=(REGION,), account_ids=(CONSUMER,), source_image_id=SOURCE_ID)
    saw = seen(found(), targets={target_in(): found(), ABROAD: found()})
    assert FLOW.result(want, saw, FLOW.plan(want, saw), Outcome())["images"] == [
        {"account_id": OWNER, "image_id": NEW, "region": REGION},
        {"account_id": CONSUMER, "image_id": NEW, "region": REGION},
    ]
