# SPDX-License-Identifier: GPL-3.0-or-later

"""Folders in S3, their page in AWS's console, and the objects in them."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._option_groups import is_report_folder
from ansible_collections.golden.images.plugins.module_utils._upload.location import (
    Destination,
    Location,
    PutObject,
    build_console_url,
    parse_uri,
)


@pytest.mark.parametrize(
    ("uri", "normal"),
    [
        ("s3://reports", "s3://reports/"),
        ("s3://reports/", "s3://reports/"),
        ("s3://reports/audit", "s3://reports/audit/"),
        ("s3://reports/audit/2026/", "s3://reports/audit/2026/"),
        ("s3://my.reports-1/a b/ü", "s3://my.reports-1/a b/ü/"),
    ],
)
def test_a_uri_names_a_folder(uri: str, normal: str) -> None:
    assert is_report_folder(uri)
    assert parse_uri(uri).uri == normal


@pytest.mark.parametrize(
    "uri",
    [
        *("", "reports/audit", "s3:/reports", "s3://", "s3://Reports/a", "s3://a..b/c", "s3://ab/c"),
        *("https://reports.s3.amazonaws.com/a", "s3://reports/a\nb", "s3://reports/\x00", "S3://reports/a"),
        *("arn:aws:s3:::reports/a", f"s3://reports/{'a' * 1024}", "s3://-reports/a", " s3://reports/a"),
    ],
)
def test_other_text_is_refused(uri: str) -> None:
    assert not is_report_folder(uri)


def test_the_console_opens_the_folder() -> None:
    assert build_console_url(Location("reports", "a b/ü/"), "eu-west-1") == (
        "https://console.aws.amazon.com/s3/buckets/reports?prefix=a%20b/%C3%BC/"
    )
    assert build_console_url(Location("reports"), "cn-north-1") == (
        "https://console.amazonaws.cn/s3/buckets/reports"
    )
    assert build_console_url(Location("reports"), "us-gov-west-1") == (
        "https://console.amazonaws-us-gov.com/s3/buckets/reports"
    )


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("report.csv", "text/csv; charset=utf-8"),
        ("report.html", "text/html; charset=utf-8"),
        ("report.json", "application/json"),
        ("report.sarif", "application/sarif+json"),
        ("web", "application/json"),
    ],
)
def test_an_object_has_the_type_of_its_file(name: str, content_type: str) -> None:
    action = PutObject(Destination(Location("reports", "audit/"), "012345678901", "eu-west-1"), name)
    assert (action.key, action.content_type) == (f"audit/{name}", content_type)
    assert action.to_dict() == {
        "account_id": None,
        "action": "PutObject",
        "region": "eu-west-1",
        "resource": f"s3://reports/audit/{name}",
    }
