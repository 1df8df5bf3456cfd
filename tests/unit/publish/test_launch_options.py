# SPDX-License-Identifier: GPL-3.0-or-later

"""Which options of a launch template an image does not fulfil, and what is not known about them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.model import Device
from ansible_collections.golden.images.plugins.module_utils.publish.launch_data import Change
from ansible_collections.golden.images.plugins.module_utils.publish.launch_options import (
    conflicts,
    hibernates,
    uncertainties,
)
from ansible_collections.golden.images.plugins.module_utils.publish.state import TemplateVersion

from tests.unit.publish.account import (
    NEW,
    OLD,
    image,
)
from tests.unit.publish.examples import (
    found,
)

HIBERNATES = {"HibernationOptions": {"Configured": True}}
PLAIN = image(devices=(Device("/dev/xvda", "snap-1", encrypted=False),), root_device="/dev/xvda")
ENCRYPTED = image(devices=(Device("/dev/xvda", "snap-1", encrypted=True),), root_device="/dev/xvda")
DATA_ENCRYPTED = image(
    devices=(*PLAIN.devices, Device("/dev/sdb", "snap-2", encrypted=True)), root_device="/dev/xvda"
)
PLANNED: dict[str, Any] = {"image_id": None, "image": None}


def version(**data: Any) -> TemplateVersion:
    return TemplateVersion(1, {"ImageId": OLD, **data})


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
        (HIBERNATES, None, False, False, False),
        (mapped("/dev/xvda", Encrypted=True), PLAIN, False, False, False),
        (mapped("/dev/xvda", Encrypted=False), PLAIN, False, True, False),
        (mapped("/dev/sdb", Encrypted=True), PLAIN, False, True, False),
        ({"HibernationOptions": {"Configured": False}}, PLAIN, False, False, False),
        ({"HibernationOptions": {}}, PLAIN, False, False, False),
        ({}, PLAIN, False, False, False),
    ],
)
def test_hibernation_needs_an_encrypted_root_volume(
    data: dict[str, Any], new: Any, encrypts: bool | None, is_conflict: bool, is_uncertain: bool
) -> None:
    change, there = Change(NEW, new), found(encrypts=encrypts)
    assert [NEW in one.text for one in conflicts(version(**data), change, there)] == [True] * is_conflict
    told = list(uncertainties(version(**data), change, there))
    assert ["whether the account encrypts by default" in one for one in told] == [True] * is_uncertain


@pytest.mark.parametrize(("encrypts", "is_uncertain"), [(None, True), (False, True), (True, False)])
def test_a_planned_copy_may_be_encrypted(encrypts: bool | None, is_uncertain: bool) -> None:
    there, change = found(**PLANNED, encrypts=encrypts), Change("known after apply", PLAIN)
    assert list(conflicts(version(**HIBERNATES), change, there)) == []
    told = list(uncertainties(version(**HIBERNATES), change, there))
    assert ["whether its copy will be" in one for one in told] == [True] * is_uncertain


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
    change, options = Change(NEW, image(boot_mode=boot_mode)), version(CpuOptions=data)
    assert [NEW in one.text for one in conflicts(options, change, found())] == [True] * is_conflict
    assert [NEW in one for one in uncertainties(options, change, found())] == [True] * is_uncertain


RESERVED = {
    "CapacityReservationSpecification": {"CapacityReservationTarget": {"CapacityReservationId": "cr-1"}}
}
GROUP = {
    "CapacityReservationSpecification": {
        "CapacityReservationTarget": {"CapacityReservationResourceGroupArn": "arn:aws:resource-groups:g"}
    }
}
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
    previous = None if old is None else image(OLD, platform=old)
    change = Change(NEW, image(platform=new), OLD, previous)
    found_conflicts = list(conflicts(version(**data), change, found()))
    assert ["the capacity reservation cr-1" in one.text for one in found_conflicts] == [True] * is_conflict
    told = list(uncertainties(version(**data), change, found()))
    assert [one.startswith("launches into reserved capacity only") for one in told] == [True] * is_uncertain
    for text in (*told, *(one.text for one in found_conflicts)):
        assert text.endswith(f"{NEW} has {new or 'unknown'}, {OLD} has {old or 'unknown'}")


@pytest.mark.parametrize("change", [Change(NEW, None, OLD), Change(NEW, image(platform="SUSE Linux"))])
def test_an_image_that_is_not_visible_or_does_not_change_is_not_compared(change: Change) -> None:
    assert list(conflicts(version(**RESERVED), change, found())) == []
    assert list(uncertainties(version(**RESERVED), change, found())) == []


def test_whether_a_version_hibernates() -> None:
    assert hibernates(version(**HIBERNATES))
    assert not hibernates(version())
