# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a cleanup's decisions was carried out: told by the calls that were made, not by the decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..decisions import KEEP, WAIT
from ..stages import DEPRECATE, DEREGISTER, DISABLE

DECISIONS = (DEREGISTER, DISABLE, DEPRECATE, WAIT, KEEP)
"""What becomes of an image, the gravest first."""
STAGES = (DEREGISTER, DISABLE, DEPRECATE)

PLANNED, DONE, NOT_DONE, NOTHING = "planned", "done", "not_done", "no_action"
"""What becomes of a decision: there is nothing to do about ``wait`` and ``keep``."""

_CALLS = {DEPRECATE: "EnableImageDeprecation", DISABLE: "DisableImage", DEREGISTER: "DeregisterImage"}
_DELETE, _REVOKE = "DeleteSnapshot", "RevokeGrant"
# Of a snapshot that AWS was to delete together with its image.
_LEFT = "snapshot_not_deleted"


class Done:
    """The calls that ``ami_cleanup`` reports, to be asked for what became of images and snapshots."""

    def __init__(self, cleaned: Mapping[str, Any], planned: bool) -> None:
        self._calls = {
            (call["action"], call["region"], call["resource"]) for call in cleaned.get("actions") or ()
        }
        failures = cleaned.get("failures") or ()
        self._left = [(one["region"], one["message"]) for one in failures if one["error_code"] == _LEFT]
        # Where this fails snapshots stay that nothing names.
        self._doubtful = {
            one["region"]
            for one in failures
            if one["action"] in (_DELETE, _REVOKE) and one["error_code"] != _LEFT
        }
        self._made = PLANNED if planned else DONE

    def outcome(self, image: Mapping[str, Any]) -> str:
        """What became of the decision about an image."""
        call = _CALLS.get(image["decision"])
        if call is None:
            return NOTHING
        return self._of((call, image["region"], image["image_id"]))

    def snapshot_outcome(self, image: Mapping[str, Any], snapshot: Mapping[str, Any]) -> str:
        """What became of a snapshot of an image that is deregistered; in doubt it is still there."""
        region, snapshot_id = image["region"], snapshot["snapshot_id"]
        if snapshot["keep_reason"]:
            return NOTHING
        if (_DELETE, region, snapshot_id) in self._calls:
            return self._made
        # Only where all of them go AWS deletes them together with their image.
        together = not any(one["keep_reason"] for one in image["snapshots"])
        if not together or region in self._doubtful or self._is_left(region, snapshot_id):
            return NOT_DONE
        return self.outcome(image)

    def orphan_snapshots(self, images: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
        """The snapshots that are deleted on behalf of none of these images: what earlier ones left behind."""
        with_images = {(one["region"], each["snapshot_id"]) for one in images for each in one["snapshots"]}
        return [
            {"outcome": self._made, "region": region, "snapshot_id": snapshot_id}
            for region, snapshot_id in self._on(_DELETE)
            if (region, snapshot_id) not in with_images
        ]

    def grants(self) -> list[dict[str, str]]:
        """The grants on keys that are revoked."""
        return [
            {"grant_id": grant_id, "outcome": self._made, "region": region}
            for region, grant_id in self._on(_REVOKE)
        ]

    def _on(self, wanted: str) -> list[tuple[str, str]]:
        return sorted((region, resource) for action, region, resource in self._calls if action == wanted)

    def _of(self, call: tuple[str, str, str]) -> str:
        return self._made if call in self._calls else NOT_DONE

    def _is_left(self, region: str, snapshot_id: str) -> bool:
        return any(place == region and snapshot_id in message for place, message in self._left)
