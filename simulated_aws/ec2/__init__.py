# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2 as AWS describes it, where moto's differs: images, snapshots, sharing, copies.

`actions` hold what each action does, `door` takes a request to its action, `lean` offers the door to the
front, and `install` puts it in front of moto's own implementation. Everything else of EC2 stays moto's.
"""

from .patch_moto import patch_moto

__all__ = ["patch_moto"]
