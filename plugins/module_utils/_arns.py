# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of an ARN. IAM User Guide, "Identify AWS resources with Amazon Resource Names (ARNs)"."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Arn:
    """``arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE``; region and account may be empty."""

    partition: str
    service: str
    region: str
    account_id: str
    resource: str


def parse(text: str) -> Arn:
    """Return the parts of an ARN.

    Raises:
        ValueError: the text is not an ARN.
    """
    if not is_arn(text):
        raise ValueError(f"{text!r} is not an ARN.")
    return Arn(*text.split(":", 5)[1:])


def is_arn(text: str) -> bool:
    """Whether the text has all six parts of an ARN."""
    return text.startswith("arn:") and text.count(":") >= 5


def account_of(principal: str) -> str | None:
    """Return the account of a principal; None for the unique ID of a deleted or new role or user."""
    if is_arn(principal):
        return parse(principal).account_id
    return principal if principal.isdigit() else None


def principal_of(caller: str) -> str:
    """Return the role of a role's session, or the caller itself.

    The ARN of a session has the name of its role, and not the role's path (IAM User Guide, "IAM
    identifiers"), so the result lacks the path, too.
    """
    parts = parse(caller)
    kind, _slash, rest = parts.resource.partition("/")
    if kind != "assumed-role":
        return caller
    return f"arn:{parts.partition}:iam::{parts.account_id}:role/{rest.partition('/')[0]}"
