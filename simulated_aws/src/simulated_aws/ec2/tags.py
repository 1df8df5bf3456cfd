# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags and their limits (EC2 User Guide, Tag your Amazon EC2 resources: Tag restrictions)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .errors import Ec2Error, invalid_value

MOST_TAGS = 50
LONGEST_KEY = 128
LONGEST_VALUE = 256
# XML 1.0, section 2.2.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_tags(tags: Iterable[dict[str, str]]) -> dict[str, str]:
    """Parse the tags of a request; Ec2Error for the first invalid one."""
    wanted: dict[str, str] = {}
    for tag in tags:
        key, value = tag.get("Key", ""), tag.get("Value", "")
        if not 1 <= len(key) <= LONGEST_KEY:
            raise invalid_value("tagKey", key, f"A key has 1 to {LONGEST_KEY} characters.")
        if len(value) > LONGEST_VALUE:
            raise invalid_value("tagValue", value, f"A value has at most {LONGEST_VALUE} characters.")
        if _NOT_XML.search(key + value):
            # AWS documents no error for it. Its responses are XML, which cannot have these characters.
            raise Ec2Error("InvalidParameterValue", "A tag contains characters that are not valid.")
        if key.lower().startswith("aws:"):
            why = "Tag keys starting with 'aws:' are reserved for internal use"
            raise Ec2Error("InvalidParameterValue", why)
        if key in wanted:
            raise Ec2Error("InvalidParameterValue", f"Duplicate tag key '{key}' specified.")
        wanted[key] = value
    require_room({}, wanted)
    return wanted


def require_room(present: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    """Reject tags that would exceed the limit of a resource."""
    count = sum(not key.startswith("aws:") for key in {**present, **wanted})
    if count > MOST_TAGS:
        raise Ec2Error("TagLimitExceeded", f"More than {MOST_TAGS} tags specified")


def read_specifications(params: dict[str, Any], *kinds: str) -> dict[str, dict[str, str]]:
    """Parse TagSpecifications to a dict of resource type to tags, for the types that the action creates."""
    found: dict[str, dict[str, str]] = {kind: {} for kind in kinds}
    for specification in params.get("TagSpecifications", []):
        kind = specification.get("ResourceType", "")
        if kind not in kinds:
            why = f"'{kind}' is not a valid taggable resource type for this operation."
            raise Ec2Error("InvalidParameterValue", why)
        if not specification.get("Tags"):
            raise Ec2Error("InvalidParameterValue", "Tag specification must have at least one tag")
        found[kind] = read_tags(
            [*({"Key": key, "Value": value} for key, value in found[kind].items()), *specification["Tags"]]
        )
    return found


def tag_set(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as a response lists them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
