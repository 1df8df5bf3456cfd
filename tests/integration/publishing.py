# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of publishing share: images and templates to publish, and what then names what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.golden.images.plugins.module_utils._parameter_share import share_name

from simulated_aws.client import SimulatedAws
from simulated_aws.http.record import RecordedCall

from . import observed
from .fixture import HOME, OWNER, Fixture
from .playbook import MODULES, Run

AWAY = "eu-west-1"
REGIONS = (HOME, AWAY)
CONSUMER = "web-prod"
ROLE, EXTERNAL_ID = "golden-consumer", "golden-images"
PARAMETER, TEMPLATE = "/golden/web", "web"
ALIAS = "alias/golden-web"
EVERYWHERE = [(account, region) for account in (OWNER, CONSUMER) for region in REGIONS]
# User data is in base64: "a secret".
SECRET = "YSBzZWNyZXQ="


class Written(NamedTuple):
    """A call that changes something: who, where, what, and the parameter's name or the template's ID."""

    account_id: str
    region: str
    action: str
    resource: str | None


def with_role(fixture: Fixture) -> None:
    """Let the owner act in the consumer's account."""
    role = {"accounts": [CONSUMER], "trusts": [OWNER], "external_id": EXTERNAL_ID}
    fixture.add(roles={ROLE: role})


def enable_sharing(aws: SimulatedAws) -> None:
    """Enable sharing within the organization in AWS RAM."""
    aws.client("ram", "management").enable_sharing_with_aws_organization()
    aws.clear_calls()


def parameter_arn(aws: SimulatedAws, region: str) -> str:
    """The ARN of the owner's parameter."""
    return f"arn:aws:ssm:{region}:{aws.account_id(OWNER)}:parameter{PARAMETER}"


def add_share(aws: SimulatedAws, region: str, consumers: Sequence[str]) -> None:
    """Share the owner's parameter as the collection does, also with accounts outside of the organization."""
    aws.client("ram", OWNER, region).create_resource_share(
        name=share_name(PARAMETER),
        resourceArns=[parameter_arn(aws, region)],
        principals=[*consumers],
        allowExternalPrincipals=True,
    )


def add_parameter(aws: SimulatedAws, region: str, image_id: str) -> None:
    """Write the owner's parameter as an advanced one, which can be shared."""
    aws.client("ssm", OWNER, region).put_parameter(
        Name=PARAMETER, Value=image_id, Type="String", Tier="Advanced", Overwrite=True
    )


def principals(aws: SimulatedAws, region: str = HOME) -> dict[str, str]:
    """The principals of the parameter's resource share with their status."""
    return {
        entity: status
        for share in aws.world()
        if (share["kind"], share["region"]) == ("resource share", region)
        for kind, entity, status in share["associations"]
        if kind == "PRINCIPAL"
    }


def golden_images(
    fixture: Fixture, release: str, sharing: Mapping[str, Any] | None = None, **image: Any
) -> dict[str, str]:
    """A release's image in every region, by default shared with the consumer; the images by region."""
    spec = {
        "account": OWNER,
        "devices": [{"device_name": "/dev/xvda", "size": 8}],
        "sharing": {"accounts": [CONSUMER]} if sharing is None else sharing,
        **image,
    }
    found = fixture.add_images(
        {f"{release}-{region}": {**spec, "name": release, "region": region} for region in REGIONS}
    )
    return {region: found[f"{release}-{region}"] for region in REGIONS}


def encrypted_images(fixture: Fixture, release: str, **image: Any) -> dict[str, str]:
    """A release as above under a key in each region, whose policy lets the consumer use it."""
    disk = {"device_name": "/dev/xvda", "size": 8, "encrypted": True, "kms_key": "golden"}
    spec = {
        "account": OWNER,
        "devices": [disk],
        "sharing": {"accounts": [CONSUMER]},
        "name": release,
        **image,
    }
    key = {
        "account": OWNER,
        "regions": [*REGIONS],
        "alias": ALIAS,
        "policy": key_policy(*fixture.account_ids(OWNER, CONSUMER)),
    }
    images = {region: {**spec, "region": region} for region in REGIONS}
    found = fixture.add(kms_keys={"golden": key}, images=images)["images"]
    return {region: found[region]["image_id"] for region in REGIONS}


def key_policy(*account_ids: str) -> dict[str, Any]:
    """A key policy that lets accounts do everything."""
    principals = [f"arn:aws:iam::{account_id}:root" for account_id in account_ids]
    statement = {"Effect": "Allow", "Principal": {"AWS": principals}, "Action": "kms:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def add_templates(aws: SimulatedAws, images: Mapping[str, str], name: str = TEMPLATE, **options: Any) -> None:
    """A launch template in every account and region that launches these images, with a disk of its own.

    As the console does, it names the snapshot of the image's root device. It also has these options.
    """
    for account, region in EVERYWHERE:
        ec2 = aws.client("ec2", account, region)
        volume = ec2.create_volume(AvailabilityZone=f"{region}a", Size=9)["VolumeId"]
        snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        named = [{"Name": "image-id", "Values": [images[region]]}]
        roots = [
            {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot_id, "VolumeSize": 8}}
            for found in ec2.describe_images(Filters=named)["Images"]
            for snapshot_id in observed.snapshot_ids(found)
        ]
        data = {
            "ImageId": images[region],
            "InstanceType": "t3.micro",
            "UserData": SECRET,
            **options,
            "BlockDeviceMappings": [{"DeviceName": "/dev/sdz", "Ebs": {"SnapshotId": snapshot}}, *roots],
        }
        ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    aws.clear_calls()


