# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that the control API can change while the simulated AWS runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any


@dataclass
class CopyFailure:
    """A rule that makes accepted copies end in the state `failed`.

    `region` is the destination Region, or `*` for any. `times` is the number of copies that still fail.
    """

    region: str
    code: str = "Client.InternalError"
    message: str = "Internal error during the copy"
    times: int = 1


@dataclass
class Settings:
    """All settings; where AWS documents a value, that is the default."""

    copy_seconds: float = 0.0
    """Seconds that a CopyImage or CopySnapshot takes. On AWS it takes minutes."""
    copy_seconds_by_region: dict[str, float] = field(default_factory=dict)
    """Destination Region to seconds; takes precedence over `copy_seconds`."""
    copy_failures: list[CopyFailure] = field(default_factory=list)
    """Rules for accepted copies that fail; the first rule that matches a copy counts down its `times`."""
    launch_seconds: float = 0.0
    """Seconds that an instance is `pending`; with 0 only the response of RunInstances shows it."""
    instance_refresh_seconds: float = 0.0
    """Seconds that an instance refresh takes. On AWS it takes minutes for each instance."""
    instance_refresh_failures: list[str] = field(default_factory=list)
    """Names of Auto Scaling groups whose refreshes fail after half of the instances are replaced."""
    concurrent_copy_quota: int = 300
    """Concurrent copies per account and Region (EC2 User Guide, How Amazon EC2 AMI copy works)."""
    copy_rejects_duplicate_names: bool = False
    """Whether CopyImage rejects the name of another image of the account; AWS documents neither."""
    pending_image_lists_snapshots: bool = False
    """Whether the block device mappings of a pending copy contain snapshot IDs."""
    image_visible_after_seconds: float = 0.0
    """Seconds until DescribeImages finds a new image (EC2 Developer Guide, Eventual consistency)."""
    image_settles_after_seconds: float = 0.0
    """Seconds for which EC2, after the first read of a copy as `available`, takes it for `pending` again.

    (hashicorp/packer#2659; EC2 Developer Guide, Eventual consistency.)
    """
    deregistered_image_known_seconds: float = 0.0
    """Seconds for which DescribeImages with the ID of a deregistered image is empty for its owner.

    After them it is InvalidAMIID.NotFound (botocore operation DescribeImages)."""
    snapshot_in_use_seconds: float = 0.0
    """Seconds for which DeleteSnapshot takes the snapshots of a deregistered image for in use.

    Users report up to a few minutes (boto/boto#3019, hashicorp/packer#8614; EC2 Developer Guide, Eventual
    consistency). DeregisterImage with DeleteAssociatedSnapshots does not wait for them."""
    image_sharing_quota: int = 1000
    """Accounts, organizations and OUs that an image can be shared with (EC2 User Guide, Quotas for AMIs)."""
    launch_permissions_visible_after_seconds: float = 0.0
    """Seconds until DescribeImageAttribute returns changed permissions (EC2 Developer Guide, Eventual
    consistency)."""
    volume_permissions_visible_after_seconds: float = 0.0
    """The same for DescribeSnapshotAttribute (boto/boto3#721, hashicorp/terraform#9891)."""
    permissions_reach_accounts_after_seconds: float = 0.0
    """Seconds until the accounts that an image or snapshot is shared with, or not any more, notice.

    What its owner reads says nothing of it (EC2 Developer Guide, Eventual consistency)."""
    sharing_snapshots_needs_key_access: bool = False
    """Whether sharing an encrypted snapshot without access to its key is an AuthFailure.

    AWS documents neither; one user reports "Not authorized to use key"."""
    public_image_quota: int = 5
    """Public images per account and Region (EC2 User Guide, Quotas for AMIs)."""
    volume_grants: bool = False
    """Whether EC2 creates a grant on the key of each volume of an instance, until it is terminated (KMS
    Developer Guide, Examining grants). On AWS it always does."""
    usage_report_seconds: float = 0.0
    """Seconds that an image usage report takes; AWS documents no duration."""
    usage_reports_fail: bool = False
    """Whether image usage reports that are requested now end in the state `error` (botocore shape
    ImageUsageReport, State)."""
    image_task_seconds: float = 0.0
    """Seconds that a CreateStoreImageTask or ExportImage takes. On AWS it takes minutes or hours."""
    archival_seconds: float = 0.0
    """Seconds that ModifySnapshotTier takes to archive a snapshot. On AWS it takes hours."""
    managed_resource_visibility: str = "hidden"
    """Whether reads show resources of AWS services, `hidden` or `visible` (botocore shape
    ManagedResourceVisibilitySettings)."""
    usage_report_resource_types: list[str] = field(
        default_factory=lambda: [
            "ec2:Instance",
            "ec2:LaunchTemplate",
            "imagebuilder:ImageRecipe",
            "imagebuilder:ContainerRecipe",
        ]
    )
    """Types that an image usage report accepts (botocore shape ImageUsageResourceTypeRequest).

    The EC2 User Guide lists only the first two: that some Regions refuse the others is a guess."""
    grants_per_key_quota: int = 50_000
    """Grants per KMS key (KMS Developer Guide, Resource quotas)."""
    grant_listed_after_seconds: float = 0.0
    """Seconds until ListGrants returns a new grant (KMS Developer Guide, Grants: Eventual consistency)."""
    grant_usable_after_seconds: float = 0.0
    """Seconds until a new grant gives access without its token: usually seconds, at most about 5 minutes.

    (botocore operation CreateGrant; KMS Developer Guide, Using a grant token.) Nothing says that a grant that
    is listed can be used, so that the two delays are independent of each other.
    """
    new_grant_age_seconds: float = 0.0
    """Seconds by which the CreationDate of a new grant lies in the past, for grants of an earlier day. On AWS
    it is the time of the request (botocore shape GrantListEntry)."""
    key_policy_visible_after_seconds: float = 0.0
    """Seconds until GetKeyPolicy returns a new policy (botocore operation PutKeyPolicy)."""
    key_policy_reads_alternate: bool = False
    """Whether it meanwhile returns the new and the old policy in turn (hashicorp/terraform#3928)."""
    new_grantee_by_unique_id_seconds: float = 0.0
    """Seconds that ListGrants shows a new role or user by its unique ID; about 60 (aws/aws-sdk-go#1718)."""
    parameter_validation_seconds: float = 0.0
    """Seconds that SSM takes to validate an AMI ID (botocore shape PutParameterRequest, DataType)."""
    parameter_update_seconds: float = 0.0
    """Seconds after an update of a parameter for which the next one is TooManyUpdates; AWS documents none."""
    references_in_text_parameters: bool = False
    """Whether DescribeImageReferences also finds image IDs in parameters that do not have the data type
    `aws:ec2:image`; AWS documents neither."""
    parameter_rewrite_error_code: str = "TooManyUpdates"
    """Error code of PutParameter while the previous value is being validated; AWS doesn't document it."""
    request_rate_factor: float = 1.0
    """Factor of the size and the refill rate of every bucket of request throttling."""
    session_seconds_factor: float = 1.0
    """Factor of the lifetime of the sessions that AssumeRole begins: with 0.01, an hour takes 36 seconds."""
    record_authorizations: bool = False
    """Whether to record which actions on which resources identity-based policies are evaluated for."""
    not_opted_in_regions: list[str] = field(default_factory=list)
    """Regions that no account has opted in to."""
    not_opted_in_regions_by_account: dict[str, list[str]] = field(default_factory=dict)
    """Account ID to further Regions that this account has not opted in to."""

    def update(self, mapping: Mapping[str, Any]) -> None:
        """Change settings. An unknown name or a wrong type raises ValueError and changes nothing."""
        known = {one.name: one for one in fields(self)}
        unknown = sorted(set(mapping) - set(known))
        if unknown:
            raise ValueError(f"unknown settings {', '.join(unknown)}; settings: {', '.join(sorted(known))}")
        read = {name: _read(name, value, getattr(self, name)) for name, value in mapping.items()}
        for name, value in read.items():
            setattr(self, name, value)

    def reset(self) -> None:
        """Set all settings to their defaults."""
        for one in fields(self):
            default = one.default_factory() if one.default_factory is not MISSING else one.default
            setattr(self, one.name, default)


