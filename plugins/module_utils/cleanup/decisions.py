# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to become of each image, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from ..model import ConsumerRole, ImageRef, KeyRef, SnapshotRef, Target
from .families import FamilyBy, families, latest
from .limit import Limit
from .rules import Rules, considered, kept
from .sharing import needs_report, sharing_evidence
from .snapshots import Fate, blocks, shared_snapshots
from .stages import DEREGISTER, DISABLE, Clocks, Step, step
from .state import CloserLook, Evidence, KeyLook, OwnImage, RegionFacts, SnapshotLook
from .usage import running_copies

KEEP, WAIT = "keep", "wait"

# What was not looked at speaks against taking anything away.
_NOT_LOOKED_AT = SnapshotLook(unread="It was not looked at.")


# Not GetParameter: it is asked for what templates name, which launch in their own region.
_READ_PARAMETERS = ("DescribeParameters", "GetParameters")


@dataclass(frozen=True)
class CleanupWanted:
    """What the user asked ``ami_cleanup`` for; without ``regions`` all that the account has enabled."""

    by: FamilyBy
    rules: Rules
    clocks: Clocks
    limit: Limit = field(default_factory=Limit)
    include_shared: bool = False
    orphan_snapshots: bool = False
    revoke_grants: bool = False
    regions: tuple[str, ...] = ()
    tombstone_path: str | None = None
    tombstone_s3_uri: str | None = None
    tombstone_ssm_path: str | None = None
    consumer_role: ConsumerRole | None = None


@dataclass(frozen=True)
class CleanupSeen:
    """What AWS said of every region, and of what was looked at closely, at the moment ``now``.

    ``untold`` maps images to one that would lose with them what is known of it only by them.
    """

    account_id: str
    now: datetime
    regions: Mapping[str, RegionFacts]
    looks: Mapping[ImageRef, CloserLook] = field(default_factory=dict)
    partition: str = "aws"
    snapshot_looks: Mapping[SnapshotRef, SnapshotLook] = field(default_factory=dict)
    keys: Mapping[KeyRef, KeyLook] = field(default_factory=dict)
    untold: Mapping[ImageRef, ImageRef] = field(default_factory=dict)

    @cached_property
    def images(self) -> Mapping[ImageRef, OwnImage]:
        """Every own image of every region."""
        return {
            ImageRef(region, own.image.image_id): own
            for region in sorted(self.regions)
            for own in self.regions[region].images
        }

    @cached_property
    def named_elsewhere(self) -> Mapping[str, tuple[Evidence, ...]]:
        """Image id to what names it in regions that have no such image: a parameter may map all regions."""
        found: dict[str, tuple[Evidence, ...]] = {}
        for region in sorted(self.regions):
            for image_id, evidence in self.regions[region].uses.items():
                if ImageRef(region, image_id) not in self.images:
                    found[image_id] = (*found.get(image_id, ()), *(_seen_in(region, one) for one in evidence))
        return found

    def unread_of(self, region: str) -> tuple[Evidence, ...]:
        """What could not be read and may speak for the region's images: parameters of any region may."""
        elsewhere = (
            _seen_in(other, one)
            for other in sorted(self.regions)
            if other != region
            for one in self.regions[other].unread
            if one.subject in _READ_PARAMETERS
        )
        return (*self.regions[region].unread, *elsewhere)

    def target(self, region: str) -> Target:
        """A region as plans name it."""
        return Target(self.account_id, region)


def _seen_in(region: str, evidence: Evidence) -> Evidence:
    return replace(evidence, detail=f"{evidence.detail} in {region}".strip())


@dataclass(frozen=True)
class Verdict:
    """What becomes of one considered image: ``decision`` is a stage, ``wait`` or ``keep``.

    ``reasons`` say why the policy keeps it or what stands against the next stage, ``evidence`` what uses it.
    ``fates`` and ``recoverable_until`` belong to a deregistration.
    """

    ref: ImageRef
    family: str
    decision: str
    reasons: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    step: Step = field(default_factory=Step)
    report_wanted: bool = False
    fates: tuple[Fate, ...] = ()
    recoverable_until: datetime | None = None

    @property
    def released(self) -> bool:
        """Whether the image is wanted: its clocks end. What could not be read ends none."""
        return self.decision == KEEP and (bool(self.reasons) or any(one.firm for one in self.evidence))

    def as_result(self, own: OwnImage) -> dict[str, Any]:
        """The verdict on this image as the module lists it."""
        return {
            "creation_date": own.created.isoformat(),
            "decision": self.decision,
            "evidence": [one.as_result() for one in self.evidence],
            "family": self.family,
            "image_id": self.ref.image_id,
            "name": own.image.name,
            "next_stage": self.step.next_stage,
            "next_stage_at": self.step.due.isoformat() if self.step.due else None,
            "reasons": list(self.reasons),
            "recoverable_until": self.recoverable_until.isoformat() if self.recoverable_until else None,
            "region": self.ref.region,
            "size_gib": own.size_gib,
            "snapshots": [
                {
                    "keep_reason": fate.kept,
                    "retention_days": fate.retention_days,
                    "size_gib": own.snapshot_sizes.get(fate.snapshot_id, 0),
                    "snapshot_id": fate.snapshot_id,
                }
                for fate in self.fates
            ],
        }


