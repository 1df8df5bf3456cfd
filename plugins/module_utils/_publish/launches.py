# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether EC2 can launch an image with the instance types and options of a launch template."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .._listing import join_texts
from .._model import Image, matches_type
from .launch_data import Change
from .state import InstanceType, TargetState, TemplateVersion

# botocore enum BootModeValues: uefi-preferred launches on all types, and an image without a boot mode on the
# default one of each type (EC2 User Guide, "Instance launch behavior with Amazon EC2 boot modes").
_BOOT_MODES = ("legacy-bios", "uefi")
# A message names at most this many types, and counts the others.
_NAMED = 3
IMDS_V2 = "v2.0"
"""The value of an image whose instances require IMDSv2 by default (botocore enum ``ImdsSupportValues``)."""

# Whether an image with a license of its own can use capacity for the platform without it is not documented
# (EC2 User Guide, "AMI billing information fields": Windows BYOL, Red Hat BYOL Linux).
_OWN_LICENSE = "BYOL"


def explain_misfits(
    version: TemplateVersion, image: Image, types: Mapping[str, InstanceType]
) -> Iterator[str]:
    """Yield the reasons why no type of the version can launch the image, by the region's ``types``."""
    name = version.instance_type
    if name and (reasons := list(_list_reasons(image, name, types.get(name)))):
        yield f"has the instance type {name}, which cannot launch {image.image_id}: {'; '.join(reasons)}"
    selectable = _reasons_by_type(version, image, types)
    if selectable and all(selectable.values()):
        yield (
            f"has instance requirements that only {join_texts([*selectable], _NAMED)} can fulfil, which "
            f"cannot launch {image.image_id}: {_join_reasons(selectable)}"
        )


def explain_doubts(
    version: TemplateVersion, image: Image, types: Mapping[str, InstanceType]
) -> Iterator[str]:
    """Yield the uncertainties about launches of the image with the types of the version."""
    name = version.instance_type
    if name and not list(_list_reasons(image, name, types.get(name))):
        for unknown in _list_unknowns(image, name, types.get(name)):
            yield (
                f"has the instance type {name}; whether that can launch {image.image_id} is not known: "
                f"{unknown}"
            )
    selectable = _reasons_by_type(version, image, types)
    lacking = {name: reasons for name, reasons in selectable.items() if reasons}
    if 0 < len(lacking) < len(selectable):
        yield (
            f"has instance requirements by which AWS can also select {join_texts([*lacking], _NAMED)}, which "
            f"cannot launch {image.image_id}: {_join_reasons(lacking)}"
        )


def _reasons_by_type(
    version: TemplateVersion, image: Image, types: Mapping[str, InstanceType]
) -> dict[str, tuple[str, ...]]:
    """Return the types that AWS can select by the version's requirements, with the reasons against each."""
    if not version.requirements:
        return {}
    selectable = select_types(version.requirements, image, types.values())
    return {item.name: tuple(_list_reasons(image, item.name, item)) for item in selectable}


def _join_reasons(reasons: Mapping[str, tuple[str, ...]]) -> str:
    return "; ".join(
        dict.fromkeys(reason for reasons_of_type in reasons.values() for reason in reasons_of_type)
    )


def _list_reasons(image: Image, name: str, known: InstanceType | None) -> Iterator[str]:
    """Yield the reasons why a type cannot launch the image; a value that AWS does not return is none.

    ``known`` is None for a type that the region does not offer.
    """
    if not image.allows_type(name):
        yield "the instance type specification of the image excludes it"
    if known is None:
        return
    if image.architecture and known.architectures and image.architecture not in known.architectures:
        yield f"the image is for {image.architecture}, the type for {', '.join(sorted(known.architectures))}"
    if _does_not_support(known.virtualizations, image.virtualization):
        yield f"the image has the virtualization {image.virtualization}, which the type does not support"
    if _does_not_support(known.root_device_types, image.root_device_type):
        yield f"the image has a root device of type {image.root_device_type}, which the type does not support"
    if image.boot_mode in _BOOT_MODES and known.boot_modes and image.boot_mode not in known.boot_modes:
        yield f"the image has the boot mode {image.boot_mode}, which the type does not support"
    if image.ena_support is False and known.ena_support == "required":
        yield "the type requires ENA, which the image does not support"
    if image.tpm_support and known.tpm_support == "unsupported":
        yield "the image has NitroTPM enabled, which the type does not support"


