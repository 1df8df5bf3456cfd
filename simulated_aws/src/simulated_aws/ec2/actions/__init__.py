# SPDX-License-Identifier: GPL-3.0-or-later
"""The EC2 actions that are implemented here instead of in moto, by name."""

from . import (  # noqa: F401  each registers its actions
    allowed_images,
    block_public_access,
    capacity_reservations,
    copy_image,
    create_images,
    describe_images,
    describe_snapshots,
    encryption_by_default,
    image_ancestry,
    image_attributes,
    image_lifecycle,
    image_references,
    image_tasks,
    image_usage_reports,
    image_watermarks,
    instance_image_metadata,
    instance_types,
    recycle_bin,
    regions,
    snapshot_attributes,
    snapshot_lifecycle,
    snapshot_locks,
    snapshot_tiers,
    tags,
)
from .registry import ACTIONS

__all__ = ["ACTIONS"]
