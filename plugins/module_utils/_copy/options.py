# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of ``ami_copy_regions``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from .._failures import Failure
from .._keys.encryption import Encryption, check_options
from .._model import ConsumerRole, Target
from .._option import (
    ACCOUNT_IDS,
    FLAG,
    IMAGE_ID,
    IMAGES,
    OWNERS,
    PATH,
    REGION,
    REGIONS,
    TEXT,
    Kind,
    Problem,
    Refuse,
    of_every_module,
    option,
    optional,
    read_region,
    read_texts,
    tags,
)
from .._option_groups import FILTERS, ConsumerRoleOptions, parameter_problem, planned_image
from .._regions import targets_in
from .._step_results import COPY_RESULT, SHARE_RESULT, CopyResult, ShareResult
from .._wording import render_value

# Exactly one of these options is set.
_SOURCES = ("source_image_id", "source_parameter", "source_filters", "source_images", "copy_result")

# botocore shape CopyImageRequest, SnapshotCopyCompletionDurationMinutes; EBS User Guide, "Time-based copies".
_DURATIONS = range(15, 2880 + 1, 15)

# Without tags, those of a copy stay as they are.
_TAGS = optional(tags())


def _regions(given: Any, refuse: Refuse) -> tuple[str, ...]:
    """Return the regions as they are listed. ``check_regions`` refuses those that are listed twice."""
    regions = tuple(read_region(text, refuse) for text in read_texts(given, refuse))
    if given is not None and not regions:
        refuse("must contain at least one region (got []).", "Add a region.")
    return regions


def _ascii(given: str | None, refuse: Refuse) -> str | None:
    """Refuse characters that EC2 refuses in every region: "Character sets beyond ASCII are not supported".

    For AMIs: metadist/synaplan#1546, wendylabsinc/WendyOS-Builder#56. EC2 has taken the source's description.
    """
    others = [character for character in dict.fromkeys(given or "") if not character.isascii()]
    if others:
        named = ", ".join(f"'{character}' (U+{ord(character):04X})" for character in others)
        refuse(
            f"AWS takes ASCII characters only (got {named}).",
            "Replace the others, for example a dash by - and an umlaut by two letters.",
        )
    return given


def _duration(given: int | None, refuse: Refuse) -> int | None:
    if given is not None and given not in _DURATIONS:
        refuse(
            f"must be a multiple of 15 between 15 and 2880 (got {given}).", "Set such a number of minutes."
        )
    return given


def _timeout(given: int, refuse: Refuse) -> int:
    if given < 1:
        refuse(f"must be at least 1 second (got {given}).", "Increase it.")
    return given


def _keys(given: Mapping[Any, Any] | None, refuse: Refuse) -> dict[str, str]:
    """Return the key of each region that has one."""
    for key in (given or {}).values():
        if key and not isinstance(key, str):
            refuse(f"{render_value(key)} is not a key.", "Map each region to one key.")
    return {region: key for region, key in (given or {}).items() if isinstance(key, str) and key}


