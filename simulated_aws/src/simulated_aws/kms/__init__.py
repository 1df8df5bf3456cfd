# SPDX-License-Identifier: GPL-3.0-or-later
"""KMS, in addition to moto: key policies are enforced, grants, and access to keys of other accounts.

moto stores the keys and encrypts. `actions` has one function per action, `dispatch` calls it for a request,
`authorization` decides who can use a key.
"""

from .patch_moto import patch_moto

__all__ = ["patch_moto"]
