# SPDX-License-Identifier: GPL-3.0-or-later
"""STS as AWS describes it, where moto's differs: a role is assumed by whom it trusts. All else is moto's."""

from .patch_moto import patch_moto

__all__ = ["patch_moto"]
