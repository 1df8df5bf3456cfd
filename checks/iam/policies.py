# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies of every role of a person or machine, from which ``docs/iam`` is generated."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from checks.iam.permissions import (
    ALL,
    CONSUMER_ROLE,
    EXTERNAL_ID,
    OWNER,
    PERMISSIONS,
    PLAN_ROLE,
    REPORTS,
    TOMBSTONES,
)
from checks.iam.statements import VERSION, Condition, Policy, Statement
from checks.uses import operations
from plugins.module_utils._adoption.read_uses import LAUNCHERS
from plugins.module_utils._cleanup.uses.read import Source
from plugins.module_utils._cleanup.uses.read_all import IN_BULK, LATE, OF_CONSUMERS
from plugins.module_utils._parameter_share import SHARE_PREFIX
from plugins.module_utils._tags import RECALLED_TAG

# The owner's key and, if the account that copies or launches has one, its own.
_ANY_KEY = ("arn:aws:kms:*:*:key/*",)
_ANY_PARAMETER = ("arn:aws:ssm:*:*:parameter/*",)
# Tags ``golden.images:*`` allow deleting and retiring images. The key in aws:ResourceTag ignores the case
# (IAM User Guide, Condition element: names of condition keys are not case-sensitive), those in aws:TagKeys do
# not.
_NO_OWN_TAGS: Condition = {
    "ForAllValues:StringNotLike": {"aws:TagKeys": "golden.images:*"},
    "ForAllValues:StringNotEqualsIgnoreCase": {"aws:TagKeys": "golden.images:source"},
    "Null": {"aws:TagKeys": "false"},
}
_CLEANUP_TAGS: Condition = {
    "ForAllValues:StringLike": {
        "aws:TagKeys": ["golden.images:cleanup-*", "golden.images:origin-*", "golden.images:restoring"]
    },
    "Null": {"aws:TagKeys": "false"},
}
_OWN_COPY = {"Null": {"aws:ResourceTag/golden.images:source": "false"}}
# EC2 User Guide, Identify your resources referencing specified AMIs: Required IAM permissions.
_FOR_REFERENCES = {"ForAnyValue:StringEquals": {"aws:CalledVia": ["ec2-images.amazonaws.com"]}}
# EBS User Guide, Requirements for Amazon EBS encryption: Permissions for IAM principals.
_KEY_OF_COPY = (*("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncrypt"),)
_READ_IMAGES = (
    *("ec2:DescribeImageAttribute", "ec2:DescribeImages"),
    *("ec2:DescribeSnapshotAttribute", "ec2:DescribeSnapshots"),
)


def _lists(sources: Iterable[Source]) -> tuple[str, ...]:
    """Return the operations that read uses and support no resources."""
    return tuple(one for one in operations(sources) if not PERMISSIONS[one].resource_types)


_BLOCKS = ("ec2:GetImageBlockPublicAccessState", "ec2:GetSnapshotBlockPublicAccessState")

_UNREADABLE_KEYS = (
    "a key has the finding `key_unreadable`, and the role diagnose fails, unless dry runs in the account "
    "show that it can use the key; the role verify still shows what the accounts can do"
)
_UNREADABLE_PARAMETER = (
    "with a parameter, there is the finding `parameter_unreadable`, and the role diagnose fails, unless the "
    "account itself reads the image in the parameter"
)
_UNREADABLE_PARAMETERS = "with `audit_check_parameters`, there is the finding `parameters_unreadable`"
# Statements of the policies for acting, and of those for planning.
_SEE_IMAGES = Statement("ReadImages", "the level `visible`", ("ec2:DescribeImages",))
_READ_ALLOWED_IMAGES = Statement(
    "ReadAllowedImages",
    "findings about Allowed AMIs",
    ("ec2:GetAllowedImagesSettings",),
    "a finding says that the settings could not be read",
)
_READ_TAGS_OF_PARAMETERS = Statement(
    "ReadTagsOfParameters",
    "`distribute_parameter_tags`",
    ("ssm:ListTagsForResource",),
    "a run that has it fails",
)
_READ_RESOURCE_SHARES = Statement(
    "ReadResourceShares",
    "`distribute_publish_share`",
    ("ram:GetResourceShareAssociations", "ram:GetResourceShares"),
    "a run that has it fails",
)
_READ_LAUNCH_TEMPLATES = Statement(
    "ReadLaunchTemplates",
    "`distribute_launch_templates`",
    ("ec2:DescribeInstanceTypes", "ec2:DescribeLaunchTemplateVersions"),
    "a run that has launch templates fails",
)

DISTRIBUTE = Policy(
    "distribute",
    "Distribution",
    "credentials of the owner's account that copy and share unencrypted images: role distribute",
    (
        Statement(
            "Read",
            "reading the source, the copies and their permissions",
            (*_READ_IMAGES, "ec2:DescribeRegions", "ec2:GetEbsEncryptionByDefault"),
            resources=(ALL,),
        ),
        Statement(
            "CopyAndShare",
            "copying and sharing",
            ("ec2:CopyImage", "ec2:ModifyImageAttribute", "ec2:ModifySnapshotAttribute"),
        ),
        Statement(
            "ReadSourceParameter",
            "`distribute_source_parameter`",
            ("ssm:GetParameter",),
            "do not set `distribute_source_parameter`",
        ),
        Statement(
            "TagNewCopies",
            "tags of new copies, among them the one by which reruns find a copy",
            ("ec2:CreateTags",),
            condition={"StringEquals": {"ec2:CreateAction": "CopyImage"}},
        ),
        Statement(
            "SetOtherTags",
            "changed tags of existing copies, and `distribute_shared_tags`",
            ("ec2:CreateTags",),
            "tags of existing images cannot be changed; a run that has to change them fails",
            condition=_NO_OWN_TAGS,
        ),
        Statement(
            "RemoveOtherTags",
            "`purge_tags` of `ami_copy_regions`",
            ("ec2:DeleteTags",),
            "tags are not removed; a run that has to remove them fails",
            condition=_NO_OWN_TAGS,
        ),
        Statement(
            "RemoveOwnFailedCopies",
            "replacing a failed copy that this collection made",
            ("ec2:DeregisterImage", "ec2:DeleteSnapshot"),
            "failed copies have to be deregistered by other credentials",
            condition=_OWN_COPY,
        ),
    ),
    ("copy", "share", "kms_grant", "distribution"),
    note="IAM cannot limit the accounts that an image is shared with.",
)

