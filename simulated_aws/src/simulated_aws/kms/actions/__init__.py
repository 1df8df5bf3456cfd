# SPDX-License-Identifier: GPL-3.0-or-later
"""The KMS actions that are implemented here instead of in moto, by name."""

from . import create_grant, create_key, describe_key, key_policy, list_grants, revoke_grant  # noqa: F401  each registers its actions
from .registry import ACTIONS

__all__ = ["ACTIONS"]
