# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions of EC2 that are answered here instead of by moto, by name."""

from . import (  # noqa: F401  each registers its actions
    allowed_images,
    attributes_of_images,
    attributes_of_snapshots,
    copy_image,
    describe_images,
    describe_snapshots,
    encryption,
    image_ancestry,
    image_lifecycle,
    image_references,
    image_usage_reports,
    make_images,
    make_snapshots,
    public_access,
    recycle_bin,
    regions,
    snapshot_locks,
    snapshot_tiers,
    tags,
)
from .registry import ACTIONS

__all__ = ["ACTIONS"]
