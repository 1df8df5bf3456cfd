# SPDX-License-Identifier: GPL-3.0-or-later
"""The KMS keys of an estate, made in moto's KMS."""

from __future__ import annotations

import json

from moto.core.exceptions import JsonRESTError
from moto.kms.models import kms_backends

from .estate_document import EstateError, Key
from .kms import state
from .kms.errors import KmsError

STATES = ("Enabled", "Disabled", "PendingDeletion")
_DELETION_DAYS = 30


def make_key(account_id: str, region: str, name: str, key: Key) -> str:
    """ARN of a key made in this account and Region; EstateError for one that KMS wouldn't make."""
    if key.state not in STATES:
        raise EstateError(f"KMS key {name}: its state must be one of {', '.join(STATES)}, not {key.state}")
    backend = kms_backends[account_id][region]
    policy = json.dumps(key.policy) if key.policy else None
    try:
        made = backend.create_key(policy, key.usage, key.spec, name, None)
        state.record(made)
    except (JsonRESTError, KmsError) as refused:
        raise EstateError(f"KMS key {name}: {refused.message}") from refused
    if key.alias:
        backend.create_alias(made.id, key.alias)
    if key.state == "Disabled":
        backend.disable_key(made.id)
    if key.state == "PendingDeletion":
        backend.schedule_key_deletion(made.id, _DELETION_DAYS)
    return str(made.arn)
