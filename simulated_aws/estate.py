# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts, identities, an organization, keys and images, made from a document such as a scenario's YAML."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.ec2.models import ec2_backends
from moto.organizations.models import OrganizationsBackend, organizations_backends

from . import accounts, estate_identities
from . import estate_document as document
from .ec2 import state
from .ec2.access import Caller
from .ec2.ids import ACCOUNT_ID
from .ec2.keys import aws_managed_key
from .ec2.names import is_name
from .ec2.state import EVERYONE, Device, Grantee, Image, Snapshot
from .estate_document import (
    Disk,
    EbsEncryption,
    Estate,
    EstateError,
    ImageSpec,
    Key,
    Organization,
    Sharing,
    Unit,
)
from .estate_keys import make_key
from .kms import state as kms_state
from .settings import SETTINGS
from .ssm import validation

IMAGE_STATES = ("available", "disabled", "failed", "pending")


def build(content: Mapping[str, Any]) -> dict[str, Any]:
    """Add the estate to what is there, and return its ids by the names of the document, ready for JSON.

    Accounts come with an access key that is the same every time. An unknown key, account, unit or KMS key, or
    a value of the wrong type is an EstateError; what was built before it stays.
    """
    estate = document.read(Estate, content, "the estate")
    settings = dict(estate.settings)
    if estate.not_opted_in_regions is not None:
        settings["not_opted_in_regions"] = estate.not_opted_in_regions
    try:
        SETTINGS.update(settings)
    except ValueError as error:
        raise EstateError(f"settings: {error}") from error
    builder = _Builder(estate)
    return {
        "accounts": builder.accounts(),
        "organization": builder.organization(),
        "not_opted_in_regions": list(SETTINGS.not_opted_in_regions),
        "users": builder.users(),
        "roles": builder.roles(),
        "service_linked_roles": builder.service_linked_roles(),
        "kms_keys": builder.keys(),
        "ebs_encryption": builder.ebs_encryption(),
        "images": builder.images(),
    }


def reset() -> None:
    """Forget every account's everything, and set the settings back."""
    # moto would make a network anew for each backend of EC2 that it resets.
    ec2_backends.clear()
    BackendDict.reset()
    reset_model_data()
    organizations_backends.master_accounts.clear()
    accounts.reset()
    kms_state.reset()
    validation.reset()
    state.reset()
    SETTINGS.reset()


