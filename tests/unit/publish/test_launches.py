# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a launch template's instance types and options can launch the image, and what is not known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import Device, Image

from tests.unit.publish.account import (
    NEW,
    OLD,
    PLANNED,
    TEMPLATE,
    Account,
    account,
    codes,
    image,
    options,
    plan_of,
    template,
)

BEGIN = f"Version 1 of {TEMPLATE} "


def told(here: Account, **given: Any) -> tuple[list[str], list[str]]:
    """The refusals and the warnings about version 1 of the template."""
    target = plan_of(options(launch_templates=[TEMPLATE], require_shared=False, **given), here)
    assert {*codes([target])} <= {"launch_template_type_unsupported", "launch_template_options_unsupported"}
    return _about(one.message for one in target.refusals), _about(target.warnings)


def _about(texts: Iterable[str]) -> list[str]:
    return [one.removeprefix(BEGIN).removesuffix(".") for one in texts if one.startswith(BEGIN)]


def type_of(architectures: str, modes: str, ena: str, tpm: str, *numbers: int) -> Any:
    """An item of DescribeInstanceTypes; ``numbers`` are vCPUs, MiB, bare metal or not, burstable or not."""
    vcpus, memory, bare_metal, burstable = numbers
    return {
        "ProcessorInfo": {"SupportedArchitectures": architectures.split()},
        "SupportedBootModes": modes.split(),
        "NetworkInfo": {"EnaSupport": ena},
        "NitroTpmSupport": tpm,
        "VCpuInfo": {"DefaultVCpus": vcpus},
        "MemoryInfo": {"SizeInMiB": memory},
        "BareMetal": bool(bare_metal),
        "BurstablePerformanceSupported": bool(burstable),
    }


TYPES: dict[str, Any] = {
    "t2.micro": type_of("x86_64 i386", "legacy-bios", "unsupported", "unsupported", 1, 1024, 0, 1),
    "m7i.large": type_of("x86_64", "legacy-bios uefi", "required", "supported", 2, 8192, 0, 0),
    "c6i.metal": type_of("x86_64", "legacy-bios", "required", "unsupported", 128, 262144, 1, 0),
    "t4g.nano": type_of("arm64", "uefi", "required", "supported", 2, 512, 0, 1),
    "x9.large": {},
}
OF_ROOTS: dict[str, Any] = {
    "r3.large": {
        "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]},
        "SupportedVirtualizationTypes": ["hvm"],
        "SupportedRootDeviceTypes": ["ebs", "instance-store"],
    },
    "t1.micro": {
        "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]},
        "SupportedVirtualizationTypes": ["hvm", "paravirtual"],
        "SupportedRootDeviceTypes": ["ebs"],
    },
}


def with_types(new: Image, **data: Any) -> Account:
    """An account with all these types, and a template that will have the new image."""
    return account(image=new, types={**TYPES, **OF_ROOTS}, templates={TEMPLATE: template(**data)})


def of_type(name: str, **changes: Any) -> tuple[list[str], list[str]]:
    """What is told of a template with this type."""
    return told(with_types(image(**changes), InstanceType=name))


NO_UEFI = "the image has the boot mode uefi, which the type does not support"
NO_TPM = "the image has NitroTPM enabled, which the type does not support"
EXCLUDED = "the instance type specification of the image excludes it"
MISFITS: list[tuple[dict[str, Any], str, str]] = [
    ({}, "t2.micro", ""),
    ({}, "m7i.large", ""),
    ({}, "t4g.nano", "the image is for x86_64, the type for arm64"),
    ({"boot_mode": "uefi"}, "t2.micro", NO_UEFI),
    ({"boot_mode": "uefi"}, "m7i.large", ""),
    ({"boot_mode": "uefi-preferred"}, "t2.micro", ""),
    (
        {"virtualization": "paravirtual"},
        "r3.large",
        "the image has the virtualization paravirtual, which the type does not support",
    ),
    ({"virtualization": "hvm", "root_device_type": "instance-store"}, "r3.large", ""),
    (
        {"virtualization": "paravirtual", "root_device_type": "instance-store"},
        "t1.micro",
        "the image has a root device of type instance-store, which the type does not support",
    ),
    ({"virtualization": "paravirtual", "root_device_type": "ebs"}, "t1.micro", ""),
    (
        {"boot_mode": "legacy-bios", "architecture": "arm64"},
        "t4g.nano",
        "the image has the boot mode legacy-bios, which the type does not support",
    ),
    ({"ena_support": False}, "m7i.large", "the type requires ENA, which the image does not support"),
    ({"ena_support": False}, "t2.micro", ""),
    ({"tpm_support": "v2.0"}, "c6i.metal", NO_TPM),
    ({"tpm_support": "v2.0"}, "m7i.large", ""),
    ({"supported_types": ("m7i.*",)}, "t2.micro", EXCLUDED),
    ({"supported_types": ("m7i.*",)}, "m7i.large", ""),
    ({"unsupported_types": ("*metal",)}, "c6i.metal", EXCLUDED),
    # What the region does not offer is known by its name alone.
    ({"unsupported_types": ("c9.*",)}, "c9.none", EXCLUDED),
    ({"boot_mode": "uefi", "tpm_support": "v2.0", "ena_support": False}, "x9.large", ""),
    ({"boot_mode": "uefi", "tpm_support": "v2.0"}, "t2.micro", f"{NO_UEFI}; {NO_TPM}"),
]


