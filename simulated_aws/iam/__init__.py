# SPDX-License-Identifier: GPL-3.0-or-later
"""Who calls, and what policies say about it. Users, roles and their policies themselves are moto's."""

from .patch_moto import patch_moto

__all__ = ["patch_moto"]