def _does_not_support(supported: frozenset[str], value: str) -> bool:
    """Whether a type certainly does not support the image's value."""
    return bool(value and supported and value not in supported)


def _list_unknowns(image: Image, name: str, known: InstanceType | None) -> Iterator[str]:
    """Yield the missing values of AWS that decide whether the type can launch the image."""
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


def select_types(
    requirements: Mapping[str, Any], image: Image, types: Iterable[InstanceType]
) -> Iterator[InstanceType]:
    """Yield the types of the image's architecture that can fulfil the requirements.

    Only names, vCPUs, memory, bare metal and burstable performance are evaluated, with their defaults
    (botocore shape ``InstanceRequirements``). AWS evaluates all requirements, and may select fewer types.
    """
    allowed = requirements.get("AllowedInstanceTypes") or ["*"]
    excluded = requirements.get("ExcludedInstanceTypes") or []
    for item in types:
        if (
            (not item.architectures or image.architecture in item.architectures)
            and matches_type(item.name, allowed)
            and not matches_type(item.name, excluded)
            and _is_within(item.vcpus, requirements.get("VCpuCount"))
            and _is_within(item.memory_mib, requirements.get("MemoryMiB"))
            and _fits_rule(item.bare_metal, requirements.get("BareMetal"))
            and _fits_rule(item.burstable, requirements.get("BurstablePerformance"))
        ):
            yield item


