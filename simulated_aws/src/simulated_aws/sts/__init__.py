# SPDX-License-Identifier: GPL-3.0-or-later
"""STS, in addition to moto: AssumeRole checks the trust policy. The rest is moto's."""

from .patch_moto import patch_moto

__all__ = ["patch_moto"]
