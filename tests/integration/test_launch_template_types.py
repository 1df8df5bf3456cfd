# SPDX-License-Identifier: GPL-3.0-or-later

"""Launch templates whose instance type or options keep EC2 from launching the new image."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

from . import publishing
from .fixture import OWNER, Fixture
from .in_process import Modules
from .playbook import Run
from .publishing import AWAY, TEMPLATE


@pytest.fixture
def old(fixture: Fixture) -> dict[str, str]:
    """A release in each region."""
    return publishing.golden_images(fixture, "2026.10")


def _template(aws: SimulatedAws, image_id: str, **data: Any) -> None:
    aws.client("ec2", OWNER, AWAY).create_launch_template(
        LaunchTemplateName=TEMPLATE, LaunchTemplateData={"ImageId": image_id, **data}
    )
    aws.clear_calls()


def _registered(aws: SimulatedAws, image_id: str, **attributes: Any) -> str:
    """An image like another one, with these attributes, shared as that one is."""
    ec2 = aws.client("ec2", OWNER, AWAY)
    (image,) = ec2.describe_images(ImageIds=[image_id])["Images"]
    root = {
        "DeviceName": image["RootDeviceName"],
        "Ebs": {"SnapshotId": image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]},
    }
    new = ec2.register_image(
        Name="2026.12",
        Architecture="x86_64",
        RootDeviceName=image["RootDeviceName"],
        EnaSupport=True,
        BlockDeviceMappings=[root],
        **{"VirtualizationType": "hvm", **attributes},
    )["ImageId"]
    ec2.modify_image_attribute(ImageId=new, OperationType="add", UserIds=[aws.account_id("web-prod")])
    return str(new)


def _publish(modules: Modules, image_id: str) -> Run:
    task = publishing.publish("Publish", images={AWAY: image_id}, launch_templates=[TEMPLATE])
    return modules.tasks([task])


@pytest.mark.parametrize(
    ("attributes", "data", "reason"),
    [
        pytest.param(
            {"BootMode": "uefi"},
            {"InstanceType": "t2.micro"},
            f"Version 1 of {TEMPLATE} has the instance type t2.micro",
            marks=pytest.mark.nightly,
        ),
        (
            {"VirtualizationType": "paravirtual"},
            {"InstanceType": "t2.micro"},
            "the image has the virtualization paravirtual, which the type does not support",
        ),
        pytest.param(
            {"BootMode": "uefi"},
            {
                "InstanceRequirements": {
                    "VCpuCount": {"Min": 1},
                    "MemoryMiB": {"Min": 512},
                    "BurstablePerformance": "included",
                    "AllowedInstanceTypes": ["t2.*"],
                }
            },
            "boot mode uefi",
            marks=pytest.mark.nightly,
        ),
    ],
)
def test_what_the_type_of_a_template_cannot_launch_is_not_published(
    aws: SimulatedAws,
    modules: Modules,
    old: dict[str, str],
    attributes: dict[str, str],
    data: dict[str, Any],
    reason: str,
) -> None:
    _template(aws, old[AWAY], **data)
    new = _registered(aws, old[AWAY], **attributes)
    aws.clear_calls()
    run = _publish(modules, new)
    assert run.code != 0
    (failure,) = run.task("Publish").result["failures"]
    assert (failure["region"], failure["error_code"]) == (AWAY, "launch_template_type_unsupported")
    assert reason in failure["message"]
    assert publishing.written(aws, refused=True) == []
    if "InstanceType" in data:
        # EC2 itself agrees.
        launch = {"LaunchTemplate": {"LaunchTemplateName": TEMPLATE}, "ImageId": new, "MinCount": 1}
        with pytest.raises(ClientError, match=r"boot mode of UEFI|'hvm' is required"):
            aws.client("ec2", OWNER, AWAY).run_instances(**launch, MaxCount=1, DryRun=True)


@pytest.mark.nightly
def test_the_types_are_read_once_in_a_region_that_changes(
    aws: SimulatedAws, modules: Modules, old: dict[str, str]
) -> None:
    _template(aws, old[AWAY], InstanceType="t3.micro")
    new = _registered(aws, old[AWAY], BootMode="uefi")
    aws.clear_calls()
    first = _publish(modules, new)
    assert first.code == 0, first.text
    assert len(aws.calls(action="DescribeInstanceTypes")) == 1
    assert publishing.launched_by_template(aws, OWNER, AWAY) == new
    aws.clear_calls()
    again = _publish(modules, new)
    assert (again.code, again.changed) == (0, []), again.text
    assert aws.calls(action="DescribeInstanceTypes") == []


def test_windows_does_not_replace_linux_nor_does_it_use_its_reserved_capacity(
    fixture: Fixture, aws: SimulatedAws, modules: Modules, old: dict[str, str]
) -> None:
    ec2 = aws.client("ec2", OWNER, AWAY)
    reservation = ec2.create_capacity_reservation(
        InstanceType="t3.micro",
        InstancePlatform="Linux/UNIX",
        InstanceCount=1,
        AvailabilityZone=f"{AWAY}a",
    )["CapacityReservation"]["CapacityReservationId"]
    target = {"CapacityReservationTarget": {"CapacityReservationId": reservation}}
    _template(aws, old[AWAY], InstanceType="t3.micro", CapacityReservationSpecification=target)
    windows = publishing.golden_images(fixture, "2026.12", platform_details="Windows")[AWAY]
    suse = publishing.golden_images(fixture, "2026.13", platform_details="SUSE Linux")[AWAY]
    for new, codes in {
        windows: ["platform_mismatch", "launch_template_options_unsupported"],
        suse: ["launch_template_options_unsupported"],
    }.items():
        aws.clear_calls()
        run = _publish(modules, new)
        assert run.code != 0
        assert [failure["error_code"] for failure in run.task("Publish").result["failures"]] == codes
        assert publishing.written(aws, refused=True) == []
        # EC2 itself agrees.
        launch = {"LaunchTemplate": {"LaunchTemplateName": TEMPLATE}, "ImageId": new, "MinCount": 1}
        with pytest.raises(ClientError, match="ReservationCapacityExceeded"):
            ec2.run_instances(**launch, MaxCount=1, DryRun=True)


@pytest.mark.nightly
def test_a_template_that_hibernates_needs_an_encrypted_root_volume(
    aws: SimulatedAws, modules: Modules, old: dict[str, str]
) -> None:
    ec2 = aws.client("ec2", OWNER, AWAY)
    _template(aws, old[AWAY], InstanceType="t3.micro", HibernationOptions={"Configured": True})
    new = _registered(aws, old[AWAY])
    aws.clear_calls()
    run = _publish(modules, new)
    assert run.code != 0
    (failure,) = run.task("Publish").result["failures"]
    assert (failure["region"], failure["error_code"]) == (AWAY, "launch_template_options_unsupported")
    assert publishing.written(aws, refused=True) == []
    # EC2 itself agrees.
    launch = {"LaunchTemplate": {"LaunchTemplateName": TEMPLATE}, "ImageId": new, "MinCount": 1}
    with pytest.raises(ClientError, match="the root device volume must be encrypted"):
        ec2.run_instances(**launch, MaxCount=1, DryRun=True)
    ec2.enable_ebs_encryption_by_default()
    with pytest.raises(ClientError, match="DryRunOperation"):
        ec2.run_instances(**launch, MaxCount=1, DryRun=True)
    again = _publish(modules, new)
    assert again.code == 0, again.text
    assert publishing.launched_by_template(aws, OWNER, AWAY) == new
