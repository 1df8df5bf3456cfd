# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``ami_publish`` reads, which reads it leaves out, and what an answer that is not complete is."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import Sharing

from tests.unit.clock import Clock
from tests.unit.examples import CONSUMER, ORG, SOURCE_ID, SOURCE_REGION, STRANGER, UNIT
from tests.unit.publish.account import (
    BACK,
    IDS,
    LABEL,
    NEW,
    OLD,
    PLANNED,
    REGION,
    SHARED,
    TEMPLATE,
    TEMPLATE_ID,
    Account,
    Parameter,
    account,
    codes,
    image,
    options,
    parameter,
    plan_of,
    run_on,
    template,
    version,
)

HISTORY, TAGS = "GetParameterHistory", "ListTagsForResource"
TEMPLATES, TYPES, ENCRYPTS = (
    "DescribeLaunchTemplateVersions",
    "DescribeInstanceTypes",
    "GetEbsEncryptionByDefault",
)
IMAGES, SHARES = "DescribeImages", "DescribeImageAttribute"
WITH_TEMPLATE = {"launch_templates": [TEMPLATE], "require_shared": False}
HIBERNATES = {"HibernationOptions": {"Configured": True}}
T3 = {"InstanceType": "t3.micro"}


def holding(value: str) -> dict[str, Any]:
    return {"parameter": parameter(version(1, value))}


def launching(value: str, **data: Any) -> dict[str, Any]:
    """A parameter and a template that name this image."""
    return {**holding(value), "templates": {TEMPLATE: template(value, **data)}}


READ: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "a new parameter": ({"parameter_tags": {"a": "b"}}, {}, [HISTORY, IMAGES, SHARES]),
    "the tags of a parameter": (
        {"parameter_tags": {"a": "b"}},
        holding(OLD),
        [HISTORY, TAGS, IMAGES, SHARES],
    ),
    "already published": ({}, holding(NEW), [HISTORY, IMAGES]),
    "sharing does not matter": ({"require_shared": False}, holding(OLD), [HISTORY, IMAGES]),
    "only the owner can read permissions": (
        {},
        {"image": image(owner_id=STRANGER), **holding(OLD)},
        [HISTORY, IMAGES],
    ),
    "only an available image can be shared": ({}, {"image": image(state="pending")}, [HISTORY, IMAGES]),
    "a template without a type": (WITH_TEMPLATE, launching(OLD), [HISTORY, TEMPLATES, IMAGES]),
    "a template with a type": (WITH_TEMPLATE, launching(OLD, **T3), [HISTORY, TEMPLATES, IMAGES, TYPES]),
    "a template with the image": (
        WITH_TEMPLATE,
        launching(NEW, **T3, **HIBERNATES),
        [HISTORY, TEMPLATES, IMAGES],
    ),
    "a template that hibernates": (
        WITH_TEMPLATE,
        launching(OLD, **HIBERNATES),
        [HISTORY, TEMPLATES, IMAGES, ENCRYPTS],
    ),
}


@pytest.mark.parametrize("case", READ)
def test_only_what_matters_is_read(case: str) -> None:
    want, here, expected = READ[case]
    there = account(**here)
    assert run_on(options(**want), there).seen
    assert there.calls == expected


@pytest.mark.parametrize(
    ("data", "names"),
    [(T3, ["t3.micro"]), ({"InstanceRequirements": {"VCpuCount": {"Min": 1}}}, None)],
    ids=["named", "by requirements"],
)
def test_all_types_of_a_region_are_read_only_for_requirements(data: Any, names: list[str] | None) -> None:
    there = account(**launching(OLD, **data))
    assert run_on(options(**WITH_TEMPLATE), there).seen
    by_name = [{"Name": "instance-type", "Values": names}] if names else []
    assert there.requests[TYPES] == {"Filters": by_name}


