# SPDX-License-Identifier: GPL-3.0-or-later

"""KMS in memory: keys with grants and policies, in regions, roles of consumers, and the owner's images.

Every request is checked against botocore's model, so that a misspelled parameter fails the test.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from types import SimpleNamespace
from typing import Any

import botocore.session
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.model import ServiceModel
from botocore.validate import validate_parameters

from tests.unit.examples import OWNER
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import policy_of


@cache
def model_of(service: str = "kms") -> ServiceModel:
    """botocore's model of a service."""
    return botocore.session.get_session().get_service_model(service)


@dataclass
class StoredKey:
    """A key.

    ``ram_policy`` is the policy that AWS RAM manages, None if it does not share the key. ``old_policy`` is
    the one before the last PutKeyPolicy. ``unlisted`` maps grants to how often ListGrants still omits them,
    ``unique_ids`` ARNs of new roles to the IDs that it shows instead.
    """

    arn: str
    state: str = "Enabled"
    manager: str = "CUSTOMER"
    policy: str = field(default_factory=policy_of)
    ram_policy: str | None = None
    old_policy: str | None = None
    grants: dict[str, dict[str, Any]] = field(default_factory=dict)
    unlisted: dict[str, int] = field(default_factory=dict)
    unique_ids: dict[str, str] = field(default_factory=dict)


