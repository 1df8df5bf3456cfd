# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of ``ami_share_audit`` as values: who has access to what, and the findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from typing import Any, NamedTuple

from ..audit.images import wider_than_images
from ..finding import Finding
from ..keys.needed import names_of, unused_key_access
from ..keys.policy_statements import PolicyConsumers, short
from ..model import PUBLIC, Sharing

# The resource of a finding that the keys of a region could not be listed.
KEYS_OF_REGION = "DescribeSnapshots"


class Place(NamedTuple):
    """An image, a snapshot or a key (by its ARN), or a region as a whole (by its name)."""

    region: str
    resource: str

    @property
    def kind(self) -> str:
        """``image``, ``snapshot`` or ``key``."""
        return {"ami-": "image", "snap": "snapshot"}.get(self.resource[:4], "key")


def place_of(finding: Finding) -> Place:
    """What a finding of the audit is about."""
    return Place(finding.region, finding.resource)


@dataclass(frozen=True)
class AuditedImage:
    """An image; ``launch`` are its launch permissions, None if these could not be read.

    ``keys`` are all that give access to its snapshots: those that encrypt them, and associated ones.
    """

    launch: Sharing | None
    snapshots: tuple[Place, ...] = ()
    keys: tuple[Place, ...] = ()
    name: str = ""
    disabled: bool = False


@dataclass(frozen=True)
class AuditedKey:
    """Who may use a key by this collection's grants, and by its statements in the key policy."""

    grantees: PolicyConsumers = field(default_factory=PolicyConsumers)
    named: PolicyConsumers = field(default_factory=PolicyConsumers)

    @property
    def holders(self) -> PolicyConsumers:
        """Both combined."""
        return self.grantees | self.named


@dataclass(frozen=True)
class Audited:
    """Everything that was audited in an account.

    ``volumes`` are the volume permissions of snapshots, also of those that no image uses, None if these
    could not be read; ``keys_of`` maps encrypted snapshots to all keys that give access to them; ``regions``
    are those whose images could be listed.
    """

    account_id: str
    regions: frozenset[str] = frozenset()
    images: Mapping[Place, AuditedImage] = field(default_factory=dict)
    volumes: Mapping[Place, Sharing | None] = field(default_factory=dict)
    keys_of: Mapping[Place, tuple[Place, ...]] = field(default_factory=dict)
    keys: Mapping[Place, AuditedKey] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @cached_property
    def unlisted(self) -> frozenset[str]:
        """The regions where the snapshots that no image uses could not be listed."""
        return frozenset(one.region for one in self.findings if one.code == "unused_snapshots_unreadable")

    @cached_property
    def keyless(self) -> frozenset[str]:
        """The regions where the key of an encrypted snapshot is not known, so that it may be any key."""
        return frozenset(
            one.region
            for one in self.findings
            if one.code == "key_unreadable" and place_of(one).kind == "snapshot"
        )

    @cached_property
    def users(self) -> Mapping[Place, tuple[Place, ...]]:
        """The images of each snapshot, and those under each key, in the order of their IDs."""
        users: dict[Place, tuple[Place, ...]] = {}
        for place, image in sorted(self.images.items(), key=lambda item: item[0]):
            for used in (*image.snapshots, *image.keys):
                users[used] = (*users.get(used, ()), place)
        return users

    def without(self, losses: Iterable[tuple[Place, str]]) -> Audited:
        """The same once these principals have lost the image or snapshot."""
        lost: dict[Place, set[str]] = {}
        for place, principal in losses:
            lost.setdefault(place, set()).add(principal)
        less = {place: sharing_of(principals) for place, principals in lost.items()}

        def left(place: Place, sharing: Sharing | None) -> Sharing | None:
            return sharing - less[place] if sharing is not None and place in less else sharing

        return replace(
            self,
            images={
                place: replace(image, launch=left(place, image.launch))
                for place, image in self.images.items()
            },
            volumes={place: left(place, sharing) for place, sharing in self.volumes.items()},
        )

    def wider(self, snapshot: Place) -> frozenset[str]:
        """The accounts that can use a snapshot and none of its images, by the audit's rule."""
        volume, images = self.volumes.get(snapshot), [self.images[place] for place in self.users[snapshot]]
        if volume is None or all(image.disabled for image in images):
            return frozenset()
        return wider_than_images(volume, [image.launch for image in images]) - {self.account_id}

    def unused_key_access(self, key: Place) -> PolicyConsumers:
        """Who can use a key although nothing under it is shared with them; empty if that is unknown."""
        images = [self.images[place] for place in self.users.get(key, ())]
        sharings = [
            *(image.launch for image in images),
            *(self.volumes.get(place) for image in images for place in image.snapshots),
        ]
        known = [sharing for sharing in sharings if sharing is not None]
        if len(known) < len(sharings) or key.region in self.keyless:
            return PolicyConsumers()
        shared = reduce(Sharing.__or__, known, Sharing())
        return unused_key_access(self.keys[key].holders, shared, self.account_id)

    def holds(self, place: Place, principal: str) -> bool | None:
        """Whether the principal has access; None if that was not read."""
        if place.region not in self.regions:
            return None
        if place.kind == "key":
            key = self.keys.get(place)
            return None if key is None else principal in names_of(key.holders)
        if place not in self.images and place not in self.volumes:
            # It was removed, if it was not only that it could not be listed.
            return None if place.kind == "snapshot" and place.region in self.unlisted else False
        sharing = self.images[place].launch if place.kind == "image" else self.volumes[place]
        return None if sharing is None else bool(sharing & sharing_of([principal]))


