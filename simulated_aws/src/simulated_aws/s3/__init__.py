# SPDX-License-Identifier: GPL-3.0-or-later
"""S3, in addition to moto: who may use a bucket, and in which Region it is. Objects are moto's."""

from .patch_moto import patch_moto

__all__ = ["patch_moto"]