BEFORE_PUT = parameter(version(1, NEW), *(version(number) for number in range(2, 101)))
AFTER_PUT = parameter(*(version(number) for number in range(1, 100)), version(100, NEW))
BY_SOURCE = parameter(version(1, NEW), *(version(number, SOURCE_ID) for number in range(2, 101)))
BACK_TO: dict[str, tuple[Parameter, dict[str, Any], str | None]] = {
    "by the label": (parameter(version(1, NEW, LABEL), version(2, OLD)), {}, NEW),
    "no label": (parameter(version(1, "text")), {}, None),
    "the source itself, under the label of its own source": (
        parameter(version(1, SOURCE_ID, "source-ami-0000000000000000c"), version(2, OLD)),
        {"named": {SOURCE_ID: image(SOURCE_ID)}},
        SOURCE_ID,
    ),
    "a copy rather than the source itself": (
        parameter(version(1, NEW, LABEL), version(2, SOURCE_ID)),
        {},
        NEW,
    ),
    "interrupted, a copy rather than the source itself": (BY_SOURCE, {}, NEW),
    "interrupted before the value was put": (BEFORE_PUT, {}, NEW),
    "interrupted after the value was put": (AFTER_PUT, {}, NEW),
    "fewer versions than an interruption needs": (parameter(*BEFORE_PUT.versions[:-1]), {}, None),
    "another label": (parameter(version(1, NEW, "prod"), *BEFORE_PUT.versions[1:]), {}, None),
    "another source": (BEFORE_PUT, {"image": image(tags={})}, None),
}


@pytest.mark.parametrize("case", BACK_TO)
def test_the_image_of_a_rollback(case: str) -> None:
    held, here, expected = BACK_TO[case]
    target = plan_of(options(**BACK, require_shared=False), account(parameter=held, **here))
    assert codes([target]) == ([] if expected else ["label_not_found"])
    assert target.after.get("parameter", {}).get("value") == expected


ABROAD = {"account_ids": [CONSUMER], "consumer_role_name": "golden-consumer", "require_shared": False}


def test_only_the_owner_of_the_image_sees_its_source() -> None:
    consumer = account(parameter=BEFORE_PUT, image=image(tags={}))
    abroad, _here = run_on(options(**BACK, **ABROAD), account(consumer=consumer)).plan.targets
    assert abroad.after["parameter"]["value"] == NEW


UNSEEN: dict[str, list[Any]] = {"Images": []}


@pytest.mark.parametrize(
    ("owner", "unseen", "refused", "waited"),
    [
        pytest.param({"launch": SHARED}, 2, [], 4, id="account"),
        pytest.param({"launch": Sharing(public=True)}, 2, [], 4, id="public"),
        pytest.param({"launch": Sharing(org_arns=frozenset({ORG}))}, 2, [], 4, id="organization"),
        pytest.param({"launch": Sharing(org_unit_arns=frozenset({UNIT}))}, 2, [], 4, id="unit"),
        pytest.param({"launch": SHARED}, 99, ["image_not_found"], 30, id="for 30 seconds at most"),
        pytest.param(
            {"launch": Sharing(frozenset({STRANGER}))}, 1, ["image_not_found"], 0, id="another account"
        ),
        pytest.param(
            {"refuse": {SHARES: "InvalidAMIID.Unavailable"}}, 1, ["image_not_found"], 0, id="deregistered"
        ),
    ],
)
def test_wait_for_an_image_that_was_just_shared(
    clock: Clock, owner: dict[str, Any], unseen: int, refused: list[str], waited: float
) -> None:
    consumer = account(answers={IMAGES: [UNSEEN] * unseen})
    run = run_on(options(**ABROAD), account(consumer=consumer, **owner), check_mode=False)
    assert codes(run.plan.targets) == refused
    assert clock.now == waited


def test_check_mode_waits_for_no_image_that_will_be_shared(clock: Clock) -> None:
    run = run_on(options(**ABROAD), account(consumer=account(image=None)))
    assert (run.plan.refusals, clock.now) == ((), 0)


