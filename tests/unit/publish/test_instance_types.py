# SPDX-License-Identifier: GPL-3.0-or-later

"""Which instance types of a launch template can launch an image, and what is not known about them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.publish.instance_types import (
    IMDS_V2,
    doubts,
    misfits,
    requires_tokens,
    selectable_types,
)
from ansible_collections.golden.images.plugins.module_utils.publish.state import (
    InstanceType,
    TemplateVersion,
)

from tests.unit.publish.account import (
    NEW,
    OLD,
    image,
)

NO_UEFI = "the image has the boot mode uefi, which the type does not support"
NO_TPM = "the image has NitroTPM enabled, which the type does not support"
EXCLUDED = "the instance type specification of the image excludes it"
X86 = frozenset({"x86_64"})
OLD_TYPE = InstanceType(
    "t2.micro", X86 | {"i386"}, frozenset({"legacy-bios"}), "unsupported", "unsupported", 1, 1024, False, True
)
NEW_TYPE = InstanceType(
    "m7i.large",
    X86,
    frozenset({"legacy-bios", "uefi"}),
    "required",
    "supported",
    2,
    8192,
    False,
    False,
)
METAL = InstanceType(
    "c6i.metal", X86, frozenset({"legacy-bios"}), "required", "unsupported", 128, 262144, True, False
)
ARM = InstanceType(
    "t4g.nano", frozenset({"arm64"}), frozenset({"uefi"}), "required", "supported", 2, 512, False, True
)
UNKNOWN = InstanceType("x9.large")
HVM_ONLY = InstanceType(
    "r3.large",
    X86,
    virtualizations=frozenset({"hvm"}),
    root_device_types=frozenset({"ebs", "instance-store"}),
)
EBS_ONLY = InstanceType(
    "t1.micro",
    X86,
    virtualizations=frozenset({"hvm", "paravirtual"}),
    root_device_types=frozenset({"ebs"}),
)
TYPES = {one.name: one for one in (OLD_TYPE, NEW_TYPE, METAL, ARM, UNKNOWN)}
OF_ROOTS = {one.name: one for one in (HVM_ONLY, EBS_ONLY)}
BROAD = {"VCpuCount": {"Min": 1}, "MemoryMiB": {"Min": 1024}}
BURSTABLE = {**BROAD, "BurstablePerformance": "included"}


def version(**data: Any) -> TemplateVersion:
    return TemplateVersion(1, {"ImageId": OLD, **data})


@pytest.mark.parametrize(
    ("changes", "name", "reason"),
    [
        ({}, "t2.micro", ""),
        ({}, "m7i.large", ""),
        ({}, "t4g.nano", "the image is for x86_64, the type for arm64"),
        (
            {"boot_mode": "uefi"},
            "t2.micro",
            NO_UEFI,
        ),
        ({"boot_mode": "uefi"}, "m7i.large", ""),
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
        ({"boot_mode": "uefi-preferred"}, "t2.micro", ""),
        (
            {"boot_mode": "legacy-bios", "architecture": "arm64"},
            "t4g.nano",
            "the image has the boot mode legacy-bios, which the type does not support",
        ),
        ({"ena_support": False}, "m7i.large", "the type requires ENA, which the image does not support"),
        ({"ena_support": False}, "t2.micro", ""),
        (
            {"tpm_support": "v2.0"},
            "c6i.metal",
            NO_TPM,
        ),
        ({"tpm_support": "v2.0"}, "m7i.large", ""),
        (
            {"supported_types": ("m7i.*",)},
            "t2.micro",
            EXCLUDED,
        ),
        ({"supported_types": ("m7i.*",)}, "m7i.large", ""),
        (
            {"unsupported_types": ("*metal",)},
            "c6i.metal",
            EXCLUDED,
        ),
        # What the region does not offer is known by its name alone.
        (
            {"unsupported_types": ("c9.*",)},
            "c9.none",
            EXCLUDED,
        ),
        ({"boot_mode": "uefi", "tpm_support": "v2.0", "ena_support": False}, "x9.large", ""),
        (
            {"boot_mode": "uefi", "tpm_support": "v2.0"},
            "t2.micro",
            f"{NO_UEFI}; {NO_TPM}",
        ),
    ],
)
def test_a_named_type(changes: dict[str, Any], name: str, reason: str) -> None:
    found = list(misfits(version(InstanceType=name), image(**changes), {**TYPES, **OF_ROOTS}))
    expected = [f"has the instance type {name}, which cannot launch {NEW}: {reason}"] if reason else []
    assert found == expected


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
        # A type that is refused is not in doubt.
        ({"boot_mode": "uefi"}, "c6i.metal", []),
    ],
)
def test_what_is_not_known_of_a_named_type(changes: dict[str, Any], name: str, unknown: list[str]) -> None:
    found = list(doubts(version(InstanceType=name), image(**changes), TYPES))
    begin = f"has the instance type {name}; whether that can launch {NEW} is not known: "
    assert found == [f"{begin}{one}" for one in unknown]


@pytest.mark.parametrize(
    ("requirements", "names"),
    [
        (BROAD, ["m7i.large", "x9.large"]),
        (BURSTABLE, ["t2.micro", "m7i.large", "x9.large"]),
        ({**BROAD, "BurstablePerformance": "required"}, ["t2.micro", "x9.large"]),
        ({**BROAD, "BareMetal": "included"}, ["m7i.large", "c6i.metal", "x9.large"]),
        ({**BROAD, "BareMetal": "required"}, ["c6i.metal", "x9.large"]),
        ({**BURSTABLE, "AllowedInstanceTypes": ["t*", "m7i.large"]}, ["t2.micro", "m7i.large"]),
        ({**BURSTABLE, "ExcludedInstanceTypes": ["*micro", "x9*"]}, ["m7i.large"]),
        ({**BURSTABLE, "VCpuCount": {"Min": 1, "Max": 1}}, ["t2.micro", "x9.large"]),
        ({**BURSTABLE, "MemoryMiB": {"Min": 2048}}, ["m7i.large", "x9.large"]),
    ],
)
def test_types_that_requirements_allow(requirements: dict[str, Any], names: list[str]) -> None:
    found = selectable_types(requirements, image(), TYPES.values())
    assert [one.name for one in found] == names


def test_requirements_that_no_type_for_the_image_fulfils() -> None:
    uefi = image(boot_mode="uefi", ena_support=True)
    narrow = version(InstanceRequirements={**BURSTABLE, "AllowedInstanceTypes": ["t2.*"]})
    (found,) = misfits(narrow, uefi, TYPES)
    assert found == (
        f"has instance requirements that only t2.micro can fulfil, which cannot launch {NEW}: {NO_UEFI}"
    )
    assert list(doubts(narrow, uefi, TYPES)) == []
    # Nothing can be said of requirements that no type fulfils.
    none = version(InstanceRequirements={**BROAD, "AllowedInstanceTypes": ["a1.*"]})
    assert [*misfits(none, uefi, TYPES), *doubts(none, uefi, TYPES)] == []


def test_requirements_that_some_types_for_the_image_fulfil() -> None:
    uefi = image(boot_mode="uefi", ena_support=True)
    wide = version(InstanceRequirements=BURSTABLE)
    assert list(misfits(wide, uefi, TYPES)) == []
    (found,) = doubts(wide, uefi, TYPES)
    assert found == (
        f"has instance requirements by which AWS can also select t2.micro, which cannot launch {NEW}: "
        f"{NO_UEFI}"
    )
    assert list(doubts(wide, image(), TYPES)) == []


def test_a_template_without_a_type_is_not_compared() -> None:
    assert [*misfits(version(), image(boot_mode="uefi"), {}), *doubts(version(), image(), {})] == []


@pytest.mark.parametrize(
    ("data", "new", "old", "expected"),
    [
        ({}, IMDS_V2, "", True),
        ({}, IMDS_V2, IMDS_V2, False),
        ({}, "", "", False),
        ({"MetadataOptions": {"HttpTokens": "optional"}}, IMDS_V2, "", False),
        ({"MetadataOptions": {"HttpEndpoint": "disabled"}}, IMDS_V2, "", False),
        ({"MetadataOptions": {"HttpPutResponseHopLimit": 2}}, IMDS_V2, "", True),
    ],
)
def test_when_instances_begin_to_require_tokens(
    data: dict[str, Any], new: str, old: str, expected: bool
) -> None:
    """(botocore shape Image, ImdsSupport.)"""
    before = image(OLD, imds_support=old)
    assert requires_tokens(version(**data), image(imds_support=new), before) is expected
    assert not requires_tokens(version(**data), image(imds_support=new), None)
    assert not requires_tokens(version(**data), None, before)
