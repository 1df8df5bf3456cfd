# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for audits: images with every kind of exposure among many images without any.

The expected findings of each stand beside its definition, independent of the audit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulated_aws.client import SimulatedAws

from .fixtures import OWNER

ALLOWED, SPECIAL, STRANGER = "allowed", "special", "stranger"
"""An account allowed for every image, one that a rule allows, and one that is not allowed."""
ORGANIZATION, UNIT, OTHER_UNIT = "the organization", "allowed-unit", "other-unit"
PUBLIC, DELETED_ROLE = "all", "the deleted role"

_ACCOUNTS = {
    OWNER: "111111111111",
    ALLOWED: "222222222222",
    SPECIAL: "333333333333",
    STRANGER: "444444444444",
}
_OPEN, _CLOSED, _OFF, _FOREIGN = "open", "closed", "off", "foreign"
_GRANTED, _STATED, _STALE = "granted", "stated", "stale"

# EBS User Guide, "Share the KMS key used to encrypt a shared EBS snapshot".
_USE = (
    *("CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
    *("ReEncryptFrom", "ReEncryptTo"),
)

Found = tuple[str | None, str, str | None]
"""The label of an image, the code of a finding and its principal, by one of the names above."""


@dataclass(frozen=True)
class Kind:
    """Images of one kind: how they are made, and the expected findings of each.

    ``key`` names the key that encrypts it; empty is the AWS managed key. A finding of a key names the first
    image under it.
    """

    sharing: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None
    state: str = "available"
    of_image: tuple[tuple[str, str | None], ...] = ()
    of_snapshot: tuple[tuple[str, str | None], ...] = ()
    of_key: tuple[tuple[str, str | None], ...] = ()
    public_snapshot: bool = False


_BOTH = {"accounts": [ALLOWED], "snapshot_accounts": [ALLOWED]}
_UNKNOWN = ("unknown_account", STRANGER)

WELL = {
    "alone": Kind(),
    "shared": Kind(_BOTH),
    "shared-by-unit": Kind({"units": [UNIT]}),
    "special": Kind({"accounts": [SPECIAL], "snapshot_accounts": [SPECIAL]}),
    "encrypted": Kind(_BOTH, key=_OPEN),
}
EXPOSED = {
    "account": Kind({"accounts": [STRANGER]}, of_image=(_UNKNOWN,)),
    "organization": Kind({"organization": True}, of_image=(("unknown_organization", ORGANIZATION),)),
    "unit": Kind({"units": [OTHER_UNIT]}, of_image=(("unknown_organizational_unit", OTHER_UNIT),)),
    "account-in-organization": Kind(
        {"accounts": [STRANGER], "organization": True},
        of_image=(
            _UNKNOWN,
            ("access_remains_through_organization", STRANGER),
            ("unknown_organization", ORGANIZATION),
        ),
    ),
    "public": Kind({"public": True}, of_image=(("public", PUBLIC),)),
    "snapshot-account": Kind(
        {"snapshot_accounts": [STRANGER]}, of_snapshot=(_UNKNOWN, ("snapshot_wider_than_image", STRANGER))
    ),
    "snapshot-wider": Kind(
        {"snapshot_accounts": [ALLOWED]}, of_snapshot=(("snapshot_wider_than_image", ALLOWED),)
    ),
    "disabled": Kind(
        {"snapshot_accounts": [ALLOWED]}, state="disabled", of_snapshot=(("shared_but_disabled", None),)
    ),
}
"""Exposures that every region can have."""
EXPOSED_AT_HOME = {
    "snapshot-public": Kind(public_snapshot=True, of_snapshot=(("snapshot_public", PUBLIC),)),
    "default-key": Kind(key="", of_key=(("default_key", None),)),
    "key-closed": Kind(_BOTH, key=_CLOSED, of_key=(("missing_key_access", ALLOWED),)),
    "key-off": Kind(_BOTH, key=_OFF, of_key=(("key_not_enabled", None),)),
    "key-foreign": Kind(_BOTH, key=_FOREIGN, of_key=(("key_of_other_account", None),)),
}
"""Exposures that need KMS keys, or changes by API."""
ONCE_AT_HOME = {
    "key-granted": Kind(key=_GRANTED, of_key=(("grant_without_share", STRANGER),)),
    "key-stated": Kind(key=_STATED, of_key=(("statement_without_share", STRANGER),)),
    "key-stale": Kind(key=_STALE),
}
"""Exposures of a key that are reported once, for any number of images under it."""


@dataclass(frozen=True)
class Planted:
    """A loaded fixture: images by region and label, and the principals of its names."""

    kinds: Mapping[tuple[str, str], Kind]
    images: Mapping[str, str]
    """Image ID to label."""
    snapshots: Mapping[str, str]
    """Snapshot ID to the label of its image."""
    principals: Mapping[str, str]
    """ID or ARN of each principal to its name above."""
    options: Mapping[str, Any]
    """The options for ami_share_audit."""

    def expected(self, snapshots: bool = True, keys: bool = True) -> Counter[Found]:
        """All expected findings, with or without those about snapshots and keys."""
        found: Counter[Found] = Counter()
        for (_region, label), kind in self.kinds.items():
            parts = (kind.of_image, kind.of_snapshot if snapshots else (), kind.of_key if keys else ())
            found.update((label, code, principal) for part in parts for code, principal in part)
        if keys and any(kind.key == _STALE for kind in self.kinds.values()):
            found[None, "stale_principal", DELETED_ROLE] += 1
        return found

    def found(self, findings: Iterable[Mapping[str, Any]]) -> Counter[Found]:
        """The findings of ami_share_audit, in the same form."""
        return Counter(
            (
                self.images.get(one["image_id"], one["image_id"]),
                one["code"],
                self.principals.get(one["principal"], one["principal"]),
            )
            for one in findings
        )

    def violation(self, resource: Mapping[str, Any], principal: str) -> Found:
        """A principal that Cloud Custodian finds at an image or snapshot, with this collection's code."""
        who = self.principals.get(principal, principal)
        if "ImageId" in resource:
            label, codes = self.images[resource["ImageId"]], _CODES
        else:
            label, codes = self.snapshots[resource["SnapshotId"]], {PUBLIC: "snapshot_public"}
        return label, codes.get(who, "unknown_account"), who


_CODES = {
    PUBLIC: "public",
    ORGANIZATION: "unknown_organization",
    UNIT: "unknown_organizational_unit",
    OTHER_UNIT: "unknown_organizational_unit",
}


def plant(aws: SimulatedAws, regions: Sequence[str], images: int) -> Planted:
    """Load a fixture with `images` images per region, a snapshot each; all key findings are in the first."""
    home = regions[0]
    kinds = {
        (region, label): kind
        for region in regions
        for label, kind in _labeled(images, region, at_home=len(regions) == 1)
    }
    built = aws.load_fixture(
        {
            "accounts": _ACCOUNTS,
            "organization": {
                "management_account": OWNER,
                "units": {UNIT: {"accounts": [SPECIAL]}, OTHER_UNIT: {}},
            },
            "roles": {_STALE: {"accounts": [STRANGER], "trusts": [OWNER]}},
            "kms_keys": _keys(home),
            "images": {label: _image(region, kind) for (region, label), kind in kinds.items()},
        }
    )
    ids = {label: str(image["image_id"]) for label, image in built["images"].items()}
    ec2 = aws.client("ec2", OWNER, home)
    for (_region, label), kind in kinds.items():
        if kind.public_snapshot:
            ec2.modify_snapshot_attribute(
                SnapshotId=built["images"][label]["snapshot_ids"][0],
                Attribute="createVolumePermission",
                OperationType="add",
                GroupNames=[PUBLIC],
            )
    gone = _leave_grants(aws, home, built)
    units = {name: unit["arn"] for name, unit in built["organization"]["units"].items()}
    return Planted(
        kinds=kinds,
        images={image_id: label for label, image_id in ids.items()},
        snapshots={
            snapshot_id: label
            for label, image in built["images"].items()
            for snapshot_id in image["snapshot_ids"]
        },
        principals={
            **{account_id: name for name, account_id in _ACCOUNTS.items()},
            built["organization"]["arn"]: ORGANIZATION,
            **{arn: name for name, arn in units.items()},
            gone: DELETED_ROLE,
        },
        options={
            "regions": list(regions),
            "allowed_account_ids": [_ACCOUNTS[ALLOWED]],
            "allowed_org_unit_arns": [units[UNIT]],
            "rules": [{"name_pattern": "special-*", "account_ids": [_ACCOUNTS[SPECIAL]]}],
        },
    )


def _labeled(count: int, region: str, at_home: bool) -> Iterator[tuple[str, Kind]]:
    """Several images with each kind of exposure, the others without findings, each with its own name."""
    exposed = {**EXPOSED, **(EXPOSED_AT_HOME if at_home else {})}
    well = [name for name in WELL if at_home or WELL[name].key is None]
    # EC2 User Guide, "Quotas for AMIs": 5 public images in a Region.
    kinds = [*list(ONCE_AT_HOME if at_home else ()), *list(exposed) * 5]
    kinds += [well[number % len(well)] for number in range(count - len(kinds))]
    known = {**WELL, **exposed, **ONCE_AT_HOME}
    for number, name in enumerate(kinds):
        yield f"{name}-{region}-{number}", known[name]


def _image(region: str, kind: Kind) -> dict[str, Any]:
    disk: dict[str, Any] = {"device_name": "/dev/xvda", "size": 8}
    if kind.key is not None:
        disk |= {"encrypted": True, **({"kms_key": kind.key} if kind.key else {})}
    return {
        "account": OWNER,
        "region": region,
        "devices": [disk],
        "state": kind.state,
        "sharing": dict(kind.sharing),
    }


def _keys(region: str) -> dict[str, Any]:
    own = {"account": OWNER, "regions": [region]}
    return {
        _OPEN: {**own, "policy": _policy(_ACCOUNTS[ALLOWED])},
        _CLOSED: own,
        _OFF: {**own, "policy": _policy(_ACCOUNTS[ALLOWED]), "state": "Disabled"},
        _FOREIGN: {**own, "account": ALLOWED},
        _GRANTED: own,
        # This collection identifies its own statements by their Sid.
        _STATED: {**own, "policy": _policy(_ACCOUNTS[STRANGER], Sid="GoldenImagesAccounts")},
        _STALE: own,
    }


def _policy(account_id: str, **marks: str) -> dict[str, Any]:
    owner = {"AWS": f"arn:aws:iam::{_ACCOUNTS[OWNER]}:root"}
    everything = {"Effect": "Allow", "Principal": owner, "Action": "kms:*", "Resource": "*"}
    use = {
        **marks,
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"},
        "Action": [f"kms:{one}" for one in _USE],
        "Resource": "*",
    }
    return {"Version": "2012-10-17", "Statement": [everything, use]}


def _leave_grants(aws: SimulatedAws, region: str, built: Mapping[str, Any]) -> str:
    """Make unneeded grants, and delete a role that has one; return the ID that the audit reports for it."""
    kms, iam = aws.client("kms", OWNER, region), aws.client("iam", STRANGER)
    kms.create_grant(
        KeyId=built["kms_keys"][_GRANTED][region],
        GranteePrincipal=f"arn:aws:iam::{_ACCOUNTS[STRANGER]}:root",
        Operations=list(_USE),
        Name="golden-images:left",
    )
    # The unique ID of a grantee can be that of a new one at first.
    aws.update_settings(new_grant_age_seconds=300)
    kms.create_grant(
        KeyId=built["kms_keys"][_STALE][region],
        GranteePrincipal=built["roles"][_STALE][STRANGER],
        Operations=["DescribeKey"],
    )
    aws.update_settings(new_grant_age_seconds=0)
    role_id: str = iam.get_role(RoleName=_STALE)["Role"]["RoleId"]
    for name in iam.list_role_policies(RoleName=_STALE)["PolicyNames"]:
        iam.delete_role_policy(RoleName=_STALE, PolicyName=name)
    iam.delete_role(RoleName=_STALE)
    return role_id
