# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls that publish an image in a parameter and launch templates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import Image
from ansible_collections.golden.images.plugins.module_utils._plan import KNOWN_AFTER_APPLY

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, volumes
from tests.unit.publish.account import (
    BACK,
    LABEL,
    NAME,
    NEW,
    OLD,
    REGION,
    TEMPLATE,
    TEMPLATE_ID,
    Account,
    account,
    changed,
    image,
    many,
    operations,
    options,
    parameter,
    plan_of,
    run_on,
    template,
    version,
)

PUBLISH = ["PutParameter", "LabelParameterVersion"]
WITH_TEMPLATE = {"launch_templates": [TEMPLATE]}
CREATE, MODIFY = "CreateLaunchTemplateVersion", "ModifyLaunchTemplate"


def made(image_id: str, **data: Any) -> dict[str, Any]:
    """The data of a second version of the template."""
    return {"ImageId": image_id, **data}


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "nothing there": ({}, {}, PUBLISH),
    "another image": ({}, {"parameter": parameter()}, PUBLISH),
    "all there": ({}, {"parameter": parameter(version(1, NEW, LABEL))}, []),
    "no label": ({}, {"parameter": parameter(version(1, NEW, "mine"))}, ["LabelParameterVersion"]),
    "label elsewhere": (
        {},
        {"parameter": parameter(version(1, NEW, LABEL), version(2, OLD), version(3, NEW))},
        ["LabelParameterVersion"],
    ),
    "image of an older version": (
        {},
        {"parameter": parameter(version(1, NEW, LABEL), version(2, OLD))},
        PUBLISH,
    ),
    "tags": (
        {"parameter_tags": {"a": "1", "b": "2"}},
        {"parameter": parameter(version(1, NEW, LABEL), a="1", c="3")},
        ["AddTagsToResource"],
    ),
    "tags there": (
        {"parameter_tags": {"a": "1"}},
        {"parameter": parameter(version(1, NEW, LABEL), a="1")},
        [],
    ),
    "advanced wanted": ({"tier": "Advanced"}, {"parameter": parameter(version(1, NEW, LABEL))}, PUBLISH),
    "advanced there": (
        {"tier": "Advanced"},
        {"parameter": parameter(version(1, NEW, LABEL, tier="Advanced"))},
        [],
    ),
    "AWS may choose": ({"tier": "Intelligent-Tiering"}, {"parameter": parameter(version(1, NEW, LABEL))}, []),
    "oldest in the way": ({}, {"parameter": many("source-ami-old")}, ["UnlabelParameterVersion", *PUBLISH]),
    "oldest without label": ({}, {"parameter": many()}, PUBLISH),
}
TEMPLATES: dict[str, tuple[Any, list[str]]] = {
    "another image": (template(), [CREATE, MODIFY]),
    "no image": (template(None), [CREATE, MODIFY]),
    "there": (template(NEW), []),
    "follows": (template(f"resolve:ssm:{NAME}"), []),
    "follows by ARN": (template(f"resolve:ssm:arn:aws:ssm:{REGION}:{OWNER}:parameter{NAME}"), []),
    "made and not the default": (template(OLD, made(NEW)), [MODIFY]),
    "made with another image": (template(OLD, made("ami-other")), [CREATE, MODIFY]),
    "there, and another image in a later version": (template(NEW, made(OLD)), [CREATE, MODIFY]),
    "there twice": (template(NEW, made(NEW)), []),
    "follows twice": (template(f"resolve:ssm:{NAME}", made(f"resolve:ssm:{NAME}")), []),
}
LARGE = {"InstanceType": "m5.large"}
# Templates whose latest version is not the default and differs: the version that the new one is based on.
BASED: dict[str, tuple[Any, str, list[str], str]] = {
    "default": (template(OLD, made(OLD, **LARGE)), "default", [CREATE, MODIFY], "1"),
    "latest": (template(OLD, made(OLD, **LARGE)), "latest", [CREATE, MODIFY], "2"),
    "latest has the image": (template(OLD, made(NEW, **LARGE)), "latest", [MODIFY], ""),
    "latest has the image, and the default counts": (
        template(OLD, made(NEW, **LARGE)),
        "default",
        [CREATE, MODIFY],
        "1",
    ),
    "default has the image": (template(NEW, made(OLD, **LARGE)), "latest", [CREATE, MODIFY], "2"),
    "default has the image, and it counts": (template(NEW, made(OLD, **LARGE)), "default", [], ""),
    "both have the image, and latest counts": (template(NEW, made(NEW, **LARGE)), "latest", [MODIFY], ""),
    "interrupted from the default": (template(OLD, made(NEW)), "default", [MODIFY], ""),
    "latest follows": (template(OLD, made(f"resolve:ssm:{NAME}")), "latest", [MODIFY], ""),
}


