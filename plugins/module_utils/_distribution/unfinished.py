# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The copies that an incomplete distribution has started, and the images of earlier runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._reports.document import WRITTEN_AT
from .._reports.values import render_date

# A rerun replaces a copy in any other state (EC2 API Reference, Image, imageState).
_USABLE = frozenset({"available", "pending", "transient"})


def describe_started(content: Mapping[str, Any]) -> str:
    """Return a sentence about the copies that are not shared yet; empty for none.

    AWS continues a copy whatever becomes of the run that has started it.
    """
    copies = list(_list_started(content))
    if not copies:
        return ""
    return (
        f"Copied and not shared yet: {', '.join(copies)}. Rerun to complete the distribution: it continues "
        "with these copies."
    )


def _list_started(content: Mapping[str, Any]) -> Iterator[str]:
    for region in content["regions"]:
        if region["image_id"] != content["source_image_id"] and not region["shared"] and _is_usable(region):
            yield f"{region['image_id']} in {region['region']} ({region['state']})"
    for copy in content.get("consumer_images", ()):
        if copy["state"] != "available" and _is_usable(copy):
            yield f"{copy['image_id']} in {copy['region']} of {copy['account_id']} ({copy['state']})"


def _is_usable(copy: Mapping[str, Any]) -> bool:
    return bool(copy["image_id"]) and copy["state"] in _USABLE


def describe_earlier(content: Mapping[str, Any]) -> str:
    """Return a sentence that names the earlier images of regions without a new one; empty for none."""
    images = [
        f"{region['region']} has {_format_earlier(region['earlier'])}"
        for region in content["regions"]
        if region.get("earlier")
    ]
    return f"Of earlier distributions: {', '.join(images)}." if images else ""


def _format_earlier(earlier: Mapping[str, Any]) -> str:
    written = earlier[WRITTEN_AT]
    date = f", {render_date(written)}" if written else ""
    return f"{earlier['image_id']} ({earlier['source_image_id']}{date})"
