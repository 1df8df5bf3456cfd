# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parameters of one module, taken from the options of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def parameters(argument_spec: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """A value for each option of ``argument_spec``: the given one, else its default, else None.

    Values in ``given`` for other options are left out.
    """
    return {
        option: given[option] if option in given else spec.get("default")
        for option, spec in argument_spec.items()
    }
