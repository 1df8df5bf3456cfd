# SPDX-License-Identifier: GPL-3.0-or-later
"""SNS, in addition to moto: checks of endpoints, and unconfirmed subscriptions. Topics are moto's."""

from .patch_moto import patch_moto

__all__ = ["patch_moto"]
