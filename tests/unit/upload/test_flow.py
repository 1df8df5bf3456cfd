# SPDX-License-Identifier: GPL-3.0-or-later

"""What an upload asks of S3, and what it makes of refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._runner import Outcome
from ansible_collections.golden.images.plugins.module_utils._upload.flow import find_destination, upload
from ansible_collections.golden.images.plugins.module_utils._upload.location import Destination

from tests.unit.wire import Wire

OWNER = "111111111111"
HEAD = {"Bucket": "reports", "ExpectedBucketOwner": OWNER}


class OneClient:
    """Clients that are all the same one."""

    default_region = "us-east-1"

    def __init__(self, wire: Wire, is_region_set: bool = True) -> None:
        self._wire = wire
        self.is_region_set = is_region_set

    def open(self, _service: str, _regions: list[str]) -> None:
        """It exists already."""

    def describe(self) -> dict[str, str]:
        """As a run that has read its caller."""
        return {"botocore": "1.41.0", "caller": "arn:aws:iam::111122223333:user/auditor"}

    def client(self, _service: str, _region: str) -> Any:
        return self._wire.client


def put(name: str, content_type: str, body: bytes = b"{}") -> dict[str, Any]:
    return {
        **HEAD,
        "Key": f"audit/{name}",
        "Body": body,
        "ContentType": content_type,
    }


def uploaded(wire: Wire, folder: Path, is_region_set: bool = True) -> tuple[Destination, Outcome]:
    """The place of a report with these files, and what became of the upload."""
    clients: Any = OneClient(wire, is_region_set)
    names = ("report.json", "report.html", "report.csv")
    with wire.spoken():
        destination = find_destination(clients, "s3://reports/audit", OWNER)
        return destination, upload(clients, {name: str(folder / name) for name in names}, destination)


@pytest.fixture
def wire() -> Wire:
    return Wire("s3")


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """The directory of a report; one of its files is missing."""
    (tmp_path / "report.json").write_text("{}")
    (tmp_path / "report.html").write_text("<p>")
    return tmp_path


def test_each_file_is_written_with_its_type_and_the_expected_owner(wire: Wire, report: Path) -> None:
    wire.expect("head_bucket", HEAD, {"BucketRegion": "eu-west-1"})
    wire.expect("put_object", put("report.json", "application/json"))
    wire.expect("put_object", put("report.html", "text/html; charset=utf-8", b"<p>"))
    destination, outcome = uploaded(wire, report)
    assert (len(outcome.performed), outcome.failures) == (2, ())
    assert destination.region == "eu-west-1"
    assert destination.to_dict() == {
        "report_s3_uri": "s3://reports/audit/",
        "report_url": "https://console.aws.amazon.com/s3/buckets/reports?prefix=audit/",
    }


def test_a_bucket_that_cannot_be_read_may_be_writable(wire: Wire, report: Path) -> None:
    wire.refuse("head_bucket", HEAD, "403")
    wire.expect("put_object", put("report.json", "application/json"))
    wire.refuse("put_object", put("report.html", "text/html; charset=utf-8", b"<p>"), "AccessDenied")
    destination, outcome = uploaded(wire, report)
    assert (len(outcome.performed), destination.region) == (1, "us-east-1")
    (failure,) = outcome.failures
    assert failure.message == "The report was not uploaded to s3://reports/audit/: No."
    assert failure.remedy == (
        "Allow s3:PutObject in the IAM policy of the credentials used. The bucket must belong to account "
        "111111111111: set report_s3_bucket_owner if it belongs to another one."
    )
    assert failure.source == "aws"


@pytest.mark.parametrize("is_region_set", [True, False])
def test_the_remedy_says_that_no_region_is_set(wire: Wire, report: Path, is_region_set: bool) -> None:
    wire.refuse("head_bucket", HEAD, "403")
    wire.refuse("put_object", put("report.json", "application/json"), "InvalidAccessKeyId")
    (failure,) = uploaded(wire, report, is_region_set)[1].failures
    assert failure.remedy.startswith("Check the credentials")
    assert ("No region is set, so that us-east-1 was used" in failure.remedy) is not is_region_set


def test_a_missing_bucket_is_refused_before_anything_is_written(wire: Wire, report: Path) -> None:
    wire.refuse("head_bucket", HEAD, "404")
    with pytest.raises(ValidationError) as refused:
        uploaded(wire, report)
    assert refused.value.failures[0].message == "report_s3_uri: there is no bucket reports."


def test_a_file_that_cannot_be_read_is_a_failure(wire: Wire, tmp_path: Path) -> None:
    (tmp_path / "report.json").mkdir()
    wire.expect("head_bucket", HEAD)
    (failure,) = uploaded(wire, tmp_path)[1].failures
    assert failure.message.startswith("The report was not uploaded to s3://reports/audit/: ")
    assert "Is a directory" in failure.message


def test_credentials_that_cannot_be_read_are_refused(
    wire: Wire, report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an owner that is given, S3 is the first service that is called."""

    def fail(_clients: OneClient, _service: str, _regions: list[str]) -> None:
        raise FileNotFoundError(2, "No such file or directory", "/no/such/program")

    monkeypatch.setattr(OneClient, "open", fail)
    with pytest.raises(ValidationError) as refused:
        uploaded(wire, report)
    (failure,) = refused.value.failures
    assert (failure.source, failure.action) == ("sdk", "HeadBucket")
