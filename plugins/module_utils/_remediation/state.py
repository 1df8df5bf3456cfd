# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of ``ami_share_audit`` as values: who has access to what, and the findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from typing import Any, NamedTuple

from .._audit.causes.snapshot_wider_than_image import wider_than_images
from .._audit.causes.unknown_parameter_consumer import CAUSE as _CONSUMER
from .._audit.causes.unreadable import PARAMETERS as _PARAMETERS
from .._audit.state import SHARES_READ
from .._finding import Finding
from .._keys.needed import names_of, unused_key_access
from .._keys.policy_statements import PolicyConsumers, short
from .._model import PUBLIC, Sharing

PARAMETER_CONSUMER, PARAMETERS_UNREADABLE = _CONSUMER.code, _PARAMETERS.code
# The resource of a finding that the keys of a region could not be listed.
KEYS_OF_REGION = "DescribeSnapshots"


class Resource(NamedTuple):
    """An image, a snapshot, a key (by its ARN), a parameter, or a region as a whole (by its name)."""

    region: str
    resource_id: str

    @property
    def kind(self) -> str:
        """Return ``image``, ``snapshot``, ``parameter`` or ``key``."""
        if self.resource_id.startswith("/"):
            return "parameter"
        return {"ami-": "image", "snap": "snapshot"}.get(self.resource_id[:4], "key")


Loss = tuple[Resource, str]
"""An image, snapshot, key or parameter, and the principal that loses it."""


class SharedParameter(NamedTuple):
    """The image that a shared parameter names, and its consumers that are not allowed."""

    image_id: str | None
    consumers: frozenset[str] = frozenset()


def resource_of(finding: Finding) -> Resource:
    """Return what a finding of the audit is about."""
    return Resource(finding.region, finding.resource)


@dataclass(frozen=True)
class Removal:
    """One principal loses one image, snapshot, key or parameter; this fixes the findings ``codes``."""

    resource: Resource
    principal: str
    codes: tuple[str, ...]
    image_id: str | None = None
    message: str = ""

    @property
    def key(self) -> tuple[Resource, str]:
        """Return the identity of the removal, however many findings it fixes."""
        return self.resource, self.principal

    @property
    def order(self) -> tuple[str, int, str, str]:
        """Return a sort key: in each region images, then snapshots, then keys, then parameters."""
        kind = ("image", "snapshot", "key", "parameter").index(self.resource.kind)
        return self.resource.region, kind, self.resource.resource_id, self.principal

    def to_dict(self) -> dict[str, Any]:
        """Return the removal as the module returns it."""
        return {
            "finding_codes": list(self.codes),
            "image_id": self.image_id,
            "message": self.message,
            "principal": self.principal,
            "region": self.resource.region,
            "resource": self.resource.resource_id,
        }


@dataclass(frozen=True)
class ImageAccess:
    """An image; ``launch`` are its launch permissions, None if these could not be read.

    ``keys`` are all that give access to its snapshots: those that encrypt them, and associated ones.
    """

    launch: Sharing | None
    snapshots: tuple[Resource, ...] = ()
    keys: tuple[Resource, ...] = ()
    name: str = ""
    disabled: bool = False


@dataclass(frozen=True)
class KeyAccess:
    """Who may use a key by this collection's grants, by its statements in the key policy, and by others'."""

    grantees: PolicyConsumers = field(default_factory=PolicyConsumers)
    named: PolicyConsumers = field(default_factory=PolicyConsumers)
    of_others: PolicyConsumers = field(default_factory=PolicyConsumers)

    @property
    def holders(self) -> PolicyConsumers:
        """Return those that this collection gave access."""
        return self.grantees | self.named


