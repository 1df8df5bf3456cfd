# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS's request throttling: a token bucket for each account, Region and API.

EC2's sizes and rates: EC2 Developer Guide, "Request throttling for the Amazon EC2 API", tables "Request token
bucket sizes and refill rates". KMS: KMS Developer Guide, "Request quotas". SSM: AWS General Reference,
"Systems Manager endpoints and quotas", standard throughput of Parameter Store; PutParameter:
github-aws-runners/terraform-aws-github-runner#2944, by AWS Support. Other APIs are not throttled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..settings import SETTINGS


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket's size in tokens and its refill rate per second; a request takes one token."""

    size: float
    per_second: float

    def scaled(self, factor: float) -> Rate:
        """This rate times a factor; the bucket holds one token at least."""
        return Rate(max(1.0, self.size * factor), self.per_second * factor)


_NON_MUTATING = Rate(100, 20)
_UNFILTERED_UNPAGINATED = Rate(50, 10)
_MUTATING = Rate(50, 5)

_NON_MUTATING_PREFIXES = ("Describe", "Get", "List", "Search")

_UNFILTERED_UNPAGINATED_ACTIONS = frozenset(
    {
        "DescribeInstances",
        "DescribeInstanceStatus",
        "DescribeNetworkInterfaces",
        "DescribeSecurityGroups",
        "DescribeSnapshots",
        "DescribeSpotInstanceRequests",
        "DescribeVolumes",
    }
)

_EC2_ACTIONS = {
    "CopyImage": Rate(100, 1),
    "CreateLaunchTemplateVersion": Rate(100, 5),
    "CreateSnapshot": Rate(100, 5),
    "CreateSnapshots": Rate(100, 5),
    "CreateTags": Rate(100, 10),
    "CreateVolume": Rate(100, 5),
    "DeleteSnapshot": Rate(100, 5),
    "DeleteTags": Rate(100, 10),
    "DeleteVolume": Rate(100, 5),
    "DeregisterImage": Rate(100, 5),
    "DisableImageBlockPublicAccess": Rate(1, 0.1),
    "DisableSnapshotBlockPublicAccess": Rate(1, 0.1),
    "EnableImageBlockPublicAccess": Rate(1, 0.1),
    "EnableSnapshotBlockPublicAccess": Rate(1, 0.1),
    "ModifyImageAttribute": Rate(100, 5),
    "ModifyLaunchTemplate": Rate(100, 5),
    "ModifySnapshotAttribute": Rate(100, 5),
    "RunInstances": Rate(5, 2),
    "StartInstances": Rate(5, 2),
    "TerminateInstances": Rate(100, 5),
}

# A quota of n requests per second: a bucket of n tokens that refills n tokens per second.
_KMS_QUOTAS = {
    "CancelKeyDeletion": 5,
    "CreateAlias": 5,
    "CreateGrant": 50,
    "CreateKey": 5,
    "DeleteAlias": 15,
    "DescribeKey": 2000,
    "DisableKey": 5,
    "DisableKeyRotation": 5,
    "EnableKey": 5,
    "EnableKeyRotation": 15,
    "GetKeyPolicy": 1000,
    "GetKeyRotationStatus": 1000,
    "GetPublicKey": 2000,
    "ListAliases": 500,
    "ListGrants": 100,
    "ListKeyPolicies": 100,
    "ListKeyRotations": 100,
    "ListKeys": 500,
    "ListResourceTags": 2000,
    "ListRetirableGrants": 100,
    "PutKeyPolicy": 15,
    "ReplicateKey": 5,
    "RetireGrant": 50,
    "RevokeGrant": 50,
    "RotateKeyOnDemand": 5,
    "ScheduleKeyDeletion": 15,
    "TagResource": 10,
    "UntagResource": 5,
    "UpdateAlias": 5,
    "UpdateKeyDescription": 5,
}

_PARAMETER_READS = frozenset({"GetParameter", "GetParameters", "GetParametersByPath"})
_PARAMETER_READ_RATE = Rate(40, 40)
_PARAMETER_WRITE_RATE = Rate(3, 3)


class Throttle:
    """All buckets; a bucket is full until its first request."""

    def __init__(self) -> None:
        self.enabled = True
        self._buckets: dict[tuple[str, str, str, str], tuple[float, float]] = {}

    def reset(self) -> None:
        """Fill all buckets and turn throttling on."""
        self.enabled = True
        self._buckets.clear()

    def admits(
        self, account_id: str, region: str, service: str, action: str, params: Mapping[str, Any], now: float
    ) -> bool:
        """Take a token for a call; False if the bucket is empty. `now` is in seconds of a monotonic clock."""
        if not self.enabled:
            return True
        found = bucket(service, action, params)
        if found is None:
            return True
        name, rate = found[0], found[1].scaled(SETTINGS.request_rate_factor)
        key = (account_id, region, service, name)
        tokens, since = self._buckets.get(key, (rate.size, now))
        tokens = min(rate.size, tokens + (now - since) * rate.per_second)
        admitted = tokens >= 1
        self._buckets[key] = (tokens - 1 if admitted else tokens, now)
        return admitted


def bucket(service: str, action: str, params: Mapping[str, Any]) -> tuple[str, Rate] | None:
    """Name and rate of the bucket of a call; None if the call is not throttled."""
    if service == "ec2":
        return _ec2_bucket(action, params)
    if service == "kms" and action in _KMS_QUOTAS:
        return action, Rate(_KMS_QUOTAS[action], _KMS_QUOTAS[action])
    if service == "ssm" and action in _PARAMETER_READS:
        return "GetParameter*", _PARAMETER_READ_RATE
    if service == "ssm" and action == "PutParameter":
        return action, _PARAMETER_WRITE_RATE
    return None


def _ec2_bucket(action: str, params: Mapping[str, Any]) -> tuple[str, Rate]:
    if action in _EC2_ACTIONS:
        return action, _EC2_ACTIONS[action]
    if not action.startswith(_NON_MUTATING_PREFIXES):
        return action, _MUTATING
    if action in _UNFILTERED_UNPAGINATED_ACTIONS and not _is_filtered_or_paginated(params):
        return f"{action} (unfiltered)", _UNFILTERED_UNPAGINATED
    return action, _NON_MUTATING


def _is_filtered_or_paginated(params: Mapping[str, Any]) -> bool:
    return any(name in ("MaxResults", "NextToken") or name.startswith("Filter.") for name in params)
