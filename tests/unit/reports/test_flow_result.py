# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module uploads of its report, and when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._option_groups import ReportOptions
from ansible_collections.golden.images.plugins.module_utils._reports.document import compare_sentences
from ansible_collections.golden.images.plugins.module_utils._reports.flow_result import Reporting
from ansible_collections.golden.images.plugins.module_utils._runner import Reported
from botocore.stub import ANY

from tests.unit.reports.examples import PAGE_FILES, document
from tests.unit.upload.test_flow import HEAD, OWNER, OneClient
from tests.unit.wire import Wire

PLACE = {
    "report_s3_uri": "s3://reports/audit/",
    "report_url": "https://console.aws.amazon.com/s3/buckets/reports?prefix=audit/",
}
REPORTING = Reporting[ReportOptions](
    lambda _options, result: {"said": result["said"], "seen": []},
    lambda _content: document(),
    lambda before, after: compare_sentences(before["written_at"], before["said"], after["said"]),
    replaces=frozenset({"said"}),
    only_in_files=frozenset({"seen"}),
)


@dataclass(frozen=True)
class Run:
    """A report as JSON, uploaded to a bucket."""

    path: Path
    wire: Wire
    check_mode: bool = False
    reporting: Reporting[ReportOptions] = REPORTING
    folder: Path | None = None

    def write(self, said: str = "one") -> Reported:
        options = ReportOptions(
            check_mode=self.check_mode,
            report_path=str(self.path),
            report_dir=self.folder and str(self.folder),
            report_s3_uri="s3://reports/audit",
            report_s3_bucket_owner=OWNER,
            return_report=True,
        )
        report = self.reporting.open(options, PAGE_FILES)
        clients: Any = OneClient(self.wire)
        with self.wire.spoken():
            try:
                report.find_bucket(clients)
            except ValidationError as refused:
                assert report.write({"said": said}) == Reported({})
                raise refused
            return report.write({"said": said})

    def content(self) -> Mapping[str, Any]:
        content: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return content


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "r.json", Wire("s3"))


def put(wire: Wire, code: str = "") -> None:
    request = {**HEAD, "Key": "audit/r.json", "Body": ANY, "ContentType": "application/json"}
    if code:
        wire.refuse("put_object", request, code)
    else:
        wire.expect("put_object", request)


def test_a_report_is_written_and_uploaded(run: Run) -> None:
    run.wire.expect("head_bucket", HEAD)
    put(run.wire)
    reported = run.write()
    assert reported.failures == ()
    assert [action.to_dict()["action"] for action in reported.actions] == ["write", "PutObject"]
    assert reported.values == {
        **PLACE,
        "changes": None,
        "report": {"said": "one"},
        "report_dir": None,
        "report_path": str(run.path),
    }
    assert reported.replaced == {"said"}
    assert run.content()["seen"] == []
    writer = run.content()["written_by"]
    assert (writer["botocore"], writer["caller"]) == ("1.41.0", "arn:aws:iam::111122223333:user/auditor")
    assert "ansible_core" in writer


def test_what_has_not_changed_is_uploaded_again(run: Run) -> None:
    for _run in range(2):
        run.wire.expect("head_bucket", HEAD)
        put(run.wire)
        reported = run.write()
    assert [action.to_dict()["action"] for action in reported.actions] == ["PutObject"]


def test_without_its_bucket_nothing_is_written(run: Run) -> None:
    run.wire.refuse("head_bucket", HEAD, "404")
    with pytest.raises(ValidationError, match="there is no bucket reports"):
        run.write()
    assert not run.path.exists()


def test_a_report_that_is_not_uploaded_is_written(run: Run) -> None:
    run.wire.expect("head_bucket", HEAD)
    put(run.wire, "AccessDenied")
    reported = run.write()
    (failure,) = reported.failures
    assert failure.message == "The report was not uploaded to s3://reports/audit/: No."
    assert [action.to_dict()["action"] for action in reported.actions] == ["write"]
    assert reported.values["report"] == {"said": "one"}
    assert reported.values["report_s3_uri"] == PLACE["report_s3_uri"]
    assert run.content()["said"] == "one"


def test_a_report_that_is_not_written_is_not_uploaded(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.wire.expect("head_bucket", HEAD)

    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", fail)
    reported = run.write()
    (failure,) = reported.failures
    assert failure.message == f"report_path: {run.path}: No space left on device."
    assert reported.actions == ()
    assert (reported.values["report"], reported.values["report_s3_uri"]) == ({"said": "one"}, None)


def test_check_mode_says_what_would_be_done(tmp_path: Path) -> None:
    run = Run(tmp_path / "r.json", Wire("s3"), check_mode=True)
    run.wire.expect("head_bucket", HEAD)
    reported = run.write()
    assert [action.to_dict()["action"] for action in reported.actions] == ["write", "PutObject"]
    assert reported.values["report_s3_uri"] == PLACE["report_s3_uri"]
    assert not run.path.exists()


def test_a_module_that_is_asked_for_no_report_makes_none() -> None:
    report = REPORTING.open(ReportOptions(), {})
    # The content would fail.
    reported = report.write({})
    assert (reported.actions, reported.replaced, {*reported.values.values()}) == ((), (), {None})


OF_STEPS = replace(REPORTING, of_steps=True)


def test_a_report_of_earlier_tasks_is_written_without_its_bucket(run: Run) -> None:
    run.wire.refuse("head_bucket", HEAD, "404")
    reported = replace(run, reporting=OF_STEPS).write()
    (failure,) = reported.failures
    assert failure.message == "report_s3_uri: there is no bucket reports."
    assert [action.to_dict()["action"] for action in reported.actions] == ["write"]
    assert (reported.values["report"], run.content()["said"]) == ({"said": "one"}, "one")
    # It is the upload that has failed.
    assert reported.values["report_s3_uri"] == PLACE["report_s3_uri"]
    assert reported.values["report_url"] is None


def test_the_files_of_a_failed_report_are_uploaded_beside_the_others(run: Run, tmp_path: Path) -> None:
    failing = replace(OF_STEPS, failed=lambda content: bool(content["said"] == "no"))
    names: list[str] = []

    class Put:
        """A client that takes each object."""

        def head_bucket(self, **_request: str) -> dict[str, str]:
            return {}

        def put_object(self, **request: str) -> None:
            names.append(request["Key"].removeprefix("audit/"))

    replaced: Any = run.wire
    replaced.client = Put()
    run = replace(run, reporting=failing, folder=tmp_path / "all")
    assert run.write("yes").failures == ()
    done = [*names]
    assert [name for name in done if not name.startswith("report-")] == [
        *("r.json", "latest.json", "latest.csv", "latest.sarif", "latest.html"),
    ]
    names.clear()
    assert run.write("no").failures == ()
    assert "r.failed.json" in names
    assert not {*names} & {*done}
    assert {name.rpartition(".")[2] for name in names} == {"json", "csv", "sarif", "html"}
