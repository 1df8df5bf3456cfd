# SPDX-License-Identifier: GPL-3.0-or-later
"""The permissions that each operation needs, and the resources that a policy can name for it.

An operation is a call that ``plugins/`` makes (``python -m checks.responses --list``), one that a module of
another collection makes for a role, or one that an AWS service makes for the caller. Resource types are those
of the Service Authorization Reference; a test compares them with it (``reference.json``).
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.uses import operations
from plugins.module_utils._cleanup.uses.read_all import SOURCES

OWNER = "111122223333"
CONSUMER_ROLE = "golden-consumer"
PLAN_ROLE = "golden-consumer-plan"
EXTERNAL_ID = "golden-images"
BUCKET = "golden-images-tombstones"
TOMBSTONES = "golden-images/tombstones"
REPORTS = "golden-images-reports"
PARAMETERS = "golden"
MONITOR = "golden-images-sharing"
ALARM = "UnauthorizedAMISharing"
LOG_GROUP = "aws-cloudtrail-logs"

ALL = "*"
# Services whose actions have another prefix than botocore's name of the service.
_PREFIXES = {"emr": "elasticmapreduce"}
ARNS = {
    "autoscaling:autoScalingGroup": "arn:aws:autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/*",
    # The name of an aggregator is not in its ARN.
    "config:ConfigurationAggregator": "arn:aws:config:*:*:config-aggregator/*",
    "ec2:image": "arn:aws:ec2:*::image/*",
    "ec2:snapshot": "arn:aws:ec2:*::snapshot/*",
    "ec2:image-usage-report": f"arn:aws:ec2:*:{OWNER}:image-usage-report/*",
    "ec2:instance": "arn:aws:ec2:*:*:instance/*",
    "ec2:launch-template": "arn:aws:ec2:*:*:launch-template/*",
    "ec2:network-interface": "arn:aws:ec2:*:*:network-interface/*",
    "ec2:security-group": "arn:aws:ec2:*:*:security-group/*",
    "ec2:subnet": "arn:aws:ec2:*:*:subnet/*",
    "ec2:volume": "arn:aws:ec2:*:*:volume/*",
    "kms:key": f"arn:aws:kms:*:{OWNER}:key/*",
    "ram:resource-share": f"arn:aws:ram:*:{OWNER}:resource-share/*",
    "ssm:parameter": f"arn:aws:ssm:*:*:parameter/{PARAMETERS}/*",
    "s3:bucket": f"arn:aws:s3:::{BUCKET}",
    "s3:object": f"arn:aws:s3:::{BUCKET}/*",
    "imagebuilder:lifecyclePolicy": f"arn:aws:imagebuilder:*:{OWNER}:lifecycle-policy/*",
    "imagebuilder:allImageBuildVersions": f"arn:aws:imagebuilder:*:{OWNER}:image/*",
    "rbin:rule": f"arn:aws:rbin:*:{OWNER}:rule/*",
    "sts:role": f"arn:aws:iam::*:role/{CONSUMER_ROLE}",
    "iam:role": f"arn:aws:iam::*:role/{CONSUMER_ROLE}",
    "sns:topic": f"arn:aws:sns:*:{OWNER}:{MONITOR}",
    "sqs:queue": f"arn:aws:sqs:*:{OWNER}:{MONITOR}",
    "events:rule-on-default-event-bus": f"arn:aws:events:*:{OWNER}:rule/{MONITOR}",
    "cloudwatch:alarm": f"arn:aws:cloudwatch:*:{OWNER}:alarm:{ALARM}",
    # The trails of the account, and those of its organization, which belong to the management account.
    "cloudtrail:trail": "arn:aws:cloudtrail:*:*:trail/*",
    "logs:log-group": f"arn:aws:logs:*:{OWNER}:log-group:{LOG_GROUP}*",
}
"""Resource type to the ARN in the policies, with the placeholders that users replace."""


@dataclass(frozen=True)
class Permission:
    """The IAM actions that an operation needs, and the resource types that a policy limits them to.

    Without resource types they are allowed for all resources: the operation supports none, or reads a list.
    """

    actions: tuple[str, ...]
    resource_types: tuple[str, ...] = ()


def _each(*operations: str, on: tuple[str, ...] = ()) -> dict[str, Permission]:
    """The operations whose action has their own name."""
    return {one: Permission((one,), on) for one in operations}


def _uses() -> dict[str, Permission]:
    """Return the operations that read uses of images."""
    return {one: Permission((_action(one),)) for one in operations(SOURCES)}


def _action(operation: str) -> str:
    """Return the IAM action of an operation."""
    service, name = operation.split(":")
    return f"{_PREFIXES.get(service, service)}:{name}"


_IMAGE, _SNAPSHOT = ("ec2:image",), ("ec2:snapshot",)
_KEY, _PARAMETER = ("kms:key",), ("ssm:parameter",)
_LAUNCHED = (
    *("ec2:image", "ec2:instance", "ec2:network-interface", "ec2:security-group", "ec2:subnet"),
    "ec2:volume",
)

PERMISSIONS: dict[str, Permission] = {
    # Lists and settings, which support no resources, and reads of an attribute.
    **_uses(),
    **_each(
        "cloudtrail:DescribeTrails",
        "ec2:DescribeImageReferences",
        "ec2:DescribeImageUsageReportEntries",
        "ec2:DescribeImageUsageReports",
        "ec2:DescribeImages",
        "ec2:DescribeInstanceImageMetadata",
        "ec2:DescribeInstanceTypes",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeLockedSnapshots",
        "ec2:DescribeRegions",
        "ec2:DescribeSnapshotTierStatus",
        "ec2:DescribeSnapshots",
        "ec2:DescribeTags",
        "ec2:DescribeSubnets",
        "ec2:DescribeVolumes",
        "ec2:GetAllowedImagesSettings",
        "ec2:GetEbsDefaultKmsKeyId",
        "ec2:GetEbsEncryptionByDefault",
        "ec2:GetImageBlockPublicAccessState",
        "ec2:GetSnapshotBlockPublicAccessState",
        "ec2:ListImagesInRecycleBin",
        "ec2:ListSnapshotsInRecycleBin",
        "ec2:ListVolumesInRecycleBin",
        "imagebuilder:GetContainerRecipe",
        "imagebuilder:ListContainerRecipes",
        "imagebuilder:ListImageRecipes",
        "imagebuilder:ListLifecyclePolicies",
        "logs:DescribeLogGroups",
        "organizations:ListAccountsForParent",
        "organizations:ListOrganizationalUnitsForParent",
        "organizations:ListRoots",
        "organizations:ListTagsForResource",
        # It supports no resources. Conditions limit what is shared.
        "ram:CreateResourceShare",
        "ram:GetResourceShareAssociations",
        "ram:GetResourceShares",
        "rbin:ListRules",
        "sns:ListTopics",
    ),
    **_each(
        "config:DescribeConfigurationAggregatorSourcesStatus",
        "config:SelectAggregateResourceConfig",
        on=("config:ConfigurationAggregator",),
    ),
    **_each("ec2:DescribeImageAttribute", on=_IMAGE),
    **_each("ec2:DescribeSnapshotAttribute", on=_SNAPSHOT),
    # STS API Reference, GetCallerIdentity: no permissions are required.
    "sts:GetCallerIdentity": Permission(()),
    **_each("sts:AssumeRole", on=("sts:role",)),
    **_each("iam:SimulatePrincipalPolicy", on=("iam:role",)),
    # Images and snapshots.
    **_each("ec2:CopyImage", "ec2:CreateTags", "ec2:DeleteTags", on=_IMAGE + _SNAPSHOT),
    **_each(
        "ec2:DeregisterImage",
        "ec2:DisableImage",
        "ec2:DisableImageDeprecation",
        "ec2:EnableImage",
        "ec2:EnableImageDeprecation",
        "ec2:ModifyImageAttribute",
        "ec2:RestoreImageFromRecycleBin",
        on=_IMAGE,
    ),
    **_each(
        "ec2:DeleteSnapshot",
        "ec2:ModifySnapshotAttribute",
        "ec2:RestoreSnapshotFromRecycleBin",
        on=_SNAPSHOT,
    ),
    **_each("ec2:CreateImageUsageReport", on=(*_IMAGE, "ec2:image-usage-report")),
    # Launches.
    **_each("ec2:RunInstances", on=_LAUNCHED),
    **_each("ec2:TerminateInstances", on=("ec2:instance",)),
    **_each("ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate", on=("ec2:launch-template",)),
    **_each("autoscaling:StartInstanceRefresh", on=("autoscaling:autoScalingGroup",)),
    # Keys.
    **_each(
        "kms:CreateGrant",
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:GetKeyPolicy",
        "kms:ListGrants",
        "kms:PutKeyPolicy",
        "kms:RevokeGrant",
        on=_KEY,
    ),
    # KMS Developer Guide, AWS KMS permissions: ReEncrypt needs one on each of the two keys.
    "kms:ReEncrypt": Permission(("kms:ReEncryptFrom", "kms:ReEncryptTo"), _KEY),
    # Parameters and tombstones.
    **_each(
        "ssm:AddTagsToResource",
        "ssm:GetParameter",
        "ssm:GetParameterHistory",
        "ssm:GetParameters",
        # Systems Manager User Guide, "Working with shared parameters in Parameter Store": roles that call
        # the API of AWS RAM might need both policies' actions.
        "ssm:GetResourcePolicies",
        "ssm:LabelParameterVersion",
        "ssm:ListTagsForResource",
        "ssm:PutParameter",
        "ssm:PutResourcePolicy",
        "ssm:UnlabelParameterVersion",
        on=_PARAMETER,
    ),
    **_each("s3:GetObject", "s3:PutObject", on=("s3:object",)),
    # S3 User Guide, Required permissions for Amazon S3 API operations.
    "s3:HeadBucket": Permission(("s3:ListBucket",), ("s3:bucket",)),
    "s3:ListObjectsV2": Permission(("s3:ListBucket",), ("s3:bucket",)),
    **_each(
        "ram:AssociateResourceShare",
        "ram:DeleteResourceShare",
        "ram:DisassociateResourceShare",
        on=("ram:resource-share",),
    ),
    **_each("imagebuilder:GetLifecyclePolicy", on=("imagebuilder:lifecyclePolicy",)),
    **_each("imagebuilder:ListImageBuildVersions", on=("imagebuilder:allImageBuildVersions",)),
    **_each("rbin:GetRule", on=("rbin:rule",)),
    # The trails that the role monitor depends on, and its resources.
    **_each("cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus", on=("cloudtrail:trail",)),
    **_each(
        "sns:CreateTopic",
        "sns:DeleteTopic",
        "sns:GetTopicAttributes",
        "sns:ListSubscriptionsByTopic",
        "sns:ListTagsForResource",
        "sns:SetTopicAttributes",
        "sns:Subscribe",
        "sns:Unsubscribe",
        on=("sns:topic",),
    ),
    **_each(
        "sqs:CreateQueue",
        "sqs:DeleteMessage",
        "sqs:DeleteQueue",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ReceiveMessage",
        "sqs:SetQueueAttributes",
        on=("sqs:queue",),
    ),
    **_each(
        "events:DeleteRule",
        "events:DescribeRule",
        "events:ListTargetsByRule",
        "events:PutRule",
        "events:PutTargets",
        "events:RemoveTargets",
        on=("events:rule-on-default-event-bus",),
    ),
    **_each(
        "cloudwatch:DeleteAlarms",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:PutMetricAlarm",
        on=("cloudwatch:alarm",),
    ),
    **_each(
        "logs:DeleteMetricFilter",
        "logs:DescribeMetricFilters",
        "logs:ListTagsLogGroup",
        "logs:PutMetricFilter",
        on=("logs:log-group",),
    ),
}
"""Operation to its permission."""
