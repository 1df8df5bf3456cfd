# SPDX-License-Identifier: GPL-3.0-or-later

"""Helpers for the tests of this room: images with permissions in memory, and runs of ``ami_share``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils._model import Sharing
from ansible_collections.golden.images.plugins.module_utils._plan import Action, TargetPlan
from ansible_collections.golden.images.plugins.module_utils._share.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._share.permissions import permissions_in
from botocore.validate import validate_parameters

from tests.unit.examples import OWNER, SOURCE_ID, SOURCE_REGION
from tests.unit.flow_run import FlowRun
from tests.unit.keys.examples import key_arn
from tests.unit.kms_grant.kms_in_memory import Kms, StoredKey, World, model_of, refused

REGION = "eu-west-1"
IMAGE = "ami-0c0b1e0c0b1e0c0b1"
PRIVATE = Sharing()
PUBLIC = Sharing(public=True)
_PERMISSION_LISTS = {
    "ModifyImageAttribute": "LaunchPermission",
    "ModifySnapshotAttribute": "CreateVolumePermission",
}


def with_accounts(*account_ids: str) -> Sharing:
    """Shared with these accounts."""
    return Sharing(account_ids=frozenset(account_ids))


def accounts(count: int) -> tuple[str, ...]:
    """That many account IDs, none of them the owner's."""
    return tuple(f"2{number:011d}" for number in range(count))


def wanted(sharing: Sharing = PRIVATE, **options: Any) -> dict[str, Any]:
    """Options that share the only region's image, or unshare it; public sharing is confirmed."""
    consumers: dict[str, Any] = {
        "account_ids": sorted(sharing.account_ids),
        "org_arns": sorted(sharing.org_arns),
        "org_unit_arns": sorted(sharing.org_unit_arns),
    }
    public = {"group": "all", "allow_public": True} if sharing.public else {}
    return {"images": {REGION: IMAGE}, **consumers, **public, **options}


