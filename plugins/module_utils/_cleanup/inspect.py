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


def inspect(clients: Clients, wanted: CleanupOptions, seen: CleanupState, reads: NextReads) -> CleanupState:
    """What was seen, and what these reads return. What could not be read is noted as such.

    Raises:
        ValidationError: a read failed for another reason than that AWS refused it.
    """
    builders = read_image_builders(clients, seen, reads.builders)
    images, of_images = read_image_usage(clients, wanted, seen, reads.images)
    snapshots = read_snapshot_usage(clients, seen, reads.snapshots)
    late = read_late_uses(clients, seen, reads.late, wanted.unused_services)
    keys = read_key_usage(clients, seen, reads.keys)
    resources = read_resources(clients, wanted, seen, reads.resources)
    return replace(
        seen,
        image_builder={**seen.image_builder, **builders},
        usage={**seen.usage, **images},
        snapshot_usage={**seen.snapshot_usage, **of_images, **snapshots},
        late_uses={**seen.late_uses, **late},
        key_usage={**seen.key_usage, **keys},
        consumer_resources={**seen.consumer_resources, **resources},
    )
