# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM: principals and policy evaluation. Users, roles and their policies are stored in moto's IAM."""

from .patch_moto import patch_moto

__all__ = ["patch_moto"]