@dataclass
class AnImage:
    """An image with its permissions and those of its snapshots, ``volumes``.

    ``keys`` maps snapshots to the ARN of their key, and ``associated`` to further keys. ``more`` is what else
    DescribeImages returns.
    """

    launch: Sharing = PRIVATE
    volumes: dict[str, Sharing] = field(default_factory=lambda: {"snap-1": PRIVATE})
    image_id: str = IMAGE
    owner_id: str = OWNER
    state: str = "available"
    tags: dict[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    associated: Mapping[str, str] = field(default_factory=dict)
    empty_encrypted_volume: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        """The image as DescribeImages returns it."""
        devices = [{"SnapshotId": one, "Encrypted": one in self.keys} for one in self.volumes]
        devices += [{"Encrypted": True}] if self.empty_encrypted_volume else []
        return {
            "BlockDeviceMappings": [
                {"DeviceName": f"/dev/sd{chr(ord('a') + number)}", "Ebs": device}
                for number, device in enumerate(devices)
            ],
            "ImageId": self.image_id,
            "OwnerId": self.owner_id,
            "State": self.state,
            "Tags": _tag_list(self.tags),
            **self.more,
        }


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def shared(
    launch: Sharing = PRIVATE, volumes_of: Mapping[str, Sharing] | None = None, **changes: Any
) -> AnImage:
    """An available image of the owner with one snapshot, ``snap-1``, unless changed."""
    return AnImage(launch, dict({"snap-1": PRIVATE} if volumes_of is None else volumes_of), **changes)


@dataclass
class Ec2:
    """EC2 of one region. Every request is checked against botocore's model.

    ``refuse`` maps the beginning of a call, such as ``ModifyImageAttribute ami-1 Remove``, to an error code.
    ``rejected`` are entries of permissions that AWS does not accept. ``lag`` is how many reads return the
    old permissions after a change. ``image_block`` and ``snapshot_block`` are the answers about block public
    access. ``calls`` are all calls: the operation, its resource, and Add or Remove with the entries.
    """

    images: dict[str, AnImage]
    snapshots: dict[str, Sharing] = field(default_factory=dict)
    image_block: Mapping[str, str] = field(default_factory=lambda: {"State": "unblocked"})
    snapshot_block: Mapping[str, str] = field(default_factory=lambda: {"State": "unblocked"})
    refuse: dict[str, str] = field(default_factory=dict)
    rejected: frozenset[str] = frozenset()
    lag: int = 0
    calls: list[str] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)
    _old: dict[str, list[Sharing]] = field(default_factory=dict)

    @property
    def meta(self) -> Any:
        return SimpleNamespace(service_model=model_of("ec2"))

    def reads(self) -> list[str]:
        """The calls that change nothing."""
        return [one for one in self.calls if one.startswith(("Describe", "Get"))]

    def writes(self) -> list[str]:
        """The calls that change something."""
        return [one for one in self.calls if not one.startswith(("Describe", "Get"))]

    def describe_regions(self, **_parameters: Any) -> dict[str, Any]:
        """Deny the list of regions: AWS's answers in these decide."""
        raise refused("UnauthorizedOperation", "DescribeRegions")

    def describe_images(self, **parameters: Any) -> dict[str, Any]:
        (image_id,) = parameters["ImageIds"]
        assert parameters["IncludeDisabled"]
        assert parameters["IncludeDeprecated"]
        self._called("DescribeImages", parameters, image_id)
        if image_id not in self.images:
            raise refused("InvalidAMIID.NotFound", "DescribeImages")
        return {"Images": [self.images[image_id].described()]}

    def describe_image_attribute(self, **parameters: Any) -> dict[str, Any]:
        image_id = parameters["ImageId"]
        assert parameters["Attribute"] == "launchPermission"
        self._called("DescribeImageAttribute", parameters, image_id)
        return {"LaunchPermissions": _entries(self._read(image_id, self.images[image_id].launch))}

    def describe_snapshot_attribute(self, **parameters: Any) -> dict[str, Any]:
        snapshot_id = parameters["SnapshotId"]
        assert parameters["Attribute"] == "createVolumePermission"
        self._called("DescribeSnapshotAttribute", parameters, snapshot_id)
        permissions = self._read(snapshot_id, self._holder(snapshot_id)[snapshot_id])
        return {"CreateVolumePermissions": _entries(permissions)}

    def get_paginator(self, name: str) -> Any:
        assert name == "describe_snapshots"
        return SimpleNamespace(paginate=self._snapshot_pages)

    def _snapshot_pages(self, **parameters: Any) -> list[dict[str, Any]]:
        del parameters["PaginationConfig"]
        (ids,) = (one["Values"] for one in parameters["Filters"])
        assert parameters["OwnerIds"] == ["self"]
        self._called("DescribeSnapshots", parameters, ",".join(ids))
        keys = {one: arn for image in self.images.values() for one, arn in image.keys.items()}
        more = {one: arn for image in self.images.values() for one, arn in image.associated.items()}
        return [
            {
                "Snapshots": [
                    {
                        "SnapshotId": one,
                        "State": "completed",
                        **({"KmsKeyId": keys[one]} if one in keys else {}),
                        **({"AssociatedKmsKeys": [{"KmsKeyId": more[one]}]} if one in more else {}),
                    }
                    for one in ids
                    if one in self._all_snapshots()
                ]
            }
        ]

    def get_image_block_public_access_state(self) -> dict[str, Any]:
        self._called("GetImageBlockPublicAccessState", {})
        block = dict(self.image_block)
        return {"ImageBlockPublicAccessState": block.pop("State"), **block}

    def get_snapshot_block_public_access_state(self) -> dict[str, Any]:
        self._called("GetSnapshotBlockPublicAccessState", {})
        return dict(self.snapshot_block)

    def create_tags(self, **parameters: Any) -> dict[str, Any]:
        (image_id,) = parameters["Resources"]
        tags = {tag["Key"]: tag["Value"] for tag in parameters["Tags"]}
        self._called("CreateTags", parameters, image_id, *tags)
        self.images[image_id].tags.update(tags)
        return {}

    def modify_image_attribute(self, **parameters: Any) -> dict[str, Any]:
        image = self.images[parameters["ImageId"]]
        image.launch = self._changed("ModifyImageAttribute", parameters, image.image_id, image.launch)
        return {}

    def modify_snapshot_attribute(self, **parameters: Any) -> dict[str, Any]:
        snapshot_id = parameters["SnapshotId"]
        held = self._holder(snapshot_id)
        assert parameters["Attribute"] == "createVolumePermission"
        held[snapshot_id] = self._changed(
            "ModifySnapshotAttribute", parameters, snapshot_id, held[snapshot_id]
        )
        return {}

    def _changed(
        self, operation: str, parameters: Mapping[str, Any], resource: str, current: Sharing
    ) -> Sharing:
        ((change, changed),) = parameters[_PERMISSION_LISTS[operation]].items()
        values = [value for entry in changed for value in entry.values()]
        self._called(operation, parameters, resource, change, ",".join(values))
        if self.rejected & set(values):
            raise refused("InvalidAMIAttributeItemValue", operation)
        self._old[resource] = [current] * self.lag
        delta = Sharing.of_entries(changed)
        return current | delta if change == "Add" else current - delta

    def _read(self, resource: str, current: Sharing) -> Sharing:
        old = self._old.get(resource)
        return old.pop() if old else current

    def _all_snapshots(self) -> set[str]:
        return {*self.snapshots, *(one for image in self.images.values() for one in image.volumes)}

    def _holder(self, snapshot_id: str) -> dict[str, Sharing]:
        return next(
            (image.volumes for image in self.images.values() if snapshot_id in image.volumes), self.snapshots
        )

    def _called(self, operation: str, parameters: Mapping[str, Any], *words: str) -> None:
        validate_parameters(parameters, model_of("ec2").operation_model(operation).input_shape)
        call = " ".join([operation, *words])
        with self.lock:
            self.calls.append(call)
        for start, code in self.refuse.items():
            if call.startswith(start):
                raise refused(code, operation)


