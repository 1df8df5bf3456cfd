# SPDX-License-Identifier: GPL-3.0-or-later

"""What a launch template's new version has of the block devices of the one that it is based on."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import Device, Image
from ansible_collections.golden.images.plugins.module_utils._plan import KNOWN_AFTER_APPLY

from tests.unit.examples import SOURCE_ID
from tests.unit.publish.account import (
    LABEL,
    NAME,
    NEW,
    OLD,
    PLANNED,
    REGION,
    TEMPLATE,
    TEMPLATE_ID,
    Account,
    account,
    codes,
    image,
    operations,
    options,
    parameter,
    plan_of,
    run_on,
    template,
    version,
)

ROOT, DATA, OTHER = "/dev/sda1", "/dev/sdf", "/dev/sdx"
FOLLOWS = f"resolve:ssm:{NAME}"
CREATE, MODIFY = "CreateLaunchTemplateVersion", "ModifyLaunchTemplate"
WITH_TEMPLATE = {"launch_templates": [TEMPLATE]}


def disks(**snapshots: str) -> tuple[Device, ...]:
    return tuple(Device(f"/dev/{name}", snapshot, False, 8) for name, snapshot in snapshots.items())


def rooted(root: str = ROOT, image_id: str = NEW, **snapshots: str) -> Image:
    return image(image_id, devices=disks(**snapshots), root_device=root)


OLD_IMAGE = rooted(image_id=OLD, sda1="snap-oldroot", sdf="snap-olddata")
NEW_IMAGE = rooted(sda1="snap-newroot", sdf="snap-newdata")
# What the account sees of the new and the old image.
CHANGE: dict[str, Any] = {"image": NEW_IMAGE, "named": {OLD: OLD_IMAGE}}
BLIND: dict[str, Any] = {"image": NEW_IMAGE}
UNSEEN: dict[str, Any] = {"image": None, "named": {OLD: OLD_IMAGE}}
ROOT_ONLY: dict[str, Any] = {**CHANGE, "image": rooted(sda1="snap-newroot")}
OTHER_ROOT: dict[str, Any] = {**CHANGE, "image": rooted("/dev/xvda", xvda="snap-newroot")}


def mapped(device: str, **ebs: Any) -> dict[str, Any]:
    return {"DeviceName": device, "Ebs": ebs}


def data(*mappings: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The data of a version with these mappings."""
    rest = {"BlockDeviceMappings": list(mappings)} if mappings else {}
    return {"ImageId": OLD, "UserData": "secret", **rest, **more}


def launching(seen: dict[str, Any], *mappings: dict[str, Any]) -> Account:
    """An account that sees this, and whose template has these mappings."""
    return account(**seen, templates={TEMPLATE: {1: data(*mappings)}})


def want(here: Account, **given: Any) -> dict[str, Any]:
    """Options that publish the new image in the template, or a planned copy where it is not visible."""
    return options(**WITH_TEMPLATE, **({} if here.image else PLANNED), **given)


# botocore shape CreateLaunchTemplateVersionRequest, SourceVersion; the rest is in the simulated AWS's tests.
@pytest.mark.parametrize(
    ("mapping", "seen", "expected"),
    [
        (mapped(ROOT, SnapshotId="snap-oldroot", VolumeSize=9), CHANGE, mapped(ROOT, VolumeSize=9)),
        (mapped(ROOT, SnapshotId="snap-any", VolumeSize=9), CHANGE, mapped(ROOT, VolumeSize=9)),
        (mapped(ROOT, SnapshotId="snap-any", VolumeSize=9), BLIND, mapped(ROOT, VolumeSize=9)),
        (mapped(ROOT, SnapshotId="snap-newroot"), CHANGE, mapped(ROOT, SnapshotId="snap-newroot")),
        (mapped(DATA, SnapshotId="snap-olddata", Iops=1), CHANGE, mapped(DATA, Iops=1)),
        (mapped(DATA, SnapshotId="snap-own"), CHANGE, mapped(DATA, SnapshotId="snap-own")),
        (mapped(OTHER, SnapshotId="snap-own"), CHANGE, mapped(OTHER, SnapshotId="snap-own")),
        (mapped(DATA, SnapshotId="snap-olddata"), CHANGE, mapped(DATA)),
        (mapped(DATA), CHANGE, mapped(DATA)),
        ({"DeviceName": DATA, "NoDevice": ""}, CHANGE, {"DeviceName": DATA, "NoDevice": ""}),
        ({"VirtualName": "ephemeral0"}, CHANGE, {"VirtualName": "ephemeral0"}),
    ],
)
def test_a_mapping_keeps_its_snapshot_unless_another_image_had_it(
    mapping: dict[str, Any], seen: dict[str, Any], expected: dict[str, Any]
) -> None:
    here = launching(seen, mapping)
    assert run_on(want(here), here, check_mode=False).outcome.failures == ()
    versions = here.templates[TEMPLATE]
    assert next(iter(versions.values())) == versions[2] == data(expected, ImageId=NEW)


