# SPDX-License-Identifier: GPL-3.0-or-later

"""Where tombstones are written, and that a failed write is a failure."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.plan import plan
from ansible_collections.golden.images.plugins.module_utils._cleanup.stages import render_time
from ansible_collections.golden.images.plugins.module_utils._cleanup.tombstone import render_tombstone
from ansible_collections.golden.images.plugins.module_utils._cleanup.write_tombstones import write_tombstones
from ansible_collections.golden.images.plugins.module_utils._failures import Failure

from tests.unit.cleanup.examples import NOW, own, region_state, seen, wanted
from tests.unit.examples import CONSUMER, OWNER
from tests.unit.wire import Wire

SEEN = seen(region_state(own("ami-1"), own("ami-2", 50), own("ami-new", 1)))
GOING = [one for one in plan(wanted(), SEEN).decisions if one.kind == "deregister"]
TEXT = render_tombstone(SEEN, GOING[0])


class Clients:
    """The clients of the default region: one, that answers from a script."""

    default_region = "us-east-1"

    def __init__(self, wire: Wire | None = None) -> None:
        self.wire = wire
        self.is_paced = False

    def without_retries(self) -> Clients:
        assert self.is_paced
        return self

    def open(self, _service: str, regions: list[str]) -> None:
        assert regions == [self.default_region]

    def client(self, _service: str, _region: str) -> Any:
        assert self.wire is not None
        return self.wire.client

    def rate_limited(self, operation: str) -> Clients:
        # By default AWS accepts 3 per second: github-aws-runners/terraform-aws-github-runner#2944.
        assert operation == "PutParameter"
        self.is_paced = True
        return self

    def ssm(self, region: str) -> Any:
        assert self.is_paced
        return self.client("ssm", region)


def write(going: Any, wire: Wire | None = None, **where: str) -> tuple[Failure, ...]:
    clients: Any = Clients(wire)
    return write_tombstones(clients, replace(wanted(), **where), SEEN, going)


def test_each_image_is_a_line_and_earlier_lines_stay(tmp_path: Path) -> None:
    path = tmp_path / "tombstones"
    assert write(GOING, tombstone_path=str(path)) == ()
    assert write(GOING[:1], tombstone_path=str(path)) == ()
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["image_id"] for line in lines] == ["ami-1", "ami-2", "ami-1"]


def test_an_incomplete_line_of_a_killed_run_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "tombstones"
    path.write_text(f"{TEXT}\n{TEXT[:50]}", encoding="utf-8")
    assert write(GOING, tombstone_path=str(path)) == ()
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == [TEXT, TEXT[:50]]
    assert [json.loads(line)["image_id"] for line in lines[2:]] == ["ami-1", "ami-2"]


def test_a_file_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    (failure,) = write(GOING, tombstone_path=str(tmp_path))
    assert (failure.error_code, failure.action) == ("tombstone_not_written", "tombstone_path")
    assert failure.message == f"tombstone_path: {tmp_path}: Is a directory."


def test_where_nothing_goes_no_file_is_made(tmp_path: Path) -> None:
    path = tmp_path / "tombstones"
    assert write([], tombstone_path=str(path)) == ()
    assert not path.exists()


@pytest.mark.parametrize(
    ("uri", "folder", "owner"),
    [
        ("s3://bucket", "", {}),
        ("s3://bucket/", "", {"tombstone_s3_bucket_owner": CONSUMER}),
        ("s3://bucket/a/b", "a/b/", {}),
        ("s3://bucket/a/", "a/", {}),
    ],
)
def test_in_s3_each_image_and_each_time_is_an_object(uri: str, folder: str, owner: dict[str, str]) -> None:
    wire = Wire("s3")
    request = {
        "Bucket": "bucket",
        "Key": f"{folder}eu-west-1/ami-1/{render_time(NOW)}.json",
        "Body": TEXT.encode(),
        "ContentType": "application/json",
        "ExpectedBucketOwner": owner.get("tombstone_s3_bucket_owner", OWNER),
    }
    wire.expect("put_object", request)
    with wire.spoken():
        assert write(GOING[:1], wire, tombstone_s3_uri=uri, **owner) == ()
    wire.refuse("put_object", request, "AccessDenied", "Access Denied")
    with wire.spoken():
        (failure,) = write(GOING[:1], wire, tombstone_s3_uri=uri, **owner)
    assert "The bucket must belong to the account of the credentials" in failure.remedy
    assert failure.message == f"tombstone_s3_uri: {uri}: Access Denied"


def test_in_parameter_store_each_image_is_a_parameter() -> None:
    wire = Wire("ssm")
    request = {
        "Name": "/golden/retired/eu-west-1/ami-1",
        "Value": TEXT,
        "Type": "String",
        "Tier": "Intelligent-Tiering",
        "Overwrite": True,
    }
    wire.expect("put_parameter", request, {"Version": 1})
    with wire.spoken():
        assert write(GOING[:1], wire, tombstone_ssm_path="/golden/retired/") == ()
    wire.refuse("put_parameter", request, "ValidationException", "Too long.")
    with wire.spoken():
        (failure,) = write(GOING[:1], wire, tombstone_ssm_path="/golden/retired")
    assert (failure.error_code, failure.message) == (
        "ValidationException",
        "tombstone_ssm_path: /golden/retired: Too long.",
    )
    # The parameter is there, and the image elsewhere.
    assert failure.region == Clients.default_region != GOING[0].ref.region
