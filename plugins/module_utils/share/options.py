# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_share``, checked and turned into values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..arguments import CONSUMERS_SPEC, IMAGES_SPEC, SNAPSHOT_ID, TAGS_SPEC, Options
from ..model import Grant
from ..structure import as_list
from ..tags import SHARED_PREFIX
from .state import PlannedKey, ShareWanted

ARGUMENT_SPEC: dict[str, Any] = {
    **IMAGES_SPEC,
    **CONSUMERS_SPEC,
    "group": {"type": "str", "choices": ["all"]},
    "allow_public": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "purge_launch_permissions": {"type": "bool", "default": False},
    "allow_empty_purge": {"type": "bool", "default": False},
    "share_snapshots": {"type": "bool", "default": True},
    "snapshot_ids": {"type": "list", "elements": "str", "default": []},
    "snapshots": {"type": "dict"},
    "shared_tags": TAGS_SPEC,
    "planned_key_access": {"type": "list", "elements": "dict", "no_log": False, "default": []},
    "usable_key_arns": {"type": "list", "elements": "str", "no_log": False, "default": []},
    "source_image_id": {"type": "str"},
    "source_region": {"type": "str"},
    "best_effort_regions": {"type": "list", "elements": "str", "default": []},
}


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> ShareWanted:
    """The checked options.

    Raises:
        Refused: with every option that is not valid.
    """
    options = Options(params, allows_planned=check_mode)
    named = replace(options.consumers(), public=params["group"] == "all")
    wanted = ShareWanted(
        images={} if params.get("snapshots") else options.images(),
        sharing=named,
        present=params["state"] == "present",
        purge=params["purge_launch_permissions"],
        allow_empty_purge=params["allow_empty_purge"],
        share_snapshots=params["share_snapshots"],
        snapshot_ids=frozenset(options.strings("snapshot_ids")),
        snapshots=_snapshots(options, params.get("snapshots") or {}),
        shared_tags=options.tags("shared_tags", SHARED_PREFIX) or {},
        source_image_id=params["source_image_id"],
        source_region=options.source_region(),
        usable_keys=frozenset(options.strings("usable_key_arns")),
        planned_keys=_planned_keys(options, params["planned_key_access"]) if check_mode else {},
        best_effort_regions=frozenset(options.regions("best_effort_regions")),
    )
    _check_combination(options, params, wanted)
    options.check()
    return wanted


def _check_combination(options: Options, params: Mapping[str, Any], wanted: ShareWanted) -> None:
    """Add a failure for each option that does not go with the others."""
    named = wanted.sharing
    if named.public and wanted.present and not params["allow_public"]:
        options.refuse(
            "group",
            "'all' makes the image public.",
            "Set allow_public: true to confirm.",
        )
    if not wanted.present and wanted.purge:
        options.refuse(
            "purge_launch_permissions",
            "it cannot be combined with state: absent.",
            "Remove one of them.",
        )
    if not wanted.present and not named:
        options.refuse(
            "account_ids",
            "state: absent needs at least one consumer.",
            "Set the consumers to unshare from, or group: all.",
        )
    if wanted.snapshot_ids and (wanted.present or not wanted.share_snapshots):
        options.refuse(
            "snapshot_ids",
            "single snapshots can only be unshared.",
            "Set state: absent and share_snapshots: true. Snapshots are shared together with their image.",
        )
    if wanted.snapshots and (wanted.present or wanted.snapshot_ids or not wanted.share_snapshots):
        options.refuse(
            "snapshots",
            "snapshots without an image can only be unshared.",
            "Set state: absent and share_snapshots: true, and remove snapshot_ids.",
        )
    if wanted.present and wanted.purge and not named and not wanted.allow_empty_purge:
        options.refuse(
            "purge_launch_permissions",
            "without a consumer it would unshare the image from every account.",
            "Set the consumers that keep access, or allow_empty_purge: true.",
        )


def _planned_keys(options: Options, results: Iterable[Mapping[str, Any]]) -> dict[str, PlannedKey]:
    """The planned grants and statements by key ARN; what is not a result of ``ami_kms_grant`` is refused."""
    try:
        return {
            str(key["kms_key_arn"]): PlannedKey(
                tuple(
                    Grant("", str(one["grantee"]), frozenset(map(str, one["operations"])))
                    for one in key["grants"]
                ),
                tuple(dict(one) for one in key.get("policy_statements") or ()),
            )
            for result in results
            for key in result["kms_keys"]
        }
    except (AttributeError, LookupError, TypeError, ValueError):
        options.refuse(
            "planned_key_access",
            "it is not what ami_kms_grant returns as results.",
            "Pass the results of the task, or remove the option.",
        )
        return {}


def _snapshots(options: Options, given: Mapping[Any, Any]) -> dict[str, tuple[str, ...]]:
    """Region to snapshot IDs; IDs that are not valid are refused."""
    snapshots: dict[str, tuple[str, ...]] = {}
    for region, ids in given.items():
        listed = tuple(str(one).strip() for one in as_list(ids))
        for one in listed:
            if not SNAPSHOT_ID.fullmatch(one):
                options.refuse(
                    "snapshots",
                    f"'{one}' is not a valid snapshot ID.",
                    "Map each region to a list of snapshot IDs.",
                )
        snapshots[str(region)] = listed
    return snapshots
