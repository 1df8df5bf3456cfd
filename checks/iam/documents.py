# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of ``docs/iam``: a JSON file for each policy, and the index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from checks.iam import permissions, statements
from checks.iam.permissions import ARNS, PERMISSIONS
from checks.iam.policies import (
    ASSUME_ROLES,
    DISTRIBUTE_ENCRYPTED,
    KEY_STATEMENT,
    POLICIES,
    SHARE,
    TRUST,
)
from checks.iam.statements import MANAGED_POLICY_LIMIT, Policy

INDEX = "README.md"
TRUST_FILE = "consumer-trust.json"
KEY_FILE = "key-policy-statement.json"

# Its placeholders are the names of constants of permissions.py.
_INTRODUCTION = Path(__file__).with_name("introduction.md")


def files() -> dict[str, str]:
    """Name to text of each file."""
    policies = {f"{one.name}.json": statements.text(one.document()) for one in POLICIES}
    return {
        **policies,
        TRUST_FILE: statements.text(TRUST),
        KEY_FILE: statements.text(KEY_STATEMENT),
        INDEX: "\n".join(_index()),
    }


def _index() -> Iterator[str]:
    yield _INTRODUCTION.read_text(encoding="utf-8").format_map(vars(permissions))
    yield f"| Policy | Attach to | Characters of {MANAGED_POLICY_LIMIT:,} |"
    yield "|---|---|---|"
    for one in POLICIES:
        link = f"[{one.title}](#{_anchor(one.title)})"
        yield f"| {link}, [{one.name}.json]({one.name}.json) | {one.attach} | {_size(one)} |"
    yield ""
    for one in POLICIES:
        yield from _section(one)
    yield from _others()


def _section(policy: Policy) -> Iterator[str]:
    yield f"## {policy.title}\n"
    yield f"[{policy.name}.json]({policy.name}.json): {policy.attach}.\n"
    if policy.note:
        yield policy.note + "\n"
    yield "| Statement | Actions | For | Without it |"
    yield "|---|---|---|---|"
    for one in policy.statements:
        actions = ", ".join(f"`{action}`" for action in one.actions)
        yield f"| `{one.sid}` | {actions} | {one.purpose} | {one.without} |"
    yield ""


def _others() -> Iterator[str]:
    yield "## Trust policy of the roles in the consumer accounts\n"
    yield (
        f"[{TRUST_FILE}]({TRUST_FILE}) trusts the owner's account if it passes the external ID. Who may "
        f"assume the role is limited there by [{ASSUME_ROLES.name}.json]({ASSUME_ROLES.name}.json).\n"
    )
    yield "## Keys of another account\n"
    yield (
        f"[{KEY_FILE}]({KEY_FILE}) is a statement for the policy of a KMS key that belongs to another "
        "account than the images: the images' account can then grant access to the key. The copies "
        "themselves need the actions of the statement `CopyAndGrant` there, too. The credentials' own "
        "policies must allow the key as well: the statements above about keys of the owner's account name "
        f"only `{ARNS['kms:key']}`. Add the key's account to their resources, for example in "
        f"`{DISTRIBUTE_ENCRYPTED.name}.json` and `{SHARE.name}.json`.\n"
    )
    yield "## Calls that need no permission\n"
    free = ", ".join(f"`{name}`" for name, one in PERMISSIONS.items() if not one.actions)
    yield f"{free}.\n"


def _size(policy: Policy) -> str:
    return f"{statements.size(policy.document()):,}"


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")
