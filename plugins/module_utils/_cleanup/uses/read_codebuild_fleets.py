# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fleets of AWS CodeBuild that launch images.

CodeBuild API Reference, Fleet: ``imageId`` is the AMI of a fleet with reserved capacity. Its instances are in
an account of AWS (CodeBuild User Guide, "Run builds on reserved capacity fleets": they are maintained by
CodeBuild), so that no other read shows them. A fleet in any state counts: its deletion can fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..._aws.answers import require_member
from .read import Place, Read, Source
from .users import User

_KIND = "codebuild_fleet"


def _read_fleets(place: Place) -> Iterator[User]:
    """Yield every fleet, with its image."""
    codebuild = place.client("codebuild")
    for names in _list_names(codebuild):
        # botocore shape BatchGetFleetsInput, names: 1 to 100.
        answer = codebuild.batch_get_fleets(names=names)
        for fleet in require_member(answer, "fleets", "BatchGetFleets"):
            name = require_member(fleet, "name", "BatchGetFleets")
            yield User(_KIND, name, (fleet.get("imageId", ""),))


def _list_names(codebuild: Any) -> Iterator[list[str]]:
    """Yield the names of all fleets by pages. Botocore has no paginator of this operation."""
    # botocore shape ListFleetsInput, maxResults: 1 to 100.
    request: dict[str, Any] = {"maxResults": 100}
    while True:
        answer = codebuild.list_fleets(**request)
        # botocore shape FleetArns has at least one item: an answer without fleets may lack the member.
        if names := answer.get("fleets"):
            yield list(names)
        if not (token := answer.get("nextToken")):
            return
        request["nextToken"] = token


SOURCE = Source(
    _KIND,
    "with reserved capacity, in any state, with its own image (`imageId`)",
    (Read(_read_fleets, ("codebuild:ListFleets", "codebuild:BatchGetFleets")),),
    only_of_owner=True,
    is_late=True,
)
