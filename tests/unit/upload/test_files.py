# SPDX-License-Identifier: GPL-3.0-or-later

"""Which local files are uploaded."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.golden.images.plugins.module_utils.upload.options import UploadOptions

WANTED = UploadOptions(report_s3_uri="s3://reports/audit", report_dir="audit/")


def test_the_files_of_a_folder_and_a_single_file() -> None:
    assert WANTED.files["report.html"] == "audit/report.html"
    assert UploadOptions(report_s3_uri=WANTED.report_s3_uri, report_path="/tmp/web.json").files == {
        "web.json": "/tmp/web.json"
    }
    # The folder's has the changes and the history.
    assert replace(WANTED, report_path="report.json").files["report.json"] == "audit/report.json"
    assert set(replace(WANTED, report_path="web.json").files) == {
        *("report.csv", "report.html", "report.json", "report.sarif", "web.json"),
    }
    named = replace(WANTED, report_files=("report-1.json", "latest.json"))
    assert list(named.files.items()) == [
        ("report-1.json", "audit/report-1.json"),
        ("latest.json", "audit/latest.json"),
    ]
