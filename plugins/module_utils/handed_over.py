# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what an earlier job hands over as images: its artifacts, or the report of a distribution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .failures import Failure, invalid_option
from .listing import listed
from .variables import IMAGES, Variable

# No region has this name: a mapping of region to image ID lacks it.
_STATUS = "status"
_FAILED = "failed"


def handed_over(
    variables: Iterable[Variable], values: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[Failure, ...], tuple[str, ...]]:
    """Return the values with plain images, failures for jobs that have failed, and warnings.

    A warning names the regions that the job has not completed, and that are therefore left out.
    """
    found = dict(values)
    failures: list[Failure] = []
    warnings: list[str] = []
    for name in (variable.name for variable in variables if variable.type == IMAGES):
        value = values.get(name)
        if not isinstance(value, Mapping) or _STATUS not in value:
            continue
        found[name], missing = _images(value)
        if value[_STATUS] == _FAILED:
            failures.append(_has_failed(name))
        elif missing:
            regions = listed(missing, len(missing))
            warnings.append(f"{name}: left out, because the earlier job has not completed them: {regions}.")
    return found, tuple(failures), tuple(warnings)


def _has_failed(name: str) -> Failure:
    return invalid_option(
        name,
        f"{name}: this is the result of a job that has failed (status failed): it has completed no region.",
        "Rerun that job, or use the result of an earlier one.",
    )


def _images(result: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """Return the images that are ready, in a form that modules take, and the other regions."""
    if "regions" not in result:
        images = result.get("images") or {}
        incomplete = (*(result.get("failed_regions") or ()), *(result.get("uncertain_regions") or ()))
        return images, sorted({*incomplete} - {*images})
    rows = result["regions"]
    ready = [row for row in rows if _is_true(row["shared"])]
    missing = [row["region"] for row in rows if not _is_true(row["shared"])]
    return [*ready, *(result.get("consumer_images") or ())], missing


def _is_true(value: Any) -> bool:
    """Whether a value is true; in text that was JSON, booleans are text."""
    return str(value).lower() == "true"
