# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2 Image Builder: recipes, as users of images; builds and lifecycle policies. moto has no Image Builder.

Pipelines are not simulated, and lifecycle policies do not run.
"""

from .dispatch import answer

__all__ = ["answer"]
