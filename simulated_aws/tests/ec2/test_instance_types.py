# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeInstanceTypes, and the boot mode and NitroTPM that a launched image needs of its type."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import build, error_code, image_id

ONE = {"MinCount": 1, "MaxCount": 1}


def described(ec2: Any, *names: str) -> dict[str, dict[str, Any]]:
    filters = [{"Name": "instance-type", "Values": list(names)}]
    found = ec2.describe_instance_types(Filters=filters)["InstanceTypes"]
    return {one["InstanceType"]: one for one in found}


def registered(client: Any, **attributes: str) -> str:
    """An image of the owner with these attributes."""
    (snapshot, _) = build()["images"]["golden"]["snapshot_ids"]
    root = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}
    standard = {"Architecture": "x86_64", "VirtualizationType": "hvm"}
    return str(
        client().register_image(
            Name="other",
            RootDeviceName="/dev/xvda",
            EnaSupport=True,
            BlockDeviceMappings=[root],
            **{**standard, **attributes},
        )["ImageId"]
    )


def test_what_a_launch_depends_on_is_described(client: Any) -> None:
    """(botocore shape InstanceTypeInfo.)"""
    found = described(client(), "t2.micro", "t3.micro", "t4g.nano", "c9.none")
    assert [*found] == ["t2.micro", "t3.micro", "t4g.nano"]
    old, new, arm = found.values()
    assert (old["SupportedBootModes"], old["NitroTpmSupport"]) == (["legacy-bios"], "unsupported")
    assert old["NetworkInfo"]["EnaSupport"] == "unsupported"
    assert (new["SupportedBootModes"], new["NitroTpmSupport"]) == (["legacy-bios", "uefi"], "supported")
    assert new["NetworkInfo"]["EnaSupport"] == "required"
    assert (arm["SupportedBootModes"], arm["ProcessorInfo"]["SupportedArchitectures"]) == (
        ["uefi"],
        ["arm64"],
    )
    assert (old["VCpuInfo"]["DefaultVCpus"], old["MemoryInfo"]["SizeInMiB"]) == (1, 1024)


def test_all_types_come_in_pages(client: Any) -> None:
    """(botocore shape DescribeInstanceTypesRequest: MaxResults from 5 to 100, Filters with wildcards.)"""
    ec2 = client()
    pages = [*ec2.get_paginator("describe_instance_types").paginate(PaginationConfig={"PageSize": 100})]
    found = [one["InstanceType"] for page in pages for one in page["InstanceTypes"]]
    assert len(pages) > 2
    assert len(found) == len({*found})
    assert [len(page["InstanceTypes"]) for page in pages[:2]] == [100, 100]
    assert {"t3.nano", "t3.2xlarge"} <= {*described(ec2, "t3.*")}


def test_named_types_have_to_exist(client: Any) -> None:
    """(EC2 API Reference, Error codes: InvalidInstanceType.)"""
    ec2 = client()
    (found,) = ec2.describe_instance_types(InstanceTypes=["t3.nano"])["InstanceTypes"]
    assert found["InstanceType"] == "t3.nano"
    assert error_code(ec2.describe_instance_types, InstanceTypes=["c9.none"]) == "InvalidInstanceType"
    assert error_code(ec2.describe_instance_types, MaxResults=101) == "InvalidParameterValue"
    assert error_code(ec2.describe_instance_types, DryRun=True) == "DryRunOperation"


@pytest.mark.parametrize("by_template", [True, False])
@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(
    ("attributes", "instance_type", "message"),
    [
        ({"BootMode": "uefi"}, "t2.micro", "does not support an AMI with a boot mode of UEFI"),
        ({"BootMode": "uefi"}, "t3.micro", None),
        ({"BootMode": "uefi-preferred"}, "t2.micro", None),
        ({"BootMode": "legacy-bios"}, "t2.micro", None),
        ({}, "t2.micro", None),
        ({"BootMode": "uefi", "TpmSupport": "v2.0"}, "c5.large", None),
        (
            {"BootMode": "uefi", "TpmSupport": "v2.0"},
            "m7i.metal-24xl",
            "does not support an AMI with a boot mode of UEFI",
        ),
    ],
)
def test_a_type_has_the_boot_mode_of_the_image(
    client: Any,
    attributes: dict[str, str],
    instance_type: str,
    message: str | None,
    dry_run: bool,
    by_template: bool,
) -> None:
    """(RhinoSecurityLabs/cloudgoat#247; EC2 User Guide, Instance launch behavior with EC2 boot modes.)"""
    image = registered(client, **attributes)
    ec2 = client()
    launch: dict[str, Any] = {"ImageId": image, "InstanceType": instance_type}
    if by_template:
        ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=launch)
        launch = {"LaunchTemplate": {"LaunchTemplateName": "web"}}
    if message is None and not dry_run:
        (instance,) = ec2.run_instances(**launch, **ONE)["Instances"]
        assert (instance["ImageId"], instance["InstanceType"]) == (image, instance_type)
        return
    with pytest.raises(ClientError) as caught:
        ec2.run_instances(**launch, DryRun=dry_run, **ONE)
    error = caught.value.response["Error"]
    assert error["Code"] == ("DryRunOperation" if message is None else "InvalidParameterValue")
    assert (message or "") in error["Message"]


