# SPDX-License-Identifier: GPL-3.0-or-later
"""Instance refreshes of Auto Scaling groups, which moto lacks; moto has the groups."""

from .patch_moto import patch_moto

__all__ = ["patch_moto"]
