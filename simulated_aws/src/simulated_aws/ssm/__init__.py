# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameter Store, in addition to moto, which stores the parameters.

`parameter_checks` rejects invalid requests; `image_validation` validates AMI IDs after PutParameter has
responded.
"""

from .patch_moto import patch_moto

__all__ = ["patch_moto"]
