# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking whether accounts may copy a source that is not theirs: with their eyes, then with its owner's."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from time import monotonic, sleep
from typing import TYPE_CHECKING

from ..aws import errors, read
from ..aws.assumed_roles import AssumedAccounts
from ..aws.clients import Clients
from ..failures import Refused
from ..fanout import each
from ..model import Image, Key, KeySeen, Target
from ..plan import KNOWN_AFTER_APPLY
from . import plan as planner
from .access import Copier, Lacking, SourceGiven, SourceSeen, is_given, lacking
from .state import CopySeen, CopyWanted

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_kms import KMSClient

# How long a permission that the owner has given may stay unknown to the account. EC2 names no bound; a grant
# is usually known in seconds, at most in 5 minutes (KMS Developer Guide, "Grants in AWS KMS").
_HEEDED_WITHIN = 30.0
_LOOK_AGAIN = 1.0


def with_access(
    accounts: AssumedAccounts, wanted: CopyWanted, seen: CopySeen, optional: Collection[Target]
) -> CopySeen:
    """``seen`` together with what accounts lack in order to make the copies that are still to be made.

    Nothing is asked where no copy is to be made, nor of a source's owner.
    """
    if wanted.assume_source_ready or not (wanted.account_ids or wanted.source_images):
        return seen
    # Many regions may have one source: each account looks at it once.
    places = {
        target: Target(target.account_id, wanted.source_region_of(target.region))
        for target in seen.copies
        if target.account_id != seen.source_of(target).owner_id
        # Of what is only planned nobody can be asked.
        and seen.source_of(target).image_id != KNOWN_AFTER_APPLY
        and planner.existing_copy(wanted, seen, target) is None
    }
    sources = {place.region: seen.source_of(target) for target, place in places.items()}
    given_keys = _keys(accounts, seen.account_id, sources)
    missing, failed = _look(accounts, sources, given_keys, places.values())
    missing = _await_what_was_given(accounts, seen.account_id, sources, given_keys, missing)
    failures = {
        target: errors.failure(failed[place], target, "DescribeImages")
        for target, place in places.items()
        if place in failed
    }
    if needed := [failure for target, failure in failures.items() if target not in optional]:
        raise Refused(needed)
    return replace(
        seen,
        lacking={target: missing[place] for target, place in places.items() if missing.get(place)},
        unread=(*seen.unread, *failures.values()),
        copies={target: images for target, images in seen.copies.items() if target not in failures},
    )


def _look(
    accounts: AssumedAccounts,
    sources: Mapping[str, Image],
    keys: Mapping[str, tuple[KeySeen, ...]],
    places: Iterable[Target],
) -> tuple[dict[Target, Lacking], dict[Target, Exception]]:
    """What each account lacks, as it sees the source of that region itself."""

    def look(place: Target) -> Lacking:
        source, under = sources[place.region], keys[place.region]
        with accounts.as_account(place.account_id) as clients:
            saw = _see(clients, place.region, source, under)
        return lacking(source, under, _copier(accounts, place.account_id), saw)

    return each(places, look)


def _see(clients: Clients, region: str, source: Image, keys: Iterable[KeySeen]) -> SourceSeen:
    ec2 = clients.ec2(region)
    return SourceSeen(
        visible=read.image(ec2, source.image_id) is not None,
        snapshot_ids=frozenset(item.snapshot_id for item in read.snapshots(ec2, source.snapshot_ids)),
        closed_keys=frozenset(
            key.key.arn for key in keys if not read.may_describe_key(clients.kms(region), key.key.arn)
        ),
    )


def _await_what_was_given(
    accounts: AssumedAccounts,
    own_account_id: str,
    sources: Mapping[str, Image],
    keys: Mapping[str, tuple[KeySeen, ...]],
    missing: Mapping[Target, Lacking],
) -> dict[Target, Lacking]:
    """Look again, for a while, where accounts lack only what the owner has given them already.

    A play that has just shared the source goes on at once, and AWS may need longer than that.
    """
    result = dict(missing)
    own = {region: source for region, source in sources.items() if source.owner_id == own_account_id}

    def ask_owner(region: str) -> SourceGiven:
        with accounts.as_account(own_account_id) as clients:
            return _given(clients.ec2(region), own[region])

    lacking_in = sorted({place.region for place, lack in missing.items() if lack and place.region in own})
    given, _failed = each(lacking_in, ask_owner)
    late = [
        place
        for place, lack in missing.items()
        if lack
        and place.region in given
        and is_given(lack, given[place.region], keys[place.region], _copier(accounts, place.account_id))
    ]
    give_up = monotonic() + _HEEDED_WITHIN
    while late and monotonic() < give_up:
        sleep(_LOOK_AGAIN)
        looks, _failed_looks = _look(accounts, sources, keys, late)
        result.update(looks)
        late = [place for place in late if result[place]]
    return {**result, **{place: replace(result[place], given=True) for place in late}}


def _copier(accounts: AssumedAccounts, account_id: str) -> Copier:
    return Copier(account_id, accounts.role_arn(account_id))


def _given(ec2: EC2Client, source: Image) -> SourceGiven:
    """Who may use the source, as its owner is told."""
    return SourceGiven(
        launch=read.launch_permissions(ec2, source.image_id),
        volumes={item: read.volume_permissions(ec2, item) for item in source.snapshot_ids},
    )


def _keys(
    accounts: AssumedAccounts, own_account_id: str, sources: Mapping[str, Image]
) -> Mapping[str, tuple[KeySeen, ...]]:
    """The keys that the sources are encrypted under, as far as these credentials can tell.

    Of what they cannot nothing is checked: a copy that may not use its key fails with AWS's reason.
    """

    def read_keys(region: str) -> tuple[KeySeen, ...]:
        with accounts.as_account(own_account_id) as own:
            snapshots = read.snapshots(own.ec2(region), sources[region].snapshot_ids)
            arns = sorted({item.kms_key_id for item in snapshots if item.kms_key_id})
            return tuple(_key(own.kms(region), own_account_id, arn) for arn in arns)

    found, _failed = each([region for region, source in sources.items() if source.encrypted], read_keys)
    return {region: found.get(region, ()) for region in sources}


def _key(kms: KMSClient, own_account_id: str, arn: str) -> KeySeen:
    key = KeySeen(Key(arn))
    if key.key.account_id != own_account_id:
        return key
    try:
        return replace(key, grants=read.grants(kms, arn), policy=read.key_policy(kms, arn))
    except errors.AWS_ERRORS:
        # These credentials need not be allowed to look; then only the accounts' own view counts.
        return key