@dataclass(frozen=True)
class AuditedAccount:
    """Everything that was audited in an account.

    ``volume_permissions`` are the volume permissions of snapshots, also of those that no image uses, None if
    these could not be read; ``keys_of`` maps encrypted snapshots to all keys that give access to them;
    ``regions`` are those whose images could be listed.
    """

    account_id: str
    regions: frozenset[str] = frozenset()
    images: Mapping[Resource, ImageAccess] = field(default_factory=dict)
    volume_permissions: Mapping[Resource, Sharing | None] = field(default_factory=dict)
    keys_of: Mapping[Resource, tuple[Resource, ...]] = field(default_factory=dict)
    keys: Mapping[Resource, KeyAccess] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    checks_parameters: bool = False

    @cached_property
    def shared_parameters(self) -> Mapping[Resource, SharedParameter]:
        """Return the parameters with consumers that are not allowed: the image of each, and those."""
        shared: dict[Resource, SharedParameter] = {}
        for finding in self.findings:
            if finding.code == PARAMETER_CONSUMER and finding.principal is not None:
                resource = resource_of(finding)
                known = shared.get(resource, SharedParameter(finding.image_id))
                shared[resource] = known._replace(consumers=known.consumers | {finding.principal})
        return shared

    @cached_property
    def unread_regions(self) -> frozenset[str]:
        """Return the regions whose images could not be listed."""
        return frozenset(finding.region for finding in self.findings if finding.code == "region_unreadable")

    @cached_property
    def unlisted(self) -> frozenset[str]:
        """Return the regions where the snapshots that no image uses could not be listed."""
        return frozenset(
            finding.region for finding in self.findings if finding.code == "unused_snapshots_unreadable"
        )

    @cached_property
    def keyless(self) -> frozenset[str]:
        """Return the regions where the key of an encrypted snapshot is not known: it may be any key."""
        return frozenset(
            finding.region
            for finding in self.findings
            if finding.code == "key_unreadable" and resource_of(finding).kind == "snapshot"
        )

    @cached_property
    def users(self) -> Mapping[Resource, tuple[Resource, ...]]:
        """Return the images of each snapshot, and those under each key, in the order of their IDs."""
        users: dict[Resource, tuple[Resource, ...]] = {}
        for resource, image in sorted(self.images.items(), key=lambda item: item[0]):
            for used in (*image.snapshots, *image.keys):
                users[used] = (*users.get(used, ()), resource)
        return users

    def without(self, losses: Iterable[tuple[Resource, str]]) -> AuditedAccount:
        """Return the same once these principals have lost the image or snapshot."""
        lost: dict[Resource, set[str]] = {}
        for resource, principal in losses:
            lost.setdefault(resource, set()).add(principal)
        less = {resource: sharing_of(principals) for resource, principals in lost.items()}

        def subtract_losses(resource: Resource, sharing: Sharing | None) -> Sharing | None:
            return sharing - less[resource] if sharing is not None and resource in less else sharing

        return replace(
            self,
            images={
                resource: replace(image, launch=subtract_losses(resource, image.launch))
                for resource, image in self.images.items()
            },
            volume_permissions={
                resource: subtract_losses(resource, sharing)
                for resource, sharing in self.volume_permissions.items()
            },
        )

    def wider(self, snapshot: Resource) -> frozenset[str]:
        """Return the accounts that can use a snapshot and none of its images, by the audit's rule."""
        volume, images = (
            self.volume_permissions.get(snapshot),
            [self.images[resource] for resource in self.users[snapshot]],
        )
        if volume is None or all(image.disabled for image in images):
            return frozenset()
        return wider_than_images(volume, [image.launch for image in images]) - {self.account_id}

    def unused_key_access(self, key: Resource) -> PolicyConsumers:
        """Return who can use a key although nothing under it is shared with them; empty if unknown."""
        images = [self.images[resource] for resource in self.users.get(key, ())]
        sharings = [
            *(image.launch for image in images),
            *(self.volume_permissions.get(resource) for image in images for resource in image.snapshots),
        ]
        known = [sharing for sharing in sharings if sharing is not None]
        if len(known) < len(sharings) or key.region in self.keyless:
            return PolicyConsumers()
        shared = reduce(Sharing.__or__, known, Sharing())
        return unused_key_access(self.keys[key].holders, shared, self.account_id)

    def holds(self, resource: Resource, principal: str) -> bool | None:
        """Whether the principal has access; None if that was not read."""
        if resource.region not in self.regions:
            return None
        if resource.kind == "key":
            key = self.keys.get(resource)
            return None if key is None else principal in names_of(key.holders)
        if resource.kind == "parameter":
            return self._has_parameter(resource, principal)
        if resource not in self.images and resource not in self.volume_permissions:
            # It was removed, if it was not only that it could not be listed.
            return None if resource.kind == "snapshot" and resource.region in self.unlisted else False
        sharing = (
            self.images[resource].launch if resource.kind == "image" else self.volume_permissions[resource]
        )
        return None if sharing is None else bool(sharing & sharing_of([principal]))

    def _has_parameter(self, resource: Resource, principal: str) -> bool | None:
        """Whether the audit has found that the principal has the parameter; None if it was not read."""
        unread = {item.resource for item in self.findings if _is_unread_parameter(item, resource.region)}
        if not self.checks_parameters or unread & {resource.resource_id, SHARES_READ}:
            return None
        parameter = self.shared_parameters.get(resource)
        return parameter is not None and principal in parameter.consumers


def _is_unread_parameter(finding: Finding, region: str) -> bool:
    return finding.code == PARAMETERS_UNREADABLE and finding.region == region


