# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The users of images in a region, such as instances and launch templates, and what follows from them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..._model import IMAGE_DATA_TYPE, RESOLVE
from ..state import Evidence

# A parameter holds an ID, a list of IDs, or a text with IDs in it, such as JSON.
_IMAGE_ID = re.compile(r"(?<![A-Za-z0-9])ami-(?:[0-9a-f]{17}|[0-9a-f]{8})(?![A-Za-z0-9])")


@dataclass(frozen=True)
class Pin:
    """A version of a launch template, by number. ``template`` is its ID if ``by_id``, else its name."""

    template: str
    version: int
    by_id: bool = True

    def is_of(self, version: TemplateVersion) -> bool:
        """Whether the pin is of this version."""
        template = version.name if self.by_id else version.given_name
        return (self.template, self.version) == (template, version.version)


@dataclass(frozen=True)
class User:
    """A user of images. ``name`` is its ID if it has one, and ``given_name`` then what its owner called it.

    ``kind`` and ``detail`` are those of the evidence. ``images`` are image IDs, or ``resolve:ssm:`` and a
    parameter. It creates volumes from ``snapshot_ids``, and launches the versions ``pins`` of launch
    templates.
    """

    kind: str
    name: str
    images: tuple[str, ...] = ()
    pins: tuple[Pin, ...] = ()
    snapshot_ids: tuple[str, ...] = ()
    detail: str = ""
    given_name: str = ""

    @property
    def name_and_id(self) -> str:
        """Return the name that its owner gave it with the ID, ``web (lt-1)``, or what it has of these."""
        return f"{self.given_name} ({self.name})" if self.given_name else self.name

    @property
    def use(self) -> str:
        """Return the name and ID, and which part of it names the image, if not all does."""
        return self.name_and_id

    @property
    def label(self) -> str:
        """Return the kind and what uses the image, for a message."""
        return f"{self.kind.replace('_', ' ')} {self.use}"


@dataclass(frozen=True)
class TemplateVersion(User):
    """A version of a launch template. ``name`` is the template's ID, ``given_name`` its name."""

    version: int = 0

    @property
    def use(self) -> str:
        """Return the name and ID of the template, and the version."""
        return f"{self.name_and_id} version {self.version}"


@dataclass(frozen=True)
class Group(User):
    """An Auto Scaling group. ``configuration`` is its launch configuration, empty if it has none."""

    configuration: str = ""


@dataclass(frozen=True)
class Parameter(User):
    """The latest value of an SSM parameter, or the one that ``NAME:VERSION`` or ``NAME:LABEL`` selects.

    ``version`` is the number of the version, 0 if it does not matter. ``data_type`` is ``aws:ec2:image`` if
    AWS validates that the value is an image.
    """

    value: str = ""
    version: int = 0
    data_type: str = "text"

    @property
    def may_have_labels(self) -> bool:
        """Whether earlier versions can name images by their labels: it is an image, and was changed."""
        is_image = self.data_type == IMAGE_DATA_TYPE or _IMAGE_ID.fullmatch(self.value) is not None
        return is_image and self.version > 1


def find_image_ids(*texts: str) -> tuple[str, ...]:
    """Return the image IDs in the texts, each once."""
    return tuple(dict.fromkeys(image_id for text in texts for image_id in _IMAGE_ID.findall(text)))


def list_uses(users: Iterable[User]) -> dict[str, tuple[Evidence, ...]]:
    """Return the evidence that images are used, by image ID."""
    evidence: dict[str, list[Evidence]] = defaultdict(list)
    for user in users:
        for image_id in find_image_ids(*user.images):
            evidence[image_id].append(Evidence(user.kind, user.name_and_id, user.detail))
    return {image_id: tuple(of_image) for image_id, of_image in evidence.items()}


def list_snapshot_uses(users: Iterable[User]) -> dict[str, tuple[str, ...]]:
    """Return what creates volumes from snapshots, by snapshot ID."""
    labels: dict[str, list[str]] = defaultdict(list)
    for user in users:
        for snapshot_id in user.snapshot_ids:
            labels[snapshot_id].append(user.label)
    return {snapshot_id: tuple(of_snapshot) for snapshot_id, of_snapshot in labels.items()}


def list_missing_pins(users: Sequence[User]) -> tuple[Pin, ...]:
    """Return the launched versions of launch templates that are not read yet."""
    known = [user for user in users if isinstance(user, TemplateVersion)]
    pins = dict.fromkeys(pin for user in users for pin in user.pins)
    return tuple(pin for pin in pins if not any(pin.is_of(version) for version in known))


def list_selectors(users: Sequence[User]) -> tuple[str, ...]:
    """Return the parameters of launches that are not read yet: versions, labels, shared ones."""
    names = {user.name for user in users if isinstance(user, Parameter)}
    named = (
        image.removeprefix(RESOLVE) for user in users for image in user.images if image.startswith(RESOLVE)
    )
    return tuple(dict.fromkeys(name for name in named if name not in names))


def list_unresolved(users: Sequence[User]) -> tuple[Evidence, ...]:
    """Return evidence for launches from parameters that could not be read: they may use any image."""
    missing = {RESOLVE + name for name in list_selectors(users)}
    return tuple(
        Evidence.unreadable(
            user.label,
            f"{image} could not be resolved.",
            "Allow ssm:GetParameter for this parameter, or correct what launches from it.",
        )
        for user in users
        for image in user.images
        if image in missing
    )
