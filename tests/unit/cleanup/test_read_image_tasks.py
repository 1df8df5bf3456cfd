# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tasks need the snapshots of an image."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws.errors import IncompleteAnswer
from ansible_collections.golden.images.plugins.module_utils.cleanup import read_image_tasks
from ansible_collections.golden.images.plugins.module_utils.cleanup.usage import ImageTask
from botocore.exceptions import ClientError

from tests.unit.wire import Wire, answering

READERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "describe_store_image_tasks": (
        read_image_tasks.store_tasks,
        {"Filters": [{"Name": "task-state", "Values": ["InProgress"]}], "MaxResults": 200},
    ),
    "describe_export_image_tasks": (
        read_image_tasks.export_tasks,
        {"Filters": [{"Name": "task-state", "Values": ["active"]}], "MaxResults": 500},
    ),
}


def test_images_that_are_being_stored() -> None:
    """(botocore shape StoreImageTaskResult.)"""
    wire, (reader, request) = Wire("ec2"), READERS["describe_store_image_tasks"]
    stored = {
        "AmiId": "ami-1",
        "Bucket": "archive",
        "S3objectKey": "ami-1.bin",
        "StoreTaskState": "InProgress",
    }
    first = {"StoreImageTaskResults": [stored], "NextToken": "n"}
    wire.expect("describe_store_image_tasks", request, first)
    wire.expect("describe_store_image_tasks", {**request, "NextToken": "n"}, {"StoreImageTaskResults": []})
    with wire.spoken():
        assert reader(wire.client) == (ImageTask("store_task", "ami-1", "archive/ami-1.bin"),)


def test_images_that_are_being_exported() -> None:
    """(botocore shape ExportImageTask.)"""
    wire, (reader, request) = Wire("ec2"), READERS["describe_export_image_tasks"]
    exported = {"ImageId": "ami-1", "ExportImageTaskId": "export-ami-1", "Status": "active"}
    wire.expect("describe_export_image_tasks", request, {"ExportImageTasks": [exported]})
    with wire.spoken():
        assert reader(wire.client) == (ImageTask("export_task", "ami-1", "export-ami-1"),)


@pytest.mark.parametrize("method", READERS)
@pytest.mark.parametrize("code", ["InvalidAction", "UnsupportedOperation"])
def test_a_region_without_such_tasks_has_none(method: str, code: str) -> None:
    """(EC2 API Reference, Error codes.)"""
    wire, (reader, request) = Wire("ec2"), READERS[method]
    wire.refuse(method, request, code)
    with wire.spoken():
        assert reader(wire.client) == ()


@pytest.mark.parametrize("method", READERS)
def test_tasks_that_may_not_be_read_are_not_none(method: str) -> None:
    wire, (reader, request) = Wire("ec2"), READERS[method]
    wire.refuse(method, request, "UnauthorizedOperation")
    with wire.spoken(), pytest.raises(ClientError):
        reader(wire.client)


@pytest.mark.parametrize(
    ("method", "answer", "member"),
    [
        ("describe_store_image_tasks", {}, "StoreImageTaskResults"),
        ("describe_store_image_tasks", {"StoreImageTaskResults": [{"Bucket": "b"}]}, "AmiId"),
        ("describe_export_image_tasks", {}, "ExportImageTasks"),
        ("describe_export_image_tasks", {"ExportImageTasks": [{"ExportImageTaskId": "e"}]}, "ImageId"),
    ],
)
def test_an_incomplete_response_hides_no_task(method: str, answer: dict[str, Any], member: str) -> None:
    reader, _request = READERS[method]
    with pytest.raises(IncompleteAnswer, match=f"lacks {member}"):
        reader(answering("ec2", **{method: answer}))


def test_a_task_without_a_name_counts() -> None:
    stored = answering("ec2", describe_store_image_tasks={"StoreImageTaskResults": [{"AmiId": "ami-1"}]})
    assert read_image_tasks.store_tasks(stored) == (ImageTask("store_task", "ami-1", "/"),)
    exported = answering("ec2", describe_export_image_tasks={"ExportImageTasks": [{"ImageId": "ami-1"}]})
    assert read_image_tasks.export_tasks(exported) == (ImageTask("export_task", "ami-1", ""),)