@pytest.mark.parametrize("case", CASES)
def test_calls_of_a_parameter(case: str) -> None:
    want, here, calls = CASES[case]
    target = plan_of(options(**want), account(**here))
    assert (operations(target), target.refusals) == (calls, ())
    if calls:
        assert target.after != target.before or calls == ["LabelParameterVersion"]
    else:
        assert target.after == target.before


ROOT = [{"DeviceName": "/dev/sda", "Ebs": {"SnapshotId": "snap-old"}}]
OLD_IMAGE = image(OLD, devices=volumes("snap-old"), root_device="/dev/sda")
FOLLOWS = f"resolve:ssm:{NAME}"


def test_a_template_that_follows_loses_the_snapshot_before_the_parameter_changes() -> None:
    one = template(FOLLOWS, BlockDeviceMappings=ROOT)
    here = account(parameter=parameter(), templates={TEMPLATE: one}, named={OLD: OLD_IMAGE})
    target = plan_of(options(**WITH_TEMPLATE), here)
    assert operations(target) == [CREATE, MODIFY, *PUBLISH]
    assert target.actions[0].parameters["LaunchTemplateData"] == {"ImageId": FOLLOWS}
    assert target.warnings == ()


def test_a_default_that_cannot_be_launched_is_replaced_with_a_warning() -> None:
    rooted = image(root_device="/dev/sda")
    one = template(NEW, BlockDeviceMappings=ROOT)
    here = account(image=rooted, parameter=parameter(version(1, NEW, LABEL)), templates={TEMPLATE: one})
    target = plan_of(options(**WITH_TEMPLATE), here)
    assert operations(target) == [CREATE, MODIFY]
    assert "does not launch" in "".join(target.warnings)
    own = replace(rooted, devices=volumes("snap-old"))
    assert operations(plan_of(options(**WITH_TEMPLATE), changed(here, image=own))) == []


@pytest.mark.parametrize("case", TEMPLATES)
def test_calls_of_a_template(case: str) -> None:
    one, calls = TEMPLATES[case]
    here = account(parameter=parameter(version(1, NEW, LABEL)), templates={TEMPLATE: one})
    target = plan_of(options(**WITH_TEMPLATE), here)
    assert (operations(target), target.refusals) == (calls, ())
    assert (target.before != target.after) == bool(calls)


@pytest.mark.parametrize("case", BASED)
def test_calls_of_a_template_by_the_selected_version(case: str) -> None:
    one, selected, calls, base = BASED[case]
    here = account(parameter=parameter(version(1, NEW, LABEL)), templates={TEMPLATE: one})
    target = plan_of(options(**WITH_TEMPLATE, launch_template_base_version=selected), here)
    assert (operations(target), target.refusals) == (calls, ())
    assert [action.parameters.get("SourceVersion", "") for action in target.actions[:-1]] == [base][
        : len(calls) - 1
    ]
    assert (target.before != target.after) == bool(calls)


def test_no_template_follows_a_parameter_before_it_has_the_image() -> None:
    one = template(OLD, made(f"resolve:ssm:{NAME}"))
    want = options(**WITH_TEMPLATE, launch_template_base_version="latest")
    target = plan_of(want, account(templates={TEMPLATE: one}))
    assert operations(target) == ["PutParameter", "LabelParameterVersion", MODIFY]


def test_the_numbers_of_versions_are_in_the_states() -> None:
    here = account(parameter=parameter(version(1, NEW, LABEL)))
    interrupted = plan_of(
        options(**WITH_TEMPLATE), changed(here, templates={TEMPLATE: template(OLD, made(NEW))})
    )
    numbers = {"latest_image_id": NEW, "latest_version": 2}
    assert interrupted.before["launch_templates"] == {
        TEMPLATE: {"default_version": 1, "image_id": OLD, **numbers}
    }
    assert interrupted.after["launch_templates"] == {
        TEMPLATE: {"default_version": 2, "image_id": NEW, **numbers}
    }
    new = plan_of(options(**WITH_TEMPLATE), changed(here, templates={TEMPLATE: template(OLD)}))
    assert new.after["launch_templates"] == {
        TEMPLATE: {
            "default_version": KNOWN_AFTER_APPLY,
            "image_id": NEW,
            "latest_image_id": NEW,
            "latest_version": KNOWN_AFTER_APPLY,
        }
    }


