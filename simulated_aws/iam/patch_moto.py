# SPDX-License-Identifier: GPL-3.0-or-later
"""Making moto's users have the unique ids of IAM users."""

from __future__ import annotations

from typing import Any

from moto.iam import models
from moto.iam.utils import generate_access_key_id_from_account_id

_UserOfMoto = models.User


class User(_UserOfMoto):
    """A user whose id says what it is the id of (IAM User Guide, IAM identifiers: unique ID prefixes)."""

    def __init__(self, account_id: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(account_id, *args, **kwargs)
        self.id = generate_access_key_id_from_account_id(account_id, prefix="AIDA", total_length=21)


# moto looks up the service of a model by its module.
User.__module__ = _UserOfMoto.__module__


def patch_moto() -> None:
    """To be called before the first user is made, and harmless afterwards."""
    models.User = User  # type: ignore[misc]