DISTRIBUTE_ENCRYPTED = Policy(
    "distribute-encrypted",
    "Distribution of encrypted images",
    "the same credentials, in addition to `distribute.json`",
    (
        Statement(
            "CopyAndGrant",
            "copying, and granting consumers access to the keys",
            (*_KEY_OF_COPY, "kms:CreateGrant", "kms:ListGrants"),
        ),
        Statement(
            "ReadKeyPolicies",
            "warning about consumers that cannot use a key, and access through key policies",
            ("kms:GetKeyPolicy",),
            "a warning says that the key policy could not be read; a run that has to change it fails",
        ),
        Statement(
            "ReplaceKeyPolicies",
            "access of organizations and organizational units, `distribute_kms_access_method: key_policy`",
            ("kms:PutKeyPolicy",),
            "access through key policies cannot be given or revoked; a run that has to do so fails",
        ),
        Statement(
            "RevokeGrants",
            "`distribute_purge_access` and `distribute_unshare_after_copy`",
            ("kms:RevokeGrant",),
            "grants cannot be revoked; a run that has to do so fails",
        ),
        Statement(
            "ReadDefaultKey",
            "copies without a configured key",
            ("ec2:GetEbsDefaultKmsKeyId",),
            "a run that copies without a key fails",
        ),
    ),
    ("copy", "share", "kms_grant", "distribution"),
    note="Do not restrict `kms:CreateGrant` with `kms:GrantIsForAWSResource`: it is true only if an AWS "
    "service creates the grant.",
)

PLAN_DISTRIBUTE = Policy(
    "plan-distribute",
    "Planning a distribution",
    "credentials of the owner's account that only read: role distribute in check mode",
    (
        next(one for one in DISTRIBUTE.statements if one.sid == "Read"),
        Statement(
            "ReadParameters",
            "`distribute_source_parameter`, `distribute_publish_parameter`",
            ("ssm:GetParameter", "ssm:GetParameterHistory"),
            "a run that has one of these fails",
        ),
        _READ_TAGS_OF_PARAMETERS,
        _READ_RESOURCE_SHARES,
        Statement(
            "ReadKeys",
            "encrypted images: the keys of the copies, and who can use them",
            ("kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"),
            "a run that distributes encrypted images fails",
        ),
        _READ_LAUNCH_TEMPLATES,
    ),
    ("copy", "share", "kms_grant", "publish", "distribution"),
    note="Where a role in the consumer accounts is named, add `assume-plan-roles.json`, and name the role "
    f"`{PLAN_ROLE}` in the plan: a branch that changes what a plan runs can use each role that the plan may "
    "assume.",
)

ASSUME_ROLES = Policy(
    "assume-consumer-roles",
    "Acting in consumer accounts",
    "the same credentials, where a role in the consumer accounts is named (`…_consumer_role_name`)",
    (Statement("AssumeConsumerRoles", "acting in the consumer accounts", ("sts:AssumeRole",)),),
)

ASSUME_PLAN_ROLES = Policy(
    "assume-plan-roles",
    "Planning in consumer accounts",
    "the same credentials, where a plan names a role in the consumer accounts",
    (
        Statement(
            "AssumePlanRoles",
            "reading in the consumer accounts",
            ("sts:AssumeRole",),
            resources=(f"arn:aws:iam::*:role/{PLAN_ROLE}",),
        ),
    ),
)

UPLOAD_REPORTS = Policy(
    "upload-reports",
    "Report uploads",
    "the same credentials, where a role uploads its report (`…_report_s3_uri`)",
    (
        Statement(
            "WriteReports",
            "the files of the report",
            ("s3:PutObject",),
            resources=(f"arn:aws:s3:::{REPORTS}/*",),
        ),
        Statement(
            "FindBucket",
            "noticing before a role starts that the bucket does not exist",
            ("s3:HeadBucket",),
            "that may be noticed only when the report is uploaded",
            resources=(f"arn:aws:s3:::{REPORTS}",),
        ),
    ),
    ("adoption", "audit", "cleanup", "distribution", "reports", "upload", "verification"),
    note="If the bucket encrypts with a KMS key of yours, allow `kms:GenerateDataKey` on it, too.",
)

SHARE = Policy(
    "share",
    "Sharing",
    "credentials of the owner's account that share existing images: role share",
    (
        Statement("Read", "reading the permissions of the images", _READ_IMAGES, resources=(ALL,)),
        Statement("Share", "sharing", ("ec2:ModifyImageAttribute", "ec2:ModifySnapshotAttribute")),
        Statement(
            "SetSharedTags",
            "`share_shared_tags`",
            ("ec2:CreateTags",),
            "shared tags cannot be set; a run that has to set them fails",
            condition={
                "ForAllValues:StringLike": {"aws:TagKeys": "ec2:SharedTag/*"},
                "Null": {"aws:TagKeys": "false"},
            },
        ),
        Statement(
            "ReadKeyAccess",
            "warning about consumers that cannot use an image's key",
            ("kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"),
            "a warning says that it is not known whether the consumers can use the keys",
        ),
        Statement(
            "ReadBlocks",
            "sharing with the public",
            _BLOCKS,
            "images cannot be shared with the public; a run that has to do so fails",
        ),
    ),
    ("share",),
)