ROOTED, OWN = mapped(ROOT, SnapshotId="snap-oldroot", VolumeSize=9), mapped(OTHER, SnapshotId="snap-own")


@pytest.mark.parametrize(
    ("seen", "image_id"), [(CHANGE, NEW), (UNSEEN, KNOWN_AFTER_APPLY)], ids=["image", "planned copy"]
)
def test_mappings_are_sent_only_if_a_snapshot_stays(seen: dict[str, Any], image_id: str) -> None:
    for mappings, sent in (
        ([ROOTED], {}),
        ([ROOTED, OWN], {"BlockDeviceMappings": [mapped(ROOT, VolumeSize=9), OWN]}),
    ):
        here = launching(seen, *mappings)
        *_, create, _modify = plan_of(want(here), here).actions
        assert create.parameters["LaunchTemplateData"] == {"ImageId": image_id, **sent}


SIZED = mapped(DATA, VolumeSize=9)


@pytest.mark.parametrize(
    ("latest", "calls"),
    [
        # Whatever AWS makes of empty mappings.
        (data(SIZED, ImageId=NEW), [MODIFY]),
        (data(mapped(ROOT), SIZED, ImageId=NEW), [MODIFY]),
        (data({"DeviceName": ROOT}, SIZED, ImageId=NEW), [MODIFY]),
        (data(mapped(ROOT, SnapshotId="snap-oldroot"), SIZED, ImageId=NEW), [CREATE, MODIFY]),
        (data(SIZED), [CREATE, MODIFY]),
    ],
)
def test_the_version_of_an_interrupted_run_becomes_the_default(
    latest: dict[str, Any], calls: list[str]
) -> None:
    default = data(mapped(ROOT, SnapshotId="snap-oldroot"), SIZED)
    published = parameter(version(1, NEW, LABEL))
    here = account(**CHANGE, parameter=published, templates={TEMPLATE: {1: default, 2: latest}})
    target = plan_of(want(here), here)
    assert (operations(target), target.refusals) == (calls, ())


@pytest.mark.parametrize(
    ("mapping", "seen", "missing"),
    [
        (mapped(DATA, SnapshotId="snap-olddata", VolumeSize=9), ROOT_ONLY, DATA),
        (mapped(DATA, DeleteOnTermination=False), ROOT_ONLY, DATA),
        (mapped(DATA, VolumeSize=9), ROOT_ONLY, ""),
        (mapped(DATA, SnapshotId="snap-own"), ROOT_ONLY, ""),
        ({"DeviceName": DATA, "NoDevice": ""}, ROOT_ONLY, ""),
        (mapped(ROOT, VolumeSize=9), ROOT_ONLY, ""),
        (mapped(ROOT, VolumeSize=9), OTHER_ROOT, ROOT),
        (mapped(ROOT, SnapshotId="snap-oldroot"), OTHER_ROOT, ROOT),
        (mapped(DATA, SnapshotId="snap-olddata", VolumeSize=9), UNSEEN, ""),
    ],
)
def test_changes_of_devices_that_the_image_does_not_have(
    mapping: dict[str, Any], seen: dict[str, Any], missing: str
) -> None:
    here = launching(seen, mapping)
    target = plan_of(want(here), here)
    assert codes([target]) == ["launch_template_device_missing"] * bool(missing)
    assert [f"changes {missing}. " in one.message for one in target.refusals] == [True] * bool(missing)


@pytest.mark.parametrize(
    ("mapping", "before", "is_small"),
    [
        (mapped(ROOT, VolumeSize=9), 8, True),
        (mapped(ROOT, VolumeSize=10), 8, False),
        (mapped(ROOT, VolumeSize=9), 10, False),
        (mapped(ROOT, SnapshotId="snap-old", VolumeSize=9), 8, True),
        (mapped(DATA, SnapshotId="snap-own", VolumeSize=9), 8, False),
        (mapped(OTHER, VolumeSize=9), 8, False),
        (mapped(ROOT), 8, False),
    ],
)
def test_volumes_that_are_too_small_for_the_image_and_were_not_before(
    mapping: dict[str, Any], before: int, is_small: bool
) -> None:
    def sized(image_id: str, size: int) -> Image:
        devices = (Device(ROOT, f"snap-{size}", False, size), Device(DATA, "snap-data", False, size))
        return image(image_id, devices=devices, root_device=ROOT)

    here = launching({"image": sized(NEW, 10), "named": {OLD: sized(OLD, before)}}, mapping)
    target = plan_of(want(here), here)
    assert codes([target]) == ["launch_template_volume_too_small"] * is_small
    said = f"The default version of {TEMPLATE} has 9 GiB for {ROOT}; {NEW} has 10 GiB."
    assert [one.message for one in target.refusals] == [said] * is_small


