# SPDX-License-Identifier: GPL-3.0-or-later
"""SQS, in addition to moto: checks of queue names and attributes. Messages are moto's."""

from .patch_moto import patch_moto

__all__ = ["patch_moto"]