@pytest.mark.parametrize(("changes", "name", "reason"), MISFITS)
def test_a_named_type_that_cannot_launch_the_image(changes: dict[str, Any], name: str, reason: str) -> None:
    refused, warned = of_type(name, **changes)
    expected = [f"has the instance type {name}, which cannot launch {NEW}: {reason}"] if reason else []
    assert refused == expected
    # A type that is refused is not in doubt.
    assert warned == [] or not refused


@pytest.mark.parametrize(
    ("changes", "name", "unknown"),
    [
        ({"ena_support": True}, "m7i.large", []),
        ({}, "m7i.large", ["it requires ENA, and AWS does not return whether the image supports that"]),
        ({}, "t2.micro", []),
        ({}, "c9.none", ["the region does not offer c9.none"]),
        ({}, "x9.large", ["AWS does not return the architecture of both"]),
        (
            {"boot_mode": "uefi", "tpm_support": "v2.0"},
            "x9.large",
            [
                "AWS does not return the architecture of both",
                "AWS does not return its boot modes",
                "AWS does not return whether it supports NitroTPM",
            ],
        ),
        (
            {"virtualization": "paravirtual", "root_device_type": "instance-store"},
            "t2.micro",
            [
                "AWS does not return whether it supports paravirtual images",
                "AWS does not return whether it supports root devices in instance stores",
            ],
        ),
    ],
)
def test_what_is_not_known_of_a_named_type(changes: dict[str, Any], name: str, unknown: list[str]) -> None:
    begin = f"has the instance type {name}; whether that can launch {NEW} is not known: "
    assert of_type(name, **changes) == ([], [f"{begin}{one}" for one in unknown])


BROAD = {"VCpuCount": {"Min": 1}, "MemoryMiB": {"Min": 1024}, "ExcludedInstanceTypes": ["r3.*", "t1.*"]}
BURSTABLE = {**BROAD, "BurstablePerformance": "included"}


@pytest.mark.parametrize(
    ("requirements", "names"),
    [
        (BROAD, "m7i.large, x9.large"),
        (BURSTABLE, "t2.micro, m7i.large, x9.large"),
        ({**BROAD, "BurstablePerformance": "required"}, "t2.micro, x9.large"),
        ({**BROAD, "BareMetal": "included"}, "m7i.large, c6i.metal, x9.large"),
        ({**BROAD, "BareMetal": "required"}, "c6i.metal, x9.large"),
        ({**BURSTABLE, "AllowedInstanceTypes": ["t2*", "m7i.large"]}, "t2.micro, m7i.large"),
        ({**BURSTABLE, "ExcludedInstanceTypes": ["*micro", "x9*", "r3*"]}, "m7i.large"),
        ({**BURSTABLE, "VCpuCount": {"Min": 1, "Max": 1}}, "t2.micro, x9.large"),
        ({**BURSTABLE, "MemoryMiB": {"Min": 2048}}, "m7i.large, x9.large"),
    ],
)
def test_requirements_that_no_type_for_the_image_fulfils(requirements: dict[str, Any], names: str) -> None:
    nowhere = image(unsupported_types=("*",))
    assert told(with_types(nowhere, InstanceRequirements=requirements)) == (
        [
            f"has instance requirements that only {names} can fulfil, which cannot launch {NEW}: {EXCLUDED}",
        ],
        [],
    )


