# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's EC2 backend, which uses the images and snapshots of this package."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Any

from moto.core.resource_tagging import TaggedResource
from moto.ec2.exceptions import VPCIdNotSpecifiedError
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_block_store import Volume
from moto.ec2.models.instances import Instance, InstanceState, Reservation
from moto.ec2.models.subnets import Subnet
from moto.ec2.models.vpcs import VPC

from ..iam.current_principal import as_principal, current_principal
from ..iam.service_linked_roles import auto_scaling
from . import instances, state, volume_grants
from .access import Caller, visible_image, visible_snapshot
from .encryption_keys import default_key, resolve
from .launch import device_mappings, finish_launch, launchable_image
from .state import Image, Snapshot

AUTO_SCALING_GROUP_TAG = "aws:autoscaling:groupName"
"""Tag of instances that Auto Scaling launches; users can't set it (Auto Scaling User Guide, Tag groups)."""


class StrictEC2Backend(EC2Backend):
    """Returns images and snapshots from `state` to other parts of moto; moto's own stay empty."""

    def __init__(self, region_name: str, account_id: str) -> None:
        self._is_new = True
        super().__init__(region_name, account_id)
        self._is_new = False

    @property
    def default_vpc(self) -> VPC:
        """The default VPC, which requests without a VPC use (EC2 API Reference: VPCIdNotSpecified)."""
        vpc = self.get_default_vpc()
        if vpc is None:
            raise VPCIdNotSpecifiedError
        return vpc

    @default_vpc.setter
    def default_vpc(self, _vpc: VPC | None) -> None:
        """moto remembers the first VPC, even if it is deleted."""

    def create_default_vpc(self) -> VPC | None:  # type: ignore[override]
        """Create the default VPC; for a new account, create all VPCs with which it starts."""
        if not self._is_new:
            return super().create_default_vpc()
        start = state.account_region(*self.caller)
        vpc = super().create_default_vpc() if start.starts_with_default_vpc else None
        if start.subnet_zones:
            own = self.create_vpc("10.0.0.0/16")
            for number, zone in enumerate(start.subnet_zones):
                self.create_subnet(own.id, f"10.0.{number}.0/24", availability_zone=zone)
        return vpc

    def create_subnet(self, vpc_id: str, *args: Any, **kwargs: Any) -> Subnet:
        """Create a subnet; only those of the default VPC are default subnets (VPC User Guide, Default VPCs).

        moto takes the first one in each Availability Zone for the default, in whatever VPC.
        """
        subnet = super().create_subnet(vpc_id, *args, **kwargs)
        if not self.get_vpc(vpc_id).is_default:
            subnet.default_for_az = False
            subnet.map_public_ip_on_launch = False
        return subnet

    @property
    def caller(self) -> Caller:
        """The account and Region this backend is for."""
        return Caller(self.account_id, self.region_name)

    def _load_amis(self) -> None:
        """Don't create moto's thousand public images."""

    def describe_images(  # type: ignore[override]
        self,
        ami_ids: list[str] | None = None,
        filters: dict[str, Any] | None = None,
        **_: Any,
    ) -> list[Image]:
        """Called by moto when it creates an instance (by filter) or tags an image (by ID)."""
        ids = ami_ids or (filters or {}).get("image-id", [])
        with state.LOCK:
            return [visible_image(self.caller, one) for one in ([ids] if isinstance(ids, str) else ids)]

    def get_snapshot(self, snapshot_id: str) -> Snapshot:  # type: ignore[override]
        """The snapshot, if the account can use it."""
        with state.LOCK:
            return visible_snapshot(self.caller, snapshot_id)

    def create_volume(  # type: ignore[override]
        self, size: int | None, zone_name: str, **kwargs: Any
    ) -> Volume:
        """Create a volume; size, encryption and key default to those of the snapshot and the account."""
        snapshot = self.get_snapshot(kwargs["snapshot_id"]) if kwargs.get("snapshot_id") else None
        if snapshot:
            size = size or snapshot.volume_size
        by_default = state.account_region(*self.caller).encryption_by_default
        if kwargs.get("encrypted") or by_default or (snapshot and snapshot.encrypted):
            kwargs["encrypted"] = True
            own_key = snapshot.kms_key_id if snapshot and snapshot.owner_id == self.account_id else None
            named = kwargs.get("kms_key_id")
            found = resolve(self.caller, named) if named else None
            kwargs["kms_key_id"] = found or named or own_key or default_key(self.caller)
        return super().create_volume(size=size, zone_name=zone_name, **kwargs)  # type: ignore[arg-type]

    def run_instances(
        self,
        image_id: str | None,
        count: int,
        user_data: Any,
        security_group_names: list[str],
        **kwargs: Any,
    ) -> Reservation:
        """Launch an image that the account can see and that is available; moto checks neither."""
        token = kwargs.get("client_token")
        rest = {name: value for name, value in kwargs.items() if name != "client_token"}
        fingerprint = instances.fingerprint(image_id, count, user_data, security_group_names, rest)
        earlier = instances.launched_before(self.caller, token, fingerprint)
        if earlier:
            return earlier
        requested = kwargs.get("block_device_mappings")
        if kwargs.get("launch_template"):
            template = self._get_template_from_args(kwargs["launch_template"])
            image_id = image_id or template.image_id
            requested = requested or template.data.get("BlockDeviceMappings")
            if kwargs.get("is_instance_type_default", True) and template.data.get("InstanceType"):
                kwargs |= {"instance_type": template.data["InstanceType"], "is_instance_type_default": False}
        image = launchable_image(self.caller, image_id)
        if not kwargs.get("is_instance_type_default", True):
            instances.require_fitting_type(image, kwargs["instance_type"])
        kwargs["block_device_mappings"] = device_mappings(self.caller, image, requested)
        reservation = super().run_instances(image.id, count, user_data, security_group_names, **kwargs)
        image.launches.append(state.now())
        group = kwargs.get("tags", {}).get("instance", {}).get(AUTO_SCALING_GROUP_TAG)
        launcher = (
            auto_scaling(self.account_id, self.partition, self.region_name, group)
            if group
            else current_principal(self.account_id)
        )
        with as_principal(launcher):
            for instance in reservation.instances:
                finish_launch(self.caller, image, instance)
        instances.remember(self.caller, token, fingerprint, reservation)
        return reservation

    def terminate_instances(self, instance_ids: list[str]) -> list[tuple[Instance, InstanceState]]:
        """Terminate instances; repeated calls succeed (botocore operation TerminateInstances)."""
        ended = {
            one: copy(one.instance_state)
            for one in self.get_multi_instances_by_id(instance_ids)
            if one.state == "terminated"
        }
        living = [one for one in instance_ids if one not in {instance.id for instance in ended}]
        now_ended = super().terminate_instances(living) if living or not instance_ids else []
        for instance_id in living:
            volume_grants.retire(self.account_id, self.partition, self.region_name, instance_id)
        return [*ended.items(), *now_ended]

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        """Add the account's images and snapshots to moto's resources."""
        yield from super().iter_tagged_resources()
        region = state.region(self.region_name)
        with state.LOCK:
            resources: list[Image | Snapshot] = [*region.images.values(), *region.snapshots.values()]
        for one in resources:
            if one.owner_id == self.account_id:
                kind = "image" if isinstance(one, Image) else "snapshot"
                # Service Authorization Reference, Amazon EC2: these ARNs name no account.
                arn = f"arn:{self.partition}:ec2:{self.region_name}::{kind}/{one.id}"
                yield TaggedResource(arn=arn, tags=dict(one.tags), resource_type=f"ec2:{kind}")


# moto looks up the service of a backend by its module.
StrictEC2Backend.__module__ = EC2Backend.__module__