PUBLISH = Policy(
    "publish",
    "Publishing",
    "credentials of the owner's account that publish images, and the role in each account that they are "
    "published in: roles distribute, publish, rollback and recall",
    (
        Statement(
            "WriteParameter",
            "the parameter, its labels and its tags, with which a new one is created",
            (
                "ssm:AddTagsToResource",
                "ssm:GetParameter",
                "ssm:GetParameterHistory",
                "ssm:GetParameters",
                "ssm:LabelParameterVersion",
                "ssm:ListTagsForResource",
                "ssm:PutParameter",
            ),
        ),
        Statement(
            "ReadImages",
            "the check that each account can use the image; AWS makes it with these permissions, too",
            ("ec2:DescribeImageAttribute", "ec2:DescribeImages"),
            resources=(ALL,),
        ),
        Statement(
            "MoveLabels",
            "making room for a version if the oldest of 100 has the collection's label",
            ("ssm:UnlabelParameterVersion",),
            "publishing fails once the oldest of 100 versions has a label",
        ),
        Statement(
            "ReadLaunchTemplates",
            "`launch_templates`, and what their instance types and hibernation need",
            (
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:GetEbsEncryptionByDefault",
            ),
            "launch templates cannot be updated; a run that has to do so fails",
        ),
        Statement(
            "UpdateLaunchTemplates",
            "`launch_templates`",
            ("ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"),
            "launch templates cannot be updated; a run that has to do so fails",
        ),
    ),
    ("publish", "recall"),
    note="To share the parameter through AWS RAM (`publish_share`), add `share-parameters.json` to the "
    "owner's credentials.",
)

SHARE_PARAMETERS = Policy(
    "share-parameters",
    "Sharing parameters",
    "the same credentials, where a parameter is shared through AWS RAM (`publish_share`, "
    "`distribute_publish_share`)",
    (
        replace(_READ_RESOURCE_SHARES, purpose="the resource share of the parameter", without=""),
        Statement(
            "CreateResourceShares",
            "the resource share of a parameter that has none, of parameters only",
            ("ram:CreateResourceShare",),
            # RAM User Guide, "Example IAM policies for AWS RAM": each principal and each resource is
            # authorized by itself, and the key is absent for a principal.
            condition={"StringEqualsIfExists": {"ram:RequestedResourceType": "ssm:Parameter"}},
        ),
        Statement(
            "AddToResourceShares",
            "further consumers, in the collection's own resource shares only",
            ("ram:AssociateResourceShare",),
            condition={
                "StringEqualsIfExists": {"ram:RequestedResourceType": "ssm:Parameter"},
                "StringLike": {"ram:ResourceShareName": f"{SHARE_PREFIX}*"},
            },
        ),
        Statement(
            "RemoveFromResourceShares",
            "`publish_share_purge`, in the collection's own resource shares only",
            ("ram:DeleteResourceShare", "ram:DisassociateResourceShare"),
            "a run that has to take a parameter back publishes nothing in that region, and fails",
            condition={"StringLike": {"ram:ResourceShareName": f"{SHARE_PREFIX}*"}},
        ),
        Statement(
            "AttachPolicies",
            "the policy that AWS RAM attaches to the parameter",
            ("ssm:GetResourcePolicies", "ssm:PutResourcePolicy"),
        ),
    ),
    # The package recall has the publication's calls. It never shares.
    ("publish", "recall"),
    note="To keep accounts outside of the organization out, add the condition "
    "`ram:RequestedAllowsExternalPrincipals` as in [AWS RAM's examples]"
    "(https://docs.aws.amazon.com/ram/latest/userguide/security-iam-policies-examples.html).",
)

# What an audit reads, also that of a remediation.
_READ_ACCESS = (
    Statement(
        "Read",
        "images, snapshots and their permissions",
        (*_READ_IMAGES, "ec2:DescribeRegions"),
        resources=(ALL,),
    ),
    Statement("ReadBlocks", "findings about block public access", _BLOCKS, "", resources=(ALL,)),
    Statement(
        "ReadKeys",
        "who can use the keys",
        ("kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"),
    ),
)

AUDIT = Policy(
    "audit",
    "Auditing",
    "credentials of the owner's account that only read: role audit",
    (
        *_READ_ACCESS,
        Statement(
            "ReadResourceShares",
            "`audit_check_parameters`",
            ("ram:GetResourceShareAssociations",),
            _UNREADABLE_PARAMETERS,
        ),
        Statement(
            "ReadParameters",
            "`audit_check_parameters`: the images of shared parameters",
            ("ssm:GetParameter",),
            _UNREADABLE_PARAMETERS,
        ),
    ),
    ("audit",),
)

# What an account uses: the owner, if account_ids names it, and each consumer.
_INSTANCES_OF_ACCOUNT = Statement(
    "ReadInstances",
    "instances and their images",
    ("ec2:DescribeInstanceImageMetadata",),
    "the account is reported as unreadable",
    resources=(ALL,),
)
_LAUNCHES_OF_ACCOUNT = (
    Statement(
        "ReadLaunches",
        "the depth `launches`",
        _lists(LAUNCHERS),
        "with the depth `launches`, the account is reported as unreadable",
        resources=(ALL,),
    ),
    Statement(
        "ReadParameters",
        "the depth `launches`: parameters that name images",
        ("ssm:GetParameter", "ssm:GetParameterHistory", "ssm:GetParameters"),
        "with the depth `launches`, the account is reported as unreadable",
        resources=_ANY_PARAMETER,
    ),
)