def add_version(aws: SimulatedAws, region: str, image_id: str, **data: Any) -> None:
    """A latest version of the owner's template that is the default one except for the image and this data."""
    aws.client("ec2", OWNER, region).create_launch_template_version(
        LaunchTemplateName=TEMPLATE,
        LaunchTemplateData={**default_of(aws, OWNER, region), "ImageId": image_id, **data},
    )
    aws.clear_calls()


def fill_up(aws: SimulatedAws, region: str, image_id: str, label: str = "", count: int = 100) -> None:
    """Put more versions of the owner's parameter, by default as many as AWS keeps, and label the first."""
    ssm = aws.client("ssm", OWNER, region)
    aws.set_throttling(False)
    value = {"Type": "String", "DataType": "aws:ec2:image", "Value": image_id, "Overwrite": True}
    for _ in range(count):
        ssm.put_parameter(Name=PARAMETER, **value)
    if label:
        ssm.label_parameter_version(Name=PARAMETER, ParameterVersion=1, Labels=[label])
    aws.set_throttling(True)
    aws.clear_calls()


def labels(aws: SimulatedAws, region: str) -> set[str]:
    """The labels of all versions of the owner's parameter."""
    pages = aws.client("ssm", OWNER, region).get_paginator("get_parameter_history").paginate(Name=PARAMETER)
    return {label for page in pages for version in page["Parameters"] for label in version.get("Labels", ())}


def publish(name: str, **arguments: Any) -> dict[str, Any]:
    """A task that publishes in ``PARAMETER``."""
    return {"name": name, MODULES + "ami_publish": {"parameter": PARAMETER, **arguments}}


def in_consumers(fixture: Fixture) -> dict[str, Any]:
    """The options that publish in the consumer's account too."""
    return {
        "account_ids": fixture.account_ids(CONSUMER),
        "consumer_role_name": ROLE,
        "external_id": EXTERNAL_ID,
    }


def value(aws: SimulatedAws, account: str, region: str, selector: str = "") -> str:
    """What the parameter names, or that version or label of it."""
    found = aws.client("ssm", account, region).get_parameter(Name=f"{PARAMETER}{selector}")["Parameter"]
    assert found["DataType"] == "aws:ec2:image"
    return str(found["Value"])


def tags(aws: SimulatedAws, account: str, region: str) -> dict[str, str]:
    """The tags of the parameter."""
    listed = aws.client("ssm", account, region).list_tags_for_resource(
        ResourceType="Parameter", ResourceId=PARAMETER
    )["TagList"]
    return {tag["Key"]: tag["Value"] for tag in listed}


def values(aws: SimulatedAws) -> list[str]:
    """What the parameter names everywhere."""
    return [value(aws, account, region) for account, region in EVERYWHERE]


def default_of(aws: SimulatedAws, account: str, region: str, name: str = TEMPLATE) -> dict[str, Any]:
    """What the template's default version says."""
    (found,) = aws.client("ec2", account, region).describe_launch_template_versions(
        LaunchTemplateName=name, Versions=["$Default"]
    )["LaunchTemplateVersions"]
    data: dict[str, Any] = found["LaunchTemplateData"]
    return data


def launched(aws: SimulatedAws, account: str, region: str) -> str:
    """The image of an instance that an account launches from its parameter."""
    (instance,) = aws.client("ec2", account, region).run_instances(
        ImageId=f"resolve:ssm:{PARAMETER}", MinCount=1, MaxCount=1
    )["Instances"]
    return str(instance["ImageId"])


def launched_by_template(
    aws: SimulatedAws, account: str, region: str, name: str = TEMPLATE, version: str = "$Default"
) -> str:
    """The image of an instance that an account launches from a version of the template."""
    (instance,) = aws.client("ec2", account, region).run_instances(
        LaunchTemplate={"LaunchTemplateName": name, "Version": version}, MinCount=1, MaxCount=1
    )["Instances"]
    return str(instance["ImageId"])


def written(aws: SimulatedAws, *, refused: bool = False) -> list[Written]:
    """The recorded calls that changed parameters and templates, or with ``refused`` also those that would."""
    return sorted(
        Written(call.account_id, call.region, call.action, _resource(call.parameters))
        for call in calls(aws)
        if not call.action.startswith(("Describe", "Get", "List")) and (refused or call.status == 200)
    )


def planned(run: Run) -> list[Written]:
    """The calls that a run reports to have made or, in check mode, would make."""
    return sorted(
        Written(action["account_id"], action["region"], action["action"], action["resource"])
        for task in run.tasks
        for action in task.result.get("actions", ())
    )


def calls(aws: SimulatedAws) -> list[RecordedCall]:
    """All recorded calls to SSM and EC2."""
    return [call for service in ("ssm", "ec2") for call in aws.calls(service=service)]


def warnings(run: Run) -> str:
    """All that a person would see, in one line."""
    return " ".join(run.text.split())


def disable(aws: SimulatedAws, region: str, image_id: str) -> None:
    """Disable an image of the owner's."""
    aws.client("ec2", OWNER, region).disable_image(ImageId=image_id)


def deregister(aws: SimulatedAws, region: str, image_id: str) -> None:
    """Deregister an image of the owner's."""
    aws.client("ec2", OWNER, region).deregister_image(ImageId=image_id)


def shared_with(aws: SimulatedAws, region: str, image_id: str) -> set[str]:
    """Who may launch an image of the owner's."""
    return observed.launch_permissions(aws, OWNER, region, image_id)


def _resource(parameters: Mapping[str, Any]) -> str | None:
    for name in ("Name", "ResourceId", "LaunchTemplateId"):
        if name in parameters:
            return str(parameters[name])
    return None
