# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads all owned images of regions, their launch and volume permissions, and their keys.

Thousands of calls of two operations, whose clients keep to the rates of AWS (``Clients.rate_limited``).
Each region has its own threads, so that one region's rate does not slow the others.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from .._aws import read
from .._aws.answers import require_member
from .._aws.errors import AWS_ERRORS, ClientError, IncompleteAnswer, code_of, failure
from .._failures import Failure
from .._fanout import MAX_THREADS, DidNotAnswer, map_parallel, round_robin
from .._model import PUBLIC, Key, KeyState, PublicAccessBlock, Sharing, Snapshot, Target
from .._plan import batches
from .options import AuditOptions
from .read_parameters import add_parameters
from .state import IMAGE_BLOCK, SNAPSHOT_BLOCK, Listed, Problem, RegionState

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef, PaginatorConfigTypeDef
    from mypy_boto3_kms import KMSClient

    from .._aws.clients import Clients


_KEY, _BLOCK = "key_unreadable", "block_public_access_unreadable"
_UNUSED_UNREADABLE = "unused_snapshots_unreadable"
_BLOCKS: dict[str, Callable[[EC2Client], PublicAccessBlock]] = {
    IMAGE_BLOCK: read.image_block,
    SNAPSHOT_BLOCK: read.snapshot_block,
}
# Small pages, so that reading permissions starts early.
_PAGE: PaginatorConfigTypeDef = {"PageSize": 100}
# Seconds without an answer after which a region's first images are not waited for: a region that cannot be
# reached delays no other.
PATIENCE = 10.0
# Concurrent calls of one operation in all regions: with 20 regions, 20 a second in each at 0.4 s a call.
_AT_ONCE = 160
# An image that is not available yet, and an image or snapshot that was deleted since it was listed, is shared
# with no account.
_NOT_SHARED = ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable", "InvalidSnapshot.NotFound")


# EC2 writes these into the description of snapshots that CreateImage and CopyImage make.
_OF_FORMER_IMAGES = ["Created by CreateImage(*", "Copied for DestinationAmi *"]
# Snapshots that may be shared although no image uses them. Which of all snapshots are shared takes a call for
# each; an account may have thousands of volumes' snapshots.
_OF_IMAGES = {"Filters": [{"Name": "description", "Values": _OF_FORMER_IMAGES}]}
_UNUSED: tuple[dict[str, Any], ...] = ({"RestorableByUserIds": [PUBLIC]}, _OF_IMAGES)
# The same where block-all-sharing hides what is public: the permissions stay, and apply again without it
# (botocore operation EnableSnapshotBlockPublicAccess), so that RestorableByUserIds may not return it.
# Encrypted snapshots cannot be public (EBS User Guide, "Share an Amazon EBS snapshot").
_UNUSED_IF_HIDDEN: tuple[dict[str, Any], ...] = (
    {"Filters": [{"Name": "encrypted", "Values": ["false"]}]},
    _OF_IMAGES,
)


class Piece(NamedTuple):
    """An image or a snapshot whose permissions are read, with an image that uses the snapshot, if any."""

    target: Target
    resource: str
    image_id: str | None

    @property
    def is_image(self) -> bool:
        """Whether this is an image."""
        return self.resource == self.image_id

    @property
    def action(self) -> str:
        """Return the operation that reads its permissions."""
        return read.IMAGE_PERMISSIONS if self.is_image else read.SNAPSHOT_PERMISSIONS

    @property
    def code(self) -> str:
        """Return the code of the finding if its permissions cannot be read."""
        return "image_unreadable" if self.is_image else "snapshot_unreadable"


class _Permissions(NamedTuple):
    """Permissions of pieces, and why those of others could not be read."""

    done: dict[Piece, Sharing]
    failed: dict[Piece, Exception]

    def update(self, later: _Permissions, used: Collection[str]) -> _Permissions:
        """Return these with the later ones, which count, and without unused snapshots that are ``used``."""
        read_again = later.done.keys() | later.failed.keys()
        kept = {
            piece
            for piece in (*self.done, *self.failed)
            if piece not in read_again and not (piece.image_id is None and piece.resource in used)
        }
        return _Permissions(
            {piece: sharing for piece, sharing in self.done.items() if piece in kept} | later.done,
            {piece: error for piece, error in self.failed.items() if piece in kept} | later.failed,
        )


@dataclass(frozen=True)
class FirstImages:
    """The first page of a region's images. ``others`` reads and yields those of further pages, if any."""

    images: tuple[Listed, ...]
    has_more: bool
    others: Iterator[Listed]


