# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Choose the subnets in which the dry run of a launch is repeated, if the account has no default one.

EC2 also checks the network of a dry run: in an account without a default VPC, it refuses a dry run without a
subnet, whatever the caller may do (aws/karpenter-provider-aws#7834).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .._denial import DENIED
from .._model import Target
from .state import Subnet

Answer = tuple[str, str]
"""The error code and the message of a dry run."""

# EC2 API Reference, "Error codes": there is no default VPC, or no subnet in it.
_WITHOUT_SUBNET = frozenset({"MissingInput", "VPCIdNotSpecified", "VPCResourceNotSpecified"})
# The same page, for a request that names a subnet: its Availability Zone does not offer the instance type, it
# has no free address, or it was deleted. InvalidParameter: it is not in the VPC of the security groups
# (ansible/ansible-modules-core#347).
_ABOUT_SUBNET = frozenset(
    {"InsufficientFreeAddressesInSubnet", "InvalidParameter", "InvalidSubnetID.NotFound", "Unsupported"}
)
# Service Authorization Reference, Amazon EC2: the resource of RunInstances that has no Availability Zone, to
# which policies can limit the others, and those that are the same in any subnet of a zone.
_OF_EVERY_ZONE = re.compile(r":image/")
_OF_EVERY_SUBNET = re.compile(r":(?:image|instance|volume)/")
MOST_TRIED = 8
"""Dry runs in subnets for an image: the largest region has six Availability Zones."""


def is_missing(code: str) -> bool:
    """Whether this is the error code of a launch for which AWS needs a subnet."""
    return code in _WITHOUT_SUBNET


def choose(subnets: Iterable[Subnet], target: Target) -> tuple[str, ...]:
    """Return the IDs of the subnets to try, in a stable order.

    One for each VPC and Availability Zone is enough: zones differ in the instance types that they offer, VPCs
    in their security groups. The account's own subnets come first, since an account cannot use the default
    security group of a VPC that is shared with it (VPC User Guide, "Share your VPC subnets with other
    accounts").
    """
    zones: dict[tuple[str, str], str] = {}
    for subnet in sorted(subnets, key=lambda subnet: _rank(subnet, target)):
        zones.setdefault((subnet.vpc_id, subnet.zone), subnet.subnet_id)
    return tuple(zones.values())[:MOST_TRIED]


def is_decided(answer: Answer) -> bool:
    """Whether a dry run in one subnet decides for the account, so that no other subnet is tried.

    A denial may be about the subnet or its zone, since policies can limit launches to some of them.
    """
    code, message = answer
    if code in DENIED:
        return _OF_EVERY_ZONE.search(message) is not None
    return code not in _ABOUT_SUBNET


def is_certain(message: str) -> bool:
    """Whether a denial in a subnet of each zone is a denial in every subnet of the account."""
    return _OF_EVERY_SUBNET.search(message) is not None


def decide(answers: Sequence[Answer]) -> Answer:
    """Return the deciding answer of the dry runs: the last one if it decides for every subnet.

    Otherwise, a launch counts as denied only if it is denied in all subnets that were tried.
    """
    if is_decided(answers[-1]):
        return answers[-1]
    return next((answer for answer in answers if answer[0] not in DENIED), answers[-1])


def _rank(subnet: Subnet, target: Target) -> tuple[bool, bool, bool, bool, str, str]:
    """Return a sort key that puts first the subnets in which most instance types can start."""
    return (
        subnet.owner_id != target.account_id,
        # us-east-1a, but not us-east-1-bos-1a: Local Zones and Wavelength Zones offer few instance types.
        len(subnet.zone) != len(target.region) + 1 or subnet.on_outpost,
        subnet.is_ipv6_only,
        subnet.free_addresses == 0,
        subnet.zone,
        subnet.subnet_id,
    )
