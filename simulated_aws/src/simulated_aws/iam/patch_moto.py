# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives moto's IAM users AWS's unique ID, which policies and grants store, and EC2's roles their names."""

from __future__ import annotations

from typing import Any

from moto.iam import models
from moto.iam.utils import generate_access_key_id_from_account_id

_UserOfMoto = models.User
# EC2 User Guide, "Service-linked role for Spot Instance requests"; "EC2 Fleet prerequisites"; "Spot Fleet
# permissions". The part of a role's name after AWSServiceRoleFor, by the service.
_NAMES = {"ec2fleet": "EC2Fleet", "spot": "EC2Spot", "spotfleet": "EC2SpotFleet"}


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
    models.SERVICE_NAME_CONVERSION.update(_NAMES)
