# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The results of a distribution's steps, as its report takes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._failures import Failure
from .._reports.document import SEVERITIES
from .._structure import BOOLEAN, OUTCOME, TEXT, Absent, Null, check_result

_COPIED = {
    **OUTCOME,
    "results": Absent([{"image_id": Absent(Null(TEXT)), "region": TEXT}]),
    "source_image_id": Absent(Null(TEXT)),
    "source_region": Absent(Null(TEXT)),
}
_CONSUMERS = {kind: Absent([TEXT]) for kind in ("account_ids", "org_arns", "org_unit_arns")}
_SHARED = {
    **OUTCOME,
    "launch_permissions": Absent([{**_CONSUMERS, "regions": [TEXT]}]),
    "results": Absent([{"region": TEXT}]),
    "volume_permissions": Absent([{}]),
}
_PUBLISHED = {
    **OUTCOME,
    "results": Absent([{"launch_templates": Absent(Null({})), "region": Absent(Null(TEXT))}]),
}
_VERIFIED = {
    "account_id": TEXT,
    "findings": [
        {
            "code": TEXT,
            "message": TEXT,
            "remedy": TEXT,
            "severity": frozenset(SEVERITIES),
        }
    ],
    "image_id": Null(TEXT),
    "key_use": Absent(Null(TEXT)),
    "principal": Absent(Null(TEXT)),
    "reached": BOOLEAN,
    "region": TEXT,
    "uncertain": Absent(BOOLEAN),
}
_ANY = {**OUTCOME, "results": Absent([{}])}
_RESULTS: dict[str, tuple[Any, str]] = {
    "copy_result": (_COPIED, "ami_copy_regions"),
    "start_result": (_COPIED, "ami_copy_regions"),
    "grant_results": ([_ANY], "ami_kms_grant"),
    "share_result": (_SHARED, "ami_share"),
    "consumer_copy_result": (_COPIED, "ami_copy_regions"),
    "verification_results": ([_VERIFIED], "ami_verify"),
    "publish_result": (_PUBLISHED, "ami_publish"),
    "kept_back": ({"message": Absent(TEXT), "remedy": Absent(TEXT)}, "ami_verify"),
}


def check_results(given: Mapping[str, Any]) -> Iterator[Failure]:
    """Yield failures for results that no module returned."""
    for name, (structure, module) in _RESULTS.items():
        yield from check_result(name, given[name], structure, module)
