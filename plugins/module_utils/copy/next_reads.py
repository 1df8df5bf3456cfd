# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a copy has to read next, given what it has seen. It starts with the copies and keys of all targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..model import Image, Target
from ..plan import KNOWN_AFTER_APPLY
from .checks import missing_access_of
from .options import CopyOptions
from .plan import existing_copy
from .state import USABLE_STATES, CopySeen


@dataclass(frozen=True)
class NextReads:
    """The reads that can be made now, side by side. It is false if nothing is left to read.

    ``others`` are the targets in which copies that others made have to be read, ``by_default`` those whose
    encryption by default has to be read, ``default_keys`` those whose default key has to be read.
    ``image_keys`` maps targets to the ARNs of keys of their images, of which it has to be known whether they
    are AWS managed. ``source_keys`` and ``permissions`` map regions to the sources there whose keys, and
    permissions, have to be read. ``access`` maps targets to the account, in the region of their source, that
    has to read the source (``CopyOptions.reader_of``).
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


def next_reads(wanted: CopyOptions, seen: CopySeen) -> NextReads:
    """What has to be read next. Nothing that was seen is named again, so repeated reading ends.

    1. Copies that others made, where this collection's copies are not encrypted as requested.
    2. Encryption by default, where a copy will be started and neither a key nor encryption is requested.
    3. The default key, where such a copy will be encrypted under it, and that is allowed.
    4. Which keys of existing images are AWS managed, if the images will be shared.
    5. The keys of sources that other accounts will copy; then these accounts' access to the sources; then the
       permissions of own sources to which an account is missing access.

    Each step depends on what the one before it has read. If a required target cannot be read, all other
    targets are still read up to the third step, so that all failures are reported together.
    """
    if others := tuple(target for target in seen.copies if _needs_others(wanted, seen, target)):
        return NextReads(others=others)
    to_start = [target for target in seen.copies if existing_copy(wanted, seen, target) is None]
    without_key = [target for target in to_start if not wanted.encryption.key_for(target.region)]
    if by_default := tuple(item for item in without_key if _needs_by_default(wanted, seen, item)):
        return NextReads(by_default=by_default)
    if default_keys := tuple(item for item in without_key if _needs_default_key(wanted, seen, item)):
        return NextReads(default_keys=default_keys)
    if seen.failed:
        return NextReads()
    image_keys = _image_keys(wanted, seen)
    readers = {target: wanted.reader_of(target) for target in to_start if _needs_access(wanted, seen, target)}
    sources = {reader.region: seen.source_of(target) for target, reader in readers.items()}
    source_keys = {
        region: source
        for region, source in sources.items()
        if source.encrypted and region not in seen.source_keys
    }
    if image_keys or source_keys:
        return NextReads(image_keys=image_keys, source_keys=source_keys)
    # One read of an account serves all its targets that share a source.
    if access := {item: reader for item, reader in readers.items() if reader not in seen.source_access}:
        return NextReads(access=access)
    return NextReads(permissions=_permissions(wanted, seen, readers))


def _needs_others(wanted: CopyOptions, seen: CopySeen, target: Target) -> bool:
    """Whether other copies may be encrypted as requested, unlike those that were read.

    Without a copy of this collection, all were read at once (``aws.read.copies``).
    """
    return (
        target not in seen.others_read
        and any(image.state in USABLE_STATES for image in seen.copies[target])
        and existing_copy(wanted, seen, target) is None
    )


def _needs_by_default(wanted: CopyOptions, seen: CopySeen, target: Target) -> bool:
    encrypts = wanted.encryption.encrypts(target.region, seen.source_of(target))
    return not encrypts and target not in seen.encryption_by_default


def _needs_default_key(wanted: CopyOptions, seen: CopySeen, target: Target) -> bool:
    encrypts = wanted.encryption.encrypts(target.region, seen.source_of(target))
    return (
        wanted.encryption.allow_default
        and target not in seen.keys
        and (encrypts or seen.encryption_by_default[target])
    )


def _image_keys(wanted: CopyOptions, seen: CopySeen) -> dict[Target, tuple[str, ...]]:
    """The keys of the encrypted images that exist and will be shared."""
    if not wanted.require_shareable:
        return {}
    existing = {target: existing_copy(wanted, seen, target) for target in seen.copies}
    return {
        target: tuple(sorted({one.kms_key_id for one in seen.snapshots_of(target, image) if one.kms_key_id}))
        for target, image in existing.items()
        if image and image.encrypted and target not in seen.aws_managed_keys
    }


def _needs_access(wanted: CopyOptions, seen: CopySeen, target: Target) -> bool:
    """Whether the target's account will copy an existing source that it does not own."""
    source = seen.source_of(target)
    return (
        not wanted.source_is_ready
        and bool(wanted.account_ids or wanted.source_images)
        and target.account_id != source.owner_id
        and source.image_id != KNOWN_AFTER_APPLY
    )


def _permissions(wanted: CopyOptions, seen: CopySeen, targets: Iterable[Target]) -> dict[str, Image]:
    """The own sources to which an account is missing access, which the owner may have granted already."""
    lacking = {
        wanted.source_region_of(target.region): seen.source_of(target)
        for target in targets
        if seen.source_of(target).owner_id == seen.account_id and missing_access_of(wanted, seen, target)
    }
    return {region: source for region, source in lacking.items() if region not in seen.source_permissions}