@pytest.mark.parametrize(
    ("seen", "doubtful"),
    [(BLIND, "snap-2"), (CHANGE, ""), (UNSEEN, ""), ({"image": ROOT_ONLY["image"]}, "")],
    ids=["the old image is not visible", "both are visible", "a planned copy", "no such device"],
)
def test_snapshots_of_an_image_that_is_not_visible_are_doubtful(seen: dict[str, Any], doubtful: str) -> None:
    here = launching(seen, mapped(ROOT, SnapshotId="snap-1"), mapped(DATA, SnapshotId="snap-2"))
    warnings = [one for one in plan_of(want(here), here).warnings if "keeps" in one]
    said = f"{TEMPLATE} keeps {doubtful}: whether {OLD} had this snapshot is not known"
    assert [one.startswith(said) for one in warnings] == [True] * bool(doubtful)


def test_a_planned_copy_has_the_devices_of_its_source() -> None:
    source = rooted(image_id=SOURCE_ID, sda1="snap-source")
    here = launching({**UNSEEN, "source": source}, mapped(ROOT, SnapshotId="snap-source"))
    *_, create, _modify = plan_of(want(here, source_image_id=SOURCE_ID), here).actions
    mappings = [mapped(ROOT, SnapshotId="snap-source")]
    expected = {"ImageId": KNOWN_AFTER_APPLY, "BlockDeviceMappings": mappings}
    assert create.parameters["LaunchTemplateData"] == expected


ELSEWHERE = "resolve:ssm:/golden/other"


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({}, ""),
        ({"ImageId": NEW}, ""),
        ({"ImageId": "ami-other"}, ""),
        # A version that an interrupted run has created has no snapshots of the previous image.
        ({"ImageId": NEW, "BlockDeviceMappings": [mapped(ROOT, VolumeSize=9)]}, ""),
        ({"ImageId": NEW, "BlockDeviceMappings": [mapped(ROOT, VolumeSize=10)]}, "BlockDeviceMappings"),
        ({"UserData": "other", "KeyName": "k"}, "KeyName, UserData"),
        ({"UserData": None}, "UserData"),
        ({"ImageId": FOLLOWS}, "ImageId"),
        ({"ImageId": ELSEWHERE}, "ImageId"),
        ({"ImageId": None, "InstanceType": "t3.micro"}, "InstanceType"),
    ],
)
def test_the_parameters_that_depend_on_the_version_that_a_new_one_is_based_on(
    changes: dict[str, Any], differing: str
) -> None:
    default = data(ROOTED)
    latest = {key: value for key, value in {**default, **changes}.items() if value is not None}
    here = account(**CHANGE, templates={TEMPLATE: {1: default, 2: latest}})
    target = plan_of(want(here), here)
    assert codes([target]) == ["launch_template_versions_differ"] * bool(differing)
    said = f"which differ in {differing}."
    assert [one.message.endswith(said) for one in target.refusals] == [True] * bool(differing)


def test_versions_that_take_their_image_from_the_same_parameter_do_not_differ() -> None:
    here = account(templates={TEMPLATE: template(ELSEWHERE, {"ImageId": ELSEWHERE})})
    assert codes([plan_of(want(here), here)]) == ["launch_template_follows_parameter"]


def test_the_image_makes_no_difference_before_it_is_known() -> None:
    here = account(image=None, templates={TEMPLATE: template(OLD, {"ImageId": NEW})})
    assert plan_of(want(here), here).refusals == ()


def test_runs_that_see_the_same_latest_version_ask_for_the_same_one() -> None:
    another = "ami-0000000000000000c"

    def request(one: dict[int, Any], **given: Any) -> dict[str, Any]:
        here = account(templates={TEMPLATE: one}, named={another: image(another)})
        *_, create, modify = plan_of(want(here, **given), here).actions
        default = {"LaunchTemplateId": TEMPLATE_ID, "DefaultVersion": KNOWN_AFTER_APPLY}
        assert modify.parameters == default
        return dict(create.parameters)

    first = request(template())
    assert first == request(template())
    assert first == {
        "ClientToken": first["ClientToken"],
        "LaunchTemplateId": TEMPLATE_ID,
        "SourceVersion": "1",
        "LaunchTemplateData": {"ImageId": NEW},
    }
    assert len(first["ClientToken"]) == 64
    # Back to an image that another version had before, or another change, is a new version.
    later = template(latest={"ImageId": "ami-other"})
    others = [
        request(later),
        request(template(), images={REGION: another}, require_shared=False),
        request(later, launch_template_base_version="latest"),
    ]
    assert [one["SourceVersion"] for one in others] == ["1", "1", "2"]
    assert len({one["ClientToken"] for one in (first, *others)}) == 4