@pytest.mark.parametrize(
    ("latest", "selected", "warned"),
    [
        (made(OLD), None, f"its latest version, 2, launches {OLD}. The new version replaces it."),
        (made(OLD), "default", "It is not changed"),
        ({}, "default", "launches no image"),
        (made(f"resolve:ssm:{NAME}"), "default", ""),
        (made(NEW), None, ""),
        (None, None, ""),
    ],
)
def test_a_warning_for_another_image_in_the_latest_version(
    latest: dict[str, Any] | None, selected: str | None, warned: str
) -> None:
    here = account(parameter=parameter(version(1, NEW, LABEL)), templates={TEMPLATE: template(NEW, latest)})
    want = options(**WITH_TEMPLATE, launch_template_base_version=selected)
    warnings = plan_of(want, here).warnings
    assert [warned in text and TEMPLATE in text for text in warnings] == [True] * bool(warned)


def test_an_image_that_is_new_for_all_versions_needs_no_warning() -> None:
    here = account(templates={TEMPLATE: template(OLD, made("ami-other"))})
    assert plan_of(options(**WITH_TEMPLATE), here).warnings == ()


def test_what_is_put() -> None:
    put, label = plan_of(options(), account(parameter=parameter())).actions
    assert (put.service, put.resource) == ("ssm", NAME)
    value = {"Name": NAME, "Value": NEW, "Type": "String", "DataType": "aws:ec2:image"}
    assert put.parameters == {**value, "Overwrite": True}
    assert label.parameters == {"Name": NAME, "ParameterVersion": KNOWN_AFTER_APPLY, "Labels": [LABEL]}


def test_a_new_parameter_is_created_with_its_tags() -> None:
    """AWS refuses tags with Overwrite (botocore shape PutParameterRequest, Tags; moto has the message)."""
    value = {"Name": NAME, "Value": NEW, "Type": "String", "DataType": "aws:ec2:image"}
    put, _label = plan_of(options(), account()).actions
    assert put.parameters == value
    target = plan_of(options(parameter_tags={"b": "2", "a": "1"}), account())
    assert operations(target) == PUBLISH
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    assert target.actions[0].parameters == {**value, "Tags": tags}
    assert target.after["parameter"]["tags"] == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("present", "tier", "sent"),
    [
        (None, None, None),
        (None, "Standard", "Standard"),
        (None, "Intelligent-Tiering", "Intelligent-Tiering"),
        ("Standard", None, None),
        ("Standard", "Advanced", "Advanced"),
        # AWS would reject any other tier as an attempt to change it to Standard.
        ("Advanced", None, "Advanced"),
        ("Advanced", "Intelligent-Tiering", "Advanced"),
    ],
)
def test_the_requested_tier(present: str | None, tier: str | None, sent: str | None) -> None:
    here = account(parameter=parameter(version(tier=present)) if present else None)
    assert plan_of(options(tier=tier), here).actions[0].parameters.get("Tier") == sent


def test_a_template_given_by_name_and_id_gets_one_version() -> None:
    target = plan_of(
        options(launch_templates=[TEMPLATE, TEMPLATE_ID]), account(templates={TEMPLATE: template()})
    )
    assert operations(target) == [*PUBLISH, CREATE, MODIFY]


def test_user_data_is_not_in_the_repr() -> None:
    run = run_on(options(**WITH_TEMPLATE), account(templates={TEMPLATE: template(UserData="secret")}))
    assert run.plan.actions
    assert "secret" not in repr((run.seen, run.plan))


PROMOTED = image(OLD, tags={}, source_image_id="ami-built")
US = "us-east-1"


def labels(given: dict[str, Any], there: Account) -> dict[str, str]:
    """The label of each region."""
    return {one["region"]: one["label"] for one in run_on(given, there).results}


@pytest.mark.parametrize(
    ("named", "view", "label"),
    [
        pytest.param(SOURCE_ID, image(tags={}), LABEL, id="named"),
        pytest.param(None, image(), LABEL, id="the tag"),
        pytest.param(None, image(tags={}, source_image_id="ami-1"), "source-ami-1", id="recorded by AWS"),
        pytest.param(None, image(source_image_id="ami-1"), LABEL, id="the tag before what AWS records"),
        pytest.param(None, image(tags={}), f"source-{NEW}", id="no copy"),
    ],
)
def test_the_label_has_the_source_image(named: str | None, view: Image, label: str) -> None:
    assert labels(options(source_image_id=named), account(image=view)) == {REGION: label}


