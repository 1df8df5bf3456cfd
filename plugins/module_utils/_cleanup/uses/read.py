# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The declaration and the reads of a kind of resource that uses images; ``read_all`` lists all kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ..._aws.errors import AWS_ERRORS, ClientError, EndpointConnectionError, code_of, failure
from ..._aws.managed_resources import hides_managed
from ..._fanout import side_by_side
from ..state import Evidence
from .users import User

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ssm import SSMClient

    from ..._aws.clients import Clients

Result = TypeVar("Result")

# EC2 API Reference, "Error codes": a region without the action has no such resources.
_UNSUPPORTED = ("InvalidAction", "UnsupportedOperation")


class Attempts:
    """The reads of a place, with those that failed."""

    def __init__(self) -> None:
        self.problems: list[Evidence] = []

    def __call__(self, action: str, reader: Callable[[], tuple[Result, ...]]) -> tuple[Result, ...]:
        """Return the result of the reader; nothing if it fails."""
        try:
            return reader()
        except AWS_ERRORS as exception:
            self.problems.append(Evidence.of_failure(failure(exception, None, action)))
            return ()


@dataclass(frozen=True)
class Place:
    """A region of the clients' account, with the users of images that were read there, by kind.

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
        """Return what was read so far, in the order of the sources."""
        return tuple(user for users in self.by_kind.values() for user in users)

    @property
    def ec2(self) -> EC2Client:
        """Return the client of EC2."""
        return self.clients.ec2(self.region)

    @property
    def ssm(self) -> SSMClient:
        """Return the client of Systems Manager."""
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
        """Return the name of the first operation, for a failure without AWS's response."""
        return self.operations[0].partition(":")[2]

    @property
    def service(self) -> str:
        """Return the service that has the operations."""
        return self.operations[0].partition(":")[0]

    def users(self, place: Place) -> tuple[User, ...]:
        """Return the result of the read: nothing in a region without the service.

        Botocore's data can be older than the service in a region. So the service counts as absent only if
        the data lacks it and no connection to its endpoint can be made.
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
    ``reads`` are made first, beside those of other sources, and ``later_reads`` once all sources were read:
    they need other resources, such as what these name. What could not be read counts as use. AWS services
    can hide resources of theirs if it ``can_be_hidden``. With
    ``only_of_owner``, it is not read in the accounts that an image is shared with. One that ``is_late`` is
    read only in regions with images to disable or deregister; if it cannot be read, these are not.
    """

    kind: str
    which: str
    reads: tuple[Read, ...]
    later_reads: tuple[Read, ...] = ()
    can_be_hidden: bool = False
    only_of_owner: bool = False
    is_late: bool = False

    @property
    def service(self) -> str:
        """Return the service that has the resources."""
        return (*self.reads, *self.later_reads)[0].service

    @property
    def operations(self) -> tuple[str, ...]:
        """Return the operations that are called."""
        return tuple(operation for read in (*self.reads, *self.later_reads) for operation in read.operations)


def list_services(sources: Iterable[Source]) -> tuple[str, ...]:
    """Return the services that are called."""
    return tuple(
        sorted({operation.partition(":")[0] for source in sources for operation in source.operations})
    )


def read_users(
    place: Place, sources: Sequence[Source], attempt: Attempts, threads: int = 1
) -> tuple[User, ...]:
    """Return the users of images in a place, in the order of the sources; failed reads are noted.

    The first reads of so many sources are made at the same time as there are ``threads``.
    """
    place.by_kind.update({source.kind: [] for source in sources})
    attempt.problems += _find_hidden(place.ec2, sources)
    first = [partial(_read_source, place, source.kind, source.reads) for source in sources]
    for problems in side_by_side(first, threads):
        attempt.problems += problems
    for source in sources:
        attempt.problems += _read_source(place, source.kind, source.later_reads)
    return place.users


def _read_source(place: Place, kind: str, reads: Iterable[Read]) -> list[Evidence]:
    """Add the users of a kind to those of the place, and return the failed reads."""
    attempt = Attempts()
    for read in reads:
        place.by_kind[kind] += attempt(read.action, partial(read.users, place))
    return attempt.problems


def _find_hidden(ec2: EC2Client, sources: Iterable[Source]) -> Iterator[Evidence]:
    """Yield the resources of AWS services that this version of botocore cannot read."""
    for operation in (source.reads[0].action for source in sources if source.can_be_hidden):
        if problem := hides_managed(ec2, operation):
            yield Evidence.unreadable(operation, problem, "Update botocore and boto3.")


def skip_unsupported(reader: Callable[[Place], Iterable[User]]) -> Callable[[Place], Iterable[User]]:
    """Return the reader, which returns nothing in a region without the operation."""

    def read(place: Place) -> Iterable[User]:
        try:
            return tuple(reader(place))
        except ClientError as exception:
            if code_of(exception) in _UNSUPPORTED:
                return ()
            raise

    return read