def read(result: Mapping[str, Any]) -> Audited:
    """The values of the module's result; raises ``KeyError`` or ``TypeError`` if it is incomplete."""
    images: dict[Place, AuditedImage] = {}
    volumes: dict[Place, Sharing | None] = {}
    keys_of: dict[Place, tuple[Place, ...]] = {}
    for item in result["results"]:
        region = item["region"]
        snapshots = {Place(region, one["snapshot_id"]): one for one in item["snapshots"]}
        images[Place(region, item["image_id"])] = AuditedImage(
            _sharing(item["sharing"]),
            tuple(snapshots),
            _keys(region, item["kms_key_arns"], item["associated_kms_key_arns"]),
            item["name"],
            item["state"] == "disabled",
        )
        for place, one in snapshots.items():
            volumes[place] = None if one["account_ids"] is None else _sharing(one)
            own = [one["kms_key_arn"]] if one["kms_key_arn"] else []
            if keys := _keys(region, own, one["associated_kms_key_arns"]):
                keys_of[place] = keys
    for item in result["unused_snapshots"]:
        volumes[Place(item["region"], item["snapshot_id"])] = _sharing(item)
    findings = tuple(map(Finding.read, result["findings"]))
    for found in findings:
        if found.code == "snapshot_unreadable":
            volumes.setdefault(place_of(found))
    return Audited(
        account_id=result["account_id"],
        regions=frozenset(result["regions"]),
        images=images,
        volumes=volumes,
        keys_of=keys_of,
        keys={Place(item["region"], item["kms_key_arn"]): _key(item) for item in result["kms_keys"]},
        findings=findings,
    )


def sharing_of(principals: Iterable[str]) -> Sharing:
    """The sharing with principals as findings name them: account IDs, ARNs, or ``all``."""
    named = frozenset(principals)
    return Sharing(
        frozenset(one for one in named if one.isdigit()),
        frozenset(one for one in named if ":organization/" in one),
        frozenset(one for one in named if ":ou/" in one),
        PUBLIC in named,
    )


def _sharing(given: Mapping[str, Any] | None) -> Sharing | None:
    return None if given is None else Sharing.read(given)


def _keys(region: str, own: Iterable[str], associated: Iterable[str]) -> tuple[Place, ...]:
    """All keys that give access to an image or snapshot, each once."""
    return tuple(dict.fromkeys(Place(region, arn) for arn in (*own, *associated)))


def _key(given: Mapping[str, Any]) -> AuditedKey:
    statements = [one for one in given["policy_statements"] if one["created_by_collection"]]
    return AuditedKey(
        PolicyConsumers(
            frozenset(short(one["grantee"]) for one in given["grants"] if one["created_by_collection"])
        ),
        PolicyConsumers(
            frozenset(one for statement in statements for one in statement["principals"]),
            frozenset(one for statement in statements for one in statement["org_ids"]),
            frozenset(
                (unit["org_id"], unit["org_unit_id"])
                for statement in statements
                for unit in statement["org_units"]
            ),
        ),
    )
