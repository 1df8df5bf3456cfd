# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks that store images in S3: they need the snapshots until they have ended."""

from __future__ import annotations

from collections.abc import Iterator

from ..._aws.answers import require_member
from .read import Place, Read, Source, skip_unsupported
from .users import User

_KIND = "store_task"


@skip_unsupported
def _read_store_tasks(place: Place) -> Iterator[User]:
    """Yield every task in progress that stores an image.

    EC2 User Guide, "Store and restore an AMI using S3": the snapshots must not be deleted during the task,
    otherwise the store process fails. A task can be queued.
    """
    operation = "DescribeStoreImageTasks"
    # botocore shape DescribeStoreImageTasksRequestMaxResults.
    pages = place.ec2.get_paginator("describe_store_image_tasks").paginate(
        Filters=[{"Name": "task-state", "Values": ["InProgress"]}], PaginationConfig={"PageSize": 200}
    )
    for page in pages:
        for item in require_member(page, "StoreImageTaskResults", operation):
            name = f"{item.get('Bucket', '')}/{item.get('S3objectKey', '')}"
            yield User(_KIND, name, (require_member(item, "AmiId", operation),))


SOURCE = Source(
    _KIND,
    "in progress: it writes the image to S3",
    (Read(_read_store_tasks, ("ec2:DescribeStoreImageTasks",)),),
    only_of_owner=True,
)
