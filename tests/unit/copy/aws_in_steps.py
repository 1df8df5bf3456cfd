# SPDX-License-Identifier: GPL-3.0-or-later

"""Copies that progress from read to read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.golden.images.plugins.module_utils.model import Image, Snapshot
from botocore.exceptions import ClientError


@dataclass
class Region:
    """A region's EC2 with a copy ``ami-1``, and after another CopyImage ``ami-2``.

    ``reads`` are what each read of the first returns, the last one from then on, ``second`` the same for the
    second; exceptions among them are raised. ``refusal`` is what CopyImage answers instead,
    ``removal_refusal`` what DeregisterImage does.
    """

    reads: list[Image | Exception | None]
    second: list[Image | Exception | None] = field(default_factory=list)
    percents: list[int] = field(default_factory=list)
    refusal: Exception | None = None
    removal_refusal: Exception | None = None
    snapshots_error: Exception | None = None
    finished_snapshots_error: Exception | None = None
    keys: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    read_count: int = 0

    def read(self, image_id: str) -> Image | None:
        self.read_count += 1
        reads = {"ami-1": self.reads, "ami-2": self.second}[image_id]
        found = reads.pop(0) if len(reads) > 1 else reads[0]
        if isinstance(found, Exception):
            raise found
        return found

    def copy_image(self, **parameters: Any) -> dict[str, str]:
        if self.refusal is not None:
            raise self.refusal
        self.calls.append(("CopyImage", parameters))
        return {"ImageId": "ami-2"}

    def deregister_image(self, **parameters: Any) -> dict[str, Any]:
        self.calls.append(("DeregisterImage", parameters))
        if self.removal_refusal is not None:
            raise self.removal_refusal
        return {}


class Reads:
    """Stands for ``aws.read``: the functions that waiting uses."""

    @staticmethod
    def image(ec2: Region, image_id: str) -> Image | None:
        return ec2.read(image_id)

    @staticmethod
    def pending_snapshots(ec2: Region, _source_image_id: str, _source_region: str) -> tuple[Snapshot, ...]:
        if ec2.snapshots_error is not None:
            raise ec2.snapshots_error
        return tuple(
            Snapshot(f"snap-{number}", "pending", percent) for number, percent in enumerate(ec2.percents)
        )

    @staticmethod
    def snapshots(ec2: Region, snapshot_ids: tuple[str, ...]) -> tuple[Snapshot, ...]:
        if ec2.finished_snapshots_error is not None:
            raise ec2.finished_snapshots_error
        return tuple(Snapshot(item, "completed", 100, ec2.keys.get(item)) for item in snapshot_ids)


def refused(code: str, operation: str = "CopyImage") -> ClientError:
    """An AWS error."""
    return ClientError({"Error": {"Code": code, "Message": "No."}}, operation)
