# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, versions and ARNs of Image Builder's resources."""

from __future__ import annotations

import re

from ..ec2.access import Caller
from ..ec2.regions import partition_of

NAME = re.compile(r"[-_A-Za-z-0-9][-_A-Za-z0-9 ]{1,126}[-_A-Za-z-0-9]")
"""(botocore shape ResourceName.)"""
VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
"""(botocore shape VersionNumber.)"""


def arn_of(caller: Caller, kind: str, name: str, version: str = "") -> str:
    """The ARN of a resource; the name is in lower case, with hyphens for spaces and underscores.

    (botocore shape CreateLifecyclePolicyRequest, name.)
    """
    slug = name.lower().replace(" ", "-").replace("_", "-")
    path = "/".join(part for part in (kind, slug, version) if part)
    return f"arn:{partition_of(caller.region)}:imagebuilder:{caller.region}:{caller.account_id}:{path}"