@dataclass(frozen=True, kw_only=True)
class CopyOptions(ConsumerRoleOptions):
    """Options of ``ami_copy_regions``.

    ``source_images`` maps each region to its own source in that region, instead of one source for all; None
    stands for an image that check mode has only planned. So do the images of ``copy_result``, in the regions
    that did not fail in ``share_result``. ``account_ids`` will own the copies; if empty, the account of the
    credentials will. ``consumer_account_ids`` will later copy the copies. With ``require_shareable`` the
    images will be shared. ``wait_timeout`` is in seconds.
    """

    argument_rules = MappingProxyType(
        {
            "mutually_exclusive": [_SOURCES],
            "required_one_of": [_SOURCES],
            "required_by": {"share_result": ("copy_result",)},
        }
    )

    source_image_id: str | None = option(IMAGE_ID)
    source_parameter: str | None = option(TEXT)
    source_filters: Mapping[str, tuple[str, ...]] | None = option(optional(FILTERS))
    source_owners: tuple[str, ...] = option(OWNERS, default=["self"])
    source_images: Mapping[str, str | None] | None = option(optional(IMAGES))
    copy_result: CopyResult | None = option(COPY_RESULT)
    share_result: ShareResult | None = option(SHARE_RESULT)
    source_region: str | None = option(REGION)
    account_ids: tuple[str, ...] = option(ACCOUNT_IDS)
    consumer_account_ids: tuple[str, ...] = option(ACCOUNT_IDS)
    regions: tuple[str, ...] = option(Kind(REGIONS.spec, _regions), required=True)
    best_effort_regions: tuple[str, ...] = option(REGIONS)
    name: str | None = option(TEXT)
    description: str | None = option(Kind(TEXT.spec, _ascii))
    tags: Mapping[str, str] | None = option(_TAGS)
    copy_tags: bool = option(FLAG)
    snapshot_tags: Mapping[str, str] | None = option(_TAGS)
    purge_tags: bool = option(FLAG)
    completion_duration_minutes: int | None = option(Kind({"type": "int"}, _duration))
    encrypted: bool | None = option(Kind({"type": "bool"}, FLAG.value))
    kms_key_id: str | None = option(TEXT)
    kms_key_ids: Mapping[str, str] = option(Kind({"type": "dict", "no_log": False}, _keys))
    allow_default_key: bool = option(FLAG)
    reencrypt_source: bool = option(FLAG)
    require_shareable: bool = option(FLAG)
    wait: bool = option(FLAG, default=True)
    wait_timeout: int = option(Kind({"type": "int"}, _timeout), default=10800)
    progress_path: str | None = option(PATH)
    region: str | None = of_every_module(TEXT)

    @property
    def first_source_region(self) -> str:
        """Return the region of the source, or of one of them, for calls that need just one."""
        if self.source_images and self.regions:
            return self.regions[0]
        return self.source_region or self.region or ""

    @property
    def source_is_ready(self) -> bool:
        """Whether check mode plans as if the sources were available, and accounts could copy them.

        Earlier steps, whose results it gets, have only planned that.
        """
        return self.check_mode and self.copy_result is not None

    def with_results(self) -> CopyOptions:
        """Return the options with the images of ``copy_result`` as sources, and the regions that have one."""
        if self.copy_result is None:
            return self
        images = self.copy_result.left_by(self.share_result).images
        sources = {region: image_id for region, image_id in images.items() if region in self.regions}
        return replace(
            self,
            source_images=sources,
            regions=tuple(sources),
            best_effort_regions=tuple(region for region in self.best_effort_regions if region in sources),
        )

    @property
    def consumer_role(self) -> ConsumerRole | None:
        """Return the role in the accounts that will own the copies; None if no account needs it."""
        return super().consumer_role if self.account_ids else None

    @cached_property
    def encryption(self) -> Encryption:
        """Return the options about encryption."""
        return Encryption(
            encrypted=self.encrypted,
            key=self.kms_key_id,
            keys=self.kms_key_ids,
            allow_default=self.allow_default_key,
            reencrypt_source=self.reencrypt_source,
        )

    def best_effort(self, targets: Iterable[Target]) -> frozenset[Target]:
        """Return those of the targets that are in best-effort regions."""
        return targets_in(self.best_effort_regions, targets)

    def source_region_of(self, region: str) -> str:
        """Return the region of the source for the copies in ``region``."""
        return region if self.source_images else self.first_source_region

    def reader_of(self, target: Target) -> Target:
        """Return the account of ``target`` in the region of its source, where it reads the source."""
        return Target(target.account_id, self.source_region_of(target.region))

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        yield from self._source_problems()
        if surplus := sorted({*self.best_effort_regions} - {*self.regions}):
            yield Problem(
                "best_effort_regions",
                f"{', '.join(surplus)} is not listed in the option regions.",
                "Add it there too.",
            )

    def failures(self) -> Iterator[Failure]:
        """Yield the keys that the regions' copies cannot have."""
        yield from check_options(self.encryption, self.regions)

    def _source_problems(self) -> Iterator[Problem]:
        if self.source_parameter is not None and (
            problem := parameter_problem(self.source_parameter, self.first_source_region)
        ):
            yield Problem("source_parameter", *problem)
        if self.source_filters is not None:
            yield from self._filter_problems()
        if self.copy_result and not self.source_images:
            yield Problem(
                "copy_result",
                "it has no image that accounts can copy in any of the regions.",
                "Its failures, and those of the result of ami_share, say why.",
            )
        elif not self.first_source_region:
            yield Problem("source_region", "is required.", "Set the region of the source image.")
        if self.source_images is not None:
            yield from self._source_image_problems(self.source_images)

    def _filter_problems(self) -> Iterator[Problem]:
        if not self.source_filters:
            yield Problem(
                "source_filters",
                "must contain at least one filter (got {}).",
                "Add a filter: without one, every image matches.",
            )
        if not self.source_owners:
            yield Problem(
                "source_owners",
                "must contain at least one owner: any account can publish an image under any name.",
                "List the accounts whose images may match; self is your own.",
            )

    def _source_image_problems(self, source_images: Mapping[str, str | None]) -> Iterator[Problem]:
        if not self.check_mode:
            for region, image_id in source_images.items():
                if image_id is None:
                    yield planned_image("copy_result" if self.copy_result else "source_images", region)
        if without := [region for region in self.regions if region not in source_images]:
            yield Problem(
                "source_images",
                f"contains no image for {', '.join(without)}.",
                "Add an image for each region, or remove the region from the option regions.",
            )