ADOPTION = Policy(
    "adoption",
    "Adoption",
    "credentials of the owner's account: role adoption, with `assume-consumer-roles.json` for the depths "
    "that read in each account",
    (
        Statement("Read", "the releases", ("ec2:DescribeImages", "ec2:DescribeRegions"), resources=(ALL,)),
        Statement(
            "ReadReports",
            "the depth `usage_reports`",
            ("ec2:DescribeImageUsageReportEntries", "ec2:DescribeImageUsageReports"),
            "the depth `usage_reports` fails",
            resources=(ALL,),
        ),
        Statement(
            "RequestReports",
            "the depth `usage_reports`, where there is no report of the last day",
            ("ec2:CreateImageUsageReport",),
            "the depth `usage_reports` fails where there is none",
        ),
        replace(
            _INSTANCES_OF_ACCOUNT,
            purpose="instances and their images, if `adoption_account_ids` names the owner's account",
        ),
        *_LAUNCHES_OF_ACCOUNT,
    ),
    ("adoption",),
)

_OF_PARAMETERS = "`remediate_finding_codes` with `unknown_parameter_consumer`"

REMEDIATE = Policy(
    "remediate",
    "Remediation",
    "credentials of the owner's account that remove access: roles remediate and unshare",
    (
        *_READ_ACCESS,
        Statement("Unshare", "unsharing", ("ec2:ModifyImageAttribute", "ec2:ModifySnapshotAttribute")),
        Statement(
            "RevokeKeyAccess",
            "revoking access to keys",
            ("kms:PutKeyPolicy", "kms:RevokeGrant"),
            "access to keys stays; a run that has to revoke it fails",
        ),
        Statement(
            "ReadResourceShares",
            _OF_PARAMETERS,
            ("ram:GetResourceShareAssociations", "ram:GetResourceShares"),
            "a run with this code fails",
        ),
        Statement(
            "ReadParameters",
            _OF_PARAMETERS,
            ("ssm:GetParameter",),
            "a run with this code fails",
            resources=_ANY_PARAMETER,
        ),
        Statement(
            "RemoveFromResourceShares",
            f"{_OF_PARAMETERS}, in the collection's own resource shares only",
            ("ram:DisassociateResourceShare",),
            "a run that has to take a parameter back fails",
            condition={"StringLike": {"ram:ResourceShareName": f"{SHARE_PREFIX}*"}},
        ),
    ),
    ("audit", "publish", "remediation"),
)

CLEANUP = Policy(
    "cleanup",
    "Cleanup",
    "credentials of the owner's account that retire images: role cleanup",
    (
        Statement(
            "ReadImages",
            "images, snapshots, their permissions, and where they are used",
            (
                *_READ_IMAGES,
                *_lists(IN_BULK),
                "ec2:DescribeImageReferences",
                "ec2:DescribeLockedSnapshots",
                "ec2:DescribeRegions",
                "ec2:DescribeSnapshotTierStatus",
                "ec2:ListImagesInRecycleBin",
            ),
            resources=(ALL,),
        ),
        Statement(
            "ReadParameters",
            "parameters that name images",
            ("ssm:GetParameter", "ssm:GetParameterHistory", "ssm:GetParameters"),
            resources=_ANY_PARAMETER,
        ),
        Statement(
            "ReadReferences",
            "DescribeImageReferences, for which AWS makes these reads, and some of `ReadImages`",
            (
                "ec2:DescribeLaunchTemplates",
                "imagebuilder:GetContainerRecipe",
                "imagebuilder:ListContainerRecipes",
                "imagebuilder:ListImageRecipes",
                "ssm:GetParameters",
            ),
            condition=_FOR_REFERENCES,
            resources=(ALL,),
        ),
        Statement(
            "Retire",
            "deprecating, disabling and deregistering images, and deleting their snapshots",
            (
                "ec2:DeleteSnapshot",
                "ec2:DeregisterImage",
                "ec2:DisableImage",
                "ec2:EnableImageDeprecation",
            ),
        ),
        Statement(
            "SetTagsOfCleanup",
            "the dates of the stages, and the mark of snapshots to delete",
            ("ec2:CreateTags", "ec2:DeleteTags"),
            condition=_CLEANUP_TAGS,
        ),
        Statement(
            "ReadRecycleBin",
            "until when a deregistered image can be restored",
            ("rbin:GetRule", "rbin:ListRules"),
            "the report says that it is not known whether images can be restored",
            resources=(ALL,),
        ),
        *(
            Statement(
                f"Read{''.join(source.kind.title().split('_'))}s",
                f"`{source.kind}` as a use of images",
                source.operations,
                "images are neither disabled nor deregistered, and the run fails, unless "
                f"`cleanup_unused_services` has `{source.service}`",
            )
            for source in LATE
        ),
        Statement(
            "ReadImageBuilder",
            "images that Image Builder made, and its lifecycle policies",
            (
                "imagebuilder:GetLifecyclePolicy",
                "imagebuilder:ListImageBuildVersions",
                "imagebuilder:ListLifecyclePolicies",
            ),
            "images that Image Builder made are kept",
            resources=(ALL,),
        ),
        Statement(
            "ReadUsageReports",
            "shared images with `cleanup_trust_usage_reports`",
            ("ec2:DescribeImageUsageReportEntries", "ec2:DescribeImageUsageReports"),
            "shared images are kept",
        ),
        Statement(
            "RequestUsageReports",
            "shared images with `cleanup_trust_usage_reports`",
            ("ec2:CreateImageUsageReport",),
            "shared images are kept",
        ),
        Statement(
            "WriteTombstonesToS3",
            "`cleanup_tombstone_s3_uri`",
            ("s3:PutObject",),
            "no image is disabled or deregistered in a run with `cleanup_tombstone_s3_uri`",
        ),
        Statement(
            "WriteTombstonesToParameters",
            "`cleanup_tombstone_ssm_path`",
            ("ssm:PutParameter",),
            "no image is disabled or deregistered in a run with `cleanup_tombstone_ssm_path`",
            resources=(f"arn:aws:ssm:*:{OWNER}:parameter/{TOMBSTONES}/*",),
        ),
        Statement(
            "RevokeGrants",
            "`cleanup_revoke_grants`",
            ("kms:ListGrants", "kms:RevokeGrant"),
            "images under such keys, or their snapshots, stay",
        ),
    ),
    ("cleanup",),
    note="Give these credentials no other permission to set tags `golden.images:*`.",
)

