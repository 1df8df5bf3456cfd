# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudTrail, in addition to moto: which trails an account sees, and what it can read of them."""

from .patch_moto import patch_moto

__all__ = ["patch_moto"]
