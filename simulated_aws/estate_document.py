# SPDX-License-Identifier: GPL-3.0-or-later
"""What an estate's document may say: each part as a dataclass, whose fields are the keys it may have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar

Part = TypeVar("Part")

_KIND = re.compile(r"\w+")
"""The outermost type of an annotation such as `list[str]` or `str | None`."""


class EstateError(ValueError):
    """The document can't be built; the message says where and why."""


@dataclass(frozen=True)
class Unit:
    """An organizational unit: the accounts in it, and units inside it by name."""

    accounts: list[str] = field(default_factory=list)
    units: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Organization:
    """The organization: who manages it, the accounts outside any unit, and its units by name."""

    management_account: str
    accounts: list[str] = field(default_factory=list)
    units: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Key:
    """A customer managed KMS key in each of the regions, under one alias; without a policy KMS's own.

    `spec`, `usage` and `state` are KeySpec, KeyUsage and KeyState of DescribeKey.
    """

    account: str
    regions: list[str]
    alias: str | None = None
    policy: dict[str, Any] | None = None
    spec: str = "SYMMETRIC_DEFAULT"
    usage: str = "ENCRYPT_DECRYPT"
    state: str = "Enabled"


@dataclass(frozen=True)
class User:
    """An IAM user in each of the accounts; without a policy an administrator."""

    accounts: list[str]
    policy: dict[str, Any] | None = None


@dataclass(frozen=True)
class Role:
    """An IAM role in each of the accounts; without a policy an administrator.

    It trusts the accounts named by `trusts`, of whom it wants the external id if it has one.
    """

    accounts: list[str]
    trusts: list[str]
    external_id: str | None = None
    policy: dict[str, Any] | None = None


@dataclass(frozen=True)
class EbsEncryption:
    """What accounts have set in Regions: encryption by default, and a key of their own to do it with."""

    accounts: list[str]
    regions: list[str]
    by_default: bool = False
    kms_key: str | None = None


@dataclass(frozen=True)
class Disk:
    """A device of an image and its snapshot, in GiB; encrypted without a `kms_key` it is under `aws/ebs`."""

    device_name: str
    size: int
    encrypted: bool = False
    kms_key: str | None = None
    volume_type: str = "gp3"
    delete_on_termination: bool = True


@dataclass(frozen=True)
class Sharing:
    """Whom an image is shared with: account names, unit paths such as `workloads/prod`.

    `snapshot_accounts` have createVolumePermission on each of its snapshots.
    """

    accounts: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    organization: bool = False
    public: bool = False
    snapshot_accounts: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ImageSpec:
    """An image; `name` is its label in the document unless given. The first device is the root device.

    It and its snapshots were made `age_days` ago.
    """

    account: str
    region: str
    devices: list[Any]
    name: str | None = None
    description: str | None = None
    architecture: str = "x86_64"
    state: str = "available"
    tags: dict[str, str] = field(default_factory=dict)
    snapshot_tags: dict[str, str] = field(default_factory=dict)
    sharing: dict[str, Any] = field(default_factory=dict)
    product_codes: list[str] = field(default_factory=list)
    age_days: int = 0


@dataclass(frozen=True)
class Estate:
    """The whole document: accounts are names to 12-digit ids, `settings` what the simulated AWS is set to.

    Without `not_opted_in_regions` these stay as they are.
    """

    accounts: dict[str, str]
    organization: dict[str, Any] | None = None
    not_opted_in_regions: list[str] | None = None
    users: dict[str, Any] = field(default_factory=dict)
    roles: dict[str, Any] = field(default_factory=dict)
    service_linked_roles: dict[str, list[str]] = field(default_factory=dict)
    kms_keys: dict[str, Any] = field(default_factory=dict)
    ebs_encryption: list[Any] = field(default_factory=list)
    images: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


def read(part: type[Part], document: Any, where: str) -> Part:
    """A part of the document; EstateError for an unknown key, a missing one, or a value of another type."""
    if not isinstance(document, Mapping):
        raise EstateError(f"{where} must be a mapping, not {document!r}")
    known = {one.name: one for one in fields(part)}  # type: ignore[arg-type]
    unknown = [str(key) for key in document if key not in known]
    if unknown:
        raise EstateError(f"{where} has unknown keys {', '.join(unknown)}; it may have {', '.join(known)}")
    for name, one in known.items():
        required = one.default is MISSING and one.default_factory is MISSING
        if required and name not in document:
            raise EstateError(f"{where} has no {name}")
        if name in document and not _fits(document[name], str(one.type)):
            raise EstateError(f"{where}: {name} must be {_prose(str(one.type))}, not {document[name]!r}")
    return part(**document)


def _fits(value: Any, annotation: str) -> bool:
    if value is None:
        return "None" in annotation
    kind = _KIND.match(annotation)[0]  # type: ignore[index]
    expected = {"str": str, "int": int, "bool": bool, "list": list, "dict": Mapping}[kind]
    if kind == "int" and isinstance(value, bool):
        return False
    if annotation.startswith("list[str]"):
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    return isinstance(value, expected)


def _prose(annotation: str) -> str:
    kind = _KIND.match(annotation)[0]  # type: ignore[index]
    prose = {"str": "a string", "int": "a number", "bool": "true or false", "dict": "a mapping"}
    return "a list of strings" if annotation.startswith("list[str]") else prose.get(kind, "a list")
