# SPDX-License-Identifier: GPL-3.0-or-later

"""What a launch template's new version has of the default one's block devices."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.model import Device
from ansible_collections.golden.images.plugins.module_utils.plan import KNOWN_AFTER_APPLY
from ansible_collections.golden.images.plugins.module_utils.publish.launch_data import (
    Change,
    change_for,
    differing_data,
    doubtful_snapshots,
    is_result,
    missing_devices,
    new_mappings,
    request_data,
    small_volumes,
    version_request,
)
from ansible_collections.golden.images.plugins.module_utils.publish.state import (
    LaunchTemplate,
    TemplateVersion,
)

from tests.unit.publish.account import (
    NAME,
    NEW,
    OLD,
    TEMPLATE_ID,
    image,
)
from tests.unit.publish.examples import (
    found,
    parameter,
    seen,
    template,
    version,
    wanted,
)

ROOT, DATA, OTHER = "/dev/sda1", "/dev/sdf", "/dev/sdx"
FOLLOWS = f"resolve:ssm:{NAME}"


def disks(**snapshots: str) -> tuple[Device, ...]:
    return tuple(Device(f"/dev/{name}", snapshot, False, 8) for name, snapshot in snapshots.items())


OLD_IMAGE = image(OLD, devices=disks(sda1="snap-oldroot", sdf="snap-olddata"), root_device=ROOT)
NEW_IMAGE = image(devices=disks(sda1="snap-newroot", sdf="snap-newdata"), root_device=ROOT)
CHANGE = Change(NEW, NEW_IMAGE, OLD, OLD_IMAGE)
BLIND = Change(NEW, NEW_IMAGE, OLD)
UNSEEN = Change(NEW, None, OLD, OLD_IMAGE)
ROOT_ONLY = Change(NEW, image(devices=disks(sda1="snap-newroot"), root_device=ROOT), OLD, OLD_IMAGE)
OTHER_ROOT = Change(NEW, image(devices=disks(xvda="snap-newroot"), root_device="/dev/xvda"), OLD, OLD_IMAGE)


def mapped(device: str, **ebs: Any) -> dict[str, Any]:
    return {"DeviceName": device, "Ebs": ebs}


def with_disks(*mappings: dict[str, Any], **data: Any) -> TemplateVersion:
    rest = {"BlockDeviceMappings": list(mappings)} if mappings else {}
    return TemplateVersion(1, {"ImageId": OLD, "UserData": "secret", **data, **rest})


# botocore shape CreateLaunchTemplateVersionRequest, SourceVersion; the rest is in the simulated AWS's tests.
@pytest.mark.parametrize(
    ("mapping", "change", "expected"),
    [
        (mapped(ROOT, SnapshotId="snap-oldroot", VolumeSize=9), CHANGE, mapped(ROOT, VolumeSize=9)),
        (mapped(ROOT, SnapshotId="snap-any", VolumeSize=9), CHANGE, mapped(ROOT, VolumeSize=9)),
        (mapped(ROOT, SnapshotId="snap-any", VolumeSize=9), BLIND, mapped(ROOT, VolumeSize=9)),
        (mapped(ROOT, SnapshotId="snap-any", VolumeSize=9), UNSEEN, mapped(ROOT, VolumeSize=9)),
        (
            mapped(ROOT, SnapshotId="snap-newroot"),
            CHANGE,
            mapped(ROOT, SnapshotId="snap-newroot"),
        ),
        (mapped(DATA, SnapshotId="snap-olddata", Iops=1), CHANGE, mapped(DATA, Iops=1)),
        (mapped(DATA, SnapshotId="snap-own"), CHANGE, mapped(DATA, SnapshotId="snap-own")),
        (mapped(OTHER, SnapshotId="snap-own"), CHANGE, mapped(OTHER, SnapshotId="snap-own")),
        (mapped(DATA, SnapshotId="snap-olddata"), CHANGE, None),
        (mapped(DATA), CHANGE, None),
        ({"DeviceName": DATA, "NoDevice": ""}, CHANGE, {"DeviceName": DATA, "NoDevice": ""}),
        ({"VirtualName": "ephemeral0"}, CHANGE, {"VirtualName": "ephemeral0"}),
    ],
)
def test_a_mapping_keeps_its_snapshot_unless_another_image_had_it(
    mapping: dict[str, Any], change: Change, expected: dict[str, Any] | None
) -> None:
    one = with_disks(mapping)
    assert new_mappings(one, change) == ([expected] if expected else [])


def test_mappings_are_sent_only_if_a_snapshot_stays() -> None:
    root, own = mapped(ROOT, SnapshotId="snap-oldroot", VolumeSize=9), mapped(OTHER, SnapshotId="snap-own")
    assert request_data(with_disks(root), CHANGE) == {"ImageId": NEW}
    assert request_data(with_disks(root, own), CHANGE) == {
        "ImageId": NEW,
        "BlockDeviceMappings": [mapped(ROOT, VolumeSize=9), own],
    }


def test_a_version_is_the_result_whatever_aws_makes_of_empty_mappings() -> None:
    old = with_disks(mapped(ROOT, SnapshotId="snap-oldroot"), mapped(DATA, VolumeSize=9))
    data = mapped(DATA, VolumeSize=9)
    for mappings in ([data], [mapped(ROOT), data], [{"DeviceName": ROOT}, data]):
        assert is_result(with_disks(*mappings, ImageId=NEW), CHANGE, old)
    assert not is_result(with_disks(data), CHANGE, old)
    assert not is_result(with_disks(*old.mappings, ImageId=NEW), CHANGE, old)
    assert not is_result(with_disks(data, ImageId=NEW, UserData="other"), CHANGE, old)
    plain = with_disks(ImageId=NEW)
    assert is_result(plain, Change(NEW, NEW_IMAGE), plain)


@pytest.mark.parametrize(
    ("mapping", "change", "missing"),
    [
        (mapped(DATA, SnapshotId="snap-olddata", VolumeSize=9), ROOT_ONLY, [DATA]),
        (mapped(DATA, DeleteOnTermination=False), ROOT_ONLY, [DATA]),
        (mapped(DATA, VolumeSize=9), ROOT_ONLY, []),
        (mapped(DATA, SnapshotId="snap-own"), ROOT_ONLY, []),
        ({"DeviceName": DATA, "NoDevice": ""}, ROOT_ONLY, []),
        (mapped(ROOT, VolumeSize=9), ROOT_ONLY, []),
        (mapped(ROOT, VolumeSize=9), OTHER_ROOT, [ROOT]),
        (mapped(ROOT, SnapshotId="snap-oldroot"), OTHER_ROOT, [ROOT]),
        (mapped(DATA, SnapshotId="snap-olddata", VolumeSize=9), UNSEEN, []),
    ],
)
def test_changes_of_devices_that_the_image_does_not_have(
    mapping: dict[str, Any], change: Change, missing: list[str]
) -> None:
    assert list(missing_devices(with_disks(mapping), change)) == missing


@pytest.mark.parametrize(
    ("mapping", "before", "small"),
    [
        (mapped(ROOT, VolumeSize=9), 8, [(ROOT, 9, 10)]),
        (mapped(ROOT, VolumeSize=10), 8, []),
        (mapped(ROOT, VolumeSize=9), 10, []),
        (mapped(ROOT, SnapshotId="snap-old", VolumeSize=9), 8, [(ROOT, 9, 10)]),
        (mapped(DATA, SnapshotId="snap-own", VolumeSize=9), 8, []),
        (mapped(OTHER, VolumeSize=9), 8, []),
        (mapped(ROOT), 8, []),
    ],
)
def test_volumes_that_are_too_small_for_the_image_and_were_not_before(
    mapping: dict[str, Any], before: int, small: list[Any]
) -> None:
    def sized(image_id: str, size: int) -> Any:
        devices = (Device(ROOT, image_id, False, size), Device(DATA, "snap-data", False, size))
        return image(image_id, devices=devices, root_device=ROOT)

    change = Change(NEW, sized(NEW, 10), OLD, sized(OLD, before))
    assert list(small_volumes(with_disks(mapping), change)) == small


def test_snapshots_of_an_image_that_is_not_visible_are_doubtful() -> None:
    one = with_disks(mapped(ROOT, SnapshotId="snap-1"), mapped(DATA, SnapshotId="snap-2"), mapped(OTHER))
    assert list(doubtful_snapshots(one, BLIND)) == ["snap-2"]
    for change in (CHANGE, UNSEEN, Change(NEW, NEW_IMAGE), ROOT_ONLY._replace(previous=None)):
        assert list(doubtful_snapshots(one, change)) == []


def test_the_change_of_a_template() -> None:
    here = found(
        image=NEW_IMAGE, parameter=parameter(version(1, OLD)), named={OLD: OLD_IMAGE, NEW: NEW_IMAGE}
    )
    for template_image, expected in (
        (OLD, CHANGE),
        (NEW, Change(NEW, NEW_IMAGE)),
        (None, Change(NEW, NEW_IMAGE)),
        (FOLLOWS, CHANGE._replace(name=FOLLOWS)),
    ):
        assert change_for(wanted(), seen(here), here, template(template_image).default) == expected
    planned_copy = found(image_id=None, image=None)
    at_source = seen(planned_copy, source=OLD_IMAGE)
    change = change_for(wanted(), at_source, planned_copy, template(OLD).default)
    assert change == Change(KNOWN_AFTER_APPLY, OLD_IMAGE, OLD)


ROOTED = mapped(ROOT, SnapshotId="snap-oldroot", VolumeSize=9)


@pytest.mark.parametrize(
    ("latest", "differing"),
    [
        ({}, []),
        ({"ImageId": NEW}, []),
        ({"ImageId": "ami-other"}, []),
        # A version that an interrupted run has created has no snapshots of the previous image.
        ({"ImageId": NEW, "BlockDeviceMappings": [mapped(ROOT, VolumeSize=9)]}, []),
        ({"ImageId": NEW, "BlockDeviceMappings": [mapped(ROOT, VolumeSize=10)]}, ["BlockDeviceMappings"]),
        ({"UserData": "other", "KeyName": "k"}, ["KeyName", "UserData"]),
        ({"ImageId": FOLLOWS}, ["ImageId"]),
        ({"ImageId": "resolve:ssm:/golden/other"}, ["ImageId"]),
        ({"ImageId": None, "InstanceType": "t3.micro"}, ["InstanceType"]),
    ],
)
def test_the_parameters_that_depend_on_the_version_that_a_new_one_is_based_on(
    latest: dict[str, Any], differing: list[str]
) -> None:
    default = with_disks(ROOTED)
    here = found(image=NEW_IMAGE, named={OLD: OLD_IMAGE})
    one = LaunchTemplate("lt-1", default, TemplateVersion(2, {**default.data, **latest}))
    assert differing_data(wanted(), seen(here), here, one) == differing


def test_the_image_makes_no_difference_before_it_is_known() -> None:
    here = found(image_id=None, image=None)
    one = template(OLD, TemplateVersion(2, {"ImageId": NEW}))
    assert differing_data(wanted(), seen(here), here, one) == []


def test_a_parameter_that_only_the_default_version_has_makes_a_difference() -> None:
    one = template(OLD, TemplateVersion(2, {"ImageId": NEW}), UserData="secret")
    assert differing_data(wanted(), seen(found()), found(), one) == ["UserData"]
    assert differing_data(wanted(), seen(found()), found(), template(OLD, UserData="secret")) == []
    other = "resolve:ssm:/golden/other"
    same = template(other, TemplateVersion(2, {"ImageId": other}))
    assert differing_data(wanted(), seen(found()), found(), same) == []


def test_runs_that_see_the_same_latest_version_ask_for_the_same_one() -> None:
    one = template()
    request = version_request(one, one.default, CHANGE)
    assert {key: request[key] for key in request if key != "ClientToken"} == {
        "LaunchTemplateId": TEMPLATE_ID,
        "SourceVersion": "1",
        "LaunchTemplateData": {"ImageId": NEW},
    }
    assert len(request["ClientToken"]) == 64
    assert version_request(template(), one.default, CHANGE) == request
    # Back to an image that another version had before, or another change, is a new version.
    later = template(latest=TemplateVersion(2, {"ImageId": "ami-other"}))
    others = [
        version_request(later, later.default, CHANGE),
        version_request(one, one.default, Change("ami-other")),
        version_request(later, later.latest, CHANGE),
    ]
    assert [one["SourceVersion"] for one in others] == ["1", "1", "2"]
    tokens = {one["ClientToken"] for one in (request, *others)}
    assert len(tokens) == 4
