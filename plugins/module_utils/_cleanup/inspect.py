# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what the plan still depends on, such as the usage of images and snapshots, and grants of keys."""

from __future__ import annotations

from dataclasses import replace

from .._aws.clients import Clients
from .inspect_images import read_image_usage, read_snapshot_usage
from .inspect_keys import read_key_usage, read_resources
from .inspect_late import read_late_uses
from .next_reads import NextReads
from .options import CleanupOptions
from .read_image_builder import read_image_builders
from .state import CleanupState


def inspect(clients: Clients, options: CleanupOptions, state: CleanupState, reads: NextReads) -> CleanupState:
    """Return the state with what these reads return; what could not be read is noted in it.

    Raises:
        ValidationError: a read failed for another reason than that AWS refused it.
    """
    builders = read_image_builders(clients, state, reads.builders)
    images, of_images = read_image_usage(clients, options, state, reads.images)
    snapshots = read_snapshot_usage(clients, state, reads.snapshots)
    late = read_late_uses(clients, state, reads.late, options.unused_services)
    keys = read_key_usage(clients, state, reads.keys)
    resources = read_resources(clients, options, state, reads.resources)
    return replace(
        state,
        image_builder={**state.image_builder, **builders},
        usage={**state.usage, **images},
        snapshot_usage={**state.snapshot_usage, **of_images, **snapshots},
        late_uses={**state.late_uses, **late},
        key_usage={**state.key_usage, **keys},
        consumer_resources={**state.consumer_resources, **resources},
    )
