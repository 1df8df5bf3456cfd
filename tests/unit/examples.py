# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that many tests share, so that each test has only its own changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import Device, Image, Target
from ansible_collections.golden.images.plugins.module_utils._read_yaml import parse_yaml
from ansible_collections.golden.images.plugins.module_utils._variables import (
    Variable,
    options_of,
    read_options,
)

OWNER = "111122223333"
STRANGER = "999988887777"
CONSUMER = "012345678901"
SOURCE_ID = "ami-0123456789abcdef0"
SOURCE_REGION = "us-east-1"
MARK = {"golden.images:source": f"{SOURCE_REGION}/{SOURCE_ID}"}
ORG = "arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5"
UNIT = "arn:aws:organizations::111122223333:ou/o-a1b2c3d4e5/ou-ab12-11111111"


# The options of each argument spec, by its ID: some tests read them thousands of times. The spec is kept
# as well, so that no other one gets its ID.
_OPTIONS: dict[int, tuple[Mapping[str, Any], tuple[Variable, ...]]] = {}


def as_read(argument_spec: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as a module passes them to its flow: read, converted by Ansible, and with their defaults.

    Raises:
        ValidationError: the reader refuses some.
    """
    if id(argument_spec) not in _OPTIONS:
        _OPTIONS[id(argument_spec)] = argument_spec, options_of(argument_spec)
    _spec, options = _OPTIONS[id(argument_spec)]
    values, failures = read_options(options, given, parse_yaml)
    if failures:
        raise ValidationError(failures)
    found: dict[str, Any] = ArgumentSpecValidator(dict(argument_spec)).validate(values).validated_parameters
    return found


def target_in(region: str = "eu-west-1") -> Target:
    """A region of the account that owns the images."""
    return Target(OWNER, region)


def volumes(*snapshot_ids: str | None, encrypted: bool = False) -> tuple[Device, ...]:
    """One volume per snapshot."""
    return tuple(
        Device(f"/dev/sd{chr(ord('a') + number)}", snapshot_id, encrypted)
        for number, snapshot_id in enumerate(snapshot_ids)
    )


def source_image(**changes: Any) -> Image:
    """The golden image, available and owned by ``OWNER``."""
    values: dict[str, Any] = {
        "image_id": SOURCE_ID,
        "name": "golden-web",
        "owner_id": OWNER,
        "state": "available",
        "devices": volumes("snap-source"),
        "description": "Golden web server",
        **changes,
    }
    return Image(**values)


def copied_image(image_id: str = "ami-copy", state: str = "available", **changes: Any) -> Image:
    """A copy of the golden image with this collection's tag; ``tags`` are its other tags."""
    values: dict[str, Any] = {
        "name": f"golden-web-{SOURCE_ID}",
        "owner_id": OWNER,
        "source_image_id": SOURCE_ID,
        "source_region": SOURCE_REGION,
        **changes,
        "tags": {**MARK, **changes.get("tags", {})},
    }
    return Image(image_id=image_id, state=state, **values)


def adopted_image(image_id: str = "ami-adopted", state: str = "available", **changes: Any) -> Image:
    """A copy of the golden image in the same account that was made by hand."""
    values: dict[str, Any] = {
        "name": "made-by-hand",
        "owner_id": OWNER,
        "source_image_id": SOURCE_ID,
        "source_region": SOURCE_REGION,
        **changes,
    }
    return Image(image_id=image_id, state=state, **values)
