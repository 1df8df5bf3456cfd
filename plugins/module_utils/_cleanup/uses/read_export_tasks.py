# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks that export images to S3: they need the snapshots until they have ended."""

from __future__ import annotations

from collections.abc import Iterator

from ..._aws.answers import require_member
from .read import Place, Read, Source, skip_unsupported
from .users import User

_KIND = "export_task"


@skip_unsupported
def _read_export_tasks(place: Place) -> Iterator[User]:
    """Yield every active task that exports an image (botocore shape ExportImageTask, Status)."""
    operation = "DescribeExportImageTasks"
    # botocore shape DescribeExportImageTasksMaxResults.
    pages = place.ec2.get_paginator("describe_export_image_tasks").paginate(
        Filters=[{"Name": "task-state", "Values": ["active"]}], PaginationConfig={"PageSize": 500}
    )
    for page in pages:
        for item in require_member(page, "ExportImageTasks", operation):
            name = item.get("ExportImageTaskId", "")
            yield User(_KIND, name, (require_member(item, "ImageId", operation),))


SOURCE = Source(
    _KIND,
    "in progress: it writes the image to S3",
    (Read(_read_export_tasks, ("ec2:DescribeExportImageTasks",)),),
    only_of_owner=True,
)
