# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which decisions of a cleanup were applied: the calls that were made show it, not the decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..decisions import KEEP, WAIT
from ..stages import DEPRECATE, DEREGISTER, DISABLE

DECISIONS = (DEREGISTER, DISABLE, DEPRECATE, WAIT, KEEP)
"""The decisions on images, the most destructive first."""
STAGES = (DEREGISTER, DISABLE, DEPRECATE)

PLANNED, DONE, NOT_DONE, NOTHING = "planned", "done", "not_done", "no_action"
"""The outcomes of a decision. ``wait`` and ``keep`` need no action."""

_CALLS = {DEPRECATE: "EnableImageDeprecation", DISABLE: "DisableImage", DEREGISTER: "DeregisterImage"}
_DELETE, _REVOKE, _REPORT = "DeleteSnapshot", "RevokeGrant", "CreateImageUsageReport"
_STAGE_CALLS = frozenset(_CALLS.values())
# The error code for a snapshot that AWS could not delete with its image.
_LEFT = "snapshot_not_deleted"


class Outcomes:
    """The outcomes of decisions, derived from the calls and failures that ``ami_cleanup`` returned."""

    def __init__(self, cleaned: Mapping[str, Any], planned: bool) -> None:
        self._calls = {
            (call["action"], call["region"], call["resource"]) for call in cleaned.get("actions") or ()
        }
        failures = cleaned.get("failures") or ()
        self._left = [(one["region"], one["message"]) for one in failures if one["error_code"] == _LEFT]
        # Regions in which it is not known which snapshots were deleted.
        self._uncertain_regions = {
            one["region"]
            for one in failures
            if one["action"] in (_DELETE, _REVOKE) and one["error_code"] != _LEFT
        }
        self._carried_out = PLANNED if planned else DONE

    def outcome(self, image: Mapping[str, Any]) -> str:
        """The outcome of the decision on an image."""
        call = _CALLS.get(image["decision"])
        if call is None:
            return NOTHING
        return self._of((call, image["region"], image["image_id"]))

    def snapshot_outcome(self, image: Mapping[str, Any], snapshot: Mapping[str, Any]) -> str:
        """The outcome for a snapshot of a deregistered image; ``not_done`` if it is not known."""
        region, snapshot_id = image["region"], snapshot["snapshot_id"]
        if snapshot["keep_reason"]:
            return NOTHING
        if (_DELETE, region, snapshot_id) in self._calls:
            return self._carried_out
        # AWS deletes snapshots together with their image only if none of them is kept.
        together = not any(one["keep_reason"] for one in image["snapshots"])
        if not together or region in self._uncertain_regions or self._is_left(region, snapshot_id):
            return NOT_DONE
        return self.outcome(image)

    def orphan_snapshots(self, images: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
        """The deleted snapshots that belong to none of these images."""
        with_images = {(one["region"], each["snapshot_id"]) for one in images for each in one["snapshots"]}
        return [
            {"outcome": self._carried_out, "region": region, "snapshot_id": snapshot_id}
            for region, snapshot_id in self._list_calls(_DELETE)
            if (region, snapshot_id) not in with_images
        ]

    def tags(self) -> dict[str, int]:
        """The numbers of images that only got tags, and of resources that only lost some."""
        staged = {(region, resource) for action, region, resource in self._calls if action in _STAGE_CALLS}
        tagged, untagged = (self._list_resources(action) - staged for action in ("CreateTags", "DeleteTags"))
        return {
            "tagged": sum(resource.startswith("ami-") for _region, resource in tagged),
            "untagged": len(untagged - tagged),
        }

    def usage_reports(self) -> int:
        """The number of images for which AWS was asked for a usage report."""
        return len(self._list_calls(_REPORT))

    def grants(self) -> list[dict[str, str]]:
        """The revoked grants on KMS keys."""
        return [
            {"grant_id": grant_id, "outcome": self._carried_out, "region": region}
            for region, grant_id in self._list_calls(_REVOKE)
        ]

    def _list_calls(self, operation: str) -> list[tuple[str, str]]:
        return sorted((region, resource) for action, region, resource in self._calls if action == operation)

    def _list_resources(self, operation: str) -> set[tuple[str, str]]:
        """The resources of calls that name several."""
        return {
            (region, one)
            for region, resources in self._list_calls(operation)
            for one in resources.split(", ")
        }

    def _of(self, call: tuple[str, str, str]) -> str:
        return self._carried_out if call in self._calls else NOT_DONE

    def _is_left(self, region: str, snapshot_id: str) -> bool:
        return any(place == region and snapshot_id in message for place, message in self._left)
