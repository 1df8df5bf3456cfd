# SPDX-License-Identifier: GPL-3.0-or-later
"""The grants that EC2 creates for itself on the keys of volumes in use.

Each is constrained to one volume. Its grantee is a session of a role of EC2 in the instance's account, which
has the name of the instance (KMS Developer Guide, Examining grants). How EC2 names them is not documented.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..iam import principals
from ..iam.principals import NamedPrincipal, Principal
from ..kms import keys
from ..kms import state as kms_state
from ..kms.grants import SUBSET, Grant, Terms
from ..settings import SETTINGS

VOLUME_CONTEXT = "aws:ebs:id"
"""The key of EBS's encryption context (KMS Developer Guide, Examining grants)."""
INFRASTRUCTURE = "aws:ec2-infrastructure"
"""The name of EC2's role, which IAM would accept for no other one (botocore shape roleNameType)."""


def create(account_id: str, partition: str, instance_id: str, volume_keys: Mapping[str, str]) -> None:
    """Create the grants for the volumes of a new instance, mapped to the ARNs of their keys."""
    if not SETTINGS.volume_grants:
        return
    grantee = _session(account_id, partition, instance_id)
    root = principals.root(account_id, partition)
    for volume_id, arn in volume_keys.items():
        key = keys.by_arn(arn)
        if key is not None:
            terms = Terms(
                "",
                grantee,
                NamedPrincipal(root.arn, root),
                ("Decrypt",),
                {SUBSET: {VOLUME_CONTEXT: volume_id}},
                root.arn,
            )
            kms_state.record(key).grants.add(key.arn, terms, kms_state.now())


def retire(account_id: str, partition: str, region: str, instance_id: str) -> None:
    """Retire the grants for the volumes of an instance that has ended."""
    grantee = _session(account_id, partition, instance_id).principal
    for _arn, record in kms_state.records(region):
        ended: list[Grant] = record.grants.to(grantee)
        for grant in ended:
            if grant.terms.grantee.principal == grantee:
                record.grants.remove(grant)


def _session(account_id: str, partition: str, instance_id: str) -> NamedPrincipal:
    arn = f"arn:{partition}:sts::{account_id}:assumed-role/{INFRASTRUCTURE}/{instance_id}"
    # Like a federated user, it is a session of nothing that IAM stores.
    return NamedPrincipal(arn, Principal(account_id, arn, f"{account_id}:{INFRASTRUCTURE}/{instance_id}"))
