# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose credentials are used, and which regions that account has: what every task asks first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..failures import Refused
from . import read
from .clients import Clients
from .errors import AWS_ERRORS, failure
from .read import Caller


def preferred_region(clients: Clients, regions: Sequence[str]) -> str:
    """Of the regions that a task is about the one to ask in what is the same in all of them.

    That is the region of the user's own settings if the task is about it: it is enabled, as the first that is
    named might not be. One of another partition would know no such account.
    """
    return clients.default_region if clients.default_region in regions else regions[0]


def identify(clients: Clients, region: str) -> Caller:
    """The account and the partition of the credentials, as STS in ``region`` says.

    Raises:
        Refused: AWS does not know the credentials, or cannot be reached.
    """
    clients.open("sts", [region])
    try:
        return read.caller(clients.sts(region))
    except AWS_ERRORS as exception:
        raise Refused([failure(exception, None, "GetCallerIdentity")]) from exception


def identify_with_regions(clients: Clients) -> tuple[Caller, Mapping[str, str]]:
    """The account, and all regions of its partition with their opt-in status, as the home region says.

    Raises:
        Refused: as ``identify``, or the regions must not be listed.
    """
    caller = identify(clients, clients.default_region)
    clients.open("ec2", [clients.default_region])
    try:
        return caller, read.regions(clients.ec2(clients.default_region))
    except AWS_ERRORS as exception:
        raise Refused([failure(exception, None, "DescribeRegions")]) from exception
