# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements and policies as values, and their JSON documents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from checks.iam.permissions import ALL, ARNS, PERMISSIONS

VERSION = "2012-10-17"
# IAM and STS quotas: managed policies; white space does not count.
MANAGED_POLICY_LIMIT = 6144
# The same page: role trust policies, by default.
TRUST_POLICY_LIMIT = 2048

Condition = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Statement:
    """Permissions with the same resources and conditions.

    ``purpose`` is what they are needed for. ``without`` is what is lost without them; if it is empty, the run
    fails. ``resources`` replace the ARNs of the operations' resource types.
    """

    sid: str
    purpose: str
    operations: tuple[str, ...]
    without: str = ""
    condition: Condition = field(default_factory=dict)
    resources: tuple[str, ...] = ()

    @property
    def actions(self) -> list[str]:
        """The IAM actions, sorted."""
        return sorted({action for one in self.operations for action in PERMISSIONS[one].actions})

    @property
    def arns(self) -> list[str]:
        """The ARNs that the statement names, or ``*``.

        Raises:
            ValueError: operations of different resource types.
        """
        if self.resources:
            return list(self.resources)
        kinds = {PERMISSIONS[one].resource_types for one in self.operations if PERMISSIONS[one].actions}
        if not all(kinds) and any(kinds):
            raise ValueError(f"{self.sid}: some of the actions support no resources")
        return sorted({ARNS[kind] for of in kinds for kind in of}) or [ALL]

    def document(self) -> dict[str, Any]:
        """The statement's JSON object."""
        parts = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": _one_or_many(self.actions),
            "Resource": _one_or_many(self.arns),
        }
        return {**parts, "Condition": self.condition} if self.condition else parts


@dataclass(frozen=True)
class Policy:
    """An identity-based policy of a principal.

    ``packages`` are those of ``plugins/`` whose operations the principal needs, ``attach`` says who it is.
    """

    name: str
    title: str
    attach: str
    statements: tuple[Statement, ...]
    packages: tuple[str, ...] = ()
    note: str = ""

    @property
    def operations(self) -> set[str]:
        """All operations that the policy allows."""
        return {operation for one in self.statements for operation in one.operations}

    def document(self) -> dict[str, Any]:
        """The policy's JSON object."""
        return {"Version": VERSION, "Statement": [one.document() for one in self.statements]}

    def without(self, removed: Statement, action: str) -> dict[str, Any]:
        """The document without one action of one statement."""
        return {"Version": VERSION, "Statement": list(_without(self.document(), removed.sid, action))}

    def required(self) -> dict[str, Any]:
        """The document without the statements that something works without."""
        return {
            "Version": VERSION,
            "Statement": [one.document() for one in self.statements if not one.without],
        }


def text(document: Mapping[str, Any]) -> str:
    """The text of a policy's file."""
    return json.dumps(document, indent=2) + "\n"


def size(document: Mapping[str, Any]) -> int:
    """The characters that count for IAM's quota: all but white space."""
    return len("".join(json.dumps(document).split()))


def _without(document: Mapping[str, Any], sid: str, action: str) -> Iterator[dict[str, Any]]:
    for one in document["Statement"]:
        if one["Sid"] != sid:
            yield one
            continue
        actions = [one["Action"]] if isinstance(one["Action"], str) else one["Action"]
        if left := [each for each in actions if each != action]:
            yield {**one, "Action": left}


def _one_or_many(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values
