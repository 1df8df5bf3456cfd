# SPDX-License-Identifier: GPL-3.0-or-later
"""Replaces moto's IAM user by one with AWS's unique ID, since policies and grants store that ID."""

from __future__ import annotations

from typing import Any

from moto.iam import models
from moto.iam.utils import generate_access_key_id_from_account_id

_UserOfMoto = models.User


class User(_UserOfMoto):
    """A user whose ID has the prefix AIDA (IAM User Guide, IAM identifiers: unique ID prefixes)."""

    def __init__(self, account_id: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(account_id, *args, **kwargs)
        self.id = generate_access_key_id_from_account_id(account_id, prefix="AIDA", total_length=21)


# moto looks up the service of a model by its module.
User.__module__ = _UserOfMoto.__module__


def patch_moto() -> None:
    """Patch moto. Call it before the first user is created; further calls have no effect."""
    models.User = User  # type: ignore[misc]
