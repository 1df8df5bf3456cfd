# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluates the identity-based policies of a user or role, which are stored in moto's IAM."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache

from moto.iam.models import IAMBackend, Role, User, iam_backends

from ..evaluations import EVALUATIONS
from ..exceptions import NotSimulated
from . import policies
from .policies import PolicyDecision, Request, Statement
from .principals import identity

ADMINISTRATOR = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
"""AWS Managed Policy Reference Guide, AdministratorAccess."""


def evaluate(request: Request) -> PolicyDecision:
    """What the principal's own policies allow: everything for a root, nothing for a deleted principal."""
    if request.principal.is_root:
        return PolicyDecision(allows=True)
    decision = decide(request)
    EVALUATIONS.add(request, decision)
    return decision


def decide(request: Request) -> PolicyDecision:
    """As ``evaluate``, of a request that is only simulated."""
    one = identity(request.principal)
    statements = _statements(one, request.principal.partition) if one is not None else ()
    return policies.evaluate_identity(statements, request)


def _statements(one: User | Role, partition: str) -> Iterator[Statement]:
    backend = iam_backends[one.account_id][partition]
    if getattr(one, "permissions_boundary_arn", None):
        raise NotSimulated("permissions boundaries")
    for text in _texts(one, backend):
        yield from _read(text)


def _texts(one: User | Role, backend: IAMBackend) -> Iterator[str]:
    groups = backend.get_groups_for_user(one.name) if isinstance(one, User) else []
    for holder in (one, *groups):
        yield from holder.policies.values()
        for policy in holder.managed_policies.values():
            yield from (
                version.document
                for version in policy.versions
                if version.version_id == policy.default_version_id
            )


@lru_cache(maxsize=256)
def _read(text: str) -> tuple[Statement, ...]:
    return policies.read(text, of_resource=False)
