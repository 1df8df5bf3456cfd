# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters by their ARNs, also those of other accounts that are shared through AWS RAM.

Systems Manager User Guide, "Working with shared parameters in Parameter Store": the full ARN retrieves one of
another account, and the default permission allows GetParameter and GetParameters, without the history.
"""

from __future__ import annotations

from moto.ssm.models import Parameter

from ..ec2.access import Caller
from ..ram.state import shares_parameter
from . import image_validation

_SEPARATOR = ":parameter/"


def owner_of(name: str) -> Caller | None:
    """The account and the Region of a parameter that is named by its ARN; None for a name."""
    parts = name.split(":", 5)
    return Caller(parts[4], parts[3]) if name.startswith("arn:") and _SEPARATOR in name else None


def is_of_other(caller: Caller, name: str) -> bool:
    """Whether a name is the ARN of a parameter of another account or Region."""
    return owner_of(name) not in (None, caller)


def stored(arn: str) -> Parameter | None:
    """The parameter with this ARN; a name without a leading slash has one in its ARN, too."""
    owner = owner_of(arn)
    if owner is None:
        return None
    image_validation.settle(owner)
    backend, name = image_validation.backend(owner), arn.partition(_SEPARATOR)[2]
    found = (one for one in (f"/{name}", name) if one.partition(":")[0] in backend._parameters)
    return next((backend.get_parameter(one) for one in found), None)


def readable(caller: Caller, arn: str) -> Parameter | None:
    """The parameter with this ARN if the caller can read it: its own, or one that is shared with it."""
    owner = owner_of(arn)
    if owner is None or owner.region != caller.region:
        return None
    # Without a version or a label.
    parameter_arn = ":".join(arn.split(":")[:6])
    is_readable = owner == caller or shares_parameter(caller.account_id, parameter_arn)
    return stored(arn) if is_readable else None