RESTORE = Policy(
    "restore",
    "Restore",
    "credentials of the owner's account that restore retired images: role restore",
    (
        Statement(
            "Read",
            "the images and their snapshots",
            (*_READ_IMAGES, "ec2:DescribeSnapshotTierStatus"),
            resources=(ALL,),
        ),
        Statement(
            "Restore",
            "enabling images, and giving back their permissions and deprecation dates",
            (
                "ec2:DisableImageDeprecation",
                "ec2:EnableImage",
                "ec2:EnableImageDeprecation",
                "ec2:ModifyImageAttribute",
                "ec2:ModifySnapshotAttribute",
            ),
        ),
        Statement(
            "SetTagsOfCleanup",
            "removing the tags of the cleanup",
            ("ec2:CreateTags", "ec2:DeleteTags"),
            condition=_CLEANUP_TAGS,
        ),
        Statement(
            "ReadRecycleBin",
            "deregistered images",
            ("ec2:ListImagesInRecycleBin", "ec2:ListSnapshotsInRecycleBin"),
            "deregistered images cannot be restored; a run that has to do so fails",
        ),
        Statement(
            "ReadTagsInRecycleBin",
            "deregistered images that may have as many tags as AWS allows",
            ("ec2:DescribeTags",),
            "the tags of the tombstones count",
        ),
        Statement(
            "RestoreFromRecycleBin",
            "deregistered images",
            ("ec2:RestoreImageFromRecycleBin", "ec2:RestoreSnapshotFromRecycleBin"),
            "deregistered images cannot be restored; a run that has to do so fails",
        ),
        Statement(
            "ReadTombstonesFromS3",
            "`restore_tombstone_s3_uri`",
            ("s3:GetObject", "s3:ListObjectsV2"),
            "a run with `restore_tombstone_s3_uri` fails",
        ),
        Statement(
            "ReadTombstonesFromParameters",
            "`restore_tombstone_ssm_path`",
            ("ssm:GetParameterHistory",),
            "a run with `restore_tombstone_ssm_path` fails",
            resources=(f"arn:aws:ssm:*:{OWNER}:parameter/{TOMBSTONES}/*",),
        ),
        Statement(
            "ReadBlocks",
            "`restore_allow_public`",
            _BLOCKS,
            "images are not shared with the public again; a run that has to do so fails",
        ),
    ),
    ("restore",),
)

RECALL = Policy(
    "recall",
    "Recall",
    "credentials of the owner's account that recall releases: role recall, with `publish.json` if "
    "`recall_parameter` is set",
    (
        Statement(
            "Read",
            "the images of the release, and the snapshots of earlier ones",
            ("ec2:DescribeImages", "ec2:DescribeRegions", "ec2:DescribeSnapshots"),
            resources=(ALL,),
        ),
        Statement(
            "TagImages",
            "the tag of recalled images",
            ("ec2:CreateTags", "ec2:DeleteTags"),
            resources=("arn:aws:ec2:*::image/*",),
            condition={"ForAllValues:StringEquals": {"aws:TagKeys": [RECALLED_TAG]}},
        ),
        Statement(
            "ReadKeys",
            "the keys of encrypted earlier images, before anything moves to these",
            ("kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"),
            "what would move to an encrypted image stays as it is, unless `recall_require_usable_key` is "
            "`false`",
        ),
        Statement(
            "ReadResourceShares",
            "the consumers of an advanced parameter, before it moves",
            ("ram:GetResourceShareAssociations",),
            "an advanced parameter stays as it is, unless `recall_require_shared` is `false`",
        ),
        Statement(
            "Block",
            "`recall_level: block`, and taking it back",
            (
                "ec2:DescribeImageAttribute",
                "ec2:DescribeSnapshotAttribute",
                "ec2:ModifyImageAttribute",
                "ec2:ModifySnapshotAttribute",
            ),
            "a run with `recall_level: block` fails",
        ),
        Statement(
            "Disable",
            "`recall_block_method: disable`, and taking it back",
            ("ec2:DisableImage", "ec2:EnableImage"),
            "a run with `recall_block_method: disable` fails",
        ),
        Statement(
            "RecordInS3",
            "`recall_tombstone_s3_uri`",
            ("s3:GetObject", "s3:ListObjectsV2", "s3:PutObject"),
            "a run with `recall_tombstone_s3_uri` fails",
        ),
    ),
    ("recall",),
    note="In the accounts of `recall_account_ids`, the role has `publish.json`, and these credentials have "
    "`assume-consumer-roles.json`. With `recall_level: block`, the role also has `consumer-adoption.json`, "
    "and with `recall_block_method: disable`, these credentials have `adoption.json`. With "
    "`recall_block_consumer_copies`, it also has `consumer-recall.json`.",
)

DIAGNOSE = Policy(
    "diagnose",
    "Diagnosis",
    "credentials of the owner's account that only read: roles diagnose and verify",
    (
        Statement("Read", "the images and their permissions", _READ_IMAGES, resources=(ALL,)),
        Statement(
            "ReadBlocks",
            "findings about public images and snapshots",
            _BLOCKS,
            "these findings do not say whether block public access is on",
        ),
        Statement(
            "ReadKeys",
            "who can use the keys",
            ("kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"),
            _UNREADABLE_KEYS,
        ),
        Statement(
            "ReadParameters",
            "`diagnose_parameter`, `verify_parameter`",
            ("ssm:GetParameter", "ssm:GetParameterHistory"),
            _UNREADABLE_PARAMETER,
            resources=_ANY_PARAMETER,
        ),
        Statement(
            "ReadResourceShares",
            "`diagnose_parameter`, `verify_parameter`: who the parameter is shared with",
            ("ram:GetResourceShareAssociations",),
            _UNREADABLE_PARAMETER,
        ),
    ),
    ("diagnose",),
)

