# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS Organizations, in addition to moto: which account can call which operation, and paginated lists.

`membership` finds the organization and OUs of an account, for the other services. The rest is moto's.
"""

from .membership import memberships, organization_id, organization_paths
from .patch_moto import patch_moto

__all__ = ["memberships", "organization_id", "organization_paths", "patch_moto"]