def candidates(wanted: CleanupWanted, seen: CleanupSeen) -> tuple[ImageRef, ...]:
    """The images that neither the policy nor a bulk read keeps: only these need a closer look."""
    judged = _verdicts(wanted, seen, CloserLook(), SnapshotLook())
    return tuple(verdict.ref for verdict in judged if verdict.decision != KEEP)


def chosen(
    wanted: CleanupWanted, seen: CleanupSeen, unseen: CloserLook | None = None
) -> tuple[ImageRef, ...]:
    """The images that something would now be taken from: only their snapshots need a closer look.

    ``unseen`` stands for a closer look at an image that was not taken yet.
    """
    judged = _verdicts(wanted, seen, unseen, SnapshotLook())
    return tuple(verdict.ref for verdict in judged if verdict.decision in (DISABLE, DEREGISTER))


def verdicts(wanted: CleanupWanted, seen: CleanupSeen) -> tuple[Verdict, ...]:
    """What is to become of every considered image, without regard to how many go."""
    return tuple(_verdicts(wanted, seen, None, _NOT_LOOKED_AT))


def _verdicts(
    wanted: CleanupWanted, seen: CleanupSeen, unseen: CloserLook | None, unseen_snapshot: SnapshotLook
) -> Iterator[Verdict]:
    """The verdicts; what is ``unseen`` stands for a closer look that was not taken, None counts as use."""
    images = seen.images
    family_of = families(images, wanted.by)
    latest_images = latest(images, family_of, wanted.rules.latest)
    copies = running_copies((ref.region, own) for ref, own in images.items())
    unread = {region: seen.unread_of(region) for region in seen.regions}
    for ref, own in images.items():
        if ref not in family_of or not considered(wanted.rules, own, wanted.clocks.disable is not None):
            continue
        family, facts = family_of[ref], seen.regions[ref.region]
        reasons = tuple(kept(wanted.rules, own, ref in latest_images, seen.now))
        named = (*facts.uses.get(ref.image_id, ()), *seen.named_elsewhere.get(ref.image_id, ()))
        evidence = (*named, *copies.get(ref, ()), *unread[ref.region])
        look = seen.looks.get(ref, unseen)
        if look is not None:
            evidence += (
                *look.references,
                *look.unread,
                *sharing_evidence(look, wanted.include_shared, seen.now),
            )
        elif not (reasons or evidence):
            evidence = (Evidence("unreadable", ref.image_id, "It was not looked at.", firm=False),)
        if reasons or evidence:
            report = look is not None and not reasons and _only_report_missing(evidence)
            wants = report and needs_report(look or CloserLook(), wanted.include_shared, seen.now)
            yield Verdict(ref, family, KEEP, reasons, evidence, report_wanted=wants)
            continue
        todo = step(own, wanted.clocks, seen.now)
        against = tuple(_against(wanted, seen, ref, todo, look or CloserLook(), unseen_snapshot))
        if against:
            yield Verdict(ref, family, WAIT, against)
        else:
            yield Verdict(ref, family, todo.stage or WAIT, step=todo)


def _against(
    wanted: CleanupWanted,
    seen: CleanupSeen,
    ref: ImageRef,
    todo: Step,
    look: CloserLook,
    unseen_snapshot: SnapshotLook,
) -> Iterator[str]:
    """What stands against the next stage of an image that nobody uses."""
    own = seen.images[ref]
    if todo.stage == DEREGISTER:
        yield from blocks(own, seen.regions[ref.region])
        if ref in seen.untold:
            yield f"{seen.untold[ref]} comes from it, and has no tags yet of what is known only by it."
    if todo.stage in (DISABLE, DEREGISTER):
        looks = {
            one: seen.snapshot_looks.get(SnapshotRef(ref.region, one), unseen_snapshot)
            for one in own.image.snapshot_ids
        }
        deregisters = todo.stage == DEREGISTER
        yield from shared_snapshots(own, look.sharing, looks, wanted.include_shared, deregisters)


def _only_report_missing(evidence: tuple[Evidence, ...]) -> bool:
    return all(not one.firm for one in evidence)
