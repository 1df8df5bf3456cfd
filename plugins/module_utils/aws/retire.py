# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Performs the actions that retire images: what one image is refused stops no other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..failures import Failure
from ..plan import Action
from .write import Performed, merge, perform

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

# botocore shape SnapshotReturnCodes; skipped ones are other images'.
_DONE = ("success", "skipped")


def perform_each(ec2: EC2Client, actions: Iterable[Action], image_with: Mapping[str, str]) -> Performed:
    """Perform the actions of one region in their order, but none on what an earlier one was refused.

    ``image_with`` maps snapshots to the image that they go with: neither goes after the other was refused
    something.
    """
    parts: list[Performed] = []
    refused: set[str] = set()
    for action in actions:
        for single in _remaining(action, refused, image_with):
            for done, resources in _attempts(ec2, single):
                parts.append(done)
                if done.failures:
                    refused.update(resources)
                    refused.update(image_with.get(resource, resource) for resource in resources)
    return _with_left_snapshots(merge(*parts))


def _remaining(action: Action, refused: set[str], image_with: Mapping[str, str]) -> Iterator[Action]:
    resources = [
        one for one in _resources(action) if one not in refused and image_with.get(one, one) not in refused
    ]
    if len(resources) == len(_resources(action)):
        yield action
    elif resources:
        yield _on(action, resources)


def _attempts(ec2: EC2Client, action: Action) -> Iterator[tuple[Performed, list[str]]]:
    """What became of an action; of one on many resources, where it was refused, on each of them."""
    done = perform(ec2, action)
    resources = _resources(action)
    if not done.failures or len(resources) == 1:
        yield done, resources
        return
    for resource in resources:
        yield perform(ec2, _on(action, [resource])), [resource]


def _on(action: Action, resources: list[str]) -> Action:
    parameters = {**action.parameters, "Resources": resources}
    return replace(action, parameters=parameters, resource=", ".join(resources))


def _resources(action: Action) -> list[str]:
    return list(action.parameters.get("Resources", [action.resource]))


def _with_left_snapshots(done: Performed) -> Performed:
    """What was done, with a failure for each snapshot that AWS could not delete with its image."""
    left = tuple(
        Failure(
            message=f"Snapshot {item['SnapshotId']} of {action.resource} could not be deleted: "
            f"{item['ReturnCode']}.",
            remedy="It is marked: the next run deletes it, unless something still keeps it.",
            error_code="SnapshotNotDeleted",
            action="DeleteSnapshot",
            region=action.target.region,
            account_id=action.target.account_id,
        )
        for action, answer in zip(done.actions, done.answers, strict=True)
        for item in answer.get("DeleteSnapshotResults", ())
        if item["ReturnCode"] not in _DONE
    )
    return replace(done, failures=(*done.failures, *left))
