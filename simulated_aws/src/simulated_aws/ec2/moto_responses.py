# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's request handler for EC2, which passes the actions of this package to `dispatch`."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from copy import copy
from typing import Any, NamedTuple

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.ec2.models import ec2_backends

from ..http.fast_path import FastPathRequest
from . import recycle_bin
from .access import Caller
from .actions import ACTIONS
from .authorization import require_launch
from .dispatch import answer, error_response
from .errors import Ec2Error, dry_run
from .launch import launchable_image, require_encrypted_root, require_reserved_capacity, require_uefi
from .launch_dry_run import require_launchable
from .launch_network import known_group, require_default_subnet, require_network
from .launch_templates import StrictLaunchTemplates
from .managed_resources import is_shown, operator
from .pagination import page

Response = tuple[int, dict[str, str], str]

# moto's implementations use its own snapshots, which are always empty here.
UNSUPPORTED = ("create_snapshots",)


class _Listed(NamedTuple):
    """An item of one of moto's lists, with its position."""

    serial: int
    item: Any


class StrictEC2Response(StrictLaunchTemplates):
    """Passes the actions of this package to `dispatch`; the others are moto's."""

    def parse_parameters(self, request: Any) -> None:
        """Skip actions whose parameters `dispatch` parses."""
        if self._get_action() not in ACTIONS:
            super().parse_parameters(request)

    def run_instances(self) -> Any:
        """Check authorization and image before moto's RunInstances, also for a dry run."""
        caller = Caller(self.current_account, self.region)
        try:
            image_id = self._launched_image()
            options = self._get_param("MetadataOptions") or {}
            require_launch(caller, image_id, options.get("HttpTokens"), self._requested_tags())
            is_dry = self._get_param("DryRun", False)
            if is_dry:
                require_launchable(caller, image_id, self._launched_type())
            self._require_launch_options(caller, image_id)
            self._require_network(caller, is_dry)
            if is_dry:
                raise dry_run()
            started = super().run_instances()
        except ServiceException as error:
            return self._document(*error_response(error, str(uuid.uuid4())))
        reservation: Any = started.result
        managed = operator(self._get_param("Operator.Principal"))
        for instance in reservation.instances:
            instance.operator = managed
            for _device, attached in instance.get_block_device_mapping:
                self.ec2_backend.get_volume(attached.volume_id).operator = managed
        return started

    def create_volume(self) -> ActionResult:
        """Create a volume, for a service if the request says so."""
        created = super().create_volume()
        volume: Any = created.result
        volume.operator = operator(self._get_param("Operator.Principal"))
        return created

    def delete_volume(self) -> ActionResult:
        """Delete a volume, which the Recycle Bin may retain."""
        volume = self.ec2_backend.get_volume(self._get_param("VolumeId"))
        deleted = super().delete_volume()
        recycle_bin.retain_volume(Caller(self.current_account, self.region), volume)
        return deleted

    def describe_volumes(self) -> ActionResult:
        """List volumes, those of AWS services only where they are not hidden."""
        listed = super().describe_volumes()
        include_managed = self._get_bool_param("IncludeManagedResources", False)
        page: Any = listed.result
        shown = [one for one in page["Volumes"] if is_shown(one, include_managed)]
        return ActionResult({**page, "Volumes": shown})

    def describe_instances(self) -> ActionResult:
        """List instances, those of AWS services only where they are not hidden."""
        listed = super().describe_instances()
        include_managed = self._get_bool_param("IncludeManagedResources", False)
        page: Any = listed.result
        reservations = []
        for one in page["Reservations"]:
            shown = [instance for instance in one.instances if is_shown(instance, include_managed)]
            if shown:
                reservation = copy(one)
                reservation.instances = shown
                reservations.append(reservation)
        return ActionResult({**page, "Reservations": reservations})

    def describe_subnets(self) -> ActionResult:
        """List subnets, in pages if the request says so, which moto does not."""
        listed = super().describe_subnets()
        found: Any = listed.result
        params = {
            name: value
            for name in ("MaxResults", "NextToken", "SubnetIds")
            if (value := self._get_param(name)) is not None
        }
        numbered = [_Listed(serial, one) for serial, one in enumerate(found["Subnets"], start=1)]
        rest, token = page(numbered, params, "SubnetIds")
        return ActionResult({"Subnets": [one.item for one in rest], "NextToken": token})

    def _parse_block_device_mapping(self) -> list[dict[str, Any]]:
        """The mappings as requested: moto fills in what a request leaves to the device of the image."""
        mappings: list[dict[str, Any]] = self._get_param("BlockDeviceMappings", [])
        return mappings

    def _require_network(self, caller: Caller, is_dry: bool) -> None:
        """Reject a launch into a network that cannot take it; moto checks the rest of a real one."""
        (interface,) = self._get_param("NetworkInterfaces", [])[:1] or [{}]
        subnet_id = self._get_param("SubnetId") or interface.get("SubnetId")
        group_ids = self._get_param("SecurityGroupIds", []) or interface.get("Groups", [])
        if subnet_id:
            require_network(caller, subnet_id, group_ids, self._get_param("InstanceType"))
        elif is_dry:
            for group_id in group_ids:
                known_group(caller, group_id)
            if not self._get_param("LaunchTemplate", {}):
                require_default_subnet(caller)

    def _requested_tags(self) -> dict[str, dict[str, str]]:
        return {
            one["ResourceType"]: {tag["Key"]: tag.get("Value", "") for tag in one.get("Tags", [])}
            for one in self._get_param("TagSpecifications", [])
        }

    def _launched_image(self) -> str | None:
        image_id: str | None = self._get_param("ImageId")
        return image_id or self._template_data().get("ImageId")

    def _launched_type(self) -> str | None:
        instance_type: str | None = self._get_param("InstanceType")
        return instance_type or self._template_data().get("InstanceType")

    def _require_launch_options(self, caller: Caller, image_id: str | None) -> None:
        """Reject a launch whose image does not fulfil what its options require."""
        template = self._template_data()
        capacity = self._get_param("CapacityReservationSpecification") or template.get(
            "CapacityReservationSpecification"
        )
        if capacity:
            image = launchable_image(caller, image_id)
            require_reserved_capacity(caller, image, self._launched_type(), capacity)
        cpu = self._get_param("CpuOptions") or template.get("CpuOptions") or {}
        if cpu.get("AmdSevSnp") == "enabled":
            require_uefi(launchable_image(caller, image_id))
        options = self._get_param("HibernationOptions") or template.get("HibernationOptions") or {}
        if options.get("Configured"):
            mappings = self._parse_block_device_mapping() or template.get("BlockDeviceMappings")
            require_encrypted_root(caller, launchable_image(caller, image_id), mappings)

    def _template_data(self) -> dict[str, Any]:
        """The parameters of the launch template, if there is one."""
        template = self._get_param("LaunchTemplate", {})
        if not template:
            return {}
        backend = ec2_backends[self.current_account][self.region]
        data: dict[str, Any] = backend._get_template_from_args(template).data
        return data

    @staticmethod
    def _document(status: int, body: bytes) -> Response:
        return status, {"status": str(status), "Content-Type": "text/xml;charset=UTF-8"}, body.decode()


def _dispatched(name: str) -> Callable[[StrictEC2Response], Response]:
    def method(self: StrictEC2Response) -> Response:
        flat = {key: values[0] for key, values in self.querystring.items()}
        request = FastPathRequest(
            self.current_account, self.region, {**flat, "Action": name}, str(uuid.uuid4())
        )
        return self._document(*answer(request))

    return method


def _unsupported(_: StrictEC2Response) -> Response:
    message = "The action is not valid for this web service."
    raise Ec2Error("InvalidAction", message)


for _name in ACTIONS:
    setattr(StrictEC2Response, camelcase_to_underscores(_name), _dispatched(_name))
for _name in UNSUPPORTED:
    setattr(StrictEC2Response, _name, _unsupported)
