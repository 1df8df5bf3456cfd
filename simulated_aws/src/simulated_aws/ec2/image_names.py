# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the names and descriptions of images."""

from __future__ import annotations

import re

from . import state
from .access import Caller
from .errors import Ec2Error, invalid_value

# botocore shape RegisterImageRequest, Name.
_NAME = re.compile(r"[A-Za-z0-9()\[\] ./\-'@_]{3,128}")
LONGEST_DESCRIPTION = 255


def is_name(name: str) -> bool:
    """Whether it is a valid AMI name."""
    return _NAME.fullmatch(name) is not None


def require_name(name: str) -> None:
    """Reject an invalid AMI name."""
    if not is_name(name):
        message = (
            "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, "
            "'(', ')', '[', ']', ' ', '.', '/', '-', ''', '@' and '_'"
        )
        raise Ec2Error("InvalidAMIName.Malformed", message)


def require_unused_name(caller: Caller, name: str) -> None:
    """Reject the name of another image of the account in the Region (EC2 API Reference, Error codes)."""
    for image in state.region(caller.region).images.values():
        if image.name == name and image.owner_id == caller.account_id:
            message = f"AMI name {name} is already in use by AMI {image.id}"
            raise Ec2Error("InvalidAMIName.Duplicate", message)


def require_description(description: str | None) -> None:
    """Reject a description that is too long (EC2 API Reference, CopyImage) or not ASCII.

    (metadist/synaplan#1546 and wendylabsinc/WendyOS-Builder#56: EC2 refuses an em dash.)
    """
    if description and len(description) > LONGEST_DESCRIPTION:
        raise invalid_value("description", description, f"At most {LONGEST_DESCRIPTION} characters.")
    if description and not description.isascii():
        raise invalid_value("description", description, "Character sets beyond ASCII are not supported.")
