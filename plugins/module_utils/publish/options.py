# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_publish``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from ..arguments import CONSUMER_ROLE_SPEC, CONSUMERS_SPEC, IMAGES_BY_TARGET_SPEC, TAGS_SPEC, Options
from ..parameter_names import name_problem
from ..tags import MAX_TAGS
from ..wording import shown
from .state import DEFAULT, LATEST, PublishWanted

ARGUMENT_SPEC: dict[str, Any] = {
    **IMAGES_BY_TARGET_SPEC,
    **CONSUMER_ROLE_SPEC,
    "account_ids": CONSUMERS_SPEC["account_ids"],
    "parameter": {"type": "str", "required": True},
    "tier": {"type": "str", "choices": ["Standard", "Advanced", "Intelligent-Tiering"]},
    "parameter_tags": TAGS_SPEC,
    "launch_templates": {"type": "list", "elements": "str", "default": []},
    "launch_template_base_version": {"type": "str", "choices": [DEFAULT, LATEST]},
    "source_image_id": {"type": "str"},
    "source_region": {"type": "str"},
    "regions": {"type": "list", "elements": "str", "default": []},
    "best_effort_regions": {"type": "list", "elements": "str", "default": []},
    "publish_older": {"type": "bool", "default": False},
    "require_shared": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
}

# botocore shape LaunchTemplateName, which the form of an ID, lt-0123456789abcdef0, matches too.
_TEMPLATE = re.compile(r"[a-zA-Z0-9().\-/_]{3,128}")


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> PublishWanted:
    """Read the options.

    Raises:
        Refused: with every option that is not valid.
    """
    options = Options(params, allows_planned=check_mode)
    by_image = params["images"] is not None or params["image_id"] is not None
    regions = tuple(dict.fromkeys(options.regions("regions")))
    source_image_id = params["source_image_id"] or None
    wanted = PublishWanted(
        parameter=params["parameter"].strip(),
        images=options.images_by_target() if by_image else None,
        regions=regions,
        account_ids=options.account_ids("account_ids"),
        tier=params["tier"],
        parameter_tags=options.tags("parameter_tags") or {},
        launch_templates=tuple(dict.fromkeys(options.strings("launch_templates"))),
        launch_template_base_version=params["launch_template_base_version"],
        source_image_id=options.image_id("source_image_id", source_image_id) if source_image_id else None,
        source_region=options.source_region(),
        require_shared=params["require_shared"],
        publish_older=params["publish_older"],
        as_if_shared=check_mode and not params["require_shared"],
        consumer_role=options.consumer_role(),
        wait_timeout=params["wait_timeout"],
        best_effort_regions=frozenset(options.regions("best_effort_regions")),
    )
    problem, remedy = name_problem(wanted.parameter, wanted.all_regions)
    if problem:
        options.refuse("parameter", problem, remedy)
    _check_parameter_tags(options, wanted.parameter_tags)
    for name in wanted.launch_templates:
        if not _TEMPLATE.fullmatch(name):
            options.refuse(
                "launch_templates",
                f"'{name}' is not a valid name of a launch template.",
                "Use 3 to 128 letters, digits and ().-/_, or an ID.",
            )
    _check_source(options, wanted)
    if wanted.wait_timeout < 0:
        options.refuse(
            "wait_timeout",
            f"must be 0 or greater (got {wanted.wait_timeout}).",
            "Use a number of seconds such as 300.",
        )
    options.check()
    return wanted


def _check_source(options: Options, wanted: PublishWanted) -> None:
    """Add a failure unless there is either what to publish, or what to roll back to."""
    by_image, regions, source_image_id = wanted.images is not None, wanted.regions, wanted.source_image_id
    if by_image and regions:
        options.refuse(
            "regions",
            "they select a rollback, and images select what to publish.",
            "Remove one of them.",
        )
    if not by_image and source_image_id and not regions:
        options.refuse("regions", "must contain at least one region (got []).", "Add a region.")
    elif not by_image and regions and not source_image_id:
        options.refuse(
            "source_image_id",
            "it is required to roll back.",
            "Set the source of the copies that were published before, or set the option images.",
        )
    elif not by_image and not source_image_id:
        options.refuse(
            "images",
            "there are no images.",
            "Set images to publish them, or source_image_id and regions to roll back.",
        )


def _check_parameter_tags(options: Options, tags: Mapping[str, str]) -> None:
    """Add failures for tags that images can have and parameters cannot, and for more than a parameter has."""
    for key, value in tags.items():
        if not _is_tag_text(key + value):
            options.refuse(
                "parameter_tags",
                f"{shown({key: value})} is not a valid tag of a parameter.",
                "Use letters, digits, spaces and _ . : / = + - @ only.",
            )
    if len(tags) > MAX_TAGS:
        problem = f"there are {len(tags)} tags; a parameter can have {MAX_TAGS}."
        options.refuse("parameter_tags", problem, "Use fewer tags.")


def _is_tag_text(text: str) -> bool:
    """Whether a tag of a parameter can have these characters (botocore shapes TagKey and TagValue of SSM)."""
    return all(one in "_.:/=+-@" or unicodedata.category(one)[0] in "LNZ" for one in text)