def refusal(here: Account, **given: Any) -> tuple[str, str, str | None]:
    """The code, message and region of the read that fails."""
    with pytest.raises(ValidationError) as caught:
        assert run_on(options(**given), here).seen
    (failure,) = caught.value.failures
    return failure.error_code, failure.message, failure.region


@pytest.mark.parametrize(
    ("given", "here", "expected"),
    [
        (WITH_TEMPLATE, {"refuse": {TEMPLATES: "UnauthorizedOperation"}}, ("UnauthorizedOperation", REGION)),
        (
            WITH_TEMPLATE,
            {**launching(OLD, **HIBERNATES), "refuse": {ENCRYPTS: "InternalError"}},
            ("InternalError", REGION),
        ),
        (
            {**PLANNED, "source_image_id": SOURCE_ID, "source_region": SOURCE_REGION},
            {"refuse": {IMAGES: "UnauthorizedOperation"}},
            ("UnauthorizedOperation", SOURCE_REGION),
        ),
        (
            {**PLANNED, "source_image_id": SOURCE_ID, "source_region": SOURCE_REGION},
            {"refuse": {IMAGES: "InvalidAMIID.NotFound"}},
            ("image_not_found", SOURCE_REGION),
        ),
    ],
)
def test_what_cannot_be_read_is_refused(
    given: dict[str, Any], here: dict[str, Any], expected: tuple[str, str]
) -> None:
    code, _message, region = refusal(account(**here), **given)
    assert (code, region) == expected


def without(item: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != name}


VERSION = version().listed()
TEMPLATE_VERSION = {
    "DefaultVersion": True,
    "LaunchTemplateData": {},
    "LaunchTemplateId": TEMPLATE_ID,
    "LaunchTemplateName": TEMPLATE,
    "VersionNumber": 1,
}


# Shapes ParameterHistory, LaunchTemplateVersion and InstanceTypeInfo of botocore require no member.
@pytest.mark.parametrize(
    ("operation", "answer", "lacks"),
    [
        (HISTORY, {}, "Parameters"),
        *((HISTORY, {"Parameters": [without(VERSION, one)]}, one) for one in ("Version", "Value", "Type")),
        (TAGS, {}, "TagList"),
        (TEMPLATES, {}, "LaunchTemplateVersions"),
        *(
            (TEMPLATES, {"LaunchTemplateVersions": [without(TEMPLATE_VERSION, one)]}, one)
            for one in TEMPLATE_VERSION
        ),
        (TYPES, {}, "InstanceTypes"),
        (TYPES, {"InstanceTypes": [{}]}, "InstanceType"),
    ],
)
def test_an_answer_that_is_not_complete_is_a_failed_read(
    operation: str, answer: dict[str, Any], lacks: str
) -> None:
    here = account(**launching(OLD, **T3), answers={operation: [answer]})
    code, message, _region = refusal(here, **WITH_TEMPLATE, parameter_tags={"a": "b"})
    assert code == "incomplete_response"
    assert f"{operation} lacks {lacks}" in message


@pytest.mark.parametrize(
    ("names", "refuse", "found"),
    [
        ([TEMPLATE_ID], {}, [TEMPLATE_ID]),
        ([TEMPLATE, IDS["db"]], {}, [TEMPLATE, IDS["db"]]),
        ([TEMPLATE, "lt-01234567"], {}, [TEMPLATE]),
        (["other"], {}, []),
        ([TEMPLATE_ID], {TEMPLATES: "InvalidLaunchTemplateId.NotFound"}, []),
    ],
)
def test_templates_are_found_by_name_and_by_id(
    names: list[str], refuse: dict[str, str], found: list[str]
) -> None:
    here = account(templates={TEMPLATE: template(), "db": template()}, refuse=refuse)
    target = plan_of(options(launch_templates=names), here)
    assert codes([target]) == ["launch_template_not_found"] * (len(names) - len(found))
    assert [*target.after["launch_templates"]] == found
    created = [one.resource for one in target.actions if one.operation == "CreateLaunchTemplateVersion"]
    assert created == [IDS.get(name, name) for name in found]
