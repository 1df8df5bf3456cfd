# SPDX-License-Identifier: GPL-3.0-or-later
"""KMS as AWS describes it, where moto's differs: policies that count, grants, keys of other accounts.

The keys themselves and what they encrypt are moto's. `actions` hold what each action does, `door` takes a
request to its action, `authorization` decides who may use a key.
"""

from .patch_moto import patch_moto

__all__ = ["patch_moto"]
