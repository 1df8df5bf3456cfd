# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions of KMS that are answered here instead of by moto, by name."""

from . import create_grant, create_key, describe_key, key_policy, list_grants, revoke_grant  # noqa: F401  each registers its actions
from .registry import ACTIONS

__all__ = ["ACTIONS"]
