# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling groups: moto has them, without service-linked roles of their own and instance refreshes."""

from .patch_moto import patch_moto

__all__ = ["patch_moto"]
