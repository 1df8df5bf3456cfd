# SPDX-License-Identifier: GPL-3.0-or-later
"""The users and roles of an estate, made in moto's IAM."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.iam.models import AccessKey, iam_backends

from . import accounts
from . import estate_document as document
from .estate_document import EstateError, Role, User
from .iam.identities import ADMINISTRATOR

ADMINISTRATOR_NAME = "administrator"
_POLICY_NAME = "own"
_PARTITION = "aws"
_SESSION_SECONDS = "3600"

AccountId = Callable[[str, str], str]
"""Name of an account, and where the document says it, to the account's id."""


def access_key(account_id: str, user_name: str = ADMINISTRATOR_NAME) -> tuple[str, str]:
    """Id and secret of a user's access key; the same every time."""
    if user_name == ADMINISTRATOR_NAME:
        return f"AKIASIMU{account_id}", _secret(account_id)
    return f"AKIA{_secret(f'id of {user_name} of {account_id}')[:16].upper()}", _secret(
        user_name + account_id
    )


def open_account(account_id: str) -> dict[str, str]:
    """Let an account exist, with an administrator, and describe the administrator's access key."""
    accounts.learn(account_id)
    backend = iam_backends[account_id][_PARTITION]
    if ADMINISTRATOR_NAME not in backend.users:
        _make_user(account_id, ADMINISTRATOR_NAME, ADMINISTRATOR)
    key_id, secret = access_key(account_id)
    return {"account_id": account_id, "access_key_id": key_id, "secret_access_key": secret}


def make_users(content: Mapping[str, Any], account_id: AccountId) -> dict[str, Any]:
    """Name of each user to the accounts it is in, by name, and its ARN and access key there."""
    described: dict[str, Any] = {}
    for name, parts in content.items():
        where = f"user {name}"
        user = document.read(User, parts, where)
        described[name] = {}
        for account in user.accounts:
            owner = account_id(account, where)
            arn = _make_user(owner, name, _policy(user.policy))
            key_id, secret = access_key(owner, name)
            described[name][account] = {"arn": arn, "access_key_id": key_id, "secret_access_key": secret}
    return described


def make_roles(content: Mapping[str, Any], account_id: AccountId) -> dict[str, dict[str, str]]:
    """Name of each role to the accounts it is in, by name, and its ARN there."""
    described: dict[str, dict[str, str]] = {}
    for name, parts in content.items():
        where = f"role {name}"
        role = document.read(Role, parts, where)
        trusted = [f"arn:{_PARTITION}:iam::{account_id(one, where)}:root" for one in role.trusts]
        described[name] = {
            account: _make_role(account_id(account, where), name, role, trusted) for account in role.accounts
        }
    return described


def make_service_linked_roles(content: Mapping[str, Any], account_id: AccountId) -> dict[str, dict[str, str]]:
    """Service such as `autoscaling.amazonaws.com` to the accounts that have its role, and the ARN there."""
    described: dict[str, dict[str, str]] = {}
    for service, names in content.items():
        where = f"service-linked role of {service}"
        if not isinstance(names, list):
            raise EstateError(f"{where} must be a list of accounts, not {names!r}")
        described[service] = {
            name: str(
                iam_backends[account_id(name, where)][_PARTITION]
                .create_service_linked_role(service, "", "")
                .arn
            )
            for name in names
        }
    return described


def _make_user(account_id: str, name: str, policy: str) -> str:
    backend = iam_backends[account_id][_PARTITION]
    user = backend.create_user("us-east-1", name)
    user.policies[_POLICY_NAME] = policy
    key = AccessKey(name, "AKIA", account_id)  # type: ignore[abstract]
    key.access_key_id, key.secret_access_key = access_key(account_id, name)
    user.access_keys.append(key)
    backend.access_keys[key.access_key_id] = key
    return str(user.arn)


def _make_role(account_id: str, name: str, role: Role, trusted: list[str]) -> str:
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": trusted},
        "Action": "sts:AssumeRole",
    }
    if role.external_id is not None:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": role.external_id}}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made = iam_backends[account_id][_PARTITION].create_role(name, trust, "/", None, "", [], _SESSION_SECONDS)
    made.policies[_POLICY_NAME] = _policy(role.policy)
    return str(made.arn)


def _policy(content: Mapping[str, Any] | None) -> str:
    return json.dumps(content) if content else ADMINISTRATOR


def _secret(of: str) -> str:
    return hashlib.sha256(f"simulated secret of {of}".encode()).hexdigest()[:40]
