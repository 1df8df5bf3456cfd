# SPDX-License-Identifier: GPL-3.0-or-later

"""Accounts in memory, whose images are copied between regions, and runs of ``ami_copy_regions`` on them.

Every request is checked against botocore's model, so that a misspelled parameter fails the test.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from types import SimpleNamespace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._copy.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._model import Image, Snapshot
from ansible_collections.golden.images.plugins.module_utils._plan import TargetPlan
from botocore.credentials import Credentials
from botocore.validate import validate_parameters

from tests.unit.copy.examples import REGION
from tests.unit.examples import MARK, OWNER, SOURCE_ID, SOURCE_REGION, source_image, volumes
from tests.unit.flow_run import FlowRun
from tests.unit.keys.examples import key_arn
from tests.unit.kms_grant.kms_in_memory import Kms, StoredKey, model_of, refused

OTHER_REGION = "us-west-2"
SOURCE_KEY = key_arn("golden", SOURCE_REGION)
ROLE = "golden-consumer"


def copied_to(*regions: str, **options: Any) -> dict[str, Any]:
    """Options that copy the golden image to these regions, by default to ``REGION``."""
    other = {"source_images", "source_filters", "source_parameter", "copy_result"} & options.keys()
    source = {} if other else {"source_image_id": SOURCE_ID}
    return {"source_region": SOURCE_REGION, "regions": list(regions or (REGION,)), **source, **options}


def into(*account_ids: str, **options: Any) -> dict[str, Any]:
    """Options that copy the golden image to two regions of these accounts."""
    accounts = {"account_ids": list(account_ids), "consumer_role_name": ROLE, "external_id": "golden-7f3a"}
    return copied_to(REGION, OTHER_REGION, **{**accounts, **options})


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _image_answer(image: Image) -> dict[str, Any]:
    """An image as DescribeImages returns it, which omits what is not set."""
    optional = {
        "CreationDate": image.creation_date,
        "DeprecationTime": image.deprecation_time,
        "Description": image.description,
        "ProductCodes": [
            {"ProductCodeId": one, "ProductCodeType": "marketplace"} for one in image.product_codes
        ],
        "RootDeviceType": image.root_device_type,
        "SourceImageId": image.source_image_id,
        "SourceImageRegion": image.source_region,
        "StateReason": {"Message": image.state_reason} if image.state_reason else None,
    }
    return {
        "ImageId": image.image_id,
        "Name": image.name,
        "OwnerId": image.owner_id,
        "State": image.state,
        "Tags": _tag_list(image.tags),
        "BlockDeviceMappings": [
            {"DeviceName": one.name, "Ebs": {"SnapshotId": one.snapshot_id, "Encrypted": one.encrypted}}
            for one in image.devices
        ],
        **{name: value for name, value in optional.items() if value},
    }


def _snapshot_answer(snapshot: Snapshot) -> dict[str, Any]:
    optional = {
        "AssociatedKmsKeys": [{"KmsKeyId": arn} for arn in snapshot.associated_key_arns],
        "CompletionTime": snapshot.completed,
        "KmsKeyId": snapshot.kms_key_id,
    }
    return {
        "SnapshotId": snapshot.snapshot_id,
        "State": snapshot.state,
        "Progress": f"{snapshot.percent}%",
        "Tags": _tag_list(snapshot.tags),
        **{name: value for name, value in optional.items() if value},
    }


def _matches(values: Mapping[str, str | None], filters: Iterable[Mapping[str, Any]]) -> bool:
    """Whether values match filters, in which * stands for any characters."""
    return all(
        any(fnmatch(values.get(one["Name"]) or "", value) for value in one["Values"]) for one in filters
    )


@dataclass
class Ec2:
    """EC2 of one region, for one account: the images and snapshots that this account sees.

    ``launch`` are the accounts that its images, and ``volumes`` those that its snapshots are shared with;
    ``public`` is whether its images are. ``unseen`` is how many reads by ID do not return images yet.

    ``steps`` are what the reads of the first copy return, one after the other, and ``next_steps`` those of
    further ones: a state, an error code, or None if it is not found; the last one stays. ``moving`` are the
    steps to come of each image that changes. ``reason`` is that of failed copies, ``percents`` is how far the
    snapshots of pending ones are. ``key_of_copies`` encrypts their snapshot instead of the requested key, ""
    for none. ``codes`` are the codes of snapshots that DeregisterImage does not delete.

    ``refuse`` maps the beginning of a call, such as ``CopyImage``, to an error code; ``message`` is the
    error's. ``calls`` are all calls: the operation, and its resources or the names of its filters.
    ``requests`` are those of new copies.
    """

    account_id: str
    images: dict[str, Image] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    launch: frozenset[str] = frozenset()
    public: bool = False
    volumes: frozenset[str] = frozenset()
    unseen: int = 0
    by_default: bool = False
    steps: Sequence[str | None] = ("pending", "available")
    next_steps: Sequence[str | None] = ("pending", "available")
    moving: dict[str, list[str | None]] = field(default_factory=dict)
    reason: str | None = None
    percents: Sequence[int] = ()
    key_of_copies: str | None = None
    regions: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    refuse: dict[str, str] = field(default_factory=dict)
    message: str = "No."
    calls: list[str] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)
    requests: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def meta(self) -> Any:
        return SimpleNamespace(service_model=model_of("ec2"))

    def add(self, *images: tuple[Image, Iterable[Snapshot]]) -> None:
        """Add images with their snapshots."""
        for image, snapshots in images:
            self.images[image.image_id] = image
            self.snapshots |= {one.snapshot_id: one for one in snapshots}

    def writes(self) -> list[str]:
        """The calls that change something."""
        return [one for one in self.calls if not one.startswith(("Describe", "Get"))]

    def describe_regions(self, **parameters: Any) -> dict[str, Any]:
        assert parameters["AllRegions"]
        self._called("DescribeRegions", parameters)
        return {
            "Regions": [{"RegionName": name, "OptInStatus": status} for name, status in self.regions.items()]
        }

    def describe_images(self, **parameters: Any) -> dict[str, Any]:
        assert parameters["IncludeDisabled"]
        assert parameters["IncludeDeprecated"]
        self._called("DescribeImages", parameters, *parameters["ImageIds"])
        with self.lock:
            if self.unseen:
                self.unseen -= 1
                return {"Images": []}
            steps = [self._step(one) for one in parameters["ImageIds"] if one in self.images]
            found = [one for one in steps if one]
        return {"Images": [_image_answer(one) for one in found]}

    def describe_snapshots(self, **parameters: Any) -> dict[str, Any]:
        self._called("DescribeSnapshots", parameters, *parameters["SnapshotIds"])
        if not self.snapshots.keys() >= {*parameters["SnapshotIds"]}:
            raise refused("InvalidSnapshot.NotFound", "DescribeSnapshots")
        return {"Snapshots": [_snapshot_answer(self.snapshots[one]) for one in parameters["SnapshotIds"]]}

    def get_paginator(self, name: str) -> Any:
        read = {"describe_images": self._listed_images, "describe_snapshots": self._listed_snapshots}[name]
        return SimpleNamespace(paginate=lambda PaginationConfig, **parameters: [read(parameters)])  # noqa: ARG005, N803

    def _listed_images(self, parameters: dict[str, Any]) -> dict[str, Any]:
        owners = {self.account_id if one == "self" else one for one in parameters["Owners"]}
        assert parameters["IncludeDisabled"]
        assert parameters["IncludeDeprecated"]
        self._called("DescribeImages", parameters, *(one["Name"] for one in parameters["Filters"]))
        return {
            "Images": [
                _image_answer(one)
                for one in self.images.values()
                if one.owner_id in owners and _matches(_filtered(one), parameters["Filters"])
            ]
        }

    def _listed_snapshots(self, parameters: dict[str, Any]) -> dict[str, Any]:
        assert parameters["OwnerIds"] == ["self"]
        (first, *_others) = parameters["Filters"]
        what = first["Values"] if first["Name"] == "snapshot-id" else [first["Name"]]
        self._called("DescribeSnapshots", parameters, *what)
        pending = [
            Snapshot(f"snap-pending-{number}", "pending", percent, tags=MARK)
            for number, percent in enumerate(self.percents)
        ]
        return {
            "Snapshots": [
                _snapshot_answer(one)
                for one in (*self.snapshots.values(), *pending)
                if _matches(
                    {"snapshot-id": one.snapshot_id, "status": one.state, **_tag_filters(one.tags)},
                    parameters["Filters"],
                )
            ]
        }

    def describe_image_attribute(self, **parameters: Any) -> dict[str, Any]:
        assert parameters["Attribute"] == "launchPermission"
        self._called("DescribeImageAttribute", parameters, parameters["ImageId"])
        public = [{"Group": "all"}] if self.public else []
        return {"LaunchPermissions": [*({"UserId": one} for one in sorted(self.launch)), *public]}

    def describe_snapshot_attribute(self, **parameters: Any) -> dict[str, Any]:
        assert parameters["Attribute"] == "createVolumePermission"
        self._called("DescribeSnapshotAttribute", parameters, parameters["SnapshotId"])
        return {"CreateVolumePermissions": [{"UserId": one} for one in sorted(self.volumes)]}

    def get_ebs_encryption_by_default(self) -> dict[str, Any]:
        self._called("GetEbsEncryptionByDefault", {})
        return {"EbsEncryptionByDefault": self.by_default}

    def get_ebs_default_kms_key_id(self) -> dict[str, Any]:
        self._called("GetEbsDefaultKmsKeyId", {})
        return {"KmsKeyId": "alias/aws/ebs"}

    def copy_image(self, **parameters: Any) -> dict[str, Any]:
        self._called("CopyImage", parameters, parameters["SourceImageId"])
        image_id = f"ami-new-{len(self.requests)}"
        tags = {one["Key"]: one["Value"] for one in parameters["TagSpecifications"][0]["Tags"]}
        self.images[image_id] = Image(image_id, parameters["Name"], self.account_id, "pending", tags=tags)
        self.moving[image_id] = [*(self.next_steps if self.requests else self.steps)]
        self.requests[image_id] = parameters
        return {"ImageId": image_id}

    def create_tags(self, **parameters: Any) -> dict[str, Any]:
        (resource,) = parameters["Resources"]
        self._called("CreateTags", parameters, resource)
        tags = {one["Key"]: one["Value"] for one in parameters["Tags"]}
        self._retag(resource, lambda old: {**old, **tags})
        return {}

    def delete_tags(self, **parameters: Any) -> dict[str, Any]:
        (resource,) = parameters["Resources"]
        self._called("DeleteTags", parameters, resource)
        keys = {one["Key"] for one in parameters["Tags"]}
        self._retag(resource, lambda old: {key: value for key, value in old.items() if key not in keys})
        return {}

    def _retag(self, resource: str, change: Callable[[Mapping[str, str]], dict[str, str]]) -> None:
        held: dict[str, Any] = self.images if resource in self.images else self.snapshots
        held[resource] = replace(held[resource], tags=change(held[resource].tags))

    def deregister_image(self, **parameters: Any) -> dict[str, Any]:
        self._called("DeregisterImage", parameters, parameters["ImageId"])
        image = self.images.pop(parameters["ImageId"])
        if not parameters["DeleteAssociatedSnapshots"]:
            return {"Return": True}
        codes = {one: self.codes.get(one, "success") for one in image.snapshot_ids}
        left = [{"SnapshotId": one, "ReturnCode": code} for one, code in codes.items()]
        return {"Return": True, "DeleteSnapshotResults": left}

    def _step(self, image_id: str) -> Image | None:
        """The image as this read returns it."""
        steps = self.moving.get(image_id)
        if not steps:
            return self.images[image_id]
        step = steps.pop(0) if len(steps) > 1 else steps[0]
        if step is None:
            return None
        if step[0].isupper():
            raise refused(step, "DescribeImages", self.message)
        image = replace(self.images[image_id], state=step)
        self.images[image_id] = (
            image if step in ("available", "pending") else replace(image, state_reason=self.reason)
        )
        if step == "available" and image_id in self.requests:
            requested = self.requests[image_id].get("KmsKeyId")
            arn = requested if self.key_of_copies is None else self.key_of_copies
            snapshot = Snapshot(f"snap-of-{image_id}", "completed", 100, arn or None)
            self.add((replace(image, devices=volumes(snapshot.snapshot_id, encrypted=bool(arn))), [snapshot]))
        return self.images[image_id]

    def _called(self, operation: str, parameters: Mapping[str, Any], *words: str) -> None:
        validate_parameters(parameters, model_of("ec2").operation_model(operation).input_shape)
        call = " ".join([operation, *words])
        with self.lock:
            self.calls.append(call)
        for start, code in self.refuse.items():
            if call.startswith(start):
                raise refused(code, operation, self.message)


def _tag_filters(tags: Mapping[str, str]) -> dict[str, str]:
    return {f"tag:{key}": value for key, value in tags.items()}


def _filtered(image: Image) -> dict[str, str | None]:
    return {
        "name": image.name,
        "source-image-id": image.source_image_id,
        "source-image-region": image.source_region,
        **_tag_filters(image.tags),
    }


@dataclass
class Clients:
    """The clients of the account whose ID is the access key of the credentials."""

    world: World
    used: Credentials
    default_region: str = "us-east-1"

    def open(self, service: str, regions: Iterable[str]) -> None:
        self.world.opened |= {(service, region) for region in regions}

    def sts(self, region: str) -> Any:
        assert ("sts", region) in self.world.opened
        arn = f"arn:aws:iam::{self._account_id}:user/build"
        return SimpleNamespace(get_caller_identity=lambda: {"Account": self._account_id, "Arn": arn})

    def ec2(self, region: str) -> Ec2:
        assert ("ec2", region) in self.world.opened
        return self.world.ec2_of(self._account_id, region)

    def ssm(self, region: str) -> Any:
        assert ("ssm", region) in self.world.opened
        return SimpleNamespace(get_parameter=self._get_parameter)

    def _get_parameter(self, **parameters: Any) -> dict[str, Any]:
        validate_parameters(parameters, model_of("ssm").operation_model("GetParameter").input_shape)
        if self.world.parameters is None:
            raise refused("AccessDeniedException", "GetParameter")
        if parameters["Name"] not in self.world.parameters:
            raise refused("ParameterNotFound", "GetParameter")
        return {"Parameter": {"Value": self.world.parameters[parameters["Name"]], "Version": 1}}

    def kms(self, region: str) -> Kms:
        assert ("kms", region) in self.world.opened
        return self.world.kms_of(self._account_id, region)

    def partition_of(self, region: str) -> str:
        return self.partitions().get(region, "aws")

    def is_known(self, region: str) -> bool:
        return region in self.partitions()

    def partitions(self) -> dict[str, str]:
        return {
            **dict.fromkeys(self.world.regions, "aws"),
            "cn-north-1": "aws-cn",
            "us-gov-west-1": "aws-us-gov",
        }

    def credentials(self) -> Credentials:
        return self.used

    def with_credentials(self, credentials: Credentials) -> Clients:
        return Clients(self.world, credentials)

    def role_credentials(self, role_arn: str, external_id: str | None, region: str) -> Credentials:
        assert ("sts", region) in self.world.opened
        self.world.assumed.append((role_arn, external_id))
        return Credentials(role_arn.split(":")[4], "secret")

    @property
    def _account_id(self) -> str:
        account_id: str = self.used.get_frozen_credentials().access_key
        # botocore assumes the role at the first call, whose error this then is.
        if account_id in self.world.unassumable:
            raise refused("AccessDenied", "AssumeRole")
        return account_id


@dataclass
class World:
    """EC2 and KMS by account and region. ``opened`` are the services and regions of which there are clients.

    ``assumed`` are the assumed roles with their external IDs, ``unassumable`` the accounts whose role cannot
    be assumed. ``parameters`` are those of SSM, None if they may not be read.
    """

    regions: dict[str, str] = field(
        default_factory=lambda: dict.fromkeys([SOURCE_REGION, REGION, OTHER_REGION], "opted-in")
    )
    assumed: list[tuple[str, str | None]] = field(default_factory=list)
    unassumable: frozenset[str] = frozenset()
    parameters: Mapping[str, str] | None = field(default_factory=dict)
    opened: set[tuple[str, str]] = field(default_factory=set)
    _ec2: dict[tuple[str, str], Ec2] = field(default_factory=dict)
    _kms: dict[tuple[str, str], Kms] = field(default_factory=dict)
    _lock: Any = field(default_factory=threading.Lock)

    def ec2_of(self, account_id: str = OWNER, region: str = REGION) -> Ec2:
        """EC2 of an account in a region."""
        with self._lock:
            return self._ec2.setdefault((account_id, region), Ec2(account_id, regions=self.regions))

    def put(self, ec2: Ec2, region: str = REGION) -> Ec2:
        """Replace EC2 of its account in a region, before it has any images."""
        self._ec2[ec2.account_id, region] = ec2
        return ec2

    def kms_of(self, account_id: str = OWNER, region: str = REGION) -> Kms:
        """KMS of an account in a region."""
        with self._lock:
            return self._kms.setdefault((account_id, region), Kms(_keys(account_id, region)))

    def share(
        self,
        account_id: str,
        region: str = SOURCE_REGION,
        image: bool = True,
        snapshot_ids: Iterable[str] | None = None,
        key: bool = True,
    ) -> None:
        """Let an account see the owner's images in a region, these snapshots or all, and their key."""
        own, consumer = self.ec2_of(OWNER, region), self.ec2_of(account_id, region)
        shown = own.snapshots if snapshot_ids is None else snapshot_ids
        consumer.images |= own.images if image else {}
        consumer.snapshots |= {one: own.snapshots[one] for one in shown}
        if key:
            own_keys = self.kms_of(OWNER, region).keys
            self.kms_of(account_id, region).keys |= {
                arn: found for arn, found in own_keys.items() if arn == found.arn
            }

    def calls(self, account_id: str) -> dict[str, list[str]]:
        """The calls to EC2 with an account's credentials, and the keys that it described, by region."""
        found = {
            region: [*ec2.calls] for (account, region), ec2 in self._ec2.items() if account == account_id
        }
        for (account, region), kms in self._kms.items():
            if account == account_id:
                described = [one["KeyId"] for one in kms.asked("DescribeKey")]
                found[region] = [*found.get(region, []), *(f"DescribeKey {one}" for one in described)]
        return {region: calls for region, calls in found.items() if calls}

    def writes(self) -> list[str]:
        """All calls that change something."""
        return [one for ec2 in self._ec2.values() for one in ec2.writes()]