def _read(name: str, value: Any, present: Any) -> Any:
    if name == "copy_failures" and isinstance(value, list):
        return [_read_failure(rule) for rule in value]
    if name == "copy_seconds_by_region" and isinstance(value, Mapping):
        return {str(region): _read(f"{name} of {region}", one, 0.0) for region, one in value.items()}
    if isinstance(present, bool) != isinstance(value, bool):
        raise ValueError(f"setting {name} must be of type {type(present).__name__}, not {value!r}")
    if isinstance(value, (int, float)) and value < 0:
        raise ValueError(f"setting {name} must be 0 or greater, not {value!r}")
    if isinstance(present, float) and isinstance(value, int):
        return float(value)
    if not isinstance(value, type(present)):
        raise ValueError(f"setting {name} must be of type {type(present).__name__}, not {value!r}")
    return type(present)(value)


def _read_failure(rule: Any) -> CopyFailure:
    if isinstance(rule, CopyFailure):
        return rule
    known = {one.name for one in fields(CopyFailure)}
    optional = ", ".join(sorted(known - {"region"}))
    if not isinstance(rule, Mapping) or "region" not in rule or set(rule) - known:
        raise ValueError(
            f"a rule of copy_failures must be an object with region and optionally {optional}, not {rule!r}"
        )
    return CopyFailure(**rule)


SETTINGS = Settings()
"""The only instance: all services read it, and the control API changes it."""