def test_requirements_that_only_some_types_for_the_image_fulfil() -> None:
    uefi = image(boot_mode="uefi", ena_support=True)
    doubt = (
        f"has instance requirements by which AWS can also select t2.micro, which cannot launch {NEW}: "
        f"{NO_UEFI}"
    )
    for new, requirements, expected in (
        (uefi, BURSTABLE, [doubt]),
        (image(), BURSTABLE, []),
        # Nothing can be said of requirements that no type fulfils.
        (uefi, {**BROAD, "AllowedInstanceTypes": ["a1.*"]}, []),
    ):
        assert told(with_types(new, InstanceRequirements=requirements)) == ([], expected)


@pytest.mark.parametrize(
    ("data", "new", "old", "expected"),
    [
        ({}, "v2.0", "", True),
        ({}, "v2.0", "v2.0", False),
        ({}, "v2.0", None, False),
        ({}, "", "", False),
        ({"MetadataOptions": {"HttpTokens": "optional"}}, "v2.0", "", False),
        ({"MetadataOptions": {"HttpEndpoint": "disabled"}}, "v2.0", "", False),
        ({"MetadataOptions": {"HttpPutResponseHopLimit": 2}}, "v2.0", "", True),
    ],
)
def test_when_instances_begin_to_require_tokens(
    data: dict[str, Any], new: str, old: str | None, expected: bool
) -> None:
    """(botocore shape Image, ImdsSupport.)"""
    named = {} if old is None else {OLD: image(OLD, imds_support=old)}
    here = account(image=image(imds_support=new), named=named, templates={TEMPLATE: template(**data)})
    warnings = plan_of(options(launch_templates=[TEMPLATE]), here).warnings
    said = (
        f"{NEW} makes instances that {TEMPLATE} launches require IMDSv2 by default, unlike {OLD}: version 1 "
        "does not set HttpTokens."
    )
    assert [*warnings] == [said] * expected


@pytest.mark.parametrize("data", [{"InstanceType": "c9.none"}, {"CpuOptions": {"AmdSevSnp": "enabled"}}])
def test_nothing_is_told_of_a_template_that_launches_the_image_already(data: dict[str, Any]) -> None:
    assert told(account(templates={TEMPLATE: template(NEW, **data)})) == ([], [])


HIBERNATES = {"HibernationOptions": {"Configured": True}}
ROOT = {"root_device": "/dev/xvda"}
PLAIN = image(devices=(Device("/dev/xvda", "snap-1", encrypted=False),), **ROOT)
ENCRYPTED = image(devices=(Device("/dev/xvda", "snap-1", encrypted=True),), **ROOT)
DATA_ENCRYPTED = image(devices=(*PLAIN.devices, Device("/dev/sdb", "snap-2", encrypted=True)), **ROOT)


def mapped(name: str, **ebs: Any) -> dict[str, Any]:
    return {**HIBERNATES, "BlockDeviceMappings": [{"DeviceName": name, "Ebs": ebs}]}


@pytest.mark.parametrize(
    ("data", "new", "encrypts", "is_conflict", "is_uncertain"),
    [
        (HIBERNATES, PLAIN, False, True, False),
        (HIBERNATES, PLAIN, None, False, True),
        (HIBERNATES, PLAIN, True, False, False),
        (HIBERNATES, ENCRYPTED, False, False, False),
        (HIBERNATES, DATA_ENCRYPTED, False, True, False),
        (mapped("/dev/xvda", Encrypted=True), PLAIN, False, False, False),
        (mapped("/dev/xvda", Encrypted=False), PLAIN, False, True, False),
        (mapped("/dev/sdb", Encrypted=True, VolumeSize=9), PLAIN, False, True, False),
        ({"HibernationOptions": {"Configured": False}}, PLAIN, False, False, False),
        ({"HibernationOptions": {}}, PLAIN, False, False, False),
        ({}, PLAIN, False, False, False),
    ],
)
def test_hibernation_needs_an_encrypted_root_volume(
    data: dict[str, Any], new: Image, encrypts: bool | None, is_conflict: bool, is_uncertain: bool
) -> None:
    refused, warned = told(account(image=new, encrypts=encrypts, templates={TEMPLATE: template(**data)}))
    said = (
        "enables hibernation, for which EC2 requires an encrypted root volume; "
        f"that of {NEW} is not encrypted"
    )
    assert refused == [said] * is_conflict
    assert warned == [f"{said}, and whether the account encrypts by default is not known"] * is_uncertain