def test_a_type_has_the_nitro_tpm_of_the_image(client: Any) -> None:
    """(EC2 User Guide, Requirements for using NitroTPM; the message is one that users report.)"""
    launch = {"ImageId": registered(client, BootMode="uefi", TpmSupport="v2.0"), **ONE}
    with pytest.raises(ClientError) as caught:
        client().run_instances(**launch, InstanceType="p3dn.24xlarge")
    assert "does not support an AMI with TPM version v2.0" in caught.value.response["Error"]["Message"]
    assert len(client().run_instances(**launch, InstanceType="t3.micro")["Instances"]) == 1


@pytest.mark.parametrize(
    ("instance_type", "code"), [("t3.micro", "InvalidParameterCombination"), ("m3.medium", "DryRunOperation")]
)
def test_a_type_has_the_virtualization_of_the_image(client: Any, instance_type: str, code: str) -> None:
    """(BD2KGenomics/cgcloud#10.)"""
    launch = {"ImageId": registered(client, VirtualizationType="paravirtual"), "DryRun": True, **ONE}
    assert error_code(client().run_instances, InstanceType=instance_type, **launch) == code


@pytest.mark.parametrize(
    ("instance_type", "code"), [("t3.micro", "InvalidParameterCombination"), ("m3.medium", "DryRunOperation")]
)
def test_a_type_has_the_root_device_type_of_the_image(client: Any, instance_type: str, code: str) -> None:
    """(EC2 User Guide, Root volumes for your Amazon EC2 instances.)"""
    build()
    image = client().register_image(
        Name="in S3",
        ImageLocation="bucket/image.manifest.xml",
        Architecture="x86_64",
        VirtualizationType="hvm",
        EnaSupport=True,
    )["ImageId"]
    launch = {"ImageId": image, "DryRun": True, **ONE}
    assert error_code(client().run_instances, InstanceType=instance_type, **launch) == code


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"BootMode": "uefi-preferred"}, "DryRunOperation"),
        ({"BootMode": "legacy-bios"}, "InvalidParameterCombination"),
    ],
)
def test_amd_sev_snp_needs_uefi(client: Any, attributes: dict[str, str], code: str) -> None:
    """(EC2 User Guide, AMD SEV-SNP for Amazon EC2 instances, Requirements.)"""
    launch = {"ImageId": registered(client, **attributes), "InstanceType": "m6a.large", **ONE}
    options = {"CpuOptions": {"AmdSevSnp": "enabled"}}
    assert error_code(client().run_instances, DryRun=True, **launch, **options) == code
    assert error_code(client().run_instances, DryRun=True, **launch) == "DryRunOperation"


def test_a_copy_keeps_boot_mode_and_nitro_tpm(client: Any) -> None:
    """(EC2 User Guide, How Amazon EC2 AMI copy works: the copy is identical.)"""
    image = registered(client, BootMode="uefi", TpmSupport="v2.0")
    west = client(region="us-west-2")
    copy = west.copy_image(Name="copy", SourceImageId=image, SourceRegion="us-east-1")["ImageId"]
    (found,) = west.describe_images(ImageIds=[copy])["Images"]
    assert (found["BootMode"], found["TpmSupport"]) == ("uefi", "v2.0")


def test_the_type_of_a_template_has_the_architecture_of_the_image(client: Any) -> None:
    ec2 = client()
    data = {"ImageId": image_id(build()), "InstanceType": "t4g.nano"}
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
    by_template = {"LaunchTemplate": {"LaunchTemplateName": "web"}, **ONE}
    assert error_code(ec2.run_instances, **by_template) == "InvalidParameterValue"
    (instance,) = ec2.run_instances(**by_template, InstanceType="t3.nano")["Instances"]
    assert instance["InstanceType"] == "t3.nano"
