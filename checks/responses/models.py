# SPDX-License-Identifier: GPL-3.0-or-later
"""What botocore's models say of the answers of operations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, cached_property

from botocore import xform_name
from botocore.exceptions import DataNotFoundError
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape
from botocore.session import Session
from botocore.waiter import WaiterModel

from plugins.module_utils._cleanup.uses.read import list_services
from plugins.module_utils._cleanup.uses.read_all import SOURCES

# The services whose operations an action can name. Others are only read: uses of images, what AWS Config has.
OF_ACTIONS = (
    *("cloudtrail", "cloudwatch", "ec2", "events", "iam", "imagebuilder", "kms", "logs"),
    *("organizations", "ram", "rbin", "s3", "sns", "sqs", "ssm", "sts"),
)
# The services that plugins/ calls.
SERVICES = tuple(sorted({*OF_ACTIONS, *list_services(SOURCES), "config"}))


@dataclass(frozen=True, order=True)
class Operation:
    """An operation of a service; ``output`` is the shape of its answer, None if it has none."""

    service: str
    name: str
    output: Shape | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.service}:{self.name}"

    @cached_property
    def structures(self) -> tuple[Structure, ...]:
        """All structures in the answer."""
        found: dict[str, Structure] = {}
        if self.output is not None:
            _collect(self.service, self.output, found)
        return tuple(found.values())


@dataclass(frozen=True)
class Structure:
    """A structure in the answers of a service."""

    service: str
    shape: StructureShape = field(compare=False, repr=False)
    name: str = ""

    def __contains__(self, member: str) -> bool:
        return member in self.shape.members

    def requires(self, member: str) -> bool:
        """Whether the model says that the member is always there."""
        return member in self.shape.required_members

    def full_name(self, member: str) -> str:
        """The member as the table of members names it."""
        return f"{self.service}:{self.name}.{member}"


def _collect(service: str, shape: Shape, found: dict[str, Structure]) -> None:
    if isinstance(shape, StructureShape) and shape.name not in found:
        found[shape.name] = Structure(service, shape, shape.name)
        for member in shape.members.values():
            _collect(service, member, found)
    elif isinstance(shape, ListShape):
        _collect(service, shape.member, found)
    elif isinstance(shape, MapShape):
        _collect(service, shape.value, found)


class Models:
    """The operations of all services."""

    def __init__(self) -> None:
        session = Session()
        self._waiters: dict[str, WaiterModel] = {}
        for name in SERVICES:
            # Not every service has waiters.
            with suppress(DataNotFoundError):
                self._waiters[name] = session.get_waiter_model(name)
        self._by_method = {
            name: dict(_operations(name, session.get_service_model(name))) for name in SERVICES
        }

    def of_method(self, service: str, method: str) -> Operation | None:
        """The operation of a client's method."""
        return self._by_method[service].get(method)

    def of_waiter(self, service: str, waiter: str) -> Operation | None:
        """The operation that a waiter repeats."""
        model = self._waiters.get(service)
        names = {xform_name(name): name for name in model.waiter_names} if model else {}
        if model is None or waiter not in names:
            return None
        return self.of_method(service, xform_name(model.get_waiter(names[waiter]).operation))

    def named(self, name: str) -> list[Operation]:
        """The operations of that name in all services."""
        method = xform_name(name)
        found = (self.of_method(service, method) for service in SERVICES)
        return [one for one in found if one is not None and one.name == name]

    def is_method(self, name: str) -> bool:
        """Whether it is the method of an operation, and too long a word to be anything else."""
        return "_" in name and any(name in methods for methods in self._by_method.values())


@cache
def load() -> Models:
    """The models, which are loaded once."""
    return Models()


def _operations(service: str, model: ServiceModel) -> Iterator[tuple[str, Operation]]:
    for name in model.operation_names:
        yield xform_name(name), Operation(service, name, model.operation_model(name).output_shape)
