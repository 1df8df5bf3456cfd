# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the subnet, the security groups and the Availability Zone of a launch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from moto.ec2.exceptions import MissingInputError, VPCIdNotSpecifiedError
from moto.ec2.models import ec2_backends
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS

from . import state
from .access import Caller
from .errors import Ec2Error


def require_default_subnet(caller: Caller) -> None:
    """Reject a launch without a subnet in an account without a default VPC, or without subnets in it.

    EC2 API Reference, Error codes: VPCIdNotSpecified, MissingInput. A dry run is rejected too
    (aws/karpenter-provider-aws#7834).
    """
    # Not by index: that would create the backend, which takes long.
    backend = dict.get(ec2_backends[caller.account_id], caller.region)
    if backend is None:
        if not state.account_region(*caller).starts_with_default_vpc:
            raise VPCIdNotSpecifiedError
        return
    vpc = backend.get_default_vpc()
    if vpc is None:
        raise VPCIdNotSpecifiedError
    if not backend.get_default_subnets():
        raise MissingInputError(f"No subnets found for the default VPC '{vpc.id}'. Please specify a subnet.")


def require_network(
    caller: Caller, subnet_id: str, group_ids: Sequence[str], instance_type: str | None
) -> None:
    """Reject an unknown subnet or group, a group of another VPC, and a type that the zone does not offer.

    (EC2 API Reference, Error codes; for the groups of another VPC ansible/ansible-modules-core#347.)
    """
    backend = ec2_backends[caller.account_id][caller.region]
    subnet = backend.get_subnet(subnet_id)
    for group_id in group_ids:
        group = known_group(caller, group_id)
        if group.vpc_id != subnet.vpc_id:
            message = f"Security group {group_id} and subnet {subnet_id} belong to different networks."
            raise Ec2Error("InvalidParameter", message)
    if instance_type:
        _require_offered(caller.region, instance_type, subnet.availability_zone)


def known_group(caller: Caller, group_id: str) -> Any:
    """A security group of the account."""
    group = ec2_backends[caller.account_id][caller.region].get_security_group_from_id(group_id)
    if group is None:
        raise Ec2Error("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
    return group


def _require_offered(region: str, instance_type: str, zone: str) -> None:
    """EC2 API Reference, Error codes: Unsupported, for constraints on a type in an Availability Zone."""
    offering = _zones(region).get(instance_type, ())
    # moto knows no offerings of some Regions.
    if offering and zone not in offering:
        raise Ec2Error(
            "Unsupported",
            f"Your requested instance type ({instance_type}) is not supported in your requested Availability "
            f"Zone ({zone}). Please retry your request by not specifying an Availability Zone or choosing "
            f"{', '.join(offering)}.",
        )


@lru_cache
def _zones(region: str) -> dict[str, tuple[str, ...]]:
    """The Availability Zones that offer each instance type."""
    found: dict[str, tuple[str, ...]] = {}
    for one in INSTANCE_TYPE_OFFERINGS["availability-zone"].get(region, ()):
        found[one["InstanceType"]] = (*found.get(one["InstanceType"], ()), one["Location"])
    return {name: tuple(sorted(zones)) for name, zones in found.items()}
