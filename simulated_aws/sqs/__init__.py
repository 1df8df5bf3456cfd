# SPDX-License-Identifier: GPL-3.0-or-later
"""Queues as strict as AWS's documentation about their names and attributes; messages are moto's."""

from .patch_moto import patch_moto

__all__ = ["patch_moto"]
