# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the kinds of resources that use images are declared and read; ``read_all`` lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ..._aws.errors import AWS_ERRORS, ClientError, EndpointConnectionError, code_of, failure
from ..._aws.managed_resources import hides_managed
from ..state import Evidence, unread, unreadable
from .users import User

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ssm import SSMClient

    from ..._aws.clients import Clients

Found = TypeVar("Found")

# EC2 API Reference, "Error codes": a region without the action has no such resources.
_UNSUPPORTED = ("InvalidAction", "UnsupportedOperation")


class Attempts:
    """Makes reads, and collects those that failed."""

    def __init__(self) -> None:
        self.problems: list[Evidence] = []

    def __call__(self, action: str, reader: Callable[[], tuple[Found, ...]]) -> tuple[Found, ...]:
        """Return what the reader returns; nothing if it fails."""
        try:
            return reader()
        except AWS_ERRORS as exception:
            self.problems.append(unread(failure(exception, None, action)))
            return ()


@dataclass(frozen=True)
class Place:
    """A region of the clients' account, and what was read there so far, by kind.

    Parameters below ``tombstone_path`` are tombstones, which name images but do not use them. ``absent`` are
    the services that the region does not have by botocore's data.
    """

    clients: Clients
    region: str
    tombstone_path: str | None = None
    absent: frozenset[str] = frozenset()
    by_kind: dict[str, list[User]] = field(default_factory=dict)

    @property
    def users(self) -> tuple[User, ...]:
        """What was read so far, in the order of the sources."""
        return tuple(user for users in self.by_kind.values() for user in users)

    @property
    def ec2(self) -> EC2Client:
        """The client of EC2."""
        return self.clients.ec2(self.region)

    @property
    def ssm(self) -> SSMClient:
        """The client of Systems Manager."""
        return self.clients.ssm(self.region)

    def client(self, service: str) -> Any:
        """Return the client of another service."""
        return self.clients.client(service, self.region)


class Read(NamedTuple):
    """A read, and the operations that it calls, such as ``ec2:DescribeInstances``.

    The services are those of botocore. The IAM actions have the names of the operations; the prefixes that
    differ are in ``checks/iam/permissions.py``.
    """

    read: Callable[[Place], Iterable[User]]
    operations: tuple[str, ...]

    @property
    def action(self) -> str:
        """The name of the first operation, for what fails without an answer of AWS."""
        return self.operations[0].partition(":")[2]

    @property
    def service(self) -> str:
        """The service that has the operations."""
        return self.operations[0].partition(":")[0]

    def users(self, place: Place) -> tuple[User, ...]:
        """Return what it reads: nothing in a region without the service.

        Botocore's data can be older than the service in a region. So both have to say that it is not there:
        the data, and that no connection to its endpoint can be made. What only one says is not read.
        """
        try:
            return tuple(self.read(place))
        except EndpointConnectionError:
            if self.service in place.absent:
                return ()
            raise


@dataclass(frozen=True)
class Source:
    """A kind of resource that uses images.

    ``kind`` is that of the evidence, ``which`` are the words of the documentation about what counts.
    ``reads`` are made first, ``named`` once all sources were read: what other resources name. What could not
    be read counts as use. AWS services can hide resources of theirs if it ``can_be_hidden``. With
    ``only_of_owner``, it is not read in the accounts that an image is shared with. One that ``is_late`` is
    read only in regions with images to disable or deregister; if it cannot be read, these are not.
    """

    kind: str
    which: str
    reads: tuple[Read, ...]
    named: tuple[Read, ...] = ()
    can_be_hidden: bool = False
    only_of_owner: bool = False
    is_late: bool = False

    @property
    def service(self) -> str:
        """The service that has the resources."""
        return self.reads[0].service

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations that are called."""
        return tuple(one for read in (*self.reads, *self.named) for one in read.operations)


def services(sources: Iterable[Source]) -> tuple[str, ...]:
    """Return the services that are called."""
    return tuple(sorted({one.partition(":")[0] for source in sources for one in source.operations}))


def read_users(place: Place, sources: Sequence[Source], attempt: Attempts) -> tuple[User, ...]:
    """Return what uses images in a place, in the order of the sources. What cannot be read is noted."""
    place.by_kind.update({source.kind: [] for source in sources})
    attempt.problems += _hidden(place.ec2, sources)
    for source in sources:
        _read(place, source, source.reads, attempt)
    for source in sources:
        _read(place, source, source.named, attempt)
    return place.users


def _read(place: Place, source: Source, reads: Iterable[Read], attempt: Attempts) -> None:
    for one in reads:
        place.by_kind[source.kind] += attempt(one.action, partial(one.users, place))


def _hidden(ec2: EC2Client, sources: Iterable[Source]) -> Iterator[Evidence]:
    """Yield what an older botocore cannot read: resources that AWS services manage."""
    for source in sources:
        operation = source.reads[0].action
        if source.can_be_hidden and (problem := hides_managed(ec2, operation)):
            yield unreadable(operation, problem, "Update botocore and boto3.")


def if_supported(reader: Callable[[Place], Iterable[User]]) -> Callable[[Place], Iterable[User]]:
    """Return the reader, which returns nothing in a region without the operation."""

    def read(place: Place) -> Iterable[User]:
        try:
            return tuple(reader(place))
        except ClientError as exception:
            if code_of(exception) in _UNSUPPORTED:
                return ()
            raise

    return read
