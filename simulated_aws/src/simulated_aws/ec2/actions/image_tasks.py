# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks that write an image to S3: CreateStoreImageTask and ExportImage, and their Describe actions.

(EC2 User Guide, Store and restore an AMI using S3; VM Import/Export User Guide, Exporting a VM from an
AMI.) The bucket and the role are not checked, and nothing is written.
"""

from __future__ import annotations

from typing import Any

from ...settings import SETTINGS
from .. import state
from ..access import Caller, own_available_image
from ..errors import Ec2Error
from ..filters import Values, compile_filters
from ..pagination import page
from ..state import ImageTask
from .registry import action

STORE, EXPORT = "store", "export"


@action("CreateStoreImageTask")
def create_store_image_task(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Start to store an image of the caller, as an object that is named after it."""
    image = own_available_image(caller, params["ImageId"])
    task = _start(caller, STORE, image.id, params["Bucket"], f"{image.id}.bin")
    return {"ObjectKey": task.object_key}


@action("DescribeStoreImageTasks")
def describe_store_image_tasks(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """List the caller's store tasks (botocore shape StoreImageTaskResult)."""
    ids = params.get("ImageIds", [])
    # With image IDs, filters are ignored (botocore shape DescribeStoreImageTasksRequest, Filters).
    tasks, next_token = _page(
        caller, STORE, params, "ImageIds", ids, [] if ids else params.get("Filters", [])
    )
    return {
        "NextToken": next_token,
        "StoreImageTaskResults": [
            {
                "AmiId": task.image_id,
                "TaskStartTime": task.work.started,
                "Bucket": task.bucket,
                "S3objectKey": task.object_key,
                "ProgressPercentage": 100 if _state(task) == "Completed" else task.work.percent(state.now()),
                "StoreTaskState": _state(task),
                "StoreTaskFailureReason": _failure(task),
            }
            for task in tasks
        ],
    }


@action("ExportImage")
def export_image(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Start to export an image of the caller."""
    image = own_available_image(caller, params["ImageId"])
    task = _start(caller, EXPORT, image.id, params["S3ExportLocation"]["S3Bucket"], "")
    return {**_export_view(task), "DiskImageFormat": params["DiskImageFormat"]}


@action("DescribeExportImageTasks")
def describe_export_image_tasks(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """List the caller's export tasks (botocore shape ExportImageTask)."""
    ids = params.get("ExportImageTaskIds", [])
    tasks, next_token = _page(caller, EXPORT, params, "ExportImageTaskIds", ids, params.get("Filters", []))
    return {"NextToken": next_token, "ExportImageTasks": [_export_view(task) for task in tasks]}


def _start(caller: Caller, kind: str, image_id: str, bucket: str, object_key: str) -> ImageTask:
    work = state.Work(state.now(), SETTINGS.image_task_seconds)
    snapshot_ids = tuple(state.region(caller.region).images[image_id].snapshot_ids)
    task = ImageTask(state.new_id("export-ami"), kind, image_id, snapshot_ids, bucket, object_key, work)
    state.account_region(*caller).image_tasks.append(task)
    return task


def _page(
    caller: Caller, kind: str, params: dict[str, Any], ids_parameter: str, ids: list[str], filters: list[Any]
) -> tuple[list[ImageTask], str | None]:
    fits = compile_filters(filters, _FILTERS, lambda _: {})
    of_kind = [one for one in state.account_region(*caller).image_tasks if one.kind == kind]
    known = {one.id if kind == EXPORT else one.image_id for one in of_kind}
    missing = set(ids) - known
    if missing:
        raise Ec2Error("InvalidParameterValue", f"There is no task of {', '.join(sorted(missing))}")
    chosen = (one for one in of_kind if not ids or one.id in ids or one.image_id in ids)
    for one in of_kind:
        _settle(caller, one)
    return page((one for one in chosen if fits(one)), params, ids_parameter)


def _settle(caller: Caller, task: ImageTask) -> None:
    """End a task, with a failure if a snapshot was deleted before (EC2 User Guide, the page above)."""
    if task.ended:
        return
    existing = state.region(caller.region).snapshots
    task.failed = any(one not in existing for one in task.snapshot_ids)
    task.ended = task.failed or task.work.done(state.now())


def _state(task: ImageTask) -> str:
    if task.kind == EXPORT:
        # That a failed export is deleted is a guess (botocore shape ExportImageTask, Status).
        return ("deleted" if task.failed else "completed") if task.ended else "active"
    return ("Failed" if task.failed else "Completed") if task.ended else "InProgress"


def _failure(task: ImageTask) -> str | None:
    return "A snapshot of the image was deleted" if task.failed else None


def _export_view(task: ImageTask) -> dict[str, Any]:
    return {
        "ExportImageTaskId": task.id,
        "ImageId": task.image_id,
        "Progress": None if task.ended else str(task.work.percent(state.now())),
        "S3ExportLocation": {"S3Bucket": task.bucket},
        "Status": _state(task),
        "StatusMessage": _failure(task),
    }


# botocore shapes DescribeStoreImageTasksRequest and DescribeExportImageTasksRequest, Filters.
_FILTERS: dict[str, Values[ImageTask]] = {
    "task-state": lambda task: (_state(task),),
    "bucket": lambda task: (task.bucket,),
}
