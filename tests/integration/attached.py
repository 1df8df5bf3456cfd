# SPDX-License-Identifier: GPL-3.0-or-later

"""Principals that have only generated policies, and what their runs asked of these policies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3

from checks.iam.permissions import OWNER as OWNER_PLACEHOLDER
from checks.iam.policies import TRUST
from checks.iam.statements import VERSION, Policy
from simulated_aws.client import SimulatedAws
from simulated_aws.evaluations import Evaluation

from .encrypted import EXTERNAL_ID, ROLE
from .fixture import HOME, OWNER, Fixture
from .playbook import Ansible

USER = "user"


class Attached:
    """A user of an account, and a role in consumer accounts, that have only these policies."""

    def __init__(
        self,
        aws: SimulatedAws,
        fixture: Fixture,
        folder: Path,
        documents: Iterable[Mapping[str, Any]],
        account: str = OWNER,
    ) -> None:
        self._aws = aws
        self._fixture = fixture
        self._changed = 0
        self._policy = self._merged(documents)
        described = fixture.add(users={USER: {"accounts": [account], "policy": self._policy}})
        made = described["users"][USER][account]
        self.arn = str(made["arn"])
        self.environment = {
            **fixture.environment(account),
            "AWS_ACCESS_KEY_ID": made["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": made["secret_access_key"],
        }
        self.ansible = Ansible(self.environment, folder)
        aws.clear_calls()
        aws.update_settings(record_authorizations=True)

    def change(self, *documents: Mapping[str, Any], account: str = OWNER) -> None:
        """Replace the user's policies."""
        text = json.dumps(self._merged(documents))
        self._aws.client("iam", account).put_user_policy(UserName=USER, PolicyName="own", PolicyDocument=text)
        self._changed = len(self._aws.authorizations())

    def give_role(self, accounts: Sequence[str], *documents: Mapping[str, Any], name: str = ROLE) -> None:
        """Let a role of these accounts have only these policies, and the generated trust policy."""
        policy = self._merged(documents)
        for account in accounts:
            iam = self._aws.client("iam", account)
            if name not in [one["RoleName"] for one in iam.list_roles()["Roles"]]:
                role = {"accounts": [account], "trusts": [OWNER], "external_id": EXTERNAL_ID}
                self._fixture.add(roles={name: role})
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
            trust = json.dumps(TRUST).replace(OWNER_PLACEHOLDER, self._aws.account_id(OWNER))
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)

    def client(self, service: str, region: str = HOME, session: Mapping[str, Any] | None = None) -> Any:
        """A client with the user's credentials, or those of a session of a role."""
        keys = session or {
            "AccessKeyId": self.environment["AWS_ACCESS_KEY_ID"],
            "SecretAccessKey": self.environment["AWS_SECRET_ACCESS_KEY"],
        }
        return boto3.client(  # type: ignore[call-overload]
            service,
            region_name=region,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"),
        )

    def asked(self, principal: str = "") -> list[Evaluation]:
        """What the user, or principals whose ARN ends so, asked of their policies."""
        suffix = principal or self.arn
        return [one for one in self._aws.authorizations() if one.principal.endswith(suffix)]

    def denied(self, principal: str = "") -> set[str]:
        """The actions that the policies did not allow since the user's were replaced."""
        suffix = principal or self.arn
        since = self._aws.authorizations()[self._changed :]
        return {one.action for one in since if one.principal.endswith(suffix) and not one.allowed}

    def _merged(self, documents: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """One policy of all statements, whose Sids are unique only in their own policy."""
        statements = [
            {name: value for name, value in one.items() if name != "Sid"}
            for document in documents
            for one in document["Statement"]
        ]
        text = json.dumps({"Version": VERSION, "Statement": statements})
        owner = self._aws.account_id(OWNER)
        merged: dict[str, Any] = json.loads(text.replace(OWNER_PLACEHOLDER, owner))
        return merged


def unneeded(policy: Policy, evaluations: Sequence[Evaluation], owner: str) -> list[str]:
    """The actions of a policy's statements without which it allows everything that it allowed.

    They are evaluated as the simulated AWS does, but for the policy by itself.
    """
    whole = [one for one in evaluations if _allows(policy.document(), one, owner)]
    return [
        f"{statement.sid} {action}"
        for statement in policy.statements
        for action in statement.actions
        if all(
            _allows(policy.without(statement, action), one, owner) for one in whole if one.action == action
        )
    ]


def _allows(document: Mapping[str, Any], asked: Evaluation, owner: str) -> bool:
    # Only here: moto, which they import, would take seconds in each process that collects the tests.
    from simulated_aws.iam import policies, principals  # noqa: PLC0415

    text = json.dumps(document).replace(OWNER_PLACEHOLDER, owner)
    context = {key: _constant(asked.context.get(key)) for key in (*_ABSENT, *asked.context)}
    request = policies.Request(principals.root(owner), asked.action, asked.resource, context)
    return policies.evaluate_identity(policies.read(text, of_resource=False), request).allows


_ABSENT = (
    *("aws:calledvia", "aws:requesttag/", "aws:resourcetag/", "aws:tagkeys", "ec2:createaction"),
    *("kms:granteeprincipal", "kms:grantisforawsresource"),
    *("ram:requestedresourcetype", "ram:resourcesharename"),
)


def _constant(value: Any) -> Any:
    return lambda: value
