# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of an upload."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.upload.options import UploadOptions

GIVEN: dict[str, Any] = {
    "report_s3_uri": "s3://reports/audit",
    "report_s3_bucket_owner": None,
    "report_path": None,
    "report_dir": "audit",
    "report_files": [],
}


def test_options_are_read() -> None:
    options = UploadOptions.read(GIVEN, False)
    assert options == UploadOptions(report_s3_uri="s3://reports/audit", report_dir="audit")
    given = {
        **GIVEN,
        "report_files": ["latest.json"],
        "report_s3_bucket_owner": "012345678901",
        "report_path": "a.json",
        "report_dir": "",
    }
    options = UploadOptions.read(given, True)
    assert (options.report_s3_bucket_owner, options.report_dir) == ("012345678901", None)
    assert options.files == {"a.json": "a.json"}


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("report_s3_uri", "reports/audit", "'reports/audit' is not a valid S3 URI"),
        ("report_s3_bucket_owner", "1234", "'1234' is not a valid account ID"),
        ("report_dir", None, "no report is written that could be uploaded, because report_dir is not set"),
    ],
)
def test_invalid_options_are_refused(option: str, value: str | None, message: str) -> None:
    with pytest.raises(Refused) as refused:
        UploadOptions.read({**GIVEN, option: value}, False)
    (failure,) = refused.value.failures
    assert message in failure.message
    assert failure.error_code == "invalid_option"


def test_all_are_refused_at_once() -> None:
    with pytest.raises(Refused) as refused:
        UploadOptions.read(dict.fromkeys(GIVEN, "no"), False)
    assert [one.action for one in refused.value.failures] == ["report_s3_uri", "report_s3_bucket_owner"]
