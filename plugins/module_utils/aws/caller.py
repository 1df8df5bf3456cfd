# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The account of the credentials and its regions, which every task reads first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from ..failures import Refused
from ..model import Target
from . import read
from .clients import Clients
from .errors import AWS_ERRORS, UNREADABLE, failure, unreadable
from .read import Caller


def preferred_region(clients: Clients, regions: Sequence[str]) -> str:
    """The region among ``regions`` for calls whose result is the same in all of them.

    This is the default region if the task includes it, because the first one may not be enabled. The default
    region may be in another partition, where the account does not exist.
    """
    return clients.default_region if clients.default_region in regions else regions[0]


@contextmanager
def first_call(action: str, target: Target | None = None) -> Iterator[None]:
    """Refuse the task if the first call of a service fails inside.

    Botocore reads the credentials for the first client, and renews them for a call: the client has to be
    opened inside, too.

    Raises:
        Refused: AWS refuses the call or cannot be reached, or the credentials or settings cannot be read.
    """
    try:
        yield
    except AWS_ERRORS as exception:
        raise Refused([failure(exception, target, action)]) from exception
    except UNREADABLE as exception:
        raise Refused([unreadable(exception, action)]) from exception
    except Refused as refused:
        # The client could not be opened.
        raise Refused(replace(one, action=action) for one in refused.failures) from refused


def identify(clients: Clients, region: str) -> Caller:
    """The account and the partition of the credentials, from STS in ``region``.

    Raises:
        Refused: the credentials cannot be read or are not valid, or AWS cannot be reached.
    """
    with first_call("GetCallerIdentity"):
        clients.open("sts", [region])
        return read.caller(clients.sts(region))


def identify_with_regions(clients: Clients) -> tuple[Caller, Mapping[str, str]]:
    """The account, and all regions of its partition with their opt-in status, from the default region.

    Raises:
        Refused: as ``identify``, or access to the list of regions is denied.
    """
    caller = identify(clients, clients.default_region)
    with first_call("DescribeRegions", Target(caller.account_id, clients.default_region)):
        clients.open("ec2", [clients.default_region])
        return caller, read.regions(clients.ec2(clients.default_region))
