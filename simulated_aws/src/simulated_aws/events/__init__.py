# SPDX-License-Identifier: GPL-3.0-or-later
"""EventBridge, in addition to moto: the size of an event pattern. Rules and events are moto's."""

from .patch_moto import patch_moto

__all__ = ["patch_moto"]