MONITOR = Policy(
    "monitor",
    "Monitoring",
    "credentials of the owner's account that set up the monitoring: role monitor",
    (
        Statement("ReadLogGroups", "finding the trail's log group", ("logs:DescribeLogGroups",)),
        Statement(
            "ReadTagsOfLogGroup",
            "the module that reads the log group reads its tags, too",
            ("logs:ListTagsLogGroup",),
            "a warning of `amazon.aws.cloudwatchlogs_log_group_info`",
        ),
        Statement(
            "CountSharing",
            "metric filters",
            (
                "logs:DeleteMetricFilter",
                "logs:DescribeMetricFilters",
                "logs:PutMetricFilter",
            ),
        ),
        Statement(
            "Alarm",
            "the alarm",
            ("cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm"),
        ),
        Statement(
            "ReadAlarms",
            "reading the alarm",
            ("cloudwatch:DescribeAlarms",),
            # The Service Authorization Reference has the alarm as its resource, the CloudWatch User Guide
            # ("CloudWatch permissions reference") only all, and requests by name were denied with less
            # (https://github.com/mattclay/aws-terminator/pull/63).
            resources=(f"arn:aws:cloudwatch:*:{OWNER}:alarm:*",),
        ),
        Statement("FindTrails", "finding the trails of a region", ("cloudtrail:DescribeTrails",)),
        Statement(
            "ReadTrails",
            "whether a trail logs what the rule and the alarm wait for",
            ("cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus"),
        ),
        Statement(
            "Rule",
            "the EventBridge rule",
            (
                "events:DeleteRule",
                "events:DescribeRule",
                "events:ListTargetsByRule",
                "events:PutRule",
                "events:PutTargets",
                "events:RemoveTargets",
            ),
        ),
        Statement("FindTopics", "finding the topic", ("sns:ListTopics",)),
        Statement(
            "Topic",
            "the SNS topic, its policy and its subscriptions",
            (
                "sns:CreateTopic",
                "sns:DeleteTopic",
                "sns:GetTopicAttributes",
                "sns:ListSubscriptionsByTopic",
                "sns:ListTagsForResource",
                "sns:SetTopicAttributes",
                "sns:Subscribe",
                "sns:Unsubscribe",
            ),
        ),
        Statement(
            "Queue",
            "`monitor_queue_name`",
            (
                "sqs:CreateQueue",
                "sqs:DeleteQueue",
                "sqs:GetQueueAttributes",
                "sqs:GetQueueUrl",
                "sqs:SetQueueAttributes",
            ),
            "a run with `monitor_queue_name` fails",
        ),
    ),
    ("monitoring",),
)

RULEBOOK = Policy(
    "rulebook",
    "Event-Driven Ansible",
    "credentials of ansible-rulebook, in addition to `remediate.json`",
    (
        Statement(
            "ReceiveEvents",
            "the queue of the role monitor",
            ("sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"),
        ),
    ),
)

INVENTORY = Policy(
    "inventory",
    "Accounts inventory",
    "credentials of the organization's management account or of a delegated administrator",
    (
        Statement(
            "ListAccounts",
            "accounts and organizational units",
            (
                "organizations:ListAccountsForParent",
                "organizations:ListOrganizationalUnitsForParent",
                "organizations:ListRoots",
            ),
        ),
        Statement(
            "ReadTags",
            "groups by tag",
            ("organizations:ListTagsForResource",),
            "set `include_tags: false`",
        ),
    ),
    ("inventory", "organization"),
)

LOOKUP = Policy(
    "lookup",
    "AMI lookup",
    "credentials of the account that launches the image",
    (
        Statement("FindImages", "images", ("ec2:DescribeImages",)),
        Statement(
            "ReadParameter",
            "images that a parameter names",
            ("ssm:GetParameter",),
            "do not set `parameter`",
        ),
        Statement(
            "FindKeys",
            "the keys of encrypted images",
            ("ec2:DescribeSnapshots",),
            "an image whose key is not enabled can be the result",
        ),
        Statement(
            "ReadKeyStates",
            "the states of these keys",
            ("kms:DescribeKey",),
            "an image whose key is not enabled can be the result",
        ),
    ),
    ("lookup", "image_search"),
)

CONSUMER_LAUNCH = Policy(
    "consumer-launch",
    "Launching encrypted images",
    "in each consumer account, the roles that launch encrypted images, in addition to what launches need",
    (
        Statement(
            "UseKeysOfImages",
            "the volumes of an instance; without it, the launch is accepted and the instance terminated",
            (*_KEY_OF_COPY, "kms:CreateGrant"),
        ),
    ),
    packages=("diagnose", "shared_info"),
    note="The roles need the same actions on the key that encrypts their own volumes by default, unless that "
    "is the key `aws/ebs`.",
)