def first_images(
    clients: Clients, targets: Sequence[Target]
) -> tuple[dict[Target, FirstImages], dict[Target, Exception]]:
    """Return the first images of each region, and why those of others could not be read.

    Regions that do not answer within ``PATIENCE`` are in neither. Threads still wait for them.
    """
    listing = clients.rate_limited(read.IMAGE_PERMISSIONS)
    listing.open("ec2", [target.region for target in targets])

    def look(target: Target) -> FirstImages:
        pages = _image_pages(listing.ec2(target.region))
        images, has_more = next(pages)
        return FirstImages(tuple(images), has_more, (one for others, _more in pages for one in others))

    first, failed = map_parallel(targets, look, optional=targets, grace_period=PATIENCE)
    return first, {target: error for target, error in failed.items() if not isinstance(error, DidNotAnswer)}


def regions(
    clients: Clients,
    targets: Collection[Target],
    options: AuditOptions,
    among: int,
    first: Mapping[Target, FirstImages] = MappingProxyType({}),
) -> tuple[dict[Target, RegionState], dict[Target, Failure]]:
    """Return what was read of each region, and why regions could not be read at all.

    The threads are those for so many of ``among`` regions. ``first`` are images that were read before.
    """
    kinds = (read.IMAGE_PERMISSIONS, *([read.SNAPSHOT_PERMISSIONS] if options.check_snapshots else []))
    for action in kinds:
        clients.rate_limited(action).open("ec2", [target.region for target in targets])
    threads = threads_of_each(len(kinds), among)
    current, failed = map_parallel(
        targets,
        lambda target: _region(clients, target, options.check_snapshots, threads, first.get(target)),
    )
    unread = {target: unread_region(target, exception) for target, exception in failed.items()}
    current = _with_keys(clients, current) if options.check_keys else current
    return (add_parameters(clients, current, options) if options.check_parameters else current), unread


def unread_region(target: Target, exception: Exception) -> Failure:
    """Return why a region could not be read at all."""
    return failure(exception, target, "DescribeImages")


