# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2, in addition to moto: images, snapshots, sharing, copies, and the checks of launches.

`actions` has one function per action, `dispatch` calls it for a request. The HTTP pipeline reaches `dispatch`
through `fast_path`, moto through the request handler that `patch_moto` registers. The rest of EC2 is moto's.
"""

from .patch_moto import patch_moto

__all__ = ["patch_moto"]