CONSUMER_VERIFY = Policy(
    "consumer-verify",
    "Verification in the consumer accounts",
    f"in each consumer account, the role `{CONSUMER_ROLE}` for verifying and diagnosing; for encrypted "
    "images, in addition to `consumer-launch.json`",
    (
        _SEE_IMAGES,
        Statement("Launch", "the levels `authorized`, a dry run, and `launched`", ("ec2:RunInstances",)),
        _READ_ALLOWED_IMAGES,
        Statement(
            "SimulateOwnPolicies",
            "the level `authorized` of encrypted images, for roles that may use keys through EC2 only",
            ("iam:SimulatePrincipalPolicy",),
            "key use is uncertain where the role's or the key's policy allows it through AWS services only",
        ),
        Statement(
            "ReadSubnets",
            "the level `authorized` in accounts without a default VPC",
            ("ec2:DescribeSubnets",),
            "the level `authorized` is not reached where there is no default VPC and no subnet is set",
        ),
        Statement(
            "ReadParameters",
            "`diagnose_parameter`, `verify_parameter`",
            ("ssm:GetParameters",),
            "with `verify_parameter`, the level `authorized` is not reached",
            resources=_ANY_PARAMETER,
        ),
        Statement(
            "ReadOwnSide",
            "`ami_shared_info`",
            ("ec2:DescribeRegions", "ec2:DescribeSnapshots"),
            "`ami_shared_info` cannot be used",
        ),
        Statement(
            "ReadInstances",
            "the level `launched`",
            ("ec2:DescribeInstances",),
            "the level `launched` is not reached",
        ),
        Statement(
            "TagLaunches",
            "the level `launched`, and dry runs and launches with `launch_tags`",
            ("ec2:CreateTags",),
            "the level `launched` is not reached, and with `launch_tags` not the level `authorized` either",
            condition={"StringEquals": {"ec2:CreateAction": "RunInstances"}},
            resources=(
                "arn:aws:ec2:*:*:instance/*",
                "arn:aws:ec2:*:*:network-interface/*",
                "arn:aws:ec2:*:*:volume/*",
            ),
        ),
        Statement(
            "TerminateProbes",
            "the level `launched`",
            ("ec2:TerminateInstances",),
            "the level `launched` leaves an instance, and the role fails",
            condition={"Null": {"aws:ResourceTag/golden.images:probe": "false"}},
        ),
    ),
    ("diagnose", "launch_probe", "shared_info"),
)

CONSUMER_PLAN = Policy(
    "consumer-plan",
    "Planning in the consumer accounts",
    f"in each consumer account, the role `{PLAN_ROLE}`, which can only read: role distribute in check mode",
    (
        _SEE_IMAGES,
        _READ_ALLOWED_IMAGES,
        Statement(
            "ReadParameters",
            "`distribute_publish_parameter`",
            ("ssm:GetParameterHistory",),
            "a run that has it fails",
        ),
        _READ_TAGS_OF_PARAMETERS,
        replace(
            _READ_LAUNCH_TEMPLATES,
            operations=(*_READ_LAUNCH_TEMPLATES.operations, "ec2:GetEbsEncryptionByDefault"),
        ),
    ),
    ("diagnose", "publish"),
    note="The level `authorized` is a dry run of a launch, which needs `ec2:RunInstances`: a plan can have "
    "the level `visible` only. For `distribute_copy_into_accounts`, add the statement `Read` of "
    "`consumer-copy.json` and `kms:DescribeKey`.",
)

CONSUMER_USAGE = Policy(
    "consumer-usage",
    "Reading use in the consumer accounts",
    "in each consumer account, the role that the cleanup reads use with (`cleanup_consumer_role_name`)",
    (
        Statement(
            "ReadUse",
            "where images are used",
            (
                *_lists(OF_CONSUMERS),
                "ec2:DescribeImageReferences",
                "ec2:DescribeImages",
            ),
            resources=(ALL,),
            without="images that are shared with the account are kept",
        ),
        Statement(
            "ReadParameters",
            "parameters that name images",
            ("ssm:GetParameter", "ssm:GetParameterHistory", "ssm:GetParameters"),
            resources=_ANY_PARAMETER,
            without="images that are shared with the account are kept",
        ),
        Statement(
            "ReadReferences",
            "DescribeImageReferences, for which AWS makes these reads, and some of `ReadUse`",
            (
                "ec2:DescribeLaunchTemplates",
                "imagebuilder:GetContainerRecipe",
                "imagebuilder:ListContainerRecipes",
                "imagebuilder:ListImageRecipes",
                "ssm:GetParameters",
            ),
            condition=_FOR_REFERENCES,
            resources=(ALL,),
            without="images that are shared with the account are kept",
        ),
    ),
    ("cleanup",),
)

CONSUMER_ADOPTION = Policy(
    "consumer-adoption",
    "Reading adoption in the consumer accounts",
    "in each consumer account, the role that adoption is read with (`adoption_consumer_role_name`), which "
    "only reads",
    (
        _INSTANCES_OF_ACCOUNT,
        Statement(
            "ReadImages",
            "images of the account's own, and what they come from",
            ("ec2:DescribeImages",),
            "regions in which the account uses images of its own are reported as unreadable",
            resources=(ALL,),
        ),
        *_LAUNCHES_OF_ACCOUNT,
    ),
    ("adoption",),
)

AGGREGATOR = Policy(
    "aggregator",
    "Reading an aggregator of AWS Config",
    "role adoption with the depth `config`: the credentials of the owner's account, or the role "
    "`adoption_consumer_role_name` in another account that has the aggregator",
    (
        Statement(
            "ReadAggregator",
            "the depth `config`",
            ("config:DescribeConfigurationAggregatorSourcesStatus", "config:SelectAggregateResourceConfig"),
            "the depth `config` fails",
        ),
    ),
    ("adoption",),
)

CONSUMER_VOLUMES = Policy(
    "consumer-volumes",
    "Reading volumes in the consumer accounts",
    "in each consumer account, the role that volumes and snapshots are read with before grants are revoked "
    "(`consumer_role_name` of `ami_kms_grant`, `cleanup_revoke_grants`, `remediate_consumer_role_name`, "
    "`unshare_consumer_role_name`)",
    (
        Statement(
            "ReadVolumes",
            "finding what accounts have under the owner's key, whose grants would be revoked",
            (
                "ec2:DescribeSnapshots",
                "ec2:DescribeVolumes",
                "ec2:ListSnapshotsInRecycleBin",
                "ec2:ListVolumesInRecycleBin",
            ),
            "`ami_kms_grant` says what could not be read; the cleanup keeps the grants and images",
        ),
    ),
    ("kms_grant", "cleanup"),
)