@dataclass
class Kms:
    """KMS of one region, for one caller.

    ``refuse`` maps operations to an error code. ``meanwhile`` maps operations to a function that runs right
    before. ``lag`` is how many lists omit a new grant. ``shown_after_put`` is what GetKeyPolicy returns after
    PutKeyPolicy, one after the other: the ``old`` policy, the ``new`` one, or an error code; the new one
    after that. ``unknown`` are principals that do not exist.
    """

    keys: dict[str, StoredKey]
    refuse: dict[str, str] = field(default_factory=dict)
    meanwhile: dict[str, Callable[[], None]] = field(default_factory=dict)
    lag: int = 0
    shown_after_put: list[str] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)

    def operations(self) -> list[str]:
        """The operations that were called, in their order."""
        return [operation for operation, _parameters in self.calls]

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of every call of an operation."""
        return [parameters for name, parameters in self.calls if name == operation]

    def describe_key(self, **parameters: Any) -> dict[str, Any]:
        with self.lock:
            key = self._key("DescribeKey", parameters)
            metadata = {
                "Arn": key.arn,
                "KeyManager": key.manager,
                "KeySpec": "SYMMETRIC_DEFAULT",
                "KeyState": key.state,
                "KeyUsage": "ENCRYPT_DECRYPT",
            }
            return {"KeyMetadata": metadata}

    def create_grant(self, **parameters: Any) -> dict[str, Any]:
        with self.lock:
            key = self._key("CreateGrant", parameters)
            content = {
                name: value for name, value in parameters.items() if name not in ("GrantTokens", "KeyId")
            }
            if parameters["GranteePrincipal"] in self.unknown:
                raise refused("InvalidArnException", "CreateGrant")
            if parameters.get("DryRun"):
                raise refused("DryRunOperationException", "CreateGrant")
            number = next(one for one in count(len(key.grants)) if f"g-{one}" not in key.grants)
            # The existing grant for the same name and content (KMS API Reference, CreateGrant, Name).
            same = [grant_id for grant_id, grant in key.grants.items() if grant == content]
            grant_id = same[0] if same else f"g-{number}"
            if not same:
                key.grants[grant_id] = content
                key.unlisted[grant_id] = self.lag
            return {"GrantId": grant_id, "GrantToken": f"token-of-{grant_id}"}

    def revoke_grant(self, **parameters: Any) -> dict[str, Any]:
        with self.lock:
            del self._key("RevokeGrant", parameters).grants[parameters["GrantId"]]
            return {}

    def get_key_policy(self, **parameters: Any) -> dict[str, Any]:
        with self.lock:
            key = self._key("GetKeyPolicy", parameters)
            if parameters.get("PolicyName") != "AWS_RAM":
                shown = self.shown_after_put.pop(0) if key.old_policy and self.shown_after_put else "new"
                if shown in ("old", "new"):
                    return {"Policy": key.policy if shown == "new" else key.old_policy}
                raise refused(shown, "GetKeyPolicy")
            if key.ram_policy is None:
                raise refused("NotFoundException", "GetKeyPolicy")
            return {"Policy": key.ram_policy}

    def put_key_policy(self, **parameters: Any) -> dict[str, Any]:
        with self.lock:
            key = self._key("PutKeyPolicy", parameters)
            if any(f'"{principal}"' in parameters["Policy"] for principal in self.unknown):
                raise refused("MalformedPolicyDocumentException", "PutKeyPolicy")
            key.old_policy, key.policy = key.policy, parameters["Policy"]
            return {}

    def get_paginator(self, name: str) -> Any:
        assert name == "list_grants"
        return self

    def paginate(self, PaginationConfig: dict[str, int], **parameters: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        yield self.list_grants(**parameters, Limit=PaginationConfig["PageSize"])

    def list_grants(self, **parameters: Any) -> dict[str, Any]:
        with self.lock:
            key = self._key("ListGrants", parameters)
            shown = []
            for grant_id, grant in key.grants.items():
                if parameters.get("GrantId") not in (None, grant_id):
                    continue
                if key.unlisted.get(grant_id, 0) > 0:
                    key.unlisted[grant_id] -= 1
                else:
                    arn = grant["GranteePrincipal"]
                    grantee = key.unique_ids.get(arn, arn)
                    shown.append({"GrantId": grant_id, **grant, "GranteePrincipal": grantee})
        return {"Grants": shown}

    def _key(self, operation: str, parameters: dict[str, Any]) -> StoredKey:
        validate_parameters(parameters, model_of().operation_model(operation).input_shape)
        self.meanwhile.pop(operation, lambda: None)()
        self.calls.append((operation, parameters))
        if operation in self.refuse:
            raise refused(self.refuse[operation], operation)
        if parameters["KeyId"] not in self.keys:
            raise refused("NotFoundException", operation)
        return self.keys[parameters["KeyId"]]


def refused(code: str, operation: str, message: str = "No.") -> ClientError:
    """The error that AWS returns."""
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"RequestId": "req-1"}},  # type: ignore[typeddict-item]
        operation,
    )


# A new (empty) volume can be encrypted (botocore shape EbsBlockDevice, Encrypted).
_ENCRYPTED = [{"Name": "encrypted", "Values": ["true"]}]
_EMPTY = {"DeviceName": "/dev/sdb", "Ebs": {"Encrypted": True, "VolumeSize": 5}}


@dataclass
class Ec2:
    """EC2 of one region for the account that owns its images.

    ``images`` maps image IDs to the key of their only snapshot, None if it is not encrypted, and
    ``associated`` to further keys of it. ``keyless`` are images whose key AWS does not return, and
    ``with_empty`` those with another volume, encrypted and without a snapshot. ``launch`` and ``volumes`` map
    images, and snapshots, to the permissions that AWS returns. ``states`` are the states of images that are
    not available. ``key_of_volumes`` maps the account's volumes to their keys, ``key_of_snapshots`` those of
    its snapshots that no image uses. ``binned`` are the IDs of its volumes and snapshots in the Recycle Bin.
    """

    images: dict[str, str | None] = field(default_factory=dict)
    associated: dict[str, list[str]] = field(default_factory=dict)
    keyless: tuple[str, ...] = ()
    with_empty: tuple[str, ...] = ()
    launch: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    volumes: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    key_of_volumes: dict[str, str] = field(default_factory=dict)
    key_of_snapshots: dict[str, str] = field(default_factory=dict)
    binned: tuple[str, ...] = ()
    refuse: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)

    def describe_regions(self, **_parameters: Any) -> dict[str, Any]:
        """Deny the list of regions: AWS's answers in these decide."""
        raise refused("UnauthorizedOperation", "DescribeRegions")

    def get_paginator(self, name: str) -> Any:
        pages = {
            "describe_images": self._images,
            "describe_snapshots": self._snapshots,
            "describe_volumes": self._volumes,
            "list_snapshots_in_recycle_bin": self._binned_snapshots,
        }
        return _Pages(pages[name])

    def describe_image_attribute(self, **parameters: str) -> dict[str, Any]:
        self._called("DescribeImageAttribute", parameters["ImageId"])
        return {"LaunchPermissions": self.launch.get(parameters["ImageId"], [])}

    def describe_snapshot_attribute(self, **parameters: str) -> dict[str, Any]:
        self._called("DescribeSnapshotAttribute", parameters["SnapshotId"])
        return {"CreateVolumePermissions": self.volumes.get(parameters["SnapshotId"], [])}

    def _images(self, **parameters: Any) -> dict[str, Any]:
        assert parameters["Owners"] == ["self"]
        self._called("DescribeImages")
        return {
            "Images": [
                {
                    "ImageId": image_id,
                    "OwnerId": OWNER,
                    "State": self.states.get(image_id, "available"),
                    "BlockDeviceMappings": [
                        {
                            "DeviceName": "/dev/sda1",
                            "Ebs": {"Encrypted": key is not None, "SnapshotId": f"snap-of-{image_id}"},
                        },
                        *[_EMPTY for one in self.with_empty if one == image_id],
                    ],
                }
                for image_id, key in self.images.items()
            ]
        }

    def _snapshots(self, **parameters: Any) -> dict[str, Any]:
        assert parameters["OwnerIds"] == ["self"]
        self._called("DescribeSnapshots")
        if parameters["Filters"] == _ENCRYPTED:
            users = parameters.get("RestorableByUserIds")
            return {
                "Snapshots": [
                    {"SnapshotId": one, "State": "completed", "KmsKeyId": key}
                    for one, key in self._encrypted().items()
                    if users is None or any(entry["UserId"] in users for entry in self.volumes.get(one, ()))
                ]
            }
        ids = parameters["Filters"][0]["Values"]
        found = {f"snap-of-{image_id}": self._keys(image_id) for image_id in self.images}
        return {"Snapshots": [{"SnapshotId": one, "State": "completed", **found[one]} for one in ids]}

    def _encrypted(self) -> dict[str, str]:
        of_images = {f"snap-of-{image_id}": key for image_id, key in self.images.items() if key}
        return of_images | self.key_of_snapshots

    def _keys(self, image_id: str) -> dict[str, Any]:
        own = {} if image_id in self.keyless else {"KmsKeyId": self.images[image_id]}
        return own | {"AssociatedKmsKeys": [{"KmsKeyId": arn} for arn in self.associated.get(image_id, ())]}

    def _volumes(self, **parameters: Any) -> dict[str, Any]:
        assert parameters["Filters"] == _ENCRYPTED
        self._called("DescribeVolumes")
        found = self.key_of_volumes.items()
        return {"Volumes": [{"VolumeId": volume_id, "KmsKeyId": key} for volume_id, key in found]}

    def _binned_snapshots(self, **_parameters: Any) -> dict[str, Any]:
        self._called("ListSnapshotsInRecycleBin")
        return {"Snapshots": [{"SnapshotId": one} for one in self.binned if one.startswith("snap-")]}

    def list_volumes_in_recycle_bin(self, **parameters: Any) -> dict[str, Any]:
        assert parameters == {"MaxResults": 500}
        self._called("ListVolumesInRecycleBin")
        return {"Volumes": [{"VolumeId": one} for one in self.binned if one.startswith("vol-")]}

    @property
    def meta(self) -> Any:
        return SimpleNamespace(service_model=model_of("ec2"))

    def _called(self, operation: str, resource: str = "") -> None:
        with self.lock:
            self.calls.append(f"{operation} {resource}".strip())
        for name in (operation, f"{operation} {resource}"):
            if name in self.refuse:
                raise refused(self.refuse[name], operation)