@pytest.mark.parametrize(("encrypts", "is_uncertain"), [(None, True), (False, True), (True, False)])
def test_a_planned_copy_may_be_encrypted(encrypts: bool | None, is_uncertain: bool) -> None:
    one = template(**HIBERNATES)
    source = {"image": None, "source": image("ami-0123456789abcdef0", devices=PLAIN.devices, **ROOT)}
    refused, warned = told(
        account(**source, encrypts=encrypts, templates={TEMPLATE: one}),
        **PLANNED,
        source_image_id="ami-0123456789abcdef0",
    )
    assert refused == []
    assert ["whether its copy will be" in one for one in warned] == [True] * is_uncertain
    unseen = account(image=None, encrypts=encrypts, templates={TEMPLATE: one})
    assert told(unseen, **PLANNED) == ([], [])


@pytest.mark.parametrize(
    ("data", "boot_mode", "is_conflict", "is_uncertain"),
    [
        ({"AmdSevSnp": "enabled"}, "legacy-bios", True, False),
        ({"AmdSevSnp": "enabled"}, "", False, True),
        ({"AmdSevSnp": "enabled"}, "uefi", False, False),
        ({"AmdSevSnp": "enabled"}, "uefi-preferred", False, False),
        ({"AmdSevSnp": "disabled"}, "legacy-bios", False, False),
        ({}, "legacy-bios", False, False),
        (None, "", False, False),
    ],
)
def test_amd_sev_snp_needs_uefi(
    data: dict[str, str] | None, boot_mode: str, is_conflict: bool, is_uncertain: bool
) -> None:
    one = template(CpuOptions=data)
    refused, warned = told(account(image=image(boot_mode=boot_mode), templates={TEMPLATE: one}))
    assert [NEW in one for one in refused] == [True] * is_conflict
    assert [NEW in one for one in warned] == [True] * is_uncertain


def reserved(**target: str) -> dict[str, Any]:
    return {"CapacityReservationSpecification": {"CapacityReservationTarget": target}}


RESERVED = reserved(CapacityReservationId="cr-1")
GROUP = reserved(CapacityReservationResourceGroupArn="arn:aws:resource-groups:g")
ONLY = {"CapacityReservationSpecification": {"CapacityReservationPreference": "capacity-reservations-only"}}
OPEN = {"CapacityReservationSpecification": {"CapacityReservationPreference": "open"}}


@pytest.mark.parametrize(
    ("data", "old", "new", "is_conflict", "is_uncertain"),
    [
        (RESERVED, "Red Hat Enterprise Linux", "Linux/UNIX", True, False),
        (RESERVED, "Linux/UNIX", "Linux/UNIX", False, False),
        (RESERVED, "Linux/UNIX", "", False, True),
        (RESERVED, "", "Linux/UNIX", False, True),
        (RESERVED, "", "", False, True),
        (RESERVED, None, "Linux/UNIX", False, True),
        (RESERVED, "Red Hat BYOL Linux", "Linux/UNIX", False, True),
        (GROUP, "SUSE Linux", "Linux/UNIX", False, True),
        (GROUP, "SUSE Linux", "SUSE Linux", False, False),
        (ONLY, "SUSE Linux", "Linux/UNIX", False, True),
        (OPEN, "SUSE Linux", "Linux/UNIX", False, False),
        ({"CapacityReservationSpecification": {}}, "SUSE Linux", "Linux/UNIX", False, False),
        ({}, "SUSE Linux", "Linux/UNIX", False, False),
    ],
)
def test_a_capacity_reservation_is_for_one_platform(
    data: dict[str, Any], old: str | None, new: str, is_conflict: bool, is_uncertain: bool
) -> None:
    named = {} if old is None else {OLD: image(OLD, platform=old)}
    here = account(image=image(platform=new), named=named, templates={TEMPLATE: template(**data)})
    refused, warned = told(here)
    assert ["the capacity reservation cr-1" in one for one in refused] == [True] * is_conflict
    assert [one.startswith("launches into reserved capacity only") for one in warned] == [True] * is_uncertain
    for text in (*refused, *warned):
        assert text.endswith(f"{NEW} has {new or 'unknown'}, {OLD} has {old or 'unknown'}")


def test_a_template_without_an_image_does_not_change_its_platform() -> None:
    assert told(
        account(image=image(platform="SUSE Linux"), templates={TEMPLATE: template(None, **RESERVED)})
    ) == (
        [],
        [],
    )
