# SPDX-License-Identifier: GPL-3.0-or-later
"""The tags of an instance, which moto stores."""

from __future__ import annotations

from moto.ec2.models import ec2_backends

from .access import Caller


def of(caller: Caller, arn: str) -> dict[str, str]:
    """The tags of the instance with this ARN; none for an instance that does not exist."""
    instance_id = arn.rpartition("/")[2]
    for instance in ec2_backends[caller.account_id][caller.region].all_instances():
        if instance.id == instance_id:
            return {tag["key"]: tag["value"] for tag in instance.get_tags()}
    return {}
