# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is seen of an image and its consumers before anything is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..failures import Failure
from ..finding import BlocksLaunch
from ..keys.access import KeyDryRun
from ..model import ConsumerRole, Image, ImagesByTarget, KeySeen, Network, Sharing, Target

DRY_RUN_SUCCEEDED = "DryRunOperation"
"""How a dry run of EC2 ends that would have succeeded (botocore shape ``RunInstancesRequest``, DryRun)."""


@dataclass(frozen=True)
class DiagnosisWanted:
    """What the user asked ``ami_share_diagnose`` for."""

    images: ImagesByTarget
    account_ids: tuple[str, ...]
    consumer_role: ConsumerRole | None = None
    network: Network = field(default_factory=Network)
    instance_type: str | None = None
    fail_on: frozenset[BlocksLaunch] = frozenset()


@dataclass(frozen=True)
class OwnerSeen:
    """What the owner of an image is told about it.

    ``elsewhere`` are other regions in which an image with that id was found instead. ``launch`` is None if
    the account that was asked is not the owner. ``volumes`` map snapshots to who may create volumes from
    them; ``key_problems`` map keys to why they could not be read, ``problem`` says why nothing could be.
    """

    image: Image | None = None
    elsewhere: tuple[str, ...] = ()
    launch: Sharing | None = None
    volumes: Mapping[str, Sharing] = field(default_factory=dict)
    keys: tuple[KeySeen, ...] = ()
    key_problems: Mapping[str, Failure] = field(default_factory=dict)
    image_block: str | None = None
    snapshot_block: str | None = None
    problem: Failure | None = None


@dataclass(frozen=True)
class AllowedImages:
    """Allowed AMIs of an account in a region (botocore shape ``GetAllowedImagesSettingsResult``)."""

    state: str
    criteria: tuple[Mapping[str, Any], ...] = ()
    managed_by: str = "account"


@dataclass(frozen=True)
class ConsumerSeen:
    """What an account sees of an image, and what it is told it may do.

    ``image`` is None if the account does not see it; ``allowed_images`` is looked at only then, and
    None if it may not be. ``dry_run`` is the code and the message that the dry run of RunInstances ended
    with.
    """

    image: Image | None = None
    allowed_images: AllowedImages | None = None
    dry_run: tuple[str, str] | None = None
    keys: Mapping[str, KeyDryRun] = field(default_factory=dict)
    problem: Failure | None = None


@dataclass(frozen=True, order=True)
class Case:
    """An image where it is, and an account that is to launch it."""

    place: Target
    account_id: str

    @property
    def target(self) -> Target:
        """The consumer's side: its account in the image's region."""
        return Target(self.account_id, self.place.region)


@dataclass(frozen=True)
class DiagnosisSeen:
    """Everything that was seen; ``consumers`` lacks accounts that were not asked.

    ``account_id`` is the account whose credentials are used, which acts by no role.
    """

    account_id: str
    images: Mapping[Target, str | None]
    owners: Mapping[Target, OwnerSeen]
    consumers: Mapping[Case, ConsumerSeen]
    role_name: str | None
    now: datetime
