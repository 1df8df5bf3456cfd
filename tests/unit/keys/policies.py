# SPDX-License-Identifier: GPL-3.0-or-later

"""Helpers for tests of key policies: policies and callers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import reduce
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils._keys.policy_statements import (
    PolicyAccess,
    PolicyConsumers,
    own_accesses,
    statements_for,
)
from hypothesis import strategies as st

from tests.unit.examples import OWNER
from tests.unit.keys.policy_evaluator import Caller

A, B, C, D, E = (f"{digit}" * 12 for digit in "23456")
DEPLOY = f"arn:aws:iam::{A}:role/deploy"
ORG_ID, OTHER_ORG_ID = "o-a1b2c3d4e5", "o-zzzzzzzzzz"
UNIT = (ORG_ID, "ou-ab12-11111111")
INNER_UNIT = (ORG_ID, "ou-ab12-22222222")
# Its ID only begins like the unit's.
LONGER_UNIT = (ORG_ID, "ou-ab12-111111112")
FOREIGN_UNIT = (OTHER_ORG_ID, "ou-ab12-11111111")

CALLERS = (
    Caller(DEPLOY, f"{ORG_ID}/r-ab12/"),
    Caller(f"arn:aws:iam::{A}:role/other", f"{ORG_ID}/r-ab12/"),
    Caller(f"arn:aws:iam::{B}:role/any", f"{ORG_ID}/r-ab12/{UNIT[1]}/"),
    Caller(f"arn:aws:iam::{C}:role/any", f"{ORG_ID}/r-ab12/{UNIT[1]}/{INNER_UNIT[1]}/"),
    Caller(f"arn:aws:iam::{D}:role/any", f"{ORG_ID}/r-ab12/{LONGER_UNIT[1]}/"),
    Caller(f"arn:aws:iam::{D}:role/elsewhere", f"{OTHER_ORG_ID}/r-ab12/{FOREIGN_UNIT[1]}/"),
    Caller(f"arn:aws:iam::{E}:role/any"),
    Caller(f"arn:aws:iam::{OWNER}:role/admin", f"{ORG_ID}/r-ab12/"),
)

ROOT: dict[str, Any] = {
    "Sid": "Enable IAM User Permissions",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"},
    "Action": "kms:*",
    "Resource": "*",
}


def policy_of(*statements: Mapping[str, Any]) -> str:
    """A policy with the default statement and these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": [ROOT, *statements]})


def consumers(
    *principals: str, org_ids: tuple[str, ...] = (), units: tuple[Any, ...] = ()
) -> PolicyConsumers:
    """Accounts and ARNs, organizations, organizational units."""
    return PolicyConsumers(frozenset(principals), frozenset(org_ids), frozenset(units))


def access(who: PolicyConsumers, **changes: Any) -> PolicyAccess:
    """The access that a launch needs, for these consumers."""
    return PolicyAccess(**{"consumers": who, "operations": OPERATIONS, **changes})


def opened_to(who: PolicyConsumers, **changes: Any) -> str:
    """A policy with this collection's statements for these consumers."""
    return policy_of(*statements_for(access(who, **changes)))


CONSUMERS = st.builds(
    PolicyConsumers,
    principals=st.frozensets(st.sampled_from([A, B, C, DEPLOY, E])),
    org_ids=st.frozensets(st.sampled_from([ORG_ID, OTHER_ORG_ID])),
    units=st.frozensets(st.sampled_from([UNIT, INNER_UNIT, LONGER_UNIT, FOREIGN_UNIT])),
)
SETS_OF_OPERATIONS = st.sampled_from(
    [
        OPERATIONS,
        OPERATIONS | {"Encrypt"},
        OPERATIONS - {"CreateGrant"},
        frozenset({"Decrypt"}),
        frozenset({"CreateGrant"}),
        frozenset({"CreateGrant", "DescribeKey"}),
    ]
)
ACCESSES = st.builds(PolicyAccess, CONSUMERS, SETS_OF_OPERATIONS, st.booleans())


def is_named(caller: Caller, who: PolicyConsumers) -> bool:
    """Whether a caller is among the consumers: itself, its account, organization or organizational unit."""
    within = {(caller.org_id, unit) for unit in caller.path.split("/")}
    return bool({caller.arn, caller.account_id} & who.principals) or bool(
        caller.org_id in who.org_ids or within & who.units
    )


def own_access(policy: str) -> PolicyAccess:
    """The access that all own statements of a policy give together."""
    parts = own_accesses(policy)
    return PolicyAccess(
        reduce(PolicyConsumers.__or__, (part.consumers for part in parts), PolicyConsumers()),
        frozenset(operation for part in parts for operation in part.operations),
        any(part.for_auto_scaling for part in parts),
    )