def threads_of_each(kinds: int, regions: int) -> int:
    """Return the number of threads for each region. Each thread keeps a connection to AWS open."""
    # Each operation has its own connections. On macOS a process can open 256 files by default.
    files, _most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, min(MAX_THREADS, min(_AT_ONCE * kinds, files // 2) // max(1, regions)))


def images(ec2: EC2Client, filters: Sequence[FilterTypeDef] = ()) -> Iterator[Listed]:
    """Yield every own image that matches the filters, in AWS's order.

    Disabled and deprecated images are included.
    """
    for page, _has_more in _image_pages(ec2, filters):
        yield from page


def _image_pages(
    ec2: EC2Client, filters: Sequence[FilterTypeDef] = ()
) -> Iterator[tuple[list[Listed], bool]]:
    """Yield each page of the own images, and whether there are more."""
    pages = ec2.get_paginator("describe_images").paginate(
        Owners=["self"],
        Filters=list(filters),
        IncludeDeprecated=True,
        IncludeDisabled=True,
        PaginationConfig=_PAGE,
    )
    for page in pages:
        items = require_member(page, "Images", "DescribeImages")
        listed = [Listed(read.image_of(item), item.get("LastLaunchedTime")) for item in items]
        yield listed, bool(page.get("NextToken"))


def unused_snapshots(ec2: EC2Client, used: Collection[str], block: PublicAccessBlock | None) -> Iterator[str]:
    """Yield the account's snapshots that may be shared and that are not ``used``, each once.

    These are all public snapshots, and those that were made with an image. If ``block`` hides what is public,
    or was not read (None), they are all snapshots that could be public.
    """
    known = set(used)
    hides = block is None or block.state == "block-all-sharing"
    for scope in _UNUSED_IF_HIDDEN if hides else _UNUSED:
        pages = ec2.get_paginator("describe_snapshots").paginate(
            OwnerIds=["self"], PaginationConfig=read.PAGE, **scope
        )
        for page in pages:
            for item in require_member(page, "Snapshots", "DescribeSnapshots"):
                snapshot_id = require_member(item, "SnapshotId", "DescribeSnapshots")
                if snapshot_id not in known:
                    known.add(snapshot_id)
                    yield snapshot_id


@dataclass
class _Listing:
    """What one thread lists of a region, while others read the permissions of what it yields.

    ``first`` are the images that were listed before, if any.
    ``used`` are the snapshots that images use or may use. ``blocks`` are the block public access settings.
    ``problems`` are why something could not be listed.
    """

    ec2: EC2Client
    target: Target
    check_snapshots: bool
    first: FirstImages | None = None
    listed: dict[str, Listed] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    blocks: dict[str, PublicAccessBlock] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def pieces(self) -> Iterator[Piece]:
        """Yield everything whose permissions are read, and read the block public access settings.

        The settings say which snapshots without an image can be public although no list says so.
        """
        own = chain(self.first.images, self.first.others) if self.first else images(self.ec2)
        yield from self.pieces_of(own)
        self._read_blocks()
        if self.check_snapshots:
            yield from self._unused_pieces()

    def pieces_of(self, items: Iterable[Listed]) -> Iterator[Piece]:
        """Yield images with their snapshots. A snapshot is read once, with the first image that uses it."""
        for item in items:
            image_id = item.image.image_id
            self.listed[image_id] = item
            yield Piece(self.target, image_id, image_id)
            for snapshot_id in item.image.snapshot_ids if self.check_snapshots else ():
                if snapshot_id not in self.used:
                    self.used.add(snapshot_id)
                    yield Piece(self.target, snapshot_id, image_id)

    def late_images(self, permissions: _Permissions) -> list[Listed]:
        """Return the images that now use shared snapshots that no image used before.

        A pending image may list no snapshots, and become available in the minutes in which permissions are
        read. If the images cannot be read, the snapshots count as used: the rules for unused ones may
        not apply to them.
        """
        shared = sorted(
            piece.resource
            for piece, sharing in permissions.done.items()
            if piece.image_id is None and sharing.without(self.target.account_id)
        )
        try:
            return [
                item
                for ids in batches(shared, read.FILTER_VALUES)
                for item in images(
                    self.ec2, [{"Name": "block-device-mapping.snapshot-id", "Values": list(ids)}]
                )
            ]
        except AWS_ERRORS as exception:
            self._add_problem(exception, "DescribeImages", _UNUSED_UNREADABLE, self.target.region)
            self.used.update(shared)
            return []

    def _unused_pieces(self) -> Iterator[Piece]:
        try:
            for snapshot_id in unused_snapshots(self.ec2, self.used, self.blocks.get(SNAPSHOT_BLOCK)):
                yield Piece(self.target, snapshot_id, None)
        except AWS_ERRORS as exception:
            self._add_problem(exception, "DescribeSnapshots", _UNUSED_UNREADABLE, self.target.region)

    def _read_blocks(self) -> None:
        for action, reader in _BLOCKS.items():
            try:
                self.blocks[action] = reader(self.ec2)
            except AWS_ERRORS as exception:
                self._add_problem(exception, action, _BLOCK, action)

    def _add_problem(self, exception: Exception, action: str, code: str, resource: str) -> None:
        self.problems.append(Problem(code, resource, failure(exception, self.target, action)))


def _region(
    clients: Clients, target: Target, check_snapshots: bool, threads: int, first_page: FirstImages | None
) -> RegionState:
    """Read one region. Permissions are read while images are still being listed."""

    def permissions(pieces: Iterable[Piece]) -> _Permissions:
        return _Permissions(*map_parallel(pieces, lambda piece: _sharing(clients, piece), threads=threads))

    listing = _Listing(
        clients.rate_limited(read.IMAGE_PERMISSIONS).ec2(target.region), target, check_snapshots, first_page
    )
    first = permissions(listing.pieces())
    later = permissions(listing.pieces_of(listing.late_images(first)))
    done, failed = first.update(later, listing.used)
    unread = [
        Problem(piece.code, piece.resource, failure(exception, target, piece.action), piece.image_id)
        for piece, exception in failed.items()
    ]
    return RegionState(
        images=tuple(listing.listed[image_id] for image_id in sorted(listing.listed)),
        image_block=listing.blocks.get(IMAGE_BLOCK),
        snapshot_block=listing.blocks.get(SNAPSHOT_BLOCK),
        sharing={piece.resource: sharing for piece, sharing in done.items() if piece.is_image},
        volume_permissions={
            piece.resource: sharing
            for piece, sharing in done.items()
            if piece.image_id is not None and not piece.is_image
        },
        unused={piece.resource: sharing for piece, sharing in done.items() if piece.image_id is None},
        problems=(*listing.problems, *unread),
    )


def _sharing(clients: Clients, piece: Piece) -> Sharing:
    ec2 = clients.rate_limited(piece.action).ec2(piece.target.region)
    return read.permissions(ec2, piece.action, piece.resource, _NOT_SHARED)


def _with_keys(clients: Clients, current: Mapping[Target, RegionState]) -> dict[Target, RegionState]:
    """Return the regions with the keys of encrypted snapshots, each read once.

    The keys of shared snapshots that no image uses are noted, too, but only keys of images are read.
    """
    encrypted = {target: ids for target, region in current.items() if (ids := _encrypted_snapshots(region))}
    clients.open("kms", [target.region for target in encrypted])

    def read_snapshots(target: Target) -> tuple[Snapshot, ...]:
        ids = (*encrypted[target], *_list_shared_unused(target, current[target]))
        return read.snapshots(clients.rate_limited(read.IMAGE_PERMISSIONS).ec2(target.region), ids)

    known, unknown = map_parallel(encrypted, read_snapshots)
    keyless = _find_unknown_keys(clients, encrypted, known)
    arns = round_robin(
        [
            (target, arn)
            for arn in _key_arns(
                snapshot for snapshot in snapshots if snapshot.snapshot_id in encrypted[target]
            )
        ]
        for target, snapshots in known.items()
    )
    done, failed = map_parallel(arns, lambda item: _key(clients.kms(item[0].region), *item))
    keys: dict[Target, dict[str, KeyState]] = {target: {} for target in current}
    problems = {target: [*region.problems, *keyless.get(target, ())] for target, region in current.items()}
    for (target, arn), key in done.items():
        keys[target][arn] = key
    for (target, arn), exception in failed.items():
        problems[target].append(Problem(_KEY, arn, failure(exception, target, "DescribeKey")))
    for target, exception in unknown.items():
        problem = failure(exception, target, "DescribeSnapshots")
        problems[target].append(Problem(_KEY, "DescribeSnapshots", problem))
    return {
        target: replace(
            region,
            key_of={
                snapshot.snapshot_id: snapshot.kms_key_id
                for snapshot in known.get(target, ())
                if snapshot.kms_key_id
            },
            associated_keys={
                snapshot.snapshot_id: snapshot.associated_key_arns
                for snapshot in known.get(target, ())
                if snapshot.associated_key_arns
            },
            keys=keys[target],
            problems=tuple(problems[target]),
        )
        for target, region in current.items()
    }


def _list_shared_unused(target: Target, region: RegionState) -> list[str]:
    """Return the snapshots without an image that are shared with other accounts."""
    return sorted(
        snapshot_id for snapshot_id, sharing in region.unused.items() if sharing.without(target.account_id)
    )


def _key_arns(snapshots: Iterable[Snapshot]) -> list[str]:
    """Return all keys that give access to the snapshots' data."""
    return sorted({arn for snapshot in snapshots for arn in snapshot.key_arns})


def _encrypted_snapshots(region: RegionState) -> dict[str, str]:
    """Return the encrypted snapshots, each with the first image that uses it."""
    images: dict[str, str] = {}
    for item in region.images:
        for device in item.image.devices:
            if device.encrypted and device.snapshot_id:
                images.setdefault(device.snapshot_id, item.image.image_id)
    return dict(sorted(images.items()))


def _find_unknown_keys(
    clients: Clients,
    encrypted: Mapping[Target, Mapping[str, str]],
    known: Mapping[Target, Sequence[Snapshot]],
) -> dict[Target, list[Problem]]:
    """Return why the keys of encrypted snapshots are not known. Deleted snapshots are left out."""
    returned = {
        (target, snapshot.snapshot_id): snapshot.kms_key_id
        for target, snapshots in known.items()
        for snapshot in snapshots
    }
    items = [(target, snapshot_id) for target in known for snapshot_id in encrypted[target]]
    deleted, unproven = map_parallel(
        [item for item in items if item not in returned],
        lambda item: _is_deleted(clients.rate_limited(read.IMAGE_PERMISSIONS).ec2(item[0].region), item[1]),
    )
    problems: dict[Target, list[Problem]] = {}
    for target, snapshot_id in items:
        item = (target, snapshot_id)
        if returned.get(item) or deleted.get(item):
            continue
        incomplete = IncompleteAnswer("DescribeSnapshots", "KmsKeyId" if item in returned else snapshot_id)
        problem = failure(unproven.get(item, incomplete), target, "DescribeSnapshots")
        problems.setdefault(target, []).append(
            Problem(_KEY, snapshot_id, problem, encrypted[target][snapshot_id])
        )
    return problems


def _is_deleted(ec2: EC2Client, snapshot_id: str) -> bool:
    """Whether an error shows that there is no such snapshot. An answer without it does not."""
    try:
        ec2.describe_snapshots(SnapshotIds=[snapshot_id])
    except ClientError as exception:
        if code_of(exception) != "InvalidSnapshot.NotFound":
            raise
        return True
    return False


def _key(kms: KMSClient, target: Target, arn: str) -> KeyState:
    named = Key(arn)
    if named.account_id != target.account_id:
        # Its grants and policy can be read in its own account only.
        return KeyState(named)
    key = read.key(kms, arn)
    if key.aws_managed:
        # Other accounts cannot use it.
        return KeyState(key)
    return KeyState(key, read.grants(kms, key.arn), read.key_policies(kms, key.arn))
