# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test may change about the simulated AWS while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any


@dataclass
class CopyFailure:
    """A rule that makes accepted copies end as `failed`.

    `region` is the destination Region, or `*` for any; `times` is how many copies still fail by this rule.
    """

    region: str
    code: str = "Client.InternalError"
    message: str = "Internal error during the copy"
    times: int = 1


@dataclass
class Settings:
    """The switches, each with what AWS itself does as its default where AWS has one."""

    copy_seconds: float = 0.0
    """How long a CopyImage takes; real copies take minutes, tests don't have them."""
    copy_seconds_by_region: dict[str, float] = field(default_factory=dict)
    """Destination Region to seconds, before `copy_seconds`."""
    copy_failures: list[CopyFailure] = field(default_factory=list)
    """The first rule that fits a copy uses up one of its `times`."""
    launch_seconds: float = 0.0
    """How long an instance is pending before it runs; with 0 its launch says so and nothing else does."""
    concurrent_copy_quota: int = 300
    """Copies at once per account and destination Region (EC2 User Guide, How Amazon EC2 AMI copy works)."""
    copy_rejects_duplicate_names: bool = False
    """AWS doesn't say whether CopyImage may reuse the name of an own image, so both can be had."""
    pending_image_lists_snapshots: bool = False
    """Whether the block devices of a pending copy name their snapshots."""
    image_visible_after_seconds: float = 0.0
    """For how long DescribeImages doesn't know a new image (EC2 Developer Guide, Eventual consistency)."""
    image_sharing_quota: int = 1000
    """Accounts, organizations and OUs an image is shared with (EC2 User Guide, Quotas for AMIs)."""
    public_image_quota: int = 5
    """Public images per account and Region (EC2 User Guide, Quotas for AMIs)."""
    usage_report_seconds: float = 0.0
    """How long a usage report of an image takes; AWS names no time."""
    grants_per_key_quota: int = 50_000
    """Grants of a KMS key (KMS Developer Guide, Resource quotas)."""
    grant_visible_after_seconds: float = 0.0
    """For how long a new grant neither counts nor is listed (KMS Developer Guide, Eventual consistency)."""
    parameter_validation_seconds: float = 0.0
    """How long SSM validates an image's id (botocore shape PutParameterRequest, DataType)."""
    parameter_rewrite_error_code: str = "TooManyUpdates"
    """The code that refuses another value meanwhile: AWS doesn't document it, so any can be had."""
    not_opted_in_regions: list[str] = field(default_factory=list)
    """Regions no account has opted in to."""

    def update(self, mapping: Mapping[str, Any]) -> None:
        """Change the named settings; a ValueError for an unknown name or a wrong type, and no change."""
        known = {one.name: one for one in fields(self)}
        unknown = sorted(set(mapping) - set(known))
        if unknown:
            raise ValueError(f"unknown settings {', '.join(unknown)}; known are {', '.join(sorted(known))}")
        read = {name: _read(name, value, getattr(self, name)) for name, value in mapping.items()}
        for name, value in read.items():
            setattr(self, name, value)

    def reset(self) -> None:
        """Set everything back to its default."""
        for one in fields(self):
            default = one.default_factory() if one.default_factory is not MISSING else one.default
            setattr(self, one.name, default)


def _read(name: str, value: Any, present: Any) -> Any:
    if name == "copy_failures" and isinstance(value, list):
        return [_read_failure(rule) for rule in value]
    if isinstance(present, bool) != isinstance(value, bool):
        raise ValueError(f"setting {name} can't be {value!r}")
    if isinstance(present, float) and isinstance(value, int):
        return float(value)
    if not isinstance(value, type(present)):
        raise ValueError(f"setting {name} must be of type {type(present).__name__}, not {value!r}")
    return type(present)(value)


def _read_failure(rule: Any) -> CopyFailure:
    if isinstance(rule, CopyFailure):
        return rule
    known = {one.name for one in fields(CopyFailure)}
    if not isinstance(rule, Mapping) or "region" not in rule or set(rule) - known:
        raise ValueError(f"a rule of copy_failures has {', '.join(sorted(known))}; not {rule!r}")
    return CopyFailure(**rule)


SETTINGS = Settings()
"""The one instance that everything reads and the control API changes."""