CONSUMER_COPY = Policy(
    "consumer-copy",
    "Copies into the consumer accounts",
    f"in each consumer account, the role `{CONSUMER_ROLE}` for `distribute_copy_into_accounts`",
    (
        Statement(
            "Read",
            "the shared image and existing copies",
            ("ec2:DescribeImages", "ec2:DescribeSnapshots", "ec2:GetEbsEncryptionByDefault"),
        ),
        Statement("Copy", "copying", ("ec2:CopyImage",)),
        next(one for one in DISTRIBUTE.statements if one.sid == "TagNewCopies"),
        next(one for one in DISTRIBUTE.statements if one.sid == "SetOtherTags"),
        next(one for one in DISTRIBUTE.statements if one.sid == "RemoveOwnFailedCopies"),
        Statement(
            "UseKeys",
            "encrypted images: the owner's key, and the account's own",
            _KEY_OF_COPY,
            "encrypted images cannot be copied",
            resources=_ANY_KEY,
        ),
        Statement(
            "CreateGrantsForCopies",
            "encrypted images: the grants that EC2 creates for the copies",
            ("kms:CreateGrant",),
            "encrypted images cannot be copied",
            condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
            resources=_ANY_KEY,
        ),
    ),
    ("copy",),
)

CONSUMER_AUTO_SCALING = Policy(
    "consumer-auto-scaling",
    "Auto Scaling in the consumer accounts",
    f"in each consumer account, the role `{CONSUMER_ROLE}` for `distribute_auto_scaling`",
    (
        Statement(
            "GrantToAutoScaling",
            "the grant for the service-linked role of Auto Scaling, which only the account can create",
            ("kms:CreateGrant",),
            condition={
                "StringLike": {
                    "kms:GranteePrincipal": "arn:aws:iam::*:role/aws-service-role/autoscaling.amazonaws.com/*"
                }
            },
        ),
    ),
    ("kms_grant",),
)

CONSUMER_REFRESH = Policy(
    "consumer-refresh",
    "Instance refreshes in the consumer accounts",
    "in each consumer account, the role that replaces instances (`refresh_consumer_role_name`)",
    (
        Statement(
            "ReadGroups",
            "groups, the image, what they launch, and what their instances run",
            (
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeInstanceRefreshes",
                "ec2:DescribeImages",
                "ec2:DescribeInstances",
                "ec2:DescribeLaunchTemplateVersions",
            ),
            resources=(ALL,),
        ),
        Statement(
            "ReadParameters",
            "groups that launch from a parameter (`resolve:ssm:`)",
            ("ssm:GetParameters",),
            "such groups cannot be read",
            resources=_ANY_PARAMETER,
        ),
        Statement("Refresh", "starting instance refreshes", ("autoscaling:StartInstanceRefresh",)),
    ),
    ("refresh",),
    note="With `Refresh`, the role can replace the instances of each group of the account, also by those of "
    "a version of a launch template that the group does not have: name the groups in `Resource`, or set the "
    "condition `autoscaling:ResourceTag`. AWS may also ask for what a launch from the template needs, and "
    "refuse the refresh as not authorized to use the launch template: `ec2:RunInstances`, and "
    "`ec2:CreateTags` and `iam:PassRole` for a template with tags and an instance profile. AWS documents "
    "that for groups that are created or updated, and not for which refreshes.",
)

CONSUMER_RECALL = Policy(
    "consumer-recall",
    "Blocking copies in the consumer accounts",
    "in each consumer account, the role `recall_consumer_role_name` for `recall_block_consumer_copies`, in "
    "addition to `consumer-adoption.json`",
    (
        Statement(
            "ReadCopies",
            "images that the account has made from the release, and who can launch them",
            ("ec2:DescribeImageAttribute", "ec2:DescribeImages"),
            resources=(ALL,),
        ),
        Statement("DisableCopies", "disabling them", ("ec2:DisableImage",)),
        Statement(
            "EnableCopies",
            "enabling them and sharing them again, if the recall is taken back",
            ("ec2:EnableImage", "ec2:ModifyImageAttribute"),
            "the account has to enable them itself; a run that takes the recall back fails until then",
        ),
    ),
    ("recall",),
    note="With `DisableCopies`, the role can disable each image that the account owns: IAM does not know "
    "what an image was made from. Give it to accounts that have agreed to that.",
)

POLICIES = (
    *(DISTRIBUTE, DISTRIBUTE_ENCRYPTED, PLAN_DISTRIBUTE, ASSUME_ROLES, ASSUME_PLAN_ROLES, UPLOAD_REPORTS),
    *(SHARE, PUBLISH, SHARE_PARAMETERS, AUDIT, ADOPTION, REMEDIATE),
    *(RULEBOOK, CLEANUP, RESTORE, RECALL, DIAGNOSE, MONITOR, INVENTORY, LOOKUP),
    *(CONSUMER_LAUNCH, CONSUMER_VERIFY, CONSUMER_PLAN, CONSUMER_USAGE, CONSUMER_ADOPTION),
    AGGREGATOR,
    *(CONSUMER_VOLUMES, CONSUMER_COPY, CONSUMER_AUTO_SCALING, CONSUMER_REFRESH, CONSUMER_RECALL),
)
"""All identity-based policies, in the order of the index."""

TRUST: dict[str, Any] = {
    "Version": VERSION,
    "Statement": [
        {
            "Sid": "TrustTheOwner",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
        }
    ],
}
"""The trust policy of the roles in the consumer accounts."""

KEY_STATEMENT: dict[str, Any] = {
    "Sid": "AllowGrantsForImages",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"},
    "Action": ["kms:CreateGrant", "kms:DescribeKey", "kms:ListGrants", "kms:RevokeGrant"],
    "Resource": ALL,
}
"""The statement in the policy of a key of another account that lets the images' account manage grants."""
