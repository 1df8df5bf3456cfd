# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The outcomes of a cleanup's decisions, which the calls show and not the decisions."""

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
    """The outcomes of decisions, from the calls and failures of ``ami_cleanup``."""

    def __init__(self, result: Mapping[str, Any], is_plan: bool) -> None:
        self._calls = {
            (call["action"], call["region"], call["resource"]) for call in result.get("actions") or ()
        }
        failures = result.get("failures") or ()
        self._left = [
            (failure["region"], failure["message"]) for failure in failures if failure["error_code"] == _LEFT
        ]
        # Regions in which it is not known which snapshots were deleted.
        self._uncertain_regions = {
            failure["region"]
            for failure in failures
            if failure["action"] in (_DELETE, _REVOKE) and failure["error_code"] != _LEFT
        }
        self._carried_out = PLANNED if is_plan else DONE

    def outcome(self, image: Mapping[str, Any]) -> str:
        """Return the outcome of the decision on an image."""
        call = _CALLS.get(image["decision"])
        if call is None:
            return NOTHING
        return self._of((call, image["region"], image["image_id"]))

    def snapshot_outcome(self, image: Mapping[str, Any], snapshot: Mapping[str, Any]) -> str:
        """Return the outcome for a snapshot of a deregistered image; ``not_done`` if it is not known."""
        region, snapshot_id = image["region"], snapshot["snapshot_id"]
        if snapshot["keep_reason"]:
            return NOTHING
        if (_DELETE, region, snapshot_id) in self._calls:
            return self._carried_out
        # AWS deletes snapshots together with their image only if none of them is kept.
        together = not any(snapshot["keep_reason"] for snapshot in image["snapshots"])
        if not together or region in self._uncertain_regions or self._is_left(region, snapshot_id):
            return NOT_DONE
        return self.outcome(image)

    def orphan_snapshots(self, images: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
        """Return the deleted snapshots of none of these images."""
        with_images = {
            (image["region"], snapshot["snapshot_id"]) for image in images for snapshot in image["snapshots"]
        }
        return [
            {"outcome": self._carried_out, "region": region, "snapshot_id": snapshot_id}
            for region, snapshot_id in self._list_calls(_DELETE)
            if (region, snapshot_id) not in with_images
        ]

    def tags(self) -> dict[str, int]:
        """Return the number of images that only got tags, and of resources that only lost some."""
        staged = {(region, resource) for action, region, resource in self._calls if action in _STAGE_CALLS}
        tagged, untagged = (self._list_resources(action) - staged for action in ("CreateTags", "DeleteTags"))
        return {
            "tagged": sum(resource.startswith("ami-") for _region, resource in tagged),
            "untagged": len(untagged - tagged),
        }

    def usage_reports(self) -> int:
        """Return the number of images whose usage report was requested."""
        return len(self._list_calls(_REPORT))

    def grants(self) -> list[dict[str, str]]:
        """Return the revoked grants on KMS keys."""
        return [
            {"grant_id": grant_id, "outcome": self._carried_out, "region": region}
            for region, grant_id in self._list_calls(_REVOKE)
        ]

    def _list_calls(self, operation: str) -> list[tuple[str, str]]:
        return sorted((region, resource) for action, region, resource in self._calls if action == operation)

    def _list_resources(self, operation: str) -> set[tuple[str, str]]:
        """Return the resources of calls that name several resources."""
        return {
            (region, resource)
            for region, resources in self._list_calls(operation)
            for resource in resources.split(", ")
        }

    def _of(self, call: tuple[str, str, str]) -> str:
        return self._carried_out if call in self._calls else NOT_DONE

    def _is_left(self, region: str, snapshot_id: str) -> bool:
        return any(place == region and snapshot_id in message for place, message in self._left)
