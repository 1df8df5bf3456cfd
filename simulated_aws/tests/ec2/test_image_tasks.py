# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks that write an image to S3 (EC2 User Guide, Store and restore an AMI using S3)."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import CONSUMER, Clock, build, error_code, image_id

LONG = {"image_task_seconds": 3600}
EXPORT: dict[str, Any] = {"DiskImageFormat": "VHD", "S3ExportLocation": {"S3Bucket": "archive"}}
ACTIVE = {"store": "InProgress", "export": "active"}


def tasks(client: Any, kind: str, **request: Any) -> list[tuple[str, str]]:
    """Image and state of each task."""
    if kind == "store":
        found = client().describe_store_image_tasks(**request)["StoreImageTaskResults"]
        return [(one["AmiId"], one["StoreTaskState"]) for one in found]
    found = client().describe_export_image_tasks(**request)["ExportImageTasks"]
    return [(one["ImageId"], one["Status"]) for one in found]


def start(client: Any, kind: str, image: str) -> None:
    if kind == "store":
        client().create_store_image_task(ImageId=image, Bucket="archive")
    else:
        client().export_image(ImageId=image, **EXPORT)


@pytest.mark.parametrize(("kind", "finished"), [("store", "Completed"), ("export", "completed")])
def test_a_task_takes_its_time(client: Any, clock: Clock, kind: str, finished: str) -> None:
    """(botocore shapes StoreImageTaskResult and ExportImageTask.)"""
    image = image_id(build(settings=LONG))
    start(client, kind, image)
    running = [{"Name": "task-state", "Values": [ACTIVE[kind]]}]
    assert tasks(client, kind, Filters=running) == [(image, ACTIVE[kind])]
    clock.forward(hours=1)
    assert tasks(client, kind, Filters=running) == []
    assert tasks(client, kind) == [(image, finished)]


@pytest.mark.parametrize("kind", ["store", "export"])
def test_a_task_fails_without_the_snapshots(client: Any, kind: str) -> None:
    """(EC2 User Guide, the page above: the snapshots must not be deleted, otherwise the store process fails.)

    For an export this is a guess.
    """
    image = image_id(build(settings=LONG))
    start(client, kind, image)
    client().deregister_image(ImageId=image, DeleteAssociatedSnapshots=True)
    assert tasks(client, kind) == [(image, "Failed" if kind == "store" else "deleted")]


def test_a_stored_image_is_found_by_its_id_and_by_its_owner_only(client: Any) -> None:
    built = build(images={"golden": {"sharing": {"accounts": ["consumer"]}}})
    image = image_id(built)
    assert client().create_store_image_task(ImageId=image, Bucket="archive")["ObjectKey"] == f"{image}.bin"
    (task,) = client().describe_store_image_tasks(ImageIds=[image])["StoreImageTaskResults"]
    assert (task["Bucket"], task["S3objectKey"], task["ProgressPercentage"]) == (
        "archive",
        f"{image}.bin",
        100,
    )
    consumer = client(CONSUMER)
    assert consumer.describe_store_image_tasks()["StoreImageTaskResults"] == []
    assert error_code(consumer.create_store_image_task, ImageId=image, Bucket="b") == "AuthFailure"
    unknown = {"ImageIds": ["ami-0123456789abcdef0"]}
    assert error_code(client().describe_store_image_tasks, **unknown) == "InvalidParameterValue"
