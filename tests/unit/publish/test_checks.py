# SPDX-License-Identifier: GPL-3.0-or-later

"""What is not published, each case with its own code, and what does not prevent publishing."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import Device, Sharing
from ansible_collections.golden.images.plugins.module_utils._tags import RECALLED_TAG

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID
from tests.unit.publish.account import (
    BACK,
    LABEL,
    NAME,
    NEW,
    OLD,
    PLANNED,
    REGION,
    TEMPLATE,
    Parameter,
    Version,
    account,
    changed,
    codes,
    image,
    many,
    options,
    parameter,
    plan_of,
    run_on,
    template,
    version,
)

ARM = image(OLD, architecture="arm64")
TEN = [f"label-{number}" for number in range(10)]
UNKNOWN: dict[str, Any] = {"image": None}
ANOTHER_DEVICE = {"DeviceName": "/dev/sdx", "Ebs": {}}
T2 = {"t2.micro": {"SupportedBootModes": ["legacy-bios"], "VCpuInfo": {"DefaultVCpus": 1}}}
UEFI: dict[str, Any] = {"image": image(boot_mode="uefi"), "types": T2}
RESERVED = {
    "CapacityReservationSpecification": {"CapacityReservationTarget": {"CapacityReservationId": "cr-1"}}
}
HIBERNATES = {"HibernationOptions": {"Configured": True}}
RECALLED = {RECALLED_TAG: "2026-12-01T23:40:05Z"}
FULL = {f"key-{number}": "" for number in range(50)}


def full(latest: Version) -> Parameter:
    """A parameter that takes no new version, because its oldest one has the label of somebody else."""
    return parameter(*many("prod").versions[:-1], latest)


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "fine": ({}, {"parameter": parameter()}, []),
    "gone": ({}, {"image": None}, ["image_not_found"]),
    "gone, as if shared": ({"require_shared": False}, {"image": None}, ["image_not_found"]),
    "pending": ({}, {"image": image(state="pending")}, ["image_not_available"]),
    "disabled": ({}, {"image": image(state="disabled")}, ["image_not_available"]),
    "recalled": ({}, {"image": image(tags=RECALLED)}, ["image_recalled"]),
    "recalled, in a best-effort region": (
        {"best_effort_regions": [REGION]},
        {"image": image(tags=RECALLED)},
        ["image_recalled"],
    ),
    "recalled, and published already": (
        {},
        {"image": image(tags=RECALLED), "parameter": parameter(version(1, NEW, LABEL))},
        ["image_recalled"],
    ),
    "back to a recalled one": (
        BACK,
        {"image": image(tags=RECALLED), "parameter": parameter(version(1, NEW, LABEL), version(2))},
        ["image_recalled"],
    ),
    "back from a recalled one": (
        BACK,
        {
            "parameter": parameter(version(1, NEW, LABEL), version(2)),
            "named": {OLD: image(OLD, tags=RECALLED)},
        },
        [],
    ),
    "a planned copy of a recalled source": (
        {**PLANNED, "source_image_id": SOURCE_ID},
        {**UNKNOWN, "source": image(SOURCE_ID, tags=RECALLED)},
        ["image_recalled"],
    ),
    "private": ({}, {"launch": Sharing()}, ["not_shared"]),
    "with its owner only": ({}, {"launch": Sharing(frozenset({OWNER}))}, ["not_shared"]),
    "with its owner and another account": ({}, {"launch": Sharing(frozenset({OWNER, CONSUMER}))}, []),
    "public": ({}, {"launch": Sharing(public=True)}, []),
    "not asked whether shared": ({"require_shared": False}, {"launch": Sharing()}, []),
    "text": ({}, {"parameter": parameter(version(data_type="text"))}, ["wrong_parameter_type"]),
    "list": ({}, {"parameter": parameter(version(type="StringList"))}, ["wrong_parameter_type"]),
    "secure": ({}, {"parameter": parameter(version(type="SecureString"))}, ["wrong_parameter_type"]),
    "other architecture": ({}, {"parameter": parameter(), "named": {OLD: ARM}}, ["architecture_mismatch"]),
    "same architecture": ({}, {"parameter": parameter(), "named": {OLD: image(OLD)}}, []),
    "template's architecture": (
        {"launch_templates": [TEMPLATE]},
        {"templates": {TEMPLATE: template()}, "named": {OLD: ARM}},
        ["architecture_mismatch"],
    ),
    "no template": ({"launch_templates": [TEMPLATE]}, {}, ["launch_template_not_found"]),
    "template of another parameter": (
        {"launch_templates": [TEMPLATE]},
        {"templates": {TEMPLATE: template(f"resolve:ssm:{NAME}:7")}},
        ["launch_template_follows_parameter"],
    ),
    "template of another account's parameter": (
        {"launch_templates": [TEMPLATE]},
        {"templates": {TEMPLATE: template(f"resolve:ssm:arn:aws:ssm:{REGION}:{CONSUMER}:parameter{NAME}")}},
        ["launch_template_follows_parameter"],
    ),
    "template of another region's parameter": (
        {"launch_templates": [TEMPLATE]},
        {"templates": {TEMPLATE: template(f"resolve:ssm:arn:aws:ssm:us-east-1:{OWNER}:parameter{NAME}")}},
        ["launch_template_follows_parameter"],
    ),
    "template of two parameters": (
        {"launch_templates": [TEMPLATE]},
        {"templates": {TEMPLATE: template(OLD, {"ImageId": "resolve:ssm:/golden/db"})}},
        ["launch_template_versions_differ"],
    ),
    "latest version of another parameter": (
        {"launch_templates": [TEMPLATE], "launch_template_base_version": "latest"},
        {"templates": {TEMPLATE: template(OLD, {"ImageId": "resolve:ssm:/golden/db"})}},
        ["launch_template_follows_parameter"],
    ),
    "latest version of another device": (
        {"launch_templates": [TEMPLATE], "launch_template_base_version": "latest"},
        {"templates": {TEMPLATE: template(OLD, {"BlockDeviceMappings": [ANOTHER_DEVICE]})}},
        ["launch_template_device_missing"],
    ),
    "latest version of another device, and the default counts": (
        {"launch_templates": [TEMPLATE], "launch_template_base_version": "default"},
        {"templates": {TEMPLATE: template(OLD, {"BlockDeviceMappings": [ANOTHER_DEVICE]})}},
        [],
    ),
    "latest version's architecture": (
        {"launch_templates": [TEMPLATE], "launch_template_base_version": "latest"},
        {"templates": {TEMPLATE: template(None, {"ImageId": OLD})}, "named": {OLD: ARM}},
        ["architecture_mismatch"],
    ),
    "latest version that an interrupted run created": (
        {"launch_templates": [TEMPLATE]},
        {"templates": {TEMPLATE: template(OLD, {"ImageId": NEW})}},
        [],
    ),
    "template of another device": (
        {"launch_templates": [TEMPLATE]},
        {"templates": {TEMPLATE: template(BlockDeviceMappings=[{"DeviceName": "/dev/sdx", "Ebs": {}}])}},
        ["launch_template_device_missing"],
    ),
    "template of another device, and nothing changes": (
        {"launch_templates": [TEMPLATE]},
        {"templates": {TEMPLATE: template(NEW, BlockDeviceMappings=[{"DeviceName": "/dev/sdx", "Ebs": {}}])}},
        [],
    ),
    "template with a small volume": (
        {"launch_templates": [TEMPLATE]},
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
    "template with a type that lacks the boot mode": (
        {"launch_templates": [TEMPLATE]},
        {**UEFI, "templates": {TEMPLATE: template(InstanceType="t2.micro")}},
        ["launch_template_type_unsupported"],
    ),
    "template with a type that lacks the boot mode, and nothing changes": (
        {"launch_templates": [TEMPLATE]},
        {**UEFI, "templates": {TEMPLATE: template(NEW, InstanceType="t2.micro")}},
        [],
    ),
    "following template with a type that lacks the boot mode": (
        {"launch_templates": [TEMPLATE]},
        {
            **UEFI,
            "parameter": parameter(),
            "templates": {TEMPLATE: template(f"resolve:ssm:{NAME}", InstanceType="t2.micro")},
        },
        ["launch_template_type_unsupported"],
    ),
    "following template, and the parameter is new": (
        {"launch_templates": [TEMPLATE]},
        {**UEFI, "templates": {TEMPLATE: template(f"resolve:ssm:{NAME}", InstanceType="t2.micro")}},
        ["launch_template_type_unsupported"],
    ),
    "following template with a small volume, and the parameter is new": (
        {"launch_templates": [TEMPLATE]},
        {
            "image": image(devices=(Device("/dev/sda", "snap-1", False, 20),)),
            "templates": {
                TEMPLATE: template(
                    f"resolve:ssm:{NAME}",
                    BlockDeviceMappings=[{"DeviceName": "/dev/sda", "Ebs": {"VolumeSize": 19}}],
                )
            },
        },
        ["launch_template_volume_too_small"],
    ),
    "following template, and the parameter has the image": (
        {"launch_templates": [TEMPLATE]},
        {
            **UEFI,
            "parameter": parameter(version(1, NEW)),
            "templates": {TEMPLATE: template(f"resolve:ssm:{NAME}", InstanceType="t2.micro")},
        },
        [],
    ),
    "latest version that follows, and the default counts": (
        {"launch_templates": [TEMPLATE], "launch_template_base_version": "default"},
        {
            **UEFI,
            "parameter": parameter(),
            "templates": {
                TEMPLATE: template(OLD, {"ImageId": f"resolve:ssm:{NAME}", "InstanceType": "t2.micro"})
            },
        },
        ["launch_template_type_unsupported"],
    ),
    "template with requirements that no type for the image fulfils": (
        {"launch_templates": [TEMPLATE]},
        {**UEFI, "templates": {TEMPLATE: template(InstanceRequirements={"VCpuCount": {"Max": 1}})}},
        ["launch_template_type_unsupported"],
    ),
    "template with a type of an unseen image": (
        {"launch_templates": [TEMPLATE], **PLANNED},
        {**UNKNOWN, "types": T2, "templates": {TEMPLATE: template(InstanceType="t2.micro")}},
        [],
    ),
    "Windows over another platform": (
        {},
        {"image": image(is_windows=True), "parameter": parameter(), "named": {OLD: image(OLD)}},
        ["platform_mismatch"],
    ),
    "another platform over Windows in a template": (
        {"launch_templates": [TEMPLATE]},
        {"templates": {TEMPLATE: template()}, "named": {OLD: image(OLD, is_windows=True)}},
        ["platform_mismatch"],
    ),
    "another platform than Windows over yet another": (
        {},
        {
            "image": image(platform="Ubuntu Pro"),
            "parameter": parameter(),
            "named": {OLD: image(OLD, platform="SUSE Linux")},
        },
        [],
    ),
    "template with a capacity reservation for another platform": (
        {"launch_templates": [TEMPLATE]},
        {
            "image": image(platform="Ubuntu Pro"),
            "templates": {TEMPLATE: template(**RESERVED)},
            "named": {OLD: image(OLD, platform="SUSE Linux")},
        },
        ["launch_template_options_unsupported"],
    ),
    "template that hibernates, and a root volume that is not encrypted": (
        {"launch_templates": [TEMPLATE]},
        {"encrypts": False, "templates": {TEMPLATE: template(**HIBERNATES)}},
        ["launch_template_options_unsupported"],
    ),
    "template that hibernates with the image already": (
        {"launch_templates": [TEMPLATE]},
        {"encrypts": False, "templates": {TEMPLATE: template(NEW, **HIBERNATES)}},
        [],
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
    "nothing to go back to": (BACK, {"image": None}, ["label_not_found"]),
    "gone back to": (
        BACK,
        {"image": None, "parameter": parameter(version(1, NEW, LABEL))},
        ["image_not_found"],
    ),
    "planned": (PLANNED, UNKNOWN, []),
}


@pytest.mark.parametrize("case", CASES)
def test_refusals(case: str) -> None:
    want, here, expected = CASES[case]
    target = plan_of(options(**want), account(**here))
    assert codes([target]) == expected
    for failure in target.refusals:
        assert (failure.region, failure.message != "", failure.remedy != "") == (REGION, True, True)


@pytest.mark.parametrize("image_id", [OLD, NEW])
@pytest.mark.parametrize("is_rollback", [False, True])
def test_versions_of_a_template_that_differ_are_refused_unless_one_is_selected(
    image_id: str, is_rollback: bool
) -> None:
    """Also if the default version has the image: Auto Scaling groups can launch the latest one."""
    latest = {"ImageId": OLD, "UserData": "a secret", "KeyName": "web"}
    here = account(
        parameter=parameter(version(1, NEW, LABEL)),
        templates={TEMPLATE: template(image_id, latest, InstanceType="t3.micro")},
    )
    back = BACK if is_rollback else {}
    want = {"launch_templates": [TEMPLATE], **back}
    target = plan_of(options(**want), here)
    (refusal,) = target.refusals
    assert refusal.error_code == "launch_template_versions_differ"
    assert refusal.message == (
        f"launch_templates: {TEMPLATE} has the default version 1 and the latest version 2, which differ in "
        "InstanceType, KeyName, UserData."
    )
    assert "launch_template_base_version" in (refusal.remedy or "")
    for selected in ("default", "latest"):
        assert codes([plan_of(options(**want, launch_template_base_version=selected), here)]) == []


@pytest.mark.parametrize(
    ("selected", "which", "remedy"),
    [
        (None, "The default version", "Set a default version"),
        ("latest", "The latest version", "Create a ver"),
    ],
)
def test_a_refusal_names_the_version_that_the_new_one_would_be_based_on(
    selected: str | None, which: str, remedy: str
) -> None:
    image_id = f"resolve:ssm:{NAME}:7"
    mapping = {"DeviceName": "/dev/sda", "Ebs": {"VolumeSize": 19}}
    for data, text in (
        ({"ImageId": image_id}, f"{which} of {TEMPLATE} takes its image from {image_id}."),
        ({"BlockDeviceMappings": [ANOTHER_DEVICE]}, f"{which} of {TEMPLATE} changes /dev/sdx."),
        ({"BlockDeviceMappings": [mapping]}, f"{which} of {TEMPLATE} has 19 GiB for /dev/sda"),
    ):
        one = {1: data, 2: data}
        here = account(
            image=image(devices=(Device("/dev/sda", "snap-1", False, 20),)), templates={TEMPLATE: one}
        )
        want = options(launch_templates=[TEMPLATE], launch_template_base_version=selected)
        (refusal,) = plan_of(want, here).refusals
        assert refusal.message.startswith(text)
        assert remedy.lower() in (refusal.remedy or "").lower()


@pytest.mark.parametrize(
    ("versions", "listed", "remedy"),
    [
        ((version(1, OLD, "prod"),), "There are no labels of other images.", "Publish the copy"),
        (
            (version(7, OLD, "source-ami-a", "prod"), version(9, NEW)),
            "Labels there: source-ami-a (version 7).",
            "Set source_image_id to the ID in one of these labels, or remove the region.",
        ),
        (
            (version(1, OLD, "source-ami-a"), version(2, OLD, "source-ami-c", "source-ami-b")),
            "Labels there: source-ami-b (version 2), source-ami-c (version 2), source-ami-a (version 1).",
            "Set source_image_id",
        ),
        (
            tuple(version(number, OLD, f"source-ami-{number}") for number in range(1, 6)),
            "source-ami-5 (version 5), source-ami-4 (version 4), source-ami-3 (version 3) and 2 more.",
            "Set source_image_id",
        ),
    ],
)
def test_a_rollback_that_is_not_possible_names_those_that_are(
    versions: tuple[Version, ...], listed: str, remedy: str
) -> None:
    here = account(image=None, parameter=parameter(*versions))
    (refusal,) = plan_of(options(**BACK), here).refusals
    assert (refusal.error_code, refusal.action) == ("label_not_found", "source_image_id")
    assert refusal.message.endswith(listed)
    assert (refusal.remedy or "").startswith(remedy)


def test_a_rollback_names_a_parameter_that_does_not_exist() -> None:
    (refusal,) = plan_of(options(**BACK), account(image=None, parameter=None)).refusals
    assert (refusal.error_code, refusal.action) == ("label_not_found", "parameter")
    assert refusal.message.endswith(" does not exist.")
    assert (refusal.remedy or "").startswith("Check the name")


def test_a_planned_copy_has_its_sources_architecture() -> None:
    here = account(image=None, parameter=parameter(), named={OLD: ARM})
    with_source = changed(here, source=image(SOURCE_ID))
    want = options(**PLANNED, source_image_id=SOURCE_ID)
    assert codes([plan_of(want, with_source)]) == ["architecture_mismatch"]
    assert codes([plan_of(options(**PLANNED), here)]) == []


@pytest.mark.parametrize(("required", "expected"), [(True, ["image_not_found"]), (False, [])])
def test_a_consumer_must_see_the_image_unless_it_is_about_to(required: bool, expected: list[str]) -> None:
    want = options(account_ids=[CONSUMER], require_shared=required, consumer_role_name="golden-consumer")
    abroad, _here = run_on(want, account(consumer=account(image=None))).plan.targets
    assert codes([abroad]) == expected
    assert [CONSUMER in failure.message for failure in abroad.refusals] == [True for _ in expected]
    assert len(abroad.warnings) == (not required)


def test_a_type_that_cannot_launch_the_image_is_named_with_the_reason() -> None:
    here = account(**UEFI, templates={TEMPLATE: template(InstanceType="t2.micro")})
    (refusal,) = plan_of(options(launch_templates=[TEMPLATE]), here).refusals
    assert refusal.message == (
        f"Version 1 of {TEMPLATE} has the instance type t2.micro, which cannot launch {NEW}: the image has "
        "the boot mode uefi, which the type does not support."
    )
    assert refusal.remedy == (
        f"Set a default version with an instance type that the image supports, or leave {TEMPLATE} out."
    )
