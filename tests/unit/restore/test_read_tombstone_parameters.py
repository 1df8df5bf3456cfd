# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the texts of tombstones are read from."""

from __future__ import annotations

import io

import pytest
from ansible_collections.golden.images.plugins.module_utils.restore import (
    read_tombstone_parameters as tombstones,
)
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from ..wire import Wire


def test_in_s3_every_object_of_an_image_is_one() -> None:
    wire = Wire("s3")
    request = {"Bucket": "retired", "Prefix": "web/eu-west-1/ami-1/"}
    keys = [f"web/eu-west-1/ami-1/{number}.json" for number in (1, 2)]
    page = {"Contents": [{"Key": keys[0]}], "IsTruncated": True, "NextContinuationToken": "t"}
    wire.expect("list_objects_v2", request, page)
    wire.expect("list_objects_v2", {**request, "ContinuationToken": "t"}, {"Contents": [{"Key": keys[1]}]})
    for key in keys:
        body = StreamingBody(io.BytesIO(key.encode()), len(key))
        wire.expect("get_object", {"Bucket": "retired", "Key": key}, {"Body": body})
    with wire.spoken():
        assert tombstones.from_s3(wire.client, "retired", request["Prefix"]) == tuple(keys)


def test_an_image_without_objects_has_none() -> None:
    wire = Wire("s3")
    wire.expect("list_objects_v2", {"Bucket": "retired", "Prefix": "p/"}, {})
    with wire.spoken():
        assert tombstones.from_s3(wire.client, "retired", "p/") == ()


def test_in_parameter_store_every_version_is_one() -> None:
    wire = Wire("ssm")
    wire.expect("get_parameter_history", {"Name": "/r"}, {"Parameters": [{"Value": "1"}], "NextToken": "t"})
    wire.expect("get_parameter_history", {"Name": "/r", "NextToken": "t"}, {"Parameters": [{"Value": "2"}]})
    with wire.spoken():
        assert tombstones.from_ssm(wire.client, "/r") == ("1", "2")


def test_a_parameter_that_does_not_exist_has_none_and_a_refusal_is_one() -> None:
    wire = Wire("ssm")
    wire.refuse("get_parameter_history", {"Name": "/r"}, "ParameterNotFound")
    wire.refuse("get_parameter_history", {"Name": "/r"}, "AccessDeniedException")
    with wire.spoken():
        assert tombstones.from_ssm(wire.client, "/r") == ()
        with pytest.raises(ClientError, match="AccessDenied"):
            tombstones.from_ssm(wire.client, "/r")
