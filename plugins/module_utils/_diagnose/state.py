# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of an image in its owner's and its consumers' accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .._failures import Failure
from .._keys.access import KeyDryRun
from .._model import (
    Image,
    KeyState,
    PublicAccessBlock,
    Sharing,
    Snapshot,
    Target,
)
from .._parameter_share import ResourceShare

DRY_RUN_SUCCEEDED = "DryRunOperation"
"""The error code of a dry run of EC2 that succeeds (botocore shape ``RunInstancesRequest``, DryRun)."""


UNREAD = PublicAccessBlock("unreadable")


@dataclass(frozen=True)
class ParameterContent:
    """The image that a parameter names, or why it names none: another value may be secret."""

    image_id: str | None = None
    obstacle: str = ""


@dataclass(frozen=True)
class ParameterView:
    """The parameter by which accounts launch the image, in the account of the image's owner.

    ``content`` is None if there is none, or with a problem if it could not be read. ``shares`` are the
    resource shares that have it. ``tier`` is read only if there are none.
    """

    name: str
    arn: str
    content: ParameterContent | None = None
    shares: tuple[ResourceShare, ...] = ()
    tier: str | None = None
    problem: Failure | None = None


@dataclass(frozen=True)
class ParameterRead:
    """What an account reads by the parameter's ARN, or why it reads nothing.

    ``refusal`` is the failure if AWS denies the read, ``problem`` if AWS gave no answer. AWS may also return
    no parameter.
    """

    content: ParameterContent | None = None
    refusal: Failure | None = None
    problem: Failure | None = None


@dataclass(frozen=True)
class OwnerView:
    """The state of an image in its owner's account.

    ``elsewhere`` lists the other regions that have the image instead. ``launch`` is None if it was read in an
    account that is not the owner. ``volume_permissions`` maps snapshots to their volume permissions,
    ``key_problems`` maps keys to the failure to read them, their grants or their policy. ``keys`` has the
    keys that could be described. ``undecided_keys`` maps keys that were not read, because they do not decide
    access alone, to a snapshot with the key and its associated keys. ``problem`` is the failure if nothing
    could be read. The states of block public access are None if nothing is public, ``UNREAD`` if the read
    failed. ``parameter`` is None unless one is selected.
    """

    image: Image | None = None
    elsewhere: tuple[str, ...] = ()
    launch: Sharing | None = None
    volume_permissions: Mapping[str, Sharing] = field(default_factory=dict)
    keys: tuple[KeyState, ...] = ()
    key_problems: Mapping[str, Failure] = field(default_factory=dict)
    undecided_keys: Mapping[str, Snapshot] = field(default_factory=dict)
    image_block: PublicAccessBlock | None = None
    snapshot_block: PublicAccessBlock | None = None
    parameter: ParameterView | None = None
    problem: Failure | None = None

    def is_shared_with(self, account_id: str) -> bool | None:
        """Whether the image is shared with the account; None if that depends on its organization."""
        if self.launch is None:
            return None
        if self.launch.public or account_id in self.launch.account_ids:
            return True
        return None if self.organizations else False

    @property
    def organizations(self) -> str:
        """Return the organizations and organizational units that the image is shared with, as text."""
        launch = self.launch or Sharing()
        return ", ".join(sorted(launch.org_arns | launch.org_unit_arns))


@dataclass(frozen=True)
class AllowedImages:
    """Allowed AMIs of an account in a region (botocore shape ``GetAllowedImagesSettingsResult``).

    ``all_read`` is whether the installed botocore returns every part of a criterion, and of the images.
    """

    state: str
    criteria: tuple[Mapping[str, Any], ...] = ()
    managed_by: str = "account"
    all_read: bool = True


@dataclass(frozen=True)
class Subnet:
    """A subnet of an account, or one that is shared with it (botocore shape ``Subnet``).

    ``free_addresses`` is the number of free IPv4 addresses. ``zone`` is the Availability Zone's name.
    """

    subnet_id: str
    vpc_id: str
    zone: str
    owner_id: str
    free_addresses: int | None = None
    is_ipv6_only: bool = False
    on_outpost: bool = False


@dataclass(frozen=True)
class ConsumerView:
    """The state of an image in the account that would launch it.

    ``image`` is None if the account cannot see it; only then ``allowed_images`` is read, and None with a
    problem if that fails. ``dry_run`` is the error code and message of the dry run of RunInstances, None with
    a problem if AWS did not answer it. ``subnet_ids`` are the subnets in which it was repeated, None if AWS
    needed no subnet, or with a problem if the account's subnets could not be read. ``problem`` is the failure
    if nothing could be read.
    """

    image: Image | None = None
    allowed_images: AllowedImages | None = None
    allowed_images_problem: Failure | None = None
    dry_run: tuple[str, str] | None = None
    dry_run_problem: Failure | None = None
    subnet_ids: tuple[str, ...] | None = None
    subnets_problem: Failure | None = None
    keys: Mapping[str, KeyDryRun] = field(default_factory=dict)
    parameter: ParameterRead | None = None
    problem: Failure | None = None


@dataclass(frozen=True, order=True)
class Case:
    """The image of ``image_target``, and an account that would launch it."""

    image_target: Target
    account_id: str

    @property
    def target(self) -> Target:
        """Return the launching account in the image's region."""
        return Target(self.account_id, self.image_target.region)


@dataclass(frozen=True)
class DiagnosisState:
    """The state of all images and accounts; ``consumers`` has no entry for accounts that were not checked.

    ``account_id`` is the account of the credentials, for which no role is assumed. ``principals`` maps
    accounts to the ARN of the role or user with whose credentials they were checked.
    """

    account_id: str
    images: Mapping[Target, str | None]
    owners: Mapping[Target, OwnerView]
    consumers: Mapping[Case, ConsumerView]
    role_name: str | None
    now: datetime
    principals: Mapping[str, str] = field(default_factory=dict)
