# SPDX-License-Identifier: GPL-3.0-or-later
"""Principals: the root of an account, its users, its roles, sessions of both, and AWS services.

Policies and grants store the unique ID behind an ARN, not the ARN: a principal that was deleted and created
again with the same name is a different one (IAM User Guide, AWS JSON policy elements: Principal).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import NamedTuple

from moto.iam.models import IAMBackend, Role, User, iam_backends
from moto.sts.models import sts_backends

from .. import accounts

_ACCOUNT_ID = re.compile(r"\d{12}")
_ARN = re.compile(r"arn:(aws[\w-]*):(iam|sts)::(\d{12}):(root|(user|role|assumed-role|federated-user)/(.+))")
_OF_SESSIONS = ("assumed-role", "federated-user")
# botocore shape userNameType, the Name of GetFederationToken.
_FEDERATED_NAME = re.compile(r"[\w+=,.@-]{2,32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Principal:
    """A principal that policies can allow.

    `arn` is the ARN that policies name; for a session, that of its role. `unique_id` is AROA… for a role,
    AIDA… for a user, the account ID for a root. `session` is the name of a role's session, otherwise empty.
    A service has no account, and its name (autoscaling.amazonaws.com) as ARN and unique ID. A federated user,
    the session of a user by GetFederationToken, has the unique ID ACCOUNT:NAME.
    """

    account_id: str
    arn: str
    unique_id: str
    session: str = ""

    @property
    def caller_arn(self) -> str:
        """The ARN that STS returns: a session has its own, which omits the path of the role."""
        if not self.session:
            return self.arn
        role_name = self.arn.rpartition("/")[2]
        return f"arn:{self.partition}:sts::{self.account_id}:assumed-role/{role_name}/{self.session}"

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` and so on."""
        return self.arn.split(":", 2)[1]

    @property
    def is_root(self) -> bool:
        """Whether it is the root of an account."""
        return self.unique_id == self.account_id

    @property
    def user_id(self) -> str:
        """The UserId that STS returns (botocore shape GetCallerIdentityResponse)."""
        return f"{self.unique_id}:{self.session}" if self.session else self.unique_id

    def exists(self) -> bool:
        """Whether it still exists. IAM stores no federated users."""
        stored = self.account_id and not self.is_root and not self.unique_id.startswith(f"{self.account_id}:")
        return not stored or identity(self) is not None


def service(name: str) -> Principal:
    """An AWS service."""
    return Principal("", name, name)


def root(account_id: str, partition: str = "aws") -> Principal:
    """The root of an account."""
    return Principal(account_id, f"arn:{partition}:iam::{account_id}:root", account_id)


def identity(principal: Principal) -> User | Role | None:
    """moto's user or role of a principal; None for a root and for a deleted principal."""
    backend = _backend(principal.account_id, principal.partition)
    role = backend.roles.get(principal.unique_id)
    if role is not None:
        return role
    user = backend.users.get(principal.arn.rpartition("/")[2])
    return user if user is not None and user.id == principal.unique_id else None


def created(principal: Principal) -> float | None:
    """When a user or role was created, in Unix time; None for a root, a service and a deleted principal."""
    one = identity(principal) if principal.account_id and not principal.is_root else None
    return one.create_date.replace(tzinfo=UTC).timestamp() if one is not None else None


def find(arn: str) -> Principal | None:
    """The principal with this ARN; None if it does not exist or can't be named in policies and grants."""
    match = _ARN.fullmatch(arn)
    if match is None or not accounts.exists(match[3]):
        return None
    partition, service, account_id, resource, kind, path = match.groups()
    if resource == "root":
        return root(account_id, partition) if service == "iam" else None
    if (kind in _OF_SESSIONS) != (service == "sts"):
        return None
    if kind == "federated-user":
        return Principal(account_id, arn, f"{account_id}:{path}") if _FEDERATED_NAME.fullmatch(path) else None
    backend = _backend(account_id, partition)
    # Iterate over copies: other threads add users and roles.
    if kind == "user":
        return next((_of(one) for one in list(backend.users.values()) if one.arn == arn), None)
    if kind == "role":
        return next((_of(one) for one in list(backend.roles.values()) if one.arn == arn), None)
    role_name, _, session = path.partition("/")
    role = next((one for one in list(backend.roles.values()) if one.name == role_name), None)
    return _of(role, session) if role is not None and session else None


def find_named(entry: str) -> Principal | None:
    """The principal that a policy names by ARN, account ID, or unique ID of a user or role."""
    if _ACCOUNT_ID.fullmatch(entry):
        return root(entry) if accounts.exists(entry) else None
    if entry.startswith("arn:"):
        return find(entry)
    for backend in _all_backends():
        owners: Iterable[User | Role] = (*backend.roles.values(), *backend.users.values())
        for one in owners:
            if one.id == entry:
                return _of(one)
    return None


def of_access_key(access_key: str) -> Principal | None:
    """The IAM user or role session of an access key that moto created; None for an unknown key.

    moto's AssumeRoleWithSAML creates sessions of roles that don't exist; their unique ID is unknown.
    """
    for backend in _all_backends():
        key = backend.access_keys.get(access_key)
        if key is None:
            continue
        if key.user_name:
            user = backend.users.get(key.user_name)
            return _of(user) if user is not None else None
        assumed = sts_backends[backend.account_id][backend.partition].get_assumed_role_from_access_key(
            access_key
        )
        if assumed is not None:
            unique_id = assumed.user_id.partition(":")[0]
            return Principal(backend.account_id, assumed.role_arn, unique_id, assumed.session_name)
    return None


def session_end(principal: Principal, access_key: str) -> float | None:
    """When the credentials of a role's session expire, in Unix time; None for other access keys."""
    if not principal.session:
        return None
    backend = sts_backends[principal.account_id][principal.partition]
    assumed = backend.get_assumed_role_from_access_key(access_key)
    return assumed.expiration.replace(tzinfo=UTC).timestamp() if assumed is not None else None


class NamedPrincipal(NamedTuple):
    """A principal as policies and grants store it: the ARN in the request, and the principal behind it."""

    arn: str
    principal: Principal

    def shown(self) -> str:
        """What AWS shows: the ARN, or the unique ID once the principal has been deleted."""
        return self.arn if self.principal.exists() else self.principal.user_id


def _of(one: User | Role, session: str = "") -> Principal:
    return Principal(one.account_id, one.arn, one.id, session)


def _backend(account_id: str, partition: str) -> IAMBackend:
    return iam_backends[account_id][partition]


def _all_backends() -> Iterator[IAMBackend]:
    # Iterate over copies: other threads add backends.
    for partitions in list(iam_backends.values()):
        yield from list(partitions.values())
