# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameter Store as strict as AWS's documentation, where moto is not.

What is stored is moto's. `rules` refuse what AWS refuses, `validation` holds values back that AWS validates
only after it has answered.
"""

from .patch_moto import patch_moto

__all__ = ["patch_moto"]
