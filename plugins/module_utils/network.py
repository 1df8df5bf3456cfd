# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where instances are launched: subnets and security groups, which belong to a region and an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .model import Target

ByRegion = Mapping[str, Any]
"""Region to a value that holds in every account, or to a mapping of account to value."""


@dataclass(frozen=True)
class Network:
    """The subnet and the security groups of every target; what is not named is AWS's default."""

    subnet_ids: ByRegion = field(default_factory=dict)
    security_group_ids: ByRegion = field(default_factory=dict)

    def subnet_id(self, target: Target) -> str | None:
        """The target's subnet, None if none is named."""
        subnet_id: str | None = _of(self.subnet_ids, target)
        return subnet_id

    def group_ids(self, target: Target) -> tuple[str, ...]:
        """The target's security groups; with none AWS takes the default one of the subnet's VPC."""
        return tuple(_of(self.security_group_ids, target) or ())


def _of(values: ByRegion, target: Target) -> Any:
    found = values.get(target.region)
    return found.get(target.account_id) if isinstance(found, Mapping) else found
