# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide what a copy has to read next. It starts with the copies and keys of all targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .._model import Image, Target
from .._plan import KNOWN_AFTER_APPLY
from .checks import missing_access_of
from .options import CopyOptions
from .plan import existing_copy
from .state import USABLE_STATES, CopyState


@dataclass(frozen=True)
class NextReads:
    """Reads that can be made now, side by side. It is false if nothing is left to read.

    ``others`` are the targets in which copies that others made have to be read, ``by_default`` those whose
    encryption by default has to be read, ``default_keys`` those whose default key has to be read.
    ``image_keys`` maps targets to the ARNs of keys of their images: a read shows whether they are AWS
    managed. ``source_keys`` and ``permissions`` map regions to the sources whose keys, and permissions, have
    to be read. ``access`` maps targets to the account, in the region of their source, that has to read the
    source (``CopyOptions.reader_of``).
    """

    others: tuple[Target, ...] = ()
    by_default: tuple[Target, ...] = ()
    default_keys: tuple[Target, ...] = ()
    image_keys: Mapping[Target, tuple[str, ...]] = field(default_factory=dict)
    source_keys: Mapping[str, Image] = field(default_factory=dict)
    access: Mapping[Target, Target] = field(default_factory=dict)
    permissions: Mapping[str, Image] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(
            self.others
            or self.by_default
            or self.default_keys
            or self.image_keys
            or self.source_keys
            or self.access
            or self.permissions
        )


def next_reads(options: CopyOptions, current: CopyState) -> NextReads:
    """Return what has to be read next. Nothing is read twice, so repeated reading ends.

    1. Copies that others made, where this collection's copies are not encrypted as requested.
    2. Encryption by default, where a copy will be started and neither a key nor encryption is requested.
    3. The default key, where such a copy will be encrypted under it, and that is allowed.
    4. Which keys of existing images are AWS managed, if the images will be shared.
    5. The keys of sources that other accounts will copy; then these accounts' access to the sources; then the
       permissions of own sources to which an account is missing access.

    Each step depends on what the one before it has read. If a required target cannot be read, all other
    targets are still read up to the third step, so that all failures are reported together.
    """
    if others := tuple(target for target in current.copies if _needs_others(options, current, target)):
        return NextReads(others=others)
    to_start = [target for target in current.copies if existing_copy(options, current, target) is None]
    without_key = [target for target in to_start if not options.encryption.key_for(target.region)]
    if by_default := tuple(item for item in without_key if _needs_by_default(options, current, item)):
        return NextReads(by_default=by_default)
    if default_keys := tuple(item for item in without_key if _needs_default_key(options, current, item)):
        return NextReads(default_keys=default_keys)
    if current.failed:
        return NextReads()
    image_keys = _image_keys(options, current)
    readers = {
        target: options.reader_of(target) for target in to_start if _needs_access(options, current, target)
    }
    sources = {reader.region: current.source_of(target) for target, reader in readers.items()}
    source_keys = {
        region: source
        for region, source in sources.items()
        if source.encrypted and region not in current.source_keys
    }
    if image_keys or source_keys:
        return NextReads(image_keys=image_keys, source_keys=source_keys)
    # One read of an account serves all its targets that share a source.
    if access := {item: reader for item, reader in readers.items() if reader not in current.source_access}:
        return NextReads(access=access)
    return NextReads(permissions=_permissions(options, current, readers))


def _needs_others(options: CopyOptions, current: CopyState, target: Target) -> bool:
    """Whether copies that others made may be encrypted as requested, unlike those that were read.

    Without a copy of this collection, all were read at once (``aws.read.copies``).
    """
    return (
        target not in current.others_read
        and any(image.state in USABLE_STATES for image in current.copies[target])
        and existing_copy(options, current, target) is None
    )


def _needs_by_default(options: CopyOptions, current: CopyState, target: Target) -> bool:
    encrypts = options.encryption.encrypts(target.region, current.source_of(target))
    return not encrypts and target not in current.encryption_by_default


def _needs_default_key(options: CopyOptions, current: CopyState, target: Target) -> bool:
    encrypts = options.encryption.encrypts(target.region, current.source_of(target))
    return (
        options.encryption.allow_default
        and target not in current.keys
        and (encrypts or current.encryption_by_default[target])
    )


def _image_keys(options: CopyOptions, current: CopyState) -> dict[Target, tuple[str, ...]]:
    """Return the keys of existing encrypted images that will be shared."""
    if not options.require_shareable:
        return {}
    existing = {target: existing_copy(options, current, target) for target in current.copies}
    return {
        target: tuple(
            sorted({item.kms_key_id for item in current.snapshots_of(target, image) if item.kms_key_id})
        )
        for target, image in existing.items()
        if image and image.encrypted and target not in current.aws_managed_keys
    }


def _needs_access(options: CopyOptions, current: CopyState, target: Target) -> bool:
    """Whether the target's account will copy an existing source that it does not own."""
    source = current.source_of(target)
    return (
        not options.source_is_ready
        and bool(options.account_ids or options.source_images)
        and target.account_id != source.owner_id
        and source.image_id != KNOWN_AFTER_APPLY
    )


def _permissions(options: CopyOptions, current: CopyState, targets: Iterable[Target]) -> dict[str, Image]:
    """Return the own sources to which an account is missing access. It may have been granted already."""
    lacking = {
        options.source_region_of(target.region): current.source_of(target)
        for target in targets
        if current.source_of(target).owner_id == current.account_id
        and missing_access_of(options, current, target)
    }
    return {region: source for region, source in lacking.items() if region not in current.source_permissions}
