# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_copy_regions``: validated, and converted to the values that the plan needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..arguments import ACCOUNT_IDS_SPEC, CONSUMER_ROLE_SPEC, OWNERS_SPEC, TAGS_SPEC, Options
from ..keys.encryption import Encryption, check_options
from ..wording import shown
from .state import CopyWanted

ARGUMENT_SPEC: dict[str, Any] = {
    **CONSUMER_ROLE_SPEC,
    "source_image_id": {"type": "str"},
    "source_parameter": {"type": "str"},
    "source_filters": {"type": "dict"},
    "source_owners": {**OWNERS_SPEC, "default": ["self"]},
    "source_images": {"type": "dict"},
    "source_region": {"type": "str"},
    "assume_source_ready": {"type": "bool", "default": False},
    "account_ids": {**ACCOUNT_IDS_SPEC, "default": []},
    "consumer_account_ids": {**ACCOUNT_IDS_SPEC, "default": []},
    "regions": {"type": "list", "elements": "str", "required": True},
    "best_effort_regions": {"type": "list", "elements": "str", "default": []},
    "name": {"type": "str"},
    "description": {"type": "str"},
    "tags": TAGS_SPEC,
    "copy_tags": {"type": "bool", "default": False},
    "snapshot_tags": TAGS_SPEC,
    "purge_tags": {"type": "bool", "default": False},
    "completion_duration_minutes": {"type": "int"},
    "encrypted": {"type": "bool"},
    "kms_key_id": {"type": "str"},
    "kms_key_ids": {"type": "dict", "no_log": False},
    "allow_default_key": {"type": "bool", "default": False},
    "reencrypt_source": {"type": "bool", "default": False},
    "require_shareable": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 10800},
    "progress_path": {"type": "path"},
}

# Exactly one of these options is set.
SOURCES = ("source_image_id", "source_parameter", "source_filters", "source_images")

# botocore shape CopyImageRequest, SnapshotCopyCompletionDurationMinutes; EBS User Guide, "Time-based copies".
_DURATIONS = range(15, 2880 + 1, 15)


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> CopyWanted:
    """The requested copies; ``check_mode`` allows null in ``source_images``.

    Raises:
        Refused: with a failure for each option that is not valid.
    """
    options = Options(params, allows_planned=check_mode)
    regions = options.regions("regions")
    if not regions:
        options.refuse("regions", "must contain at least one region (got []).", "Add a region.")
    source_images = options.mapped_images("source_images")
    # If each region has its own source, any of them can serve the calls that need just one region.
    source_region = (
        regions[0] if source_images and regions else params["source_region"] or params.get("region")
    )
    _check_source_options(options, params, regions, source_region, source_images)
    account_ids = options.account_ids("account_ids")
    best_effort = options.regions("best_effort_regions")
    if surplus := sorted(set(best_effort) - set(regions)):
        options.refuse(
            "best_effort_regions",
            f"{', '.join(surplus)} is not listed in the option regions.",
            "Add it there too.",
        )
    _check_times(options, params)
    _check_description(options, params["description"] or "")
    encryption = _encryption(options, params, regions)
    wanted = CopyWanted(
        source_region=source_region or "",
        regions=regions,
        source_image_id=params["source_image_id"],
        source_parameter=params["source_parameter"],
        source_filters=options.filters("source_filters"),
        source_owners=options.strings("source_owners"),
        source_images=source_images,
        account_ids=account_ids,
        consumer_account_ids=options.account_ids("consumer_account_ids"),
        require_shareable=params["require_shareable"],
        consumer_role=options.consumer_role() if account_ids else None,
        assume_source_ready=params["assume_source_ready"] and check_mode,
        best_effort_regions=frozenset(best_effort),
        name=params["name"],
        description=params["description"],
        tags=options.tags("tags"),
        copy_tags=params["copy_tags"],
        snapshot_tags=options.tags("snapshot_tags"),
        purge_tags=params["purge_tags"],
        completion_duration_minutes=params["completion_duration_minutes"],
        encryption=encryption,
        wait=params["wait"],
        wait_timeout=params["wait_timeout"],
    )
    options.check()
    return wanted


def _encryption(options: Options, params: Mapping[str, Any], regions: Sequence[str]) -> Encryption:
    keys = params["kms_key_ids"] or {}
    for key in keys.values():
        if key and not isinstance(key, str):
            options.refuse("kms_key_ids", f"{shown(key)} is not a key.", "Map each region to one key.")
    encryption = Encryption(
        encrypted=params["encrypted"],
        key=params["kms_key_id"],
        keys={region: key for region, key in keys.items() if isinstance(key, str) and key},
        allow_default=params["allow_default_key"],
        reencrypt_source=params["reencrypt_source"],
    )
    options.add(check_options(encryption, regions))
    return encryption


def _check_times(options: Options, params: Mapping[str, Any]) -> None:
    duration = params["completion_duration_minutes"]
    if duration is not None and duration not in _DURATIONS:
        options.refuse(
            "completion_duration_minutes",
            f"must be a multiple of 15 between 15 and 2880 (got {duration}).",
            "Set such a number of minutes.",
        )
    if params["wait_timeout"] < 1:
        options.refuse(
            "wait_timeout", f"must be at least 1 second (got {params['wait_timeout']}).", "Increase it."
        )


def _check_source_options(
    options: Options,
    params: Mapping[str, Any],
    regions: Collection[str],
    source_region: str | None,
    source_images: Mapping[str, str | None],
) -> None:
    if params["source_image_id"] is not None:
        options.image_id("source_image_id", params["source_image_id"])
    if params["source_parameter"] is not None:
        options.parameter("source_parameter", params["source_parameter"], source_region)
    if params["source_filters"] is not None:
        if not params["source_filters"]:
            options.refuse(
                "source_filters",
                "must contain at least one filter (got {}).",
                "Add a filter: without one, every image matches.",
            )
        _check_owners(options)
    if not source_region:
        options.refuse("source_region", "is required.", "Set the region of the source image.")
    elif params["source_region"]:
        options.region("source_region", params["source_region"])
    if params["source_images"] is not None and (
        without := [region for region in regions if region not in source_images]
    ):
        options.refuse(
            "source_images",
            f"contains no image for {', '.join(without)}.",
            "Add an image for each region, or remove the region from the option regions.",
        )


def _check_description(options: Options, description: str) -> None:
    """Refuse characters that EC2 refuses in every region: "Character sets beyond ASCII are not supported".

    For AMIs: metadist/synaplan#1546, wendylabsinc/WendyOS-Builder#56. EC2 has taken the source's description.
    """
    others = [one for one in dict.fromkeys(description) if not one.isascii()]
    if others:
        named = ", ".join(f"'{one}' (U+{ord(one):04X})" for one in others)
        options.refuse(
            "description",
            f"AWS takes ASCII characters only (got {named}).",
            "Replace the others, for example a dash by - and an umlaut by two letters.",
        )


def _check_owners(options: Options) -> None:
    owners = options.strings("source_owners")
    if not owners:
        options.refuse(
            "source_owners",
            "must contain at least one owner: any account can publish an image under any name.",
            "List the accounts whose images may match; self is your own.",
        )
