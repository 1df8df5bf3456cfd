# SPDX-License-Identifier: GPL-3.0-or-later
"""CreateCapacityReservation: only what launches into a reservation are compared with."""

from __future__ import annotations

from typing import Any

from .. import state
from ..access import Caller
from .registry import action


@action("CreateCapacityReservation")
def create_capacity_reservation(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Reserve capacity for instances of a type and platform (botocore shape CapacityReservation)."""
    made = state.CapacityReservation(
        state.new_id("cr"), params["InstanceType"], params["InstancePlatform"], params["InstanceCount"]
    )
    state.account_region(*caller).capacity_reservations[made.id] = made
    return {
        "CapacityReservation": {
            "CapacityReservationId": made.id,
            "InstanceType": made.instance_type,
            "InstancePlatform": made.platform,
            "TotalInstanceCount": made.count,
            "State": "active",
        }
    }
