# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2 Image Builder: recipes, as users of images. moto has no Image Builder; pipelines are not simulated."""

from .dispatch import answer

__all__ = ["answer"]