def _entries(sharing: Sharing) -> list[dict[str, str]]:
    return [
        *({"UserId": one} for one in sharing.account_ids),
        *({"OrganizationArn": one} for one in sharing.org_arns),
        *({"OrganizationalUnitArn": one} for one in sharing.org_unit_arns),
        *([{"Group": "all"}] if sharing.public else []),
    ]


def key(name: str = "a", grantees: Iterable[str] = (), **changes: Any) -> StoredKey:
    """A customer managed key of the owner, unless changed, with which these principals can launch."""
    grants = {
        f"g-{number}": {"GranteePrincipal": one, "Operations": sorted(OPERATIONS)}
        for number, one in enumerate(grantees)
    }
    return StoredKey(**{"arn": key_arn(name), "grants": grants, **changes})


def aws_with(images: AnImage | Mapping[str, AnImage], *keys: StoredKey, **ec2: Any) -> World:
    """The owner's account with this image in the only region, or these by region, and its keys.

    ``keys`` are those that differ from ``StoredKey(arn)``.
    """
    by_region = {REGION: images} if isinstance(images, AnImage) else images
    given = {one.arn: one for one in keys}
    kms = {
        region: Kms({arn: given.get(arn) or StoredKey(arn) for arn in one.keys.values()})
        for region, one in by_region.items()
    }
    clients = {region: Ec2({one.image_id: one}, **ec2) for region, one in by_region.items()}
    return World(kms, default_region=REGION, ec2_clients=dict(clients))


def aws_before_the_copy(source: AnImage | None, region: str = REGION) -> World:
    """The owner's account in which a region has no image yet, and another one the source, if there is one."""
    found = {SOURCE_ID: source} if source else {}
    return World({}, default_region=REGION, ec2_clients={region: Ec2({}), SOURCE_REGION: Ec2(found)})


class Run(FlowRun):
    """A run of ``ami_share``."""

    def __init__(
        self,
        options: Mapping[str, Any],
        aws: World,
        check_mode: bool = False,
        after_read: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(FLOW, options, aws, check_mode, after_read)

    @property
    def writes(self) -> list[str]:
        """The calls of the only region that change something."""
        assert self.outcome is not None
        return self.ec2().writes()

    @property
    def permissions(self) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
        """The launch permissions of each region's image in the result, and the accounts of its snapshots."""
        return {one["region"]: self._permissions_of(one) for one in self.results}

    def _permissions_of(self, image: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        region = image["region"]
        volumes = {}
        for snapshot_id in image["snapshot_ids"]:
            groups = [
                group
                for group in self.result["volume_permissions"]
                if snapshot_id in group["snapshots"].get(region, ())
            ]
            account_ids = sorted(account for group in groups for account in group["account_ids"])
            public = any(group["public"] for group in groups)
            volumes[snapshot_id] = {"account_ids": account_ids, "public": public}
        return permissions_in(region, self.result["launch_permissions"]), volumes

    def ec2(self, region: str = REGION) -> Ec2:
        """EC2 of a region."""
        found: Ec2 = self.aws.ec2_clients[region]
        return found


def run(
    options: Mapping[str, Any], image: AnImage, *keys: StoredKey, check_mode: bool = False, **then: Any
) -> Run:
    """A run on a copy of one image. ``then`` sets attributes of EC2 after the reads."""
    aws = aws_with(deepcopy(image), *keys)

    def change() -> None:
        for name, value in then.items():
            setattr(aws.ec2_clients[REGION], name, value)

    return Run(options, aws, check_mode, change)


def planned(options: Mapping[str, Any], found: AnImage | World) -> TargetPlan:
    """The plan of the only region, as check mode makes it."""
    aws = found if isinstance(found, World) else aws_with(found)
    (target,) = Run(options, aws, check_mode=True).plan.targets
    return target


def changes_of(actions: Iterable[Action]) -> list[tuple[str | None, str, list[str]]]:
    """The resource, Add or Remove, and the consumers of each action; for tags their keys."""
    return [(action.resource, *_change(action)) for action in actions]


def _change(action: Action) -> tuple[str, list[str]]:
    if action.operation == "CreateTags":
        return "CreateTags", [tag["Key"] for tag in action.parameters["Tags"]]
    ((change, entries),) = action.parameters[_PERMISSION_LISTS[action.operation]].items()
    return change, [value for entry in entries for value in entry.values()]
