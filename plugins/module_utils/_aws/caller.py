# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the account of the credentials and its regions, which every task needs first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from .._denial import DENIED
from .._failures import Failure, ValidationError, invalid_option
from .._model import Target
from .._regions import (
    ENABLED_BY_DEFAULT,
    REGION_OF_EVERY_ACCOUNT,
    check_region,
    list_enabled,
    refuse_partition,
)
from . import read
from .clients import Clients
from .errors import AWS_ERRORS, UNREADABLE, failure, unreadable, without_region
from .read import Caller


def preferred_region(clients: Clients, regions: Sequence[str]) -> str:
    """Return the region for calls whose result is the same in all ``regions``.

    This is the default region if the task includes it, else a region that every account has, because the
    first one may not be enabled. The default region may be in another partition, where the account does not
    exist.
    """
    if clients.default_region in regions:
        return clients.default_region
    return next((region for region in regions if region in ENABLED_BY_DEFAULT), regions[0])


@contextmanager
def first_call(action: str, target: Target | None = None) -> Iterator[None]:
    """Refuse the task if the first call of a service fails inside.

    Botocore reads the credentials for the first client, and renews them for a call: the client has to be
    opened inside, too.

    Raises:
        ValidationError: AWS refuses the call or cannot be reached, or the credentials or settings cannot be
            read.
    """
    try:
        yield
    except AWS_ERRORS as exception:
        raise ValidationError([failure(exception, target, action)]) from exception
    except UNREADABLE as exception:
        raise ValidationError([unreadable(exception, action)]) from exception
    except ValidationError as refused:
        # The client could not be opened.
        raise ValidationError(replace(failed, action=action) for failed in refused.failures) from refused


def identify(clients: Clients, region: str | None = None) -> Caller:
    """Return the account and the partition of the credentials.

    STS is called in ``region`` or in the default region.

    Raises:
        ValidationError: the credentials cannot be read or are not valid, or AWS cannot be reached.
    """
    sts_region = region or clients.default_region
    try:
        with first_call("GetCallerIdentity"):
            clients.open("sts", [sts_region])
            caller = read.caller(clients.sts(sts_region))
            # For the reports of this run.
            clients.caller = caller.arn
            return caller
    except ValidationError as refused:
        if region:
            raise
        raise ValidationError(add_region_remedy(clients, failed) for failed in refused.failures) from refused


def add_region_remedy(clients: Clients, failed: Failure) -> Failure:
    """Return the failure of a call in the default region, with a remedy if that region is only assumed."""
    return failed if clients.is_region_set else without_region(failed, clients.default_region)


def identify_in_regions(clients: Clients, named: Mapping[str, Collection[str]]) -> Caller:
    """Return the account after a check that the regions exist and are enabled there.

    ``named`` are the regions by option. They are listed only if one of them may be missing: every account has
    the others. Without the permission to list them, AWS's answers in the regions decide.

    Raises:
        ValidationError: as ``identify``, or with a failure for each region that does not exist, is not
            enabled or is in another partition.
    """
    regions = sorted({region for names in named.values() for region in names})
    caller, region = identify_for_checks(clients, region_for_checks(clients, regions))
    is_doubtful = not all(_is_certain(clients, name) for name in regions)
    known = _list_regions(clients, caller, region) if is_doubtful else {}
    failures = [
        failure
        for option, names in named.items()
        for name in dict.fromkeys(names)
        for failure in _check_region(clients, caller, option, name, known)
    ]
    if failures:
        raise ValidationError(failures)
    return caller


def _check_region(
    clients: Clients, caller: Caller, option: str, region: str, known: Mapping[str, str]
) -> Iterator[Failure]:
    """Yield a failure if the region in ``option`` is in another partition, does not exist or is not enabled.

    ``known`` is empty if the regions are not listed.
    """
    partition = clients.partition_of(region)
    if partition and partition != caller.partition and clients.is_known(region):
        yield refuse_partition(option, region, partition, caller.partition)
    elif known and not _is_certain(clients, region):
        yield from check_region(option, region, known)


def identify_for_checks(clients: Clients, region: str) -> tuple[Caller, str]:
    """Return the account, and the region in which the others can be listed.

    This is ``region``, unless it does not answer and may be one of those that are missing, or is in another
    partition than the account.

    Raises:
        ValidationError: as ``identify`` in ``region``.
    """
    try:
        return identify(clients, None if region == clients.default_region else region), region
    except ValidationError as refused:
        other = _other_region(clients, region)
        if other is None:
            raise
        try:
            return identify(clients, other), other
        except ValidationError:
            # An isolated network may reach no other region: what the user named explains more.
            raise refused from None


