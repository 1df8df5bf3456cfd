# SPDX-License-Identifier: GPL-3.0-or-later
"""Services whose resources launch images, and of which moto lacks the operations that show the images.

Only what these operations show is simulated: nothing is launched. All other operations are moto's.
"""

from __future__ import annotations

from . import codebuild, config, emr, hyperpod, pcs
from .operations import Handler, handlers
from .rds import patch_moto

HANDLERS: dict[tuple[str, str], Handler] = {
    **handlers("emr", emr.OPERATIONS),
    **handlers("sagemaker", hyperpod.OPERATIONS),
    **handlers("pcs", pcs.OPERATIONS),
    **handlers("codebuild", codebuild.OPERATIONS),
    **handlers("config", config.OPERATIONS),
}
"""Signing name and operation to the function that answers it."""

__all__ = ["HANDLERS", "patch_moto"]
