# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parameters of one CopyImage: name, description, tags, KMS key, and an idempotency token."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .. import _tags as tagging
from .._failures import Failure, invalid_option
from .._model import Image, Key, Target
from .options import CopyOptions

# EC2 API Reference, CopyImage and CreateImage: constraints of Name and Description.
NAME = re.compile(r"[A-Za-z0-9()\[\] ./\-'@_]{3,128}")
MAX_NAME = 128
MAX_DESCRIPTION = 255

_PLACEHOLDER = re.compile(r"\{(region|source_name|source_image_id)\}")


def copy_request(
    options: CopyOptions,
    source: Image,
    target: Target,
    predecessor_ids: tuple[str, ...],
    key: Key | None = None,
) -> dict[str, Any]:
    """Return the parameters of CopyImage, including ClientToken.

    The token is a hash of all other parameters and of ``predecessor_ids``, the failed or deregistered copies
    that this one replaces. So the repeated request of a killed run returns the same image. A retry after a
    failed copy starts a new copy. A request with other tags does not conflict with an earlier one. The token
    has 64 ASCII characters, of 128 that are possible (botocore shape ``CopyImageClientToken``).
    """
    mark = tagging.source_tag(source.image_id, options.source_region_of(target.region))
    if key is not None:
        mark = {**mark, tagging.KEY_TAG: key.arn}
    request: dict[str, Any] = {
        "Description": description_for(options, source, target.region),
        "Name": name_for(options, source, target.region),
        "SourceImageId": source.image_id,
        "SourceRegion": options.source_region_of(target.region),
        "TagSpecifications": [
            {
                "ResourceType": "image",
                "Tags": tagging.tag_list({**(image_tags(options, source) or {}), **mark}),
            },
            {"ResourceType": "snapshot", "Tags": tagging.tag_list({**(options.snapshot_tags or {}), **mark})},
        ],
    }
    if key is not None:
        request |= {"Encrypted": True, "KmsKeyId": key.arn}
    if options.completion_duration_minutes is not None:
        request["SnapshotCopyCompletionDurationMinutes"] = options.completion_duration_minutes
    identity = json.dumps(
        [target.account_id, target.region, request, sorted(predecessor_ids)], sort_keys=True
    )
    return {**request, "ClientToken": hashlib.sha256(identity.encode()).hexdigest()}


def name_for(options: CopyOptions, source: Image, region: str) -> str:
    """Return the copy's name, by default the source's, maybe shortened, and the unique ID of the source."""
    if options.name is not None:
        return _fill(options.name, source, region)
    return f"{source.name[: MAX_NAME - len(source.image_id) - 1]}-{source.image_id}"


def description_for(options: CopyOptions, source: Image, region: str) -> str:
    """Return the copy's description, by default the source's or, if that is empty, its ID and region."""
    if options.description is not None:
        return _fill(options.description, source, region)
    return source.description or f"Copy of {source.image_id} from {options.source_region_of(region)}"


def image_tags(options: CopyOptions, source: Image) -> dict[str, str] | None:
    """Return the requested tags of the copies; None if no option sets tags: existing tags then stay."""
    if options.tags is None and not options.copy_tags:
        return None
    return {**(tagging.user_tags(source.tags) if options.copy_tags else {}), **(options.tags or {})}


def check_request(request: Mapping[str, Any], target: Target) -> tuple[Failure, ...]:
    """Return the refusals of a name, a description or tags that AWS would refuse."""
    failures: list[Failure] = []
    if not NAME.fullmatch(request["Name"]):
        failures.append(
            invalid_option(
                "name",
                f"name: '{request['Name']}' ({len(request['Name'])} characters) is not a valid AMI name.",
                "Use 3 to 128 letters, digits, spaces and ( ) [ ] . / - ' @ _",
                region=target.region,
            )
        )
    if len(request["Description"]) > MAX_DESCRIPTION:
        failures.append(
            invalid_option(
                "description",
                f"description: must have at most {MAX_DESCRIPTION} characters "
                f"(got {len(request['Description'])} characters).",
                "Shorten it.",
                region=target.region,
            )
        )
    for option, specification in zip(("tags", "snapshot_tags"), request["TagSpecifications"], strict=True):
        tags = tagging.tag_map(specification["Tags"])
        failures += (
            replace(failure, region=target.region) for failure in tagging.check_tag_count(option, tags)
        )
    return tuple(failures)


def _fill(template: str, source: Image, region: str) -> str:
    # One pass, so that a placeholder in the source's own name is not replaced.
    values = {"region": region, "source_name": source.name, "source_image_id": source.image_id}
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template)
