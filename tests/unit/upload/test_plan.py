# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects of a report."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.golden.images.plugins.module_utils.upload.options import UploadOptions
from ansible_collections.golden.images.plugins.module_utils.upload.plan import PutObject, plan
from ansible_collections.golden.images.plugins.module_utils.upload.state import Bucket, UploadSeen

WANTED = UploadOptions(report_s3_uri="s3://reports/audit", report_dir="audit/")
BUCKET = Bucket("012345678901", "eu-west-1")


def test_each_existing_file_is_an_object_with_its_type() -> None:
    contents = {f"audit/report.{kind}": kind.encode() for kind in ("csv", "html", "json", "sarif")}
    actions = plan(WANTED, UploadSeen(BUCKET, contents)).actions
    assert {one.key: (one.content_type, one.body) for one in actions} == {
        "audit/report.csv": ("text/csv; charset=utf-8", b"csv"),
        "audit/report.html": ("text/html; charset=utf-8", b"html"),
        "audit/report.json": ("application/json", b"json"),
        "audit/report.sarif": ("application/sarif+json", b"sarif"),
    }
    single = UploadOptions(report_s3_uri=WANTED.report_s3_uri, report_path="web")
    (action,) = plan(single, UploadSeen(BUCKET, {"web": b"{}"})).actions
    assert action == PutObject(WANTED.location, "eu-west-1", "web", b"{}")
    assert action.content_type == "application/json"
    assert action.as_result()["resource"] == "s3://reports/audit/web"


def test_a_plan_needs_no_files() -> None:
    planned = plan(replace(WANTED, check_mode=True), UploadSeen(BUCKET))
    assert len(planned.actions) == 4
    assert planned.refusals == ()


def test_a_missing_bucket_and_a_missing_report_are_refused() -> None:
    gone = replace(BUCKET, missing=True)
    for wanted in (WANTED, replace(WANTED, check_mode=True)):
        (refusal,) = plan(wanted, UploadSeen(gone, {"audit/report.json": b""})).refusals
        assert refusal.message == "report_s3_uri: there is no bucket reports."
    (refusal,) = plan(WANTED, UploadSeen(BUCKET)).refusals
    assert refusal.message == "The report was not uploaded to s3://reports/audit/: there is none in audit/."
