# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an image fulfils what the options of a launch template require of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .launch_data import Change
from .state import TargetSeen, TemplateVersion


class Conflict(NamedTuple):
    """What a version has, and why EC2 refuses each launch; ``cure`` completes "Create a version"."""

    text: str
    cure: str


def conflicts(version: TemplateVersion, change: Change, there: TargetSeen) -> Iterator[Conflict]:
    """Return the options with which EC2 refuses each launch of the new image."""
    if change.image is None:
        return
    if _needs_encryption(version, change) and there.encrypts is False and there.image_id is not None:
        yield Conflict(
            f"enables hibernation, for which EC2 requires an encrypted root volume; that of "
            f"{change.image.image_id} is not encrypted",
            "that encrypts the root volume or does not enable hibernation",
        )


def uncertainties(version: TemplateVersion, change: Change, there: TargetSeen) -> Iterator[str]:
    """Say which options may make EC2 refuse each launch of the new image."""
    if change.image is None:
        return
    is_planned = there.image_id is None
    if _needs_encryption(version, change) and (there.encrypts is None or (is_planned and not there.encrypts)):
        yield (
            "enables hibernation, for which EC2 requires an encrypted root volume; that of "
            f"{change.image.image_id} is not encrypted, and whether "
            + ("its copy will be" if is_planned else "the account encrypts by default")
            + " is not known"
        )


def hibernates(version: TemplateVersion) -> bool:
    """Return whether the version enables hibernation."""
    return bool((version.data.get("HibernationOptions") or {}).get("Configured"))


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