@dataclass
class _Pages:
    read: Callable[..., dict[str, Any]]

    def paginate(self, **parameters: Any) -> Iterator[dict[str, Any]]:
        yield self.read(**parameters)


@dataclass
class Sts:
    """STS of the owner."""

    partition: str

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": OWNER, "Arn": f"arn:{self.partition}:iam::{OWNER}:user/build"}


@dataclass
class World:
    """The owner's KMS by region, and each consumer's view of it.

    ``assumed`` are the assumed roles, ``denied`` the accounts whose role cannot be assumed. ``given`` are the
    credentials of the clients, the owner's by default.
    """

    regions: dict[str, Kms]
    default_region: str = "eu-west-1"
    consumers: dict[str, dict[str, Kms]] = field(default_factory=dict)
    assumed: list[tuple[str, str | None, str]] = field(default_factory=list)
    denied: set[str] = field(default_factory=set)
    ec2_clients: dict[str, Any] = field(default_factory=dict)
    consumer_ec2: dict[str, dict[str, Any]] = field(default_factory=dict)
    opened: list[tuple[str, str]] = field(default_factory=list)
    partition: str = "aws"
    given: Credentials | None = None

    def partition_of(self, region: str) -> str:
        """Return the partition of the account, except for regions of China."""
        return "aws-cn" if region.startswith("cn-") else self.partition

    def is_known(self, _region: str) -> bool:
        """Whether the region exists: whichever is named does."""
        return True

    def open(self, service: str, regions: Iterable[str]) -> None:
        self.opened += [(service, region) for region in regions]

    def sts(self, region: str) -> Sts:
        assert ("sts", region) in self.opened
        return Sts(self.partition)

    def kms(self, region: str) -> Kms:
        assert ("kms", region) in self.opened
        return self.consumers.get(self._account_id, self.regions)[region]

    def ec2(self, region: str) -> Any:
        assert ("ec2", region) in self.opened
        return self.consumer_ec2.get(self._account_id, self.ec2_clients).setdefault(region, Ec2())

    def rate_limited(self, _operation: str) -> World:
        return self

    def credentials(self) -> Credentials:
        return Credentials(OWNER, "not-a-secret")

    def role_credentials(self, role_arn: str, external_id: str | None, region: str) -> Credentials:
        assert ("sts", region) in self.opened
        self.assumed.append((role_arn, external_id, region))
        account_id = role_arn.split(":")[4]
        regions = self.consumers.setdefault(
            account_id, {name: Kms(kms.keys) for name, kms in self.regions.items()}
        )
        self.consumer_ec2.setdefault(account_id, {})
        if account_id in self.denied:
            # botocore assumes the role at the first call, whose error this then is.
            for kms in regions.values():
                kms.create_grant = _not_assumed  # type: ignore[method-assign]
        return Credentials(account_id, "not-a-secret")

    def with_credentials(self, credentials: Credentials) -> World:
        return replace(self, given=credentials, opened=[])

    @property
    def _account_id(self) -> str:
        """The account of the credentials at this moment."""
        return str((self.given or self.credentials()).get_frozen_credentials().access_key)

    def key(self, region: str) -> StoredKey:
        """The key of a region that has one."""
        (key,) = {id(item): item for item in self.regions[region].keys.values()}.values()
        return key

    def writes(self) -> list[str]:
        """The operations of all writing calls."""
        return [
            operation
            for kms in self.regions.values()
            for operation in kms.operations()
            if operation in ("CreateGrant", "PutKeyPolicy", "RevokeGrant")
        ]


def _not_assumed(**_parameters: Any) -> dict[str, Any]:
    raise refused("AccessDenied", "AssumeRole")


def world(*regions: str) -> World:
    """A key ``a`` in each region, also known as ``alias/golden``."""
    found = {}
    for region in regions:
        key = StoredKey(key_arn("a", region))
        found[region] = Kms({key.arn: key, "alias/golden": key})
    return World(found)