def requires_tokens(version: TemplateVersion, image: Image | None, previous: Image | None) -> bool:
    """Whether instances begin to require IMDSv2, by default, because of the new image.

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


def _fits_rule(value: bool | None, rule: str | None) -> bool:
    """Whether a property fits ``included``, ``excluded`` (the default of both) or ``required``."""
    return value is None or rule == "included" or value == (rule == "required")


class Conflict(NamedTuple):
    """An option of a version with which EC2 refuses each launch; ``cure`` completes "Create a version"."""

    text: str
    cure: str


def find_conflicts(version: TemplateVersion, change: Change, state: TargetState) -> Iterator[Conflict]:
    """Yield the options with which EC2 refuses each launch of the new image."""
    if _needs_encryption(version, change) and state.encrypts is False and state.image_id is not None:
        yield Conflict(
            f"enables hibernation, for which EC2 requires an encrypted root volume; "
            f"{_say_unencrypted(change)}",
            "that encrypts the root volume or does not enable hibernation",
        )
    if change.image is not None and _needs_uefi(version) and change.image.boot_mode == "legacy-bios":
        yield Conflict(
            "enables AMD SEV-SNP, for which EC2 requires an image that boots by UEFI; "
            f"{change.image.image_id} has the boot mode legacy-bios",
            "that does not enable AMD SEV-SNP",
        )
    if (named := _find_reservation(version)) and _is_other_platform(change):
        yield Conflict(
            f"launches into the capacity reservation {named}, which cannot be for both platforms: "
            f"{_name_platforms(change)}",
            "with a capacity reservation for the image's platform",
        )


def explain_uncertainties(version: TemplateVersion, change: Change, state: TargetState) -> Iterator[str]:
    """Yield the options with which EC2 may refuse each launch of the new image."""
    is_planned = state.image_id is None
    if _needs_encryption(version, change) and (state.encrypts is None or (is_planned and not state.encrypts)):
        yield (
            f"enables hibernation, for which EC2 requires an encrypted root volume; "
            f"{_say_unencrypted(change)}, and "
            f"whether {'its copy will be' if is_planned else 'the account encrypts by default'} is not known"
        )
    if change.image is not None and _needs_uefi(version) and not change.image.boot_mode:
        yield (
            "enables AMD SEV-SNP, for which EC2 requires an image that boots by UEFI; "
            f"{change.image.image_id} has no boot mode"
        )
    is_conflict = _find_reservation(version) and _is_other_platform(change)
    if _launches_reserved_only(version) and _may_be_other_platform(change) and not is_conflict:
        yield (
            "launches into reserved capacity only; whether that is for the platform of the image is not "
            f"known: {_name_platforms(change)}"
        )


def enables_hibernation(version: TemplateVersion) -> bool:
    """Whether the version enables hibernation."""
    return bool((version.data.get("HibernationOptions") or {}).get("Configured"))


def _needs_uefi(version: TemplateVersion) -> bool:
    """Whether the image must have the boot mode uefi or uefi-preferred.

    EC2 User Guide, "AMD SEV-SNP for Amazon EC2 instances", Requirements. A template's type has to support it,
    whatever the image is.
    """
    return (version.data.get("CpuOptions") or {}).get("AmdSevSnp") == "enabled"


def _needs_encryption(version: TemplateVersion, change: Change) -> bool:
    """Whether only encryption by default makes the root volume encrypted, as hibernation requires.

    EC2 User Guide, "Prerequisites for EC2 instance hibernation", Root volume encryption. Otherwise, EC2
    refuses the launch: UnsupportedHibernationConfiguration (apache/airflow#35790).
    """
    image = change.image
    if image is None or not enables_hibernation(version):
        return False
    is_image_encrypted = any(device.encrypted for device in image.devices if device.name == image.root_device)
    is_version_encrypted = any(
        (mapping.get("Ebs") or {}).get("Encrypted")
        for mapping in version.mappings
        if mapping.get("DeviceName") == image.root_device
    )
    return not (is_image_encrypted or is_version_encrypted)


def _say_unencrypted(change: Change) -> str:
    return f"that of {change.image.image_id if change.image else change.name} is not encrypted"


def _find_reservation(version: TemplateVersion) -> str | None:
    """Return the one capacity reservation into which the version launches, which is for one platform."""
    specification = version.data.get("CapacityReservationSpecification") or {}
    named: str | None = (specification.get("CapacityReservationTarget") or {}).get("CapacityReservationId")
    return named


def _launches_reserved_only(version: TemplateVersion) -> bool:
    """Whether EC2 refuses a launch for which there is no reservation with the image's platform.

    EC2 User Guide, "Launch instances into an existing Capacity Reservation"; EC2 refuses others with
    ReservationCapacityExceeded (hashicorp/terraform-provider-aws#32458). The reservations of a group can have
    different platforms.
    """
    specification = version.data.get("CapacityReservationSpecification") or {}
    only = specification.get("CapacityReservationPreference") == "capacity-reservations-only"
    return only or any((specification.get("CapacityReservationTarget") or {}).values())


def _may_be_other_platform(change: Change) -> bool:
    """Whether the image changes, and its platform changes or is not known before and after."""
    if change.image is None or not change.previous_id:
        return False
    new, old = change.image.platform, change.previous.platform if change.previous else ""
    return not new or new != old


def _is_other_platform(change: Change) -> bool:
    """Whether the platform certainly changes."""
    platforms = [image.platform for image in (change.image, change.previous) if image is not None]
    is_known = len(platforms) == 2 and all(item and _OWN_LICENSE not in item for item in platforms)
    return is_known and platforms[0] != platforms[1]


def _name_platforms(change: Change) -> str:
    known = [(change.name, change.image), (change.previous_id, change.previous)]
    (new, new_platform), (old, old_platform) = (
        (image.image_id if image else name, (image and image.platform) or "unknown") for name, image in known
    )
    return f"{new} has {new_platform}, {old} has {old_platform}"
