# SPDX-License-Identifier: GPL-3.0-or-later

"""What is not published, each case with its own code, and what does not prevent publishing."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.model import Device, ImagesByTarget, Sharing
from ansible_collections.golden.images.plugins.module_utils.publish import plan as publish
from ansible_collections.golden.images.plugins.module_utils.publish.state import Parameter, ParameterVersion

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID
from tests.unit.publish.examples import (
    ABROAD,
    LABEL,
    NAME,
    NEW,
    OLD,
    REGION,
    TEMPLATE,
    codes,
    found,
    image,
    many,
    parameter,
    planned,
    seen,
    template,
    version,
    wanted,
)

ARM = image(OLD, architecture="arm64")
TEN = [f"label-{number}" for number in range(10)]
PLANNED = {"images": ImagesByTarget({(None, REGION): None})}
BACK = {"images": None, "regions": (REGION,), "source_image_id": SOURCE_ID}
UNKNOWN: dict[str, Any] = {"image_id": None, "image": None, "launch": None}
FULL = {f"key-{number}": "" for number in range(50)}


def full(latest: ParameterVersion) -> Parameter:
    """A parameter that takes no new version, because its oldest one has the label of somebody else."""
    return parameter(*many("prod").versions[:-1], latest)


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "fine": ({}, {"parameter": parameter()}, []),
    "gone": ({}, {"image": None}, ["image_not_found"]),
    "gone, as if shared": ({"as_if_shared": True}, {"image": None}, ["image_not_found"]),
    "pending": ({}, {"image": image(state="pending")}, ["image_not_available"]),
    "disabled": ({}, {"image": image(state="disabled")}, ["image_not_available"]),
    "private": ({}, {"launch": Sharing()}, ["not_shared"]),
    "with its owner only": ({}, {"launch": Sharing(frozenset({OWNER}))}, ["not_shared"]),
    "with its owner and another account": ({}, {"launch": Sharing(frozenset({OWNER, CONSUMER}))}, []),
    "public": ({}, {"launch": Sharing(public=True)}, []),
    "not asked whether shared": ({}, {"launch": None}, []),
    "text": ({}, {"parameter": parameter(version(data_type="text"))}, ["wrong_parameter_type"]),
    "list": ({}, {"parameter": parameter(version(type="StringList"))}, ["wrong_parameter_type"]),
    "secure": ({}, {"parameter": parameter(version(type="SecureString"))}, ["wrong_parameter_type"]),
    "other architecture": ({}, {"parameter": parameter(), "named": {OLD: ARM}}, ["architecture_mismatch"]),
    "same architecture": ({}, {"parameter": parameter(), "named": {OLD: image(OLD)}}, []),
    "template's architecture": (
        {"launch_templates": (TEMPLATE,)},
        {"templates": {TEMPLATE: template()}, "named": {OLD: ARM}},
        ["architecture_mismatch"],
    ),
    "no template": ({"launch_templates": (TEMPLATE,)}, {}, ["launch_template_not_found"]),
    "template of another parameter": (
        {"launch_templates": (TEMPLATE,)},
        {"templates": {TEMPLATE: template(f"resolve:ssm:{NAME}:7")}},
        ["launch_template_follows_parameter"],
    ),
    "template of another device": (
        {"launch_templates": (TEMPLATE,)},
        {"templates": {TEMPLATE: template(BlockDeviceMappings=[{"DeviceName": "/dev/sdx", "Ebs": {}}])}},
        ["launch_template_device_missing"],
    ),
    "template of another device, and nothing changes": (
        {"launch_templates": (TEMPLATE,)},
        {"templates": {TEMPLATE: template(NEW, BlockDeviceMappings=[{"DeviceName": "/dev/sdx", "Ebs": {}}])}},
        [],
    ),
    "template with a small volume": (
        {"launch_templates": (TEMPLATE,)},
        {
            "image": image(devices=(Device("/dev/sda", "snap-1", False, 20),)),
            "templates": {
                TEMPLATE: template(
                    BlockDeviceMappings=[{"DeviceName": "/dev/sda", "Ebs": {"VolumeSize": 19}}]
                )
            },
        },
        ["launch_template_volume_too_small"],
    ),
    "back to standard": (
        {"tier": "Standard"},
        {"parameter": parameter(version(tier="Advanced"))},
        ["wrong_parameter_tier"],
    ),
    "another label on the oldest version": ({}, {"parameter": many("prod")}, ["too_many_parameter_versions"]),
    "another label on the oldest version, and the image is published already": (
        {},
        {"parameter": full(version(102, NEW, LABEL))},
        [],
    ),
    "another label on the oldest version, and the image of this source is not known": (
        {**PLANNED, "source_image_id": SOURCE_ID},
        {**UNKNOWN, "parameter": full(version(102, OLD, LABEL))},
        [],
    ),
    "another label on the oldest version, and the image of another source is not known": (
        {**PLANNED, "source_image_id": SOURCE_ID},
        {**UNKNOWN, "parameter": full(version(102, OLD, "source-ami-other"))},
        ["too_many_parameter_versions"],
    ),
    "another label on the oldest version, and neither image nor source is known": (
        PLANNED,
        {**UNKNOWN, "parameter": full(version(102, OLD, LABEL))},
        [],
    ),
    "another label on the oldest version, and the newest has none": (
        {**PLANNED, "source_image_id": SOURCE_ID},
        {**UNKNOWN, "parameter": full(version(102, OLD))},
        [],
    ),
    "another label on the oldest version, and the tier needs a new one": (
        {**PLANNED, "source_image_id": SOURCE_ID, "tier": "Advanced"},
        {**UNKNOWN, "parameter": full(version(102, OLD, LABEL))},
        ["too_many_parameter_versions"],
    ),
    "no room for a label": (
        {},
        {"parameter": parameter(version(1, NEW, *TEN))},
        ["too_many_parameter_labels"],
    ),
    "label there already": ({}, {"parameter": parameter(version(1, NEW, *TEN[1:], LABEL))}, []),
    "ten labels on what was": ({}, {"parameter": parameter(version(1, OLD, *TEN))}, []),
    "too many tags": ({"parameter_tags": {"a": ""}}, {"parameter": parameter(**FULL)}, ["invalid_option"]),
    "nothing to go back to": (BACK, {"image_id": None, "image": None}, ["label_not_found"]),
    "gone back to": (BACK, {"image": None, "parameter": parameter()}, ["image_not_found"]),
    "planned": (PLANNED, UNKNOWN, []),
}


@pytest.mark.parametrize("case", CASES)
def test_refusals(case: str) -> None:
    want, here, expected = CASES[case]
    target = planned(wanted(**want), found(**here))
    assert codes([target]) == expected
    for failure in target.refusals:
        assert (failure.region, failure.message != "", failure.remedy != "") == (REGION, True, True)


def test_a_planned_copy_has_its_sources_architecture() -> None:
    here = found(image_id=None, image=None, parameter=parameter(), named={OLD: ARM})
    assert codes([planned(wanted(**PLANNED), here, source=image())]) == ["architecture_mismatch"]
    assert codes([planned(wanted(**PLANNED), here)]) == []


@pytest.mark.parametrize(("as_if_shared", "expected"), [(False, ["image_not_found"]), (True, [])])
def test_a_consumer_must_see_the_image_unless_it_is_about_to(as_if_shared: bool, expected: list[str]) -> None:
    want = wanted(account_ids=(CONSUMER,), as_if_shared=as_if_shared)
    (target,) = publish.plan(want, seen(found(), places={ABROAD: found(image=None)})).targets
    assert codes([target]) == expected
    assert [CONSUMER in failure.message for failure in target.refusals] == [True for _ in expected]
    assert len(target.warnings) == as_if_shared
