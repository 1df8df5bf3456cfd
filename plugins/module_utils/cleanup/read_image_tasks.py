# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the tasks that write images to S3: they need the snapshots until they have ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..aws.answers import required
from ..aws.errors import ClientError, code_of
from .usage import EXPORT_TASK, STORE_TASK, ImageTask

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

# botocore shapes DescribeStoreImageTasksRequestMaxResults and DescribeExportImageTasksMaxResults.
_STORE_PAGE, _EXPORT_PAGE = 200, 500
# EC2 API Reference, "Error codes": a region without the action has no tasks.
_UNSUPPORTED = ("InvalidAction", "UnsupportedOperation")


def store_tasks(ec2: EC2Client) -> tuple[ImageTask, ...]:
    """Every task in progress that stores an image.

    EC2 User Guide, "Store and restore an AMI using S3": the snapshots must not be deleted during the task,
    otherwise the store process fails. A task can be queued.
    """

    def found() -> Iterator[ImageTask]:
        pages = ec2.get_paginator("describe_store_image_tasks").paginate(
            Filters=_in_state("InProgress"), PaginationConfig={"PageSize": _STORE_PAGE}
        )
        for item in _items(pages, "StoreImageTaskResults", "DescribeStoreImageTasks"):
            image_id = required(item, "AmiId", "DescribeStoreImageTasks")
            yield ImageTask(STORE_TASK, image_id, f"{item.get('Bucket', '')}/{item.get('S3objectKey', '')}")

    return _if_supported(found)


def export_tasks(ec2: EC2Client) -> tuple[ImageTask, ...]:
    """Every active task that exports an image (botocore shape ExportImageTask, Status)."""

    def found() -> Iterator[ImageTask]:
        pages = ec2.get_paginator("describe_export_image_tasks").paginate(
            Filters=_in_state("active"), PaginationConfig={"PageSize": _EXPORT_PAGE}
        )
        for item in _items(pages, "ExportImageTasks", "DescribeExportImageTasks"):
            image_id = required(item, "ImageId", "DescribeExportImageTasks")
            yield ImageTask(EXPORT_TASK, image_id, item.get("ExportImageTaskId", ""))

    return _if_supported(found)


def _in_state(value: str) -> Any:
    return [{"Name": "task-state", "Values": [value]}]


def _items(pages: Iterable[Any], member: str, operation: str) -> Iterator[Mapping[str, Any]]:
    for page in pages:
        yield from required(page, member, operation)


def _if_supported(found: Callable[[], Iterator[ImageTask]]) -> tuple[ImageTask, ...]:
    try:
        return tuple(found())
    except ClientError as exception:
        if code_of(exception) in _UNSUPPORTED:
            return ()
        raise
