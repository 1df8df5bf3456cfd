# SPDX-License-Identifier: GPL-3.0-or-later

"""What the simulated AWS holds and has been asked, seen with plain boto3 and in its record."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

from .playbook import Change

_READS = ("Describe", "Get", "List")
# The parameter that names what a call changes; CopyImage creates something.
_RESOURCES = {
    "CreateTags": "ResourceId.1",
    "DeleteTags": "ResourceId.1",
    "DeregisterImage": "ImageId",
    "ModifyImageAttribute": "ImageId",
    "ModifySnapshotAttribute": "SnapshotId",
    "TerminateInstances": "InstanceId.1",
}


def changes(aws: SimulatedAws, *, refused: bool = False) -> list[Change]:
    """The recorded calls that changed something, or with ``refused`` also those that would have."""
    return sorted(
        (
            Change(call.action, call.region, call.parameters.get(_RESOURCES.get(call.action, "")))
            for call in aws.calls(service="ec2")
            if not call.action.startswith(_READS) and (refused or call.status == 200)
        ),
        key=str,
    )


def attempts(aws: SimulatedAws, action: str) -> list[str]:
    """The regions of all recorded calls of an action, refused and unanswered ones included, sorted."""
    return sorted(call.region for call in aws.calls(action=action))


def own_images(aws: SimulatedAws, account: str, region: str) -> list[dict[str, Any]]:
    """The account's images in a region, whatever their state, oldest first."""
    ec2 = aws.client("ec2", account, region)
    found = ec2.describe_images(Owners=["self"], IncludeDeprecated=True, IncludeDisabled=True)["Images"]
    return sorted(found, key=lambda image: image["CreationDate"])


def own_snapshots(aws: SimulatedAws, account: str, region: str) -> list[str]:
    """The IDs of the account's snapshots in a region, sorted."""
    ec2 = aws.client("ec2", account, region)
    return sorted(found["SnapshotId"] for found in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"])


def image(aws: SimulatedAws, account: str, region: str, image_id: str) -> dict[str, Any]:
    """One image as an account sees it."""
    found: dict[str, Any]
    (found,) = aws.client("ec2", account, region).describe_images(ImageIds=[image_id])["Images"]
    return found


def snapshot_ids(shown: dict[str, Any]) -> list[str]:
    """The snapshots behind an image."""
    return [mapping["Ebs"]["SnapshotId"] for mapping in shown["BlockDeviceMappings"]]


def tags(shown: dict[str, Any]) -> dict[str, str]:
    """The tags of an image or a snapshot."""
    return {tag["Key"]: tag["Value"] for tag in shown.get("Tags", ())}


def snapshot_tags(aws: SimulatedAws, account: str, region: str, snapshot_id: str) -> dict[str, str]:
    """The tags of a snapshot as an account sees it."""
    (found,) = aws.client("ec2", account, region).describe_snapshots(SnapshotIds=[snapshot_id])["Snapshots"]
    return tags(found)


def launch_permissions(aws: SimulatedAws, account: str, region: str, image_id: str) -> set[str]:
    """Who may launch an image of the account: IDs, ARNs and the group ``all``."""
    ec2 = aws.client("ec2", account, region)
    answer = ec2.describe_image_attribute(ImageId=image_id, Attribute="launchPermission")
    return {value for entry in answer["LaunchPermissions"] for value in entry.values()}


def volume_permissions(aws: SimulatedAws, account: str, region: str, snapshot_id: str) -> set[str]:
    """Who may create volumes from a snapshot of the account."""
    ec2 = aws.client("ec2", account, region)
    answer = ec2.describe_snapshot_attribute(SnapshotId=snapshot_id, Attribute="createVolumePermission")
    return {value for entry in answer["CreateVolumePermissions"] for value in entry.values()}


def sharing(aws: SimulatedAws, account: str, region: str, image_id: str) -> tuple[set[str], list[set[str]]]:
    """Who may launch an image of the account, and who may use each of its snapshots."""
    shown = image(aws, account, region, image_id)
    return (
        launch_permissions(aws, account, region, image_id),
        [volume_permissions(aws, account, region, one) for one in snapshot_ids(shown)],
    )


def launch(aws: SimulatedAws, account: str, region: str, image_id: str) -> str:
    """Launch an instance as an account; its state, or the code of AWS's refusal."""
    try:
        answer = aws.client("ec2", account, region).run_instances(ImageId=image_id, MinCount=1, MaxCount=1)
    except ClientError as refused:
        return str(refused.response["Error"]["Code"])
    return str(answer["Instances"][0]["State"]["Name"])


def copy(aws: SimulatedAws, account: str, region: str, image_id: str) -> str:
    """Copy an image within its region as an account; the copy's ID, or the code of AWS's refusal."""
    try:
        answer = aws.client("ec2", account, region).copy_image(
            Name=f"copy of {image_id}", SourceImageId=image_id, SourceRegion=region
        )
    except ClientError as refused:
        return str(refused.response["Error"]["Code"])
    return str(answer["ImageId"])
