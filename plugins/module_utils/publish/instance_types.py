# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the instance types of a launch template can launch an image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..listing import listed
from ..model import Image, matches_type
from .state import InstanceType, TemplateVersion

# botocore enum BootModeValues: uefi-preferred launches on all types, and an image without a boot mode on the
# default one of each type (EC2 User Guide, "Instance launch behavior with Amazon EC2 boot modes").
_BOOT_MODES = ("legacy-bios", "uefi")
# So many types are named, more are counted.
_NAMED = 3
IMDS_V2 = "v2.0"
"""The value of an image whose instances require IMDSv2 by default (botocore enum ``ImdsSupportValues``)."""


def misfits(version: TemplateVersion, image: Image, types: Mapping[str, InstanceType]) -> Iterator[str]:
    """Say why no type of the version can launch the image; ``types`` are those of the region, by name."""
    name = version.instance_type
    if name and (reasons := list(_reasons(image, name, types.get(name)))):
        yield f"has the instance type {name}, which cannot launch {image.image_id}: {'; '.join(reasons)}"
    selectable = _selectable(version, image, types)
    if selectable and all(selectable.values()):
        yield (
            f"has instance requirements that only {listed([*selectable], _NAMED)} can fulfil, which cannot "
            f"launch {image.image_id}: {_common(selectable)}"
        )


def doubts(version: TemplateVersion, image: Image, types: Mapping[str, InstanceType]) -> Iterator[str]:
    """Say what is not certain about launches of the image with the types of the version."""
    name = version.instance_type
    if name and not list(_reasons(image, name, types.get(name))):
        for unknown in _unknown(image, name, types.get(name)):
            yield (
                f"has the instance type {name}; whether that can launch {image.image_id} is not known: "
                f"{unknown}"
            )
    selectable = _selectable(version, image, types)
    lacking = {name: reasons for name, reasons in selectable.items() if reasons}
    if 0 < len(lacking) < len(selectable):
        yield (
            f"has instance requirements by which AWS can also select {listed([*lacking], _NAMED)}, which "
            f"cannot launch {image.image_id}: {_common(lacking)}"
        )


def _selectable(
    version: TemplateVersion, image: Image, types: Mapping[str, InstanceType]
) -> dict[str, tuple[str, ...]]:
    """Return the types that AWS can select by the version's requirements, with the reasons against each."""
    if not version.requirements:
        return {}
    found = selectable_types(version.requirements, image, types.values())
    return {one.name: tuple(_reasons(image, one.name, one)) for one in found}


def _common(reasons: Mapping[str, tuple[str, ...]]) -> str:
    return "; ".join(dict.fromkeys(one for found in reasons.values() for one in found))


def _reasons(image: Image, name: str, known: InstanceType | None) -> Iterator[str]:
    """Say why a type cannot launch the image. What AWS does not return is no reason.

    ``known`` is None for a type that the region does not offer.
    """
    if not image.allows_type(name):
        yield "the instance type specification of the image excludes it"
    if known is None:
        return
    if image.architecture and known.architectures and image.architecture not in known.architectures:
        yield f"the image is for {image.architecture}, the type for {', '.join(sorted(known.architectures))}"
    if _lacks(known.virtualizations, image.virtualization):
        yield f"the image has the virtualization {image.virtualization}, which the type does not support"
    if _lacks(known.root_device_types, image.root_device_type):
        yield f"the image has a root device of type {image.root_device_type}, which the type does not support"
    if image.boot_mode in _BOOT_MODES and known.boot_modes and image.boot_mode not in known.boot_modes:
        yield f"the image has the boot mode {image.boot_mode}, which the type does not support"
    if image.ena_support is False and known.ena_support == "required":
        yield "the type requires ENA, which the image does not support"
    if image.tpm_support and known.tpm_support == "unsupported":
        yield "the image has NitroTPM enabled, which the type does not support"


def _lacks(supported: frozenset[str], value: str) -> bool:
    """Return whether a type certainly does not support what the image has."""
    return bool(value and supported and value not in supported)


def _unknown(image: Image, name: str, known: InstanceType | None) -> Iterator[str]:
    """Say what AWS does not return although it decides whether the type can launch the image."""
    if known is None:
        yield f"the region does not offer {name}"
        return
    if not (image.architecture and known.architectures):
        yield "AWS does not return the architecture of both"
    # All current types support hvm and ebs.
    if image.virtualization == "paravirtual" and not known.virtualizations:
        yield "AWS does not return whether it supports paravirtual images"
    if image.root_device_type == "instance-store" and not known.root_device_types:
        yield "AWS does not return whether it supports root devices in instance stores"
    if image.boot_mode in _BOOT_MODES and not known.boot_modes:
        yield "AWS does not return its boot modes"
    if image.ena_support is None and known.ena_support == "required":
        yield "it requires ENA, and AWS does not return whether the image supports that"
    if image.tpm_support and not known.tpm_support:
        yield "AWS does not return whether it supports NitroTPM"


def selectable_types(
    requirements: Mapping[str, Any], image: Image, types: Iterable[InstanceType]
) -> Iterator[InstanceType]:
    """Select the types of the image's architecture that can fulfil the requirements.

    It evaluates the names, vCPUs, memory, bare metal and burstable performance, with their defaults (botocore
    shape ``InstanceRequirements``). AWS also evaluates others, so that it may select fewer types.
    """
    allowed = requirements.get("AllowedInstanceTypes") or ["*"]
    excluded = requirements.get("ExcludedInstanceTypes") or []
    for one in types:
        if (
            (not one.architectures or image.architecture in one.architectures)
            and matches_type(one.name, allowed)
            and not matches_type(one.name, excluded)
            and _is_within(one.vcpus, requirements.get("VCpuCount"))
            and _is_within(one.memory_mib, requirements.get("MemoryMiB"))
            and _has(one.bare_metal, requirements.get("BareMetal"))
            and _has(one.burstable, requirements.get("BurstablePerformance"))
        ):
            yield one


def requires_tokens(version: TemplateVersion, image: Image | None, previous: Image | None) -> bool:
    """Return whether instances begin to require IMDSv2, by default, because of the new image.

    The template's own HttpTokens counts before the image's (botocore shape ``Image``, ``ImdsSupport``).
    """
    options = version.data.get("MetadataOptions") or {}
    if image is None or previous is None or "HttpTokens" in options:
        return False
    is_new = image.imds_support == IMDS_V2 and previous.imds_support != IMDS_V2
    return is_new and options.get("HttpEndpoint") != "disabled"


def _is_within(value: int | None, limits: Mapping[str, int] | None) -> bool:
    if value is None or not limits:
        return True
    return limits.get("Min", value) <= value <= limits.get("Max", value)


def _has(value: bool | None, rule: str | None) -> bool:
    """Return whether a property fits ``included``, ``excluded`` (the default of both) or ``required``."""
    return value is None or rule == "included" or value == (rule == "required")
