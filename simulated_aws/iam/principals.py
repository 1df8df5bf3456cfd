# SPDX-License-Identifier: GPL-3.0-or-later
"""Principals: the root of an account, its users, its roles, and sessions of roles.

Policies and grants hold the unique id behind an ARN, not the ARN: who was deleted and made again under the
same name is somebody else (IAM User Guide, AWS JSON policy elements: Principal).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from moto.iam.models import IAMBackend, Role, User, iam_backends
from moto.sts.models import sts_backends

from .. import accounts

_ACCOUNT_ID = re.compile(r"\d{12}")
_ARN = re.compile(r"arn:(aws[\w-]*):(iam|sts)::(\d{12}):(root|(user|role|assumed-role)/(.+))")


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who can be allowed something.

    `arn` is what policies call it: of a session, its role's. `unique_id` is AROA… of a role, AIDA… of a user,
    the account id of a root. `session` names a session of a role, and is empty for everybody else.
    """

    account_id: str
    arn: str
    unique_id: str
    session: str = ""

    @property
    def caller_arn(self) -> str:
        """What STS calls it: a session has an ARN of its own, which leaves out the role's path."""
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
        """Whether it is the account itself."""
        return self.unique_id == self.account_id

    @property
    def user_id(self) -> str:
        """What STS calls its unique id (botocore shape GetCallerIdentityResponse, UserId)."""
        return f"{self.unique_id}:{self.session}" if self.session else self.unique_id

    def exists(self) -> bool:
        """Whether it hasn't been deleted since."""
        return self.is_root or identity(self) is not None


def root(account_id: str, partition: str = "aws") -> Principal:
    """The account itself."""
    return Principal(account_id, f"arn:{partition}:iam::{account_id}:root", account_id)


def identity(principal: Principal) -> User | Role | None:
    """moto's user or role behind a principal; None for a root, and for somebody who was deleted."""
    backend = _backend(principal.account_id, principal.partition)
    role = backend.roles.get(principal.unique_id)
    if role is not None:
        return role
    user = backend.users.get(principal.arn.rpartition("/")[2])
    return user if user is not None and user.id == principal.unique_id else None


def find(arn: str) -> Principal | None:
    """The principal of this ARN; None if there is none, or if no policy or grant can name what there is."""
    match = _ARN.fullmatch(arn)
    if match is None or not accounts.exists(match[3]):
        return None
    partition, service, account_id, resource, kind, path = match.groups()
    if resource == "root":
        return root(account_id, partition) if service == "iam" else None
    if (kind == "assumed-role") != (service == "sts"):
        return None
    backend = _backend(account_id, partition)
    # Copies, since other threads add users and roles.
    if kind == "user":
        return next((_of(one) for one in list(backend.users.values()) if one.arn == arn), None)
    if kind == "role":
        return next((_of(one) for one in list(backend.roles.values()) if one.arn == arn), None)
    role_name, _, session = path.partition("/")
    role = next((one for one in list(backend.roles.values()) if one.name == role_name), None)
    return _of(role, session) if role is not None and session else None


def find_named(entry: str) -> Principal | None:
    """The principal that a policy names, by ARN, by account id, or by the unique id of a user or role."""
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
    """Who an access key of moto's belongs to: an IAM user, or a session of a role; None if nobody's.

    A session of a role that doesn't exist, as moto's AssumeRoleWithSAML makes, has an unknown unique id.
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


class NamedPrincipal(NamedTuple):
    """A principal as policies and grants remember it: under what name, and who that was."""

    arn: str
    principal: Principal

    def shown(self) -> str:
        """What AWS shows: the ARN, or the unique id of somebody who was deleted since."""
        return self.arn if self.principal.exists() else self.principal.user_id


def _of(one: User | Role, session: str = "") -> Principal:
    return Principal(one.account_id, one.arn, one.id, session)


def _backend(account_id: str, partition: str) -> IAMBackend:
    return iam_backends[account_id][partition]


def _all_backends() -> Iterator[IAMBackend]:
    # Copies, since other threads add backends.
    for partitions in list(iam_backends.values()):
        yield from list(partitions.values())