def _keys(account_id: str, region: str) -> dict[str, StoredKey]:
    """The keys of an account: ``wanted`` with its alias, another one, and that of EBS."""
    named = {
        "alias/golden": StoredKey(key_arn("wanted", region, account_id)),
        "other": StoredKey(key_arn("other", region, account_id)),
        "alias/aws/ebs": StoredKey(key_arn("aws-ebs", region, account_id), manager="AWS"),
    }
    return named | {one.arn: one for one in named.values()}


def aws_with(
    source: Image | None = None, *found: tuple[Image, Iterable[Snapshot]], region: str = REGION, **ec2: Any
) -> World:
    """The owner's account with the source, and with these images in one region.

    ``ec2`` are fields of EC2 of that region.
    """
    world, image = World(), source or source_image()
    arn = SOURCE_KEY if image.encrypted else None
    snapshots = [Snapshot(one, "completed", 100, arn) for one in image.snapshot_ids]
    world.ec2_of(OWNER, SOURCE_REGION).add((image, snapshots))
    world.kms_of(OWNER, SOURCE_REGION).keys[SOURCE_KEY] = StoredKey(SOURCE_KEY)
    target = world.ec2_of(OWNER, region)
    target.add(*found)
    for name, value in ec2.items():
        setattr(target, name, value)
    return world


class Run(FlowRun):
    """A run of ``ami_copy_regions`` with the owner's credentials. ``lines`` are the reported ones."""

    world: World

    def __init__(
        self,
        options: Mapping[str, Any],
        world: World,
        check_mode: bool = False,
        after_read: Callable[[], object] = lambda: None,
    ) -> None:
        self.world = world
        self.lines: list[str] = []
        own = Clients(world, Credentials(OWNER, "secret"))
        super().__init__(FLOW, options, own, check_mode, after_read, self.lines.append)

    @property
    def operations(self) -> list[str]:
        """The planned operations."""
        return [action.operation for action in self.plan.actions]


def planned(options: Mapping[str, Any], world: World) -> TargetPlan:
    """The plan of the only target, as check mode makes it."""
    (target,) = Run(options, world, check_mode=True).plan.targets
    return target


def holding(*images: Image, source: Image | None = None, snapshots: tuple[Snapshot, ...] = ()) -> World:
    """The owner's account with these images in the one region, and all their snapshots."""
    return aws_with(source, *((one, snapshots) for one in images))