def test_the_label_has_the_source_that_only_the_owner_sees() -> None:
    abroad = account(image=image(tags={}))
    want = options(account_ids=[CONSUMER], consumer_role_name="golden-consumer")
    results = run_on(want, account(consumer=abroad)).results
    assert {one["account_id"]: one["label"] for one in results} == {OWNER: LABEL, CONSUMER: LABEL}


@pytest.mark.parametrize(
    ("here", "images", "label"),
    [
        pytest.param(
            {"named": {OLD: PROMOTED}, "image": image(NEW, tags={}, source_image_id=OLD)},
            {REGION: NEW, US: OLD},
            f"source-{OLD}",
            id="the source of the other",
        ),
        pytest.param(
            {"named": {OLD: PROMOTED}}, {REGION: None, US: OLD}, KNOWN_AFTER_APPLY, id="a copy is planned"
        ),
        pytest.param(
            {"named": {OLD: PROMOTED}, "image": image(NEW, tags={}, source_image_id=OLD)},
            {REGION: NEW, US: OLD, "us-west-2": None},
            f"source-{OLD}",
            id="another copy is planned, and does not matter",
        ),
        pytest.param({"named": {OLD: PROMOTED}}, {US: OLD}, "source-ami-built", id="alone"),
    ],
)
def test_an_image_that_is_itself_a_copy_is_the_source_of_the_others(
    here: dict[str, Any], images: dict[str, str | None], label: str
) -> None:
    assert labels(options(images=images), account(**here))[US] == label


def test_publishing_a_planned_copy() -> None:
    images = {REGION: None}
    nothing = account(image=None, templates={TEMPLATE: template(None)})
    target = plan_of(options(images=images, **WITH_TEMPLATE), nothing)
    assert operations(target) == [*PUBLISH, CREATE, MODIFY]
    assert target.refusals == ()
    assert target.after["parameter"]["labels"] == [KNOWN_AFTER_APPLY]
    named = plan_of(options(images=images, source_image_id=SOURCE_ID), nothing)
    assert named.after["parameter"]["labels"] == [LABEL]


def test_a_warning_names_rollbacks_that_become_impossible() -> None:
    (warning,) = plan_of(options(), account(parameter=many("source-ami-old", LABEL))).warnings
    assert "ami-old" in warning
    assert SOURCE_ID not in warning


@pytest.mark.parametrize(
    ("oldest", "latest", "source", "warned"),
    [
        ("source-ami-old", LABEL, SOURCE_ID, ""),
        ("source-ami-old", "source-ami-other", SOURCE_ID, "prevents a rollback to ami-old"),
        ("source-ami-old", LABEL, None, ""),
        ("prod", LABEL, SOURCE_ID, ""),
        ("prod", LABEL, None, "has the label prod"),
        ("prod", "", SOURCE_ID, "has the label prod"),
    ],
)
def test_a_warning_for_an_image_that_is_not_known(
    oldest: str, latest: str, source: str | None, warned: str
) -> None:
    images = {REGION: None}
    versions = many(oldest).versions
    newest = replace(versions[-1], labels=(latest,) if latest else ())
    here = account(image=None, parameter=parameter(*versions[:-1], newest))
    warnings = plan_of(options(images=images, source_image_id=source), here).warnings
    assert [warned in text for text in warnings] == [True] * bool(warned)


def test_a_rollback_publishes_in_all_accounts_and_regions() -> None:
    want = options(**BACK, account_ids=[CONSUMER], consumer_role_name="golden-consumer")
    published = parameter(version(1, NEW, LABEL), version(2, OLD))
    here = account(parameter=published, consumer=account(parameter=published))
    run = run_on(want, here)
    assert [(one.target.account_id, operations(one)) for one in run.plan.targets] == [
        (CONSUMER, PUBLISH),
        (OWNER, PUBLISH),
    ]
    assert run.result["images"] == [
        {"account_id": CONSUMER, "image_id": NEW, "region": REGION},
        {"account_id": OWNER, "image_id": NEW, "region": REGION},
    ]
    settled = account(parameter=parameter(version(1, NEW), version(2, NEW, LABEL)))
    assert plan_of(options(**BACK), settled).actions == ()
