# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances, volumes and launch templates that AWS services manage, and that reads hide.

A service creates them with the parameter Operator (botocore shape OperatorRequest). Here any caller may set
it, to act as the service.
"""

from __future__ import annotations

from typing import Any

from ..settings import SETTINGS


def operator(principal: str | None) -> dict[str, Any]:
    """The member Operator of a resource (botocore shape OperatorResponse)."""
    if not principal:
        return {"Managed": False}
    return {
        "Managed": True,
        "Principal": principal,
        "HiddenByDefault": SETTINGS.managed_resource_visibility == "hidden",
    }


def is_shown(resource: Any, include_managed: bool) -> bool:
    """Whether a read shows an instance, volume or launch template."""
    of = getattr(resource, "operator", {})
    return include_managed or SETTINGS.managed_resource_visibility == "visible" or not of.get("Managed")