class _Builder:
    """One estate in the making; each method makes one kind of thing and describes it."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._organization_arn: str | None = None
        self._unit_arns: dict[str, str] = {}
        self._key_arns: dict[str, dict[str, str]] = {}

    def accounts(self) -> dict[str, Any]:
        described = {}
        for name, account_id in self._estate.accounts.items():
            if not isinstance(account_id, str) or not ACCOUNT_ID.fullmatch(account_id):
                raise EstateError(
                    f"account {name}: its id must be a quoted string of 12 digits, not {account_id!r}"
                )
            described[name] = estate_identities.open_account(account_id)
        if len(set(self._estate.accounts.values())) < len(self._estate.accounts):
            raise EstateError("accounts: two have the same id")
        return described

    def organization(self) -> dict[str, Any] | None:
        if self._estate.organization is None:
            return None
        organization = document.read(Organization, self._estate.organization, "organization")
        management = self._account_id(organization.management_account, "organization")
        backend = organizations_backends[management]["aws"]
        with _new_account_id(management):
            backend.create_organization(region="us-east-1", FeatureSet="ALL")
        made = backend.org
        assert made is not None
        self._organization_arn = made.arn
        self._join(backend, organization.accounts, made.root_id, "organization")
        prefix = f"{made.id}/{made.root_id}"
        return {
            "id": made.id,
            "arn": made.arn,
            "root_id": made.root_id,
            "management_account_id": management,
            "units": dict(self._units(backend, organization.units, made.root_id, "", prefix)),
        }

    def users(self) -> dict[str, Any]:
        return estate_identities.make_users(self._estate.users, self._account_id)

    def roles(self) -> dict[str, Any]:
        return estate_identities.make_roles(self._estate.roles, self._account_id)

    def service_linked_roles(self) -> dict[str, Any]:
        return estate_identities.make_service_linked_roles(
            self._estate.service_linked_roles, self._account_id
        )

    def keys(self) -> dict[str, Any]:
        for name, content in self._estate.kms_keys.items():
            key = document.read(Key, content, f"KMS key {name}")
            account_id = self._account_id(key.account, f"KMS key {name}")
            self._key_arns[name] = {region: make_key(account_id, region, name, key) for region in key.regions}
        return self._key_arns

    def ebs_encryption(self) -> list[dict[str, Any]]:
        described = []
        for content in self._estate.ebs_encryption:
            where = "EBS encryption"
            part = document.read(EbsEncryption, content, where)
            for name, region in itertools.product(part.accounts, part.regions):
                account_id = self._account_id(name, where)
                chosen = state.account_region(account_id, region)
                chosen.encryption_by_default = part.by_default
                if part.kms_key is not None:
                    chosen.default_kms_key_id = self._key_arn(part.kms_key, region, where)
                described.append(
                    {
                        "account_id": account_id,
                        "region": region,
                        "by_default": part.by_default,
                        "kms_key_id": chosen.default_kms_key_id,
                    }
                )
        return described

    def images(self) -> dict[str, Any]:
        described = {}
        for label, content in self._estate.images.items():
            where = f"image {label}"
            spec = document.read(ImageSpec, content, where)
            image = self._image(spec, label, where)
            described[label] = {
                "image_id": image.id,
                "name": image.name,
                "account_id": image.owner_id,
                "region": image.region,
                "snapshot_ids": image.snapshot_ids,
            }
        return described

    def _account_id(self, name: str, where: str) -> str:
        if name not in self._estate.accounts:
            raise EstateError(f"{where}: there is no account {name}")
        return self._estate.accounts[name]

    def _join(self, backend: OrganizationsBackend, names: list[str], parent_id: str, where: str) -> None:
        for name in names:
            account_id = self._account_id(name, where)
            if account_id in {one.id for one in backend.accounts}:
                raise EstateError(f"{where}: account {name} is in the organization already")
            with _new_account_id(account_id):
                backend.create_account(AccountName=name, Email=f"{name}@example.com")
            backend.get_account_by_id(account_id).parent_id = parent_id

    def _units(
        self, backend: OrganizationsBackend, units: dict[str, Any], parent_id: str, path: str, prefix: str
    ) -> Iterator[tuple[str, dict[str, str]]]:
        for name, content in units.items():
            label = f"{path}{name}"
            unit = document.read(Unit, content or {}, f"unit {label}")
            made = backend.create_organizational_unit(Name=name, ParentId=parent_id)["OrganizationalUnit"]
            self._unit_arns[label] = made["Arn"]
            # IAM User Guide, Global condition context keys: aws:PrincipalOrgPaths.
            org_path = f"{prefix}/{made['Id']}"
            yield label, {"id": made["Id"], "arn": made["Arn"], "org_path": f"{org_path}/"}
            self._join(backend, unit.accounts, made["Id"], f"unit {label}")
            yield from self._units(backend, unit.units, made["Id"], f"{label}/", org_path)

    def _image(self, spec: ImageSpec, label: str, where: str) -> Image:
        owner = Caller(self._account_id(spec.account, where), spec.region)
        name = spec.name or label
        if not is_name(name):
            raise EstateError(f"{where}: no image can have the name {name!r}")
        if spec.state not in IMAGE_STATES:
            raise EstateError(
                f"{where}: its state must be one of {', '.join(IMAGE_STATES)}, not {spec.state}"
            )
        if not spec.devices:
            raise EstateError(f"{where} has no device")
        disks = [document.read(Disk, one, f"{where}, device") for one in spec.devices]
        sharing = document.read(Sharing, spec.sharing, f"{where}, sharing")
        readers = [self._account_id(one, where) for one in sharing.snapshot_accounts]
        image = Image(
            id=state.new_id("ami"),
            owner_id=owner.account_id,
            region=spec.region,
            name=name,
            creation_date=_made(spec),
            devices=tuple(self._device(disk, spec, owner, readers, where) for disk in disks),
            description=spec.description,
            architecture=spec.architecture,
            root_device_name=disks[0].device_name,
            tags=dict(spec.tags),
            state=spec.state,
            permissions=dict.fromkeys(self._grantees(sharing, where)),
            product_codes=tuple(spec.product_codes),
        )
        state.region(spec.region).images[image.id] = image
        return image

    def _device(self, disk: Disk, spec: ImageSpec, owner: Caller, readers: list[str], where: str) -> Device:
        snapshot = Snapshot(
            id=state.new_id("snap"),
            owner_id=owner.account_id,
            region=owner.region,
            volume_size=disk.size,
            volume_id=state.new_id("vol"),
            description="",
            start_time=_made(spec),
            kms_key_id=self._key(disk, owner, where),
            tags=dict(spec.snapshot_tags),
            permissions=dict.fromkeys(Grantee("UserId", one) for one in readers),
        )
        state.region(owner.region).snapshots[snapshot.id] = snapshot
        return Device(
            device_name=disk.device_name,
            snapshot_id=snapshot.id,
            volume_size=disk.size,
            volume_type=disk.volume_type,
            delete_on_termination=disk.delete_on_termination,
            encrypted=snapshot.encrypted,
        )

    def _key(self, disk: Disk, owner: Caller, where: str) -> str | None:
        if disk.kms_key is None:
            return aws_managed_key(*owner) if disk.encrypted else None
        return self._key_arn(disk.kms_key, owner.region, where)

    def _key_arn(self, name: str, region: str, where: str) -> str:
        arn = self._key_arns.get(name, {}).get(region)
        if arn is None:
            raise EstateError(f"{where}: there is no KMS key {name} in {region}")
        return arn

    def _grantees(self, sharing: Sharing, where: str) -> Iterator[Grantee]:
        for name in sharing.accounts:
            yield Grantee("UserId", self._account_id(name, where))
        for path in sharing.units:
            if path not in self._unit_arns:
                raise EstateError(f"{where}: there is no unit {path}")
            yield Grantee("OrganizationalUnitArn", self._unit_arns[path])
        if sharing.organization:
            if self._organization_arn is None:
                raise EstateError(f"{where} is shared with an organization, and there is none")
            yield Grantee("OrganizationArn", self._organization_arn)
        if sharing.public:
            yield EVERYONE


def _made(spec: ImageSpec) -> datetime:
    return state.now() - timedelta(days=spec.age_days)


def _new_account_id(account_id: str) -> Any:
    # moto takes a random id for each account it creates, and has no way to give it one.
    return patch("moto.organizations.utils.make_random_account_id", return_value=account_id)
