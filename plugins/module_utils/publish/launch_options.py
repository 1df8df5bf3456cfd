# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an image fulfils what the options of a launch template require of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .launch_data import Change
from .state import TargetSeen, TemplateVersion

# Whether an image with a license of its own can use capacity for the platform without it is not documented
# (EC2 User Guide, "AMI billing information fields": Windows BYOL, Red Hat BYOL Linux).
_OWN_LICENSE = "BYOL"


class Conflict(NamedTuple):
    """What a version has, and why EC2 refuses each launch; ``cure`` completes "Create a version"."""

    text: str
    cure: str


def conflicts(version: TemplateVersion, change: Change, there: TargetSeen) -> Iterator[Conflict]:
    """Return the options with which EC2 refuses each launch of the new image."""
    if _needs_encryption(version, change) and there.encrypts is False and there.image_id is not None:
        yield Conflict(
            f"enables hibernation, for which EC2 requires an encrypted root volume; {_plain(change)}",
            "that encrypts the root volume or does not enable hibernation",
        )
    if change.image is not None and _needs_uefi(version) and change.image.boot_mode == "legacy-bios":
        yield Conflict(
            "enables AMD SEV-SNP, for which EC2 requires an image that boots by UEFI; "
            f"{change.image.image_id} has the boot mode legacy-bios",
            "that does not enable AMD SEV-SNP",
        )
    if (named := _reservation(version)) and _is_other_platform(change):
        yield Conflict(
            f"launches into the capacity reservation {named}, which cannot be for both platforms: "
            f"{_platforms(change)}",
            "with a capacity reservation for the image's platform",
        )


def uncertainties(version: TemplateVersion, change: Change, there: TargetSeen) -> Iterator[str]:
    """Say which options may make EC2 refuse each launch of the new image."""
    is_planned = there.image_id is None
    if _needs_encryption(version, change) and (there.encrypts is None or (is_planned and not there.encrypts)):
        yield (
            f"enables hibernation, for which EC2 requires an encrypted root volume; {_plain(change)}, and "
            f"whether {'its copy will be' if is_planned else 'the account encrypts by default'} is not known"
        )
    if change.image is not None and _needs_uefi(version) and not change.image.boot_mode:
        yield (
            "enables AMD SEV-SNP, for which EC2 requires an image that boots by UEFI; "
            f"{change.image.image_id} has no boot mode"
        )
    is_conflict = _reservation(version) and _is_other_platform(change)
    if _launches_reserved_only(version) and _may_be_other_platform(change) and not is_conflict:
        yield (
            "launches into reserved capacity only; whether that is for the platform of the image is not "
            f"known: {_platforms(change)}"
        )


def hibernates(version: TemplateVersion) -> bool:
    """Return whether the version enables hibernation."""
    return bool((version.data.get("HibernationOptions") or {}).get("Configured"))


def _needs_uefi(version: TemplateVersion) -> bool:
    """Return whether the image must have the boot mode uefi or uefi-preferred.

    EC2 User Guide, "AMD SEV-SNP for Amazon EC2 instances", Requirements. A template's type has to support it,
    whatever the image is.
    """
    return (version.data.get("CpuOptions") or {}).get("AmdSevSnp") == "enabled"


def _needs_encryption(version: TemplateVersion, change: Change) -> bool:
    """Return whether only encryption by default makes the root volume encrypted, as hibernation requires.

    EC2 User Guide, "Prerequisites for EC2 instance hibernation", Root volume encryption. Otherwise, EC2
    refuses the launch: UnsupportedHibernationConfiguration (apache/airflow#35790).
    """
    image = change.image
    if image is None or not hibernates(version):
        return False
    of_image = any(device.encrypted for device in image.devices if device.name == image.root_device)
    of_version = any(
        (mapping.get("Ebs") or {}).get("Encrypted")
        for mapping in version.mappings
        if mapping.get("DeviceName") == image.root_device
    )
    return not (of_image or of_version)


def _plain(change: Change) -> str:
    return f"that of {change.image.image_id if change.image else change.name} is not encrypted"


def _reservation(version: TemplateVersion) -> str | None:
    """Return the one capacity reservation into which the version launches, which is for one platform."""
    wanted = version.data.get("CapacityReservationSpecification") or {}
    named: str | None = (wanted.get("CapacityReservationTarget") or {}).get("CapacityReservationId")
    return named


def _launches_reserved_only(version: TemplateVersion) -> bool:
    """Return whether EC2 refuses a launch for which there is no reservation with the image's platform.

    EC2 User Guide, "Launch instances into an existing Capacity Reservation"; EC2 refuses others with
    ReservationCapacityExceeded (hashicorp/terraform-provider-aws#32458). Those of a group can have several
    platforms.
    """
    wanted = version.data.get("CapacityReservationSpecification") or {}
    only = wanted.get("CapacityReservationPreference") == "capacity-reservations-only"
    return only or any((wanted.get("CapacityReservationTarget") or {}).values())


def _may_be_other_platform(change: Change) -> bool:
    """Return whether the image changes, and its platform changes or is not known before and after."""
    if change.image is None or not change.previous_id:
        return False
    new, old = change.image.platform, change.previous.platform if change.previous else ""
    return not new or new != old


def _is_other_platform(change: Change) -> bool:
    """Return whether the platform certainly changes."""
    platforms = [one.platform for one in (change.image, change.previous) if one is not None]
    is_known = len(platforms) == 2 and all(one and _OWN_LICENSE not in one for one in platforms)
    return is_known and platforms[0] != platforms[1]


def _platforms(change: Change) -> str:
    known = [(change.name, change.image), (change.previous_id, change.previous)]
    (new, of_new), (old, of_old) = (
        (image.image_id if image else name, (image and image.platform) or "unknown") for name, image in known
    )
    return f"{new} has {of_new}, {old} has {of_old}"
