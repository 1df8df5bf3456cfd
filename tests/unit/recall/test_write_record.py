# SPDX-License-Identifier: GPL-3.0-or-later

"""A record is not replaced that another run has written since it was read."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.errors import ClientError
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef
from ansible_collections.golden.images.plugins.module_utils._recall.record import (
    Record,
    Stored,
    render_record,
)
from ansible_collections.golden.images.plugins.module_utils._recall.write_record import (
    read_record,
    write_record,
)

from tests.unit.examples import OWNER
from tests.unit.recall.examples import HOME, NOW, SOURCE, options, pointer

FIRST = Record(OWNER, ImageRef(HOME, SOURCE), NOW)
OTHER = FIRST.add((), [pointer()])
IN_S3 = {"tombstone_path": None, "tombstone_s3_uri": "s3://recalls/golden"}
KEY = f"golden/recall/{OWNER}/{HOME}/{SOURCE}.json"


class Bucket:
    """Clients of an S3 with one bucket, which has conditional writes; ``lost`` answers get lost."""

    default_region = HOME

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.lost = 0

    def open(self, _service: str, _regions: list[str]) -> None:
        """Open nothing."""

    def client(self, _service: str, _region: str) -> Any:
        """The client of S3."""
        return SimpleNamespace(get_object=self._get, put_object=self._put)

    def _get(self, **request: Any) -> dict[str, Any]:
        if request["Key"] not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "None."}}, "GetObject")
        body = self.objects[request["Key"]]
        return {"Body": io.BytesIO(body), "ETag": str(hash(body))}

    def _put(self, **request: Any) -> dict[str, Any]:
        for attempt in range(1 + self.lost):
            there = self.objects.get(request["Key"])
            etag = str(hash(there)) if there else None
            if request.get("IfMatch") != etag or (there and request.get("IfNoneMatch")):
                error = {"Code": "PreconditionFailed", "Message": "No."}
                raise ClientError(
                    {"Error": error, "ResponseMetadata": {"RetryAttempts": attempt}},  # type: ignore[typeddict-item]
                    "PutObject",
                )
            self.objects[request["Key"]] = request["Body"]
        return {"ETag": str(hash(request["Body"]))}


@pytest.fixture(params=["file", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Any, Any]:
    """A place without a record: clients, and options that name it."""
    path = {"tombstone_path": str(tmp_path / "recalls.jsonl")}
    return Bucket(), options(**(IN_S3 if request.param == "s3" else path))


def test_a_record_is_written_and_replaced_by_who_has_read_it(place: tuple[Any, Any]) -> None:
    stored = read_record(*place, OWNER)
    assert stored == Stored()
    for record in (FIRST, OTHER, replace(OTHER, taken_back_at=NOW)):
        stored, failures = write_record(*place, record, stored, "Rerun.")
        assert (stored.record, failures) == (record, ())
        assert read_record(*place, OWNER) == stored


def test_a_record_that_another_run_has_written_stays(place: tuple[Any, Any]) -> None:
    read = read_record(*place, OWNER)
    written, _ = write_record(*place, OTHER, read, "")
    stored, (failure,) = write_record(*place, FIRST, read, "Nothing else was changed.")
    assert (stored, failure.error_code) == (read, "concurrent_change")
    assert (failure.region, failure.account_id) == (None, OWNER)
    assert failure.remedy.endswith("Nothing else was changed.")
    assert read_record(*place, OWNER) == written
    write_record(*place, FIRST, written, "")
    assert write_record(*place, OTHER, written, "")[1][0].error_code == "concurrent_change"


def test_two_runs_of_the_same_second_do_not_both_write(place: tuple[Any, Any]) -> None:
    written, _ = write_record(*place, FIRST, Stored(), "")
    assert written.record == FIRST
    # What they write is the same, and the second one has not been repeated.
    stored, (failure,) = write_record(*place, FIRST, Stored(), "")
    assert (stored, failure.error_code) == (Stored(), "concurrent_change")


def test_a_write_whose_answer_was_lost_is_no_conflict() -> None:
    bucket, given = Bucket(), options(**IN_S3)
    bucket.lost = 1
    stored, failures = write_record(bucket, given, FIRST, Stored(), "")  # type: ignore[arg-type]
    assert (stored.record, failures) == (FIRST, ())
    stored, failures = write_record(bucket, given, OTHER, stored, "")  # type: ignore[arg-type]
    assert (stored.record, failures) == (OTHER, ())


def test_only_the_object_itself_is_read() -> None:
    bucket, given = Bucket(), options(**IN_S3)
    bucket.objects[f"{KEY}.bak"] = render_record(OTHER).encode()
    assert read_record(bucket, given, OWNER) == Stored()  # type: ignore[arg-type]
    bucket.objects[KEY] = b"{}"
    with pytest.raises(ValidationError) as refused:
        read_record(bucket, given, OWNER)  # type: ignore[arg-type]
    assert [failure.error_code for failure in refused.value.failures] == ["tombstone_not_read"]


def test_a_file_that_is_damaged_or_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "recalls.jsonl"
    path.write_text(f"{render_record(FIRST)[:-3]}\n")
    for given, code in (
        (options(tombstone_path=str(path)), "tombstone_not_read"),
        (options(tombstone_path=str(tmp_path / "none" / "recalls.jsonl")), "invalid_option"),
    ):
        with pytest.raises(ValidationError) as refused:
            read_record(Bucket(), given, OWNER)  # type: ignore[arg-type]
        assert [failure.error_code for failure in refused.value.failures] == [code]
    # A run that was killed while it wrote has left a line without an end, and has changed nothing.
    path.write_text(render_record(FIRST)[:-3])
    given = options(tombstone_path=str(path))
    stored = read_record(Bucket(), given, OWNER)  # type: ignore[arg-type]
    assert write_record(Bucket(), given, OTHER, stored, "")[1] == ()  # type: ignore[arg-type]
    assert read_record(Bucket(), given, OWNER).record == OTHER  # type: ignore[arg-type]