def read(result: Mapping[str, Any]) -> AuditedAccount:
    """Return the values of the module's result; raises ``KeyError`` or ``TypeError`` if it is incomplete."""
    images: dict[Resource, ImageAccess] = {}
    volume_permissions: dict[Resource, Sharing | None] = {}
    keys_of: dict[Resource, tuple[Resource, ...]] = {}
    for item in result["results"]:
        region = item["region"]
        snapshots = {Resource(region, snapshot["snapshot_id"]): snapshot for snapshot in item["snapshots"]}
        images[Resource(region, item["image_id"])] = ImageAccess(
            _sharing(item["sharing"]),
            tuple(snapshots),
            _keys(region, item["kms_key_arns"], item["associated_kms_key_arns"]),
            item["name"],
            item["state"] == "disabled",
        )
        for resource, snapshot in snapshots.items():
            volume_permissions[resource] = None if snapshot["account_ids"] is None else _sharing(snapshot)
            own = [snapshot["kms_key_arn"]] if snapshot["kms_key_arn"] else []
            if keys := _keys(region, own, snapshot["associated_kms_key_arns"]):
                keys_of[resource] = keys
    for item in result["unused_snapshots"]:
        volume_permissions[Resource(item["region"], item["snapshot_id"])] = _sharing(item)
    findings = tuple(map(Finding.read, result["findings"]))
    for finding in findings:
        if finding.code == "snapshot_unreadable":
            volume_permissions.setdefault(resource_of(finding))
    return AuditedAccount(
        account_id=result["account_id"],
        regions=frozenset(result["regions"]),
        images=images,
        volume_permissions=volume_permissions,
        keys_of=keys_of,
        keys={Resource(item["region"], item["kms_key_arn"]): _key(item) for item in result["kms_keys"]},
        findings=findings,
        checks_parameters=result["check_parameters"],
    )


def sharing_of(principals: Iterable[str]) -> Sharing:
    """Return the sharing with principals as findings name them: account IDs, ARNs, or ``all``."""
    named = frozenset(principals)
    return Sharing(
        frozenset(principal for principal in named if principal.isdigit()),
        frozenset(principal for principal in named if ":organization/" in principal),
        frozenset(principal for principal in named if ":ou/" in principal),
        PUBLIC in named,
    )


def _sharing(given: Mapping[str, Any] | None) -> Sharing | None:
    return None if given is None else Sharing.read(given)


def _keys(region: str, own: Iterable[str], associated: Iterable[str]) -> tuple[Resource, ...]:
    """Return all keys that give access to an image or snapshot, each once."""
    return tuple(dict.fromkeys(Resource(region, arn) for arn in (*own, *associated)))


def _key(given: Mapping[str, Any]) -> KeyAccess:
    grants: dict[bool, set[str]] = {True: set(), False: set()}
    for grant in given["grants"]:
        grants[grant["created_by_collection"]].add(short(grant["grantee"]))
    named = {True: PolicyConsumers(), False: PolicyConsumers()}
    for statement in given["policy_statements"]:
        named[statement["created_by_collection"]] |= PolicyConsumers(
            frozenset(map(short, statement["principals"])),
            frozenset(statement["org_ids"]),
            frozenset((unit["org_id"], unit["org_unit_id"]) for unit in statement["org_units"]),
        )
    return KeyAccess(
        PolicyConsumers(frozenset(grants[True])),
        named[True],
        PolicyConsumers(frozenset(grants[False])) | named[False],
    )


@dataclass(frozen=True)
class Named:
    """An image or a snapshot to fix; its region is None if it was not given."""

    resource_id: str
    region: str | None = None

    def __str__(self) -> str:
        return f"{self.resource_id} in {self.region}" if self.region else self.resource_id

    @property
    def is_snapshot(self) -> bool:
        """Whether it is a snapshot."""
        return self.resource_id.startswith("snap-")

    def resources(self, audited: AuditedAccount) -> list[Resource]:
        """Return what the audit found: in each region, unless one was given."""
        known = audited.volume_permissions if self.is_snapshot else audited.images
        regions = [self.region] if self.region is not None else sorted(audited.regions)
        return [resource for region in regions if (resource := Resource(region, self.resource_id)) in known]


@dataclass(frozen=True)
class Scope:
    """Images with their snapshots and keys, single snapshots with their keys, or everything (None).

    ``regions`` are those where what was given may be.
    """

    resources: frozenset[Resource] | None = None
    regions: frozenset[str | None] = field(default_factory=frozenset)

    @classmethod
    def of(cls, audited: AuditedAccount, named: Iterable[Named]) -> Scope:
        """Return the scope of what is given, or everything if nothing is given."""
        listed = list(named)
        if not listed:
            return cls()
        resources = {resource for name in listed for resource in name.resources(audited)}
        for image in [audited.images[resource] for resource in resources if resource in audited.images]:
            resources.update(image.snapshots, image.keys)
        resources |= {key for resource in resources for key in audited.keys_of.get(resource, ())}
        unknown = (name.region for name in listed if not name.resources(audited))
        return cls(frozenset(resources), frozenset((*(resource.region for resource in resources), *unknown)))

    def covers(self, resource: Resource) -> bool:
        """Whether a finding about ``resource`` is in the scope."""
        if self.resources is None or resource in self.resources:
            return True
        # What was given without a region may be in a region that could not be read.
        region_itself = resource.resource_id == resource.region
        return (region_itself or resource.resource_id == KEYS_OF_REGION) and (
            resource.region in self.regions or (region_itself and None in self.regions)
        )
