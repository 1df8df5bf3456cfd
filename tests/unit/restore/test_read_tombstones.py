# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading tombstones from a file, S3 and Parameter Store."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws.errors import IncompleteAnswer
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.restore import read_tombstones as tombstones
from ansible_collections.golden.images.plugins.module_utils.restore.state import TombstonePlaces
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from tests.unit.examples import CONSUMER, OWNER, STRANGER

from ..wire import Wire
from .examples import DATED, REF, record, wanted

OF_OWNER = {"Bucket": "retired", "ExpectedBucketOwner": OWNER}


def test_s3_has_a_tombstone_in_every_object_below_the_prefix() -> None:
    wire = Wire("s3")
    request = {**OF_OWNER, "Prefix": "web/eu-west-1/ami-1/"}
    keys = [f"web/eu-west-1/ami-1/{number}.json" for number in (1, 2)]
    page = {"Contents": [{"Key": keys[0]}], "IsTruncated": True, "NextContinuationToken": "t"}
    wire.expect("list_objects_v2", request, page)
    wire.expect("list_objects_v2", {**request, "ContinuationToken": "t"}, {"Contents": [{"Key": keys[1]}]})
    for key in keys:
        body = StreamingBody(io.BytesIO(key.encode()), len(key))
        wire.expect("get_object", {**OF_OWNER, "Key": key}, {"Body": body})
    with wire.spoken():
        assert tombstones.from_s3(wire.client, "retired", request["Prefix"], OWNER) == tuple(keys)


def test_an_object_that_is_not_utf_8_is_damaged_text() -> None:
    wire = Wire("s3")
    wire.expect("list_objects_v2", {**OF_OWNER, "Prefix": "p/"}, {"Contents": [{"Key": "p/1.json"}]})
    body = StreamingBody(io.BytesIO(b"\x1f\x8b{"), 3)
    wire.expect("get_object", {**OF_OWNER, "Key": "p/1.json"}, {"Body": body})
    with wire.spoken():
        assert tombstones.from_s3(wire.client, "retired", "p/", OWNER) == ("\x1f\ufffd{",)


def test_an_object_that_was_deleted_since_it_was_listed_has_no_tombstone() -> None:
    """(botocore operation GetObject, errors.)"""
    wire = Wire("s3")
    listed = {"Contents": [{"Key": "p/1.json"}, {"Key": "p/2.json"}]}
    wire.expect("list_objects_v2", {**OF_OWNER, "Prefix": "p/"}, listed)
    wire.refuse("get_object", {**OF_OWNER, "Key": "p/1.json"}, "NoSuchKey")
    body = StreamingBody(io.BytesIO(b"{"), 1)
    wire.expect("get_object", {**OF_OWNER, "Key": "p/2.json"}, {"Body": body})
    with wire.spoken():
        assert tombstones.from_s3(wire.client, "retired", "p/", OWNER) == ("{",)


def test_s3_without_objects_has_no_tombstones() -> None:
    wire = Wire("s3")
    wire.expect("list_objects_v2", {**OF_OWNER, "Prefix": "p/"}, {})
    with wire.spoken():
        assert tombstones.from_s3(wire.client, "retired", "p/", OWNER) == ()


def test_parameter_store_has_a_tombstone_in_every_version() -> None:
    wire = Wire("ssm")
    wire.expect("get_parameter_history", {"Name": "/r"}, {"Parameters": [{"Value": "1"}], "NextToken": "t"})
    wire.expect("get_parameter_history", {"Name": "/r", "NextToken": "t"}, {"Parameters": [{"Value": "2"}]})
    with wire.spoken():
        assert tombstones.from_ssm(wire.client, "/r") == ("1", "2")


def test_a_missing_parameter_has_no_tombstones_and_other_errors_are_raised() -> None:
    wire = Wire("ssm")
    wire.refuse("get_parameter_history", {"Name": "/r"}, "ParameterNotFound")
    wire.refuse("get_parameter_history", {"Name": "/r"}, "AccessDeniedException")
    with wire.spoken():
        assert tombstones.from_ssm(wire.client, "/r") == ()
        with pytest.raises(ClientError, match="AccessDenied"):
            tombstones.from_ssm(wire.client, "/r")


def test_a_file_has_a_tombstone_in_every_line(tmp_path: Path) -> None:
    path = tmp_path / "retired.jsonl"
    later = "2026-11-20T00:00:00Z"
    lines = [
        record(written_at=later),
        record(),
        record(image_id="ami-other"),
        record(image_id="ami-other", account_id=STRANGER),
    ]
    path.write_text("\n".join(["{half", "", *map(json.dumps, lines)]), encoding="utf-8")
    clients: Any = None
    found, unreadable = tombstones.read_tombstones(
        clients, wanted(places=TombstonePlaces(path=str(path))), OWNER
    )
    assert set(found) == {REF}
    assert [one.written_at for one in found[REF].tombstones] == [DATED, later]
    assert found[REF].tombstones[0].launch.account_ids == {CONSUMER}
    assert unreadable == (f"Line 1 of {path} is not a valid tombstone and is skipped.",)


def test_another_accounts_tombstone_of_the_image_is_refused(tmp_path: Path) -> None:
    """Whoever wrote it would decide whom the image is shared with."""
    path = tmp_path / "retired.jsonl"
    lines = [record(), record(account_id=STRANGER, launch_permissions={"account_ids": [], "public": True})]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    clients: Any = None
    with pytest.raises(Refused) as caught:
        tombstones.read_tombstones(clients, wanted(places=TombstonePlaces(path=str(path))), OWNER)
    (failure,) = caught.value.failures
    assert (failure.error_code, failure.action, failure.region) == ("foreign_tombstone", "images", REF.region)
    assert failure.message == (
        f"Line 2 of {path} is a tombstone of account {STRANGER}, not of account {OWNER}."
    )


def test_a_file_that_cannot_be_read_is_refused_without_python_s_words(tmp_path: Path) -> None:
    clients: Any = None
    for path, reason in ((tmp_path, "Is a directory"), (tmp_path / "retired", "No such file or directory")):
        with pytest.raises(Refused) as caught:
            tombstones.read_tombstones(clients, wanted(places=TombstonePlaces(path=str(path))), OWNER)
        (failure,) = caught.value.failures
        assert failure.message == f"tombstone_path: {path}: {reason}."


def test_a_line_that_is_not_utf_8_is_skipped_and_the_others_are_read(tmp_path: Path) -> None:
    clients: Any = None
    path = tmp_path / "retired.jsonl"
    path.write_bytes(b'{"name": "\xff\n' + json.dumps(record()).encode())
    found, unreadable = tombstones.read_tombstones(
        clients, wanted(places=TombstonePlaces(path=str(path))), OWNER
    )
    assert [one.written_at for one in found[REF].tombstones] == [DATED]
    assert unreadable == (f"Line 1 of {path} is not a valid tombstone and is skipped.",)


@pytest.mark.parametrize(("answer", "member"), [({}, "Parameters"), ({"Parameters": [{}]}, "Value")])
def test_an_incomplete_response_is_no_missing_tombstone(answer: dict[str, Any], member: str) -> None:
    wire = Wire("ssm")
    wire.expect("get_parameter_history", {"Name": "/r"}, answer)
    with wire.spoken(), pytest.raises(IncompleteAnswer, match=f"GetParameterHistory lacks {member}"):
        tombstones.from_ssm(wire.client, "/r")
