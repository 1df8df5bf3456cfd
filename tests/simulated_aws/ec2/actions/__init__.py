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
    image_lifecycle,
    make_images,
    make_snapshots,
    public_access,
    regions,
    tags,
)
from .registry import ACTIONS

__all__ = ["ACTIONS"]