def _other_region(clients: Clients, region: str) -> str | None:
    """Return a region that may answer where this one does not; None if that would be no surprise."""
    partition = clients.partition_of(region)
    if partition != clients.partition_of(clients.default_region):
        return clients.default_region
    is_missing = partition == "aws" and not _is_certain(clients, region)
    return REGION_OF_EVERY_ACCOUNT if is_missing else None


def region_for_checks(clients: Clients, regions: Sequence[str]) -> str:
    """Return the region for the calls that show whether the ``regions`` exist and are enabled.

    One of these that every account has is certain to answer. The default region is the next best one, unless
    all of them are in another partition.
    """
    certain = [region for region in regions if _is_certain(clients, region)]
    if certain:
        return preferred_region(clients, certain)
    return _region_of_other_partition(clients, regions) or clients.default_region


def _is_certain(clients: Clients, region: str) -> bool:
    """Whether the region exists and every account of its partition has it."""
    if region in ENABLED_BY_DEFAULT:
        return True
    return clients.partition_of(region) not in (None, "aws") and clients.is_known(region)


def _list_regions(clients: Clients, caller: Caller, region: str) -> Mapping[str, str]:
    """Return the regions with their opt-in status; none if the credentials may not list them."""
    try:
        with first_call("DescribeRegions", Target(caller.account_id, region)):
            clients.open("ec2", [region])
            return read.regions(clients.ec2(region))
    except ValidationError as refused:
        if all(failure.error_code in DENIED for failure in refused.failures):
            return {}
        raise


def identify_with_regions(clients: Clients, named: Sequence[str]) -> tuple[Caller, tuple[str, ...]]:
    """Return the account and the ``named`` regions, the option ``regions``; by default all enabled ones.

    Raises:
        ValidationError: as ``identify_with_enabled``.
    """
    caller, enabled = identify_with_enabled(clients, named)
    return caller, tuple(named) or enabled


def identify_with_enabled(clients: Clients, named: Sequence[str]) -> tuple[Caller, tuple[str, ...]]:
    """Return the account and all its enabled regions; ``named`` are some, the option ``regions``.

    All regions are listed in the default region. If all named regions are in other partitions, they are
    listed in one of these. Only this list shows that a named region is misspelled or not enabled.

    Raises:
        ValidationError: as ``identify``, access to the list of regions is denied, or with a failure for each
            region that does not exist, is not enabled or is in another partition.
    """
    region = _region_of_other_partition(clients, named) or clients.default_region
    if region == clients.default_region:
        caller = identify(clients)
    else:
        caller, region = identify_for_checks(clients, region)
    with first_call("DescribeRegions", Target(caller.account_id, region)):
        clients.open("ec2", [region])
        known = read.regions(clients.ec2(region))
    failures = [
        failure for name in named for failure in _check_region(clients, caller, "regions", name, known)
    ]
    if failures:
        raise ValidationError(failures)
    return caller, list_enabled(known)


def _region_of_other_partition(clients: Clients, named: Sequence[str]) -> str | None:
    """Return an existing one of the named regions if none is in the partition of the default region."""
    if not named or clients.default_region in named:
        return None
    partition = clients.partition_of(clients.default_region)
    partitions = {region: clients.partition_of(region) for region in named}
    others = [region for region in named if partitions[region] is not None]
    if partition in partitions.values() or not others:
        return None
    # The pattern of a partition also fits a misspelled name.
    return next((region for region in others if clients.is_known(region)), others[0])


def check_default_region(clients: Clients, caller: Caller, options: Mapping[str, str | None]) -> None:
    """Refuse options whose calls are made in the default region, if that is in another partition.

    ``options`` are their values by name, None if they are not set.

    Raises:
        ValidationError: with a failure for each of them that is set.
    """
    set_options, region = [option for option, value in options.items() if value], clients.default_region
    partition = clients.partition_of(region) if set_options else None
    if partition not in (None, caller.partition):
        raise ValidationError(
            invalid_option(
                option,
                f"{option}: it would be used in {region}, which is in the partition {partition}, and the "
                f"credentials are for {caller.partition}.",
                f"Set region or AWS_REGION to a region of {caller.partition}.",
            )
            for option in set_options
        )
