# SPDX-License-Identifier: GPL-3.0-or-later
"""Organizations as AWS describes it, where moto's differs: who may call what, and answers in pages.

`membership` tells the other services where accounts are. All else is moto's.
"""

from .membership import memberships, organization_id, organization_paths
from .patch_moto import patch_moto

__all__ = ["memberships", "organization_id", "organization_paths", "patch_moto"]
