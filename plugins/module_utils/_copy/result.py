# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Return the result of the copies, and check the keys that they are encrypted under."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from .. import _tags as tagging
from .._failures import Failure
from .._model import Image, Target
from .._plan import KNOWN_AFTER_APPLY, Action, Plan
from . import plan as planner
from .options import CopyOptions
from .request import name_for
from .run import CopyRun
from .state import FAILED_STATES, CopyState


def build_result(
    options: CopyOptions,
    current: CopyState,
    plan: Plan,
    runs: Mapping[Target, CopyRun],
    tolerated: Iterable[Failure],
    *,
    only_planned: bool,
) -> dict[str, Any]:
    """Return the module's own returned keys.

    ``tolerated`` are the failures of best-effort targets, which are left out of ``images``. In check mode the
    runs are ``only_planned``: an image that does not exist yet is then null in ``images``.
    """
    left_out = {(failure.account_id, failure.region) for failure in tolerated}
    ready = {
        target: run for target, run in runs.items() if (target.account_id, target.region) not in left_out
    }
    images = {
        target: _image_id(run)
        for target, run in ready.items()
        if (only_planned if run.image is None else run.image.state not in FAILED_STATES)
    }
    keys = {target: _key(current, target, run) for target, run in ready.items()}
    actions: dict[Target, list[Action]] = {target: [] for target in runs}
    for action in plan.actions:
        actions.setdefault(action.target, []).append(action)
    return {
        "images": _by_target(options, images, "image_id"),
        "kms_key_arns": _by_target(options, keys, "kms_key_arn"),
        "results": [
            _target_result(options, current, target, run, actions[target]) for target, run in runs.items()
        ],
        "source_image_id": None if options.source_images else current.source.image_id,
        "source_region": None if options.source_images else options.first_source_region,
    }


def _target_result(
    options: CopyOptions, current: CopyState, target: Target, run: CopyRun, actions: Sequence[Action]
) -> dict[str, Any]:
    image, copied = run.image, any(action.operation == "CopyImage" for action in actions)
    planned_name = name_for(options, current.source_of(target), target.region)
    return {
        "account_id": target.account_id,
        "best_effort": target.region in options.best_effort_regions,
        "copy_seconds": None if image == current.source_of(target) else _copy_seconds(run),
        "image_id": _image_id(run),
        "kms_key_arn": _key(current, target, run),
        "name": image.name if image else planned_name,
        "origin": _origin(options, current, target, copied),
        "progress": run.percent,
        "region": target.region,
        "snapshot_ids": list(image.snapshot_ids) if image else [],
        "snapshot_kms_key_arns": sorted({item.kms_key_id for item in run.snapshots if item.kms_key_id}),
        "state": image.state if image else None,
        "tags": _tags(image, actions),
    }


def _tags(image: Image | None, actions: Iterable[Action]) -> dict[str, str]:
    """Return the image's tags after the actions, without AWS's own, which do not count."""
    tags = dict(image.tags) if image else {}
    for action in actions:
        if action.operation == "CopyImage":
            of_image, *_of_snapshots = action.parameters["TagSpecifications"]
            tags = tagging.tag_map(of_image["Tags"])
        elif image and action.parameters.get("Resources") == [image.image_id]:
            keys = {tag["Key"] for tag in action.parameters["Tags"]}
            tags = {key: value for key, value in tags.items() if key not in keys}
            if action.operation == "CreateTags":
                tags |= tagging.tag_map(action.parameters["Tags"])
    return {key: tags[key] for key in sorted(tags) if not key.startswith(tagging.RESERVED_PREFIX)}


def _copy_seconds(run: CopyRun) -> int | None:
    """Return the seconds from the creation of a copy until its last snapshot was completed, by AWS's clock.

    None if AWS does not return these times, or the snapshots were not read (botocore shapes ``Image``,
    ``CreationDate``, and ``Snapshot``, ``CompletionTime``).
    """
    ends = [snapshot.completed for snapshot in run.snapshots if snapshot.completed is not None]
    if run.image is None or not run.available or not ends or len(ends) < len(run.image.snapshot_ids):
        return None
    try:
        started = datetime.fromisoformat(run.image.creation_date)
    except ValueError:
        return None
    return max(0, round((max(ends) - started).total_seconds()))


def fail_wrong_keys(
    options: CopyOptions, current: CopyState, runs: Mapping[Target, CopyRun]
) -> dict[Target, CopyRun]:
    """Return the runs. The run of a finished copy that is not encrypted as requested has failed."""
    return {
        target: run.fail(_wrong_key(current, target, run))
        if _is_under_wrong_key(options, current, target, run)
        else run
        for target, run in runs.items()
    }


def _is_under_wrong_key(options: CopyOptions, current: CopyState, target: Target, run: CopyRun) -> bool:
    if run.failure is not None or run.image is None or run.image == current.source_of(target):
        return False
    finished = replace(current, snapshots={target: run.snapshots})
    return not planner.has_desired_key(options, finished, target, run.image)


def _wrong_key(current: CopyState, target: Target, run: CopyRun) -> Failure:
    key = _key(current, target, run)
    image_id = run.image.image_id if run.image else None
    return Failure.at(
        target,
        "CopyImage",
        "wrong_key",
        f"{image_id} is {f'encrypted under {key}' if key else 'not encrypted'}, which was not requested.",
        "If the image is not in use, deregister it and rerun to copy under the requested key.",
    )


def _image_id(run: CopyRun) -> str | None:
    """Return the image's ID; None if it is only planned."""
    if run.image is None or run.image.image_id == KNOWN_AFTER_APPLY:
        return None
    return run.image.image_id


def _by_target(options: CopyOptions, values: Mapping[Target, str | None], key: str) -> Any:
    """Return the values of targets by region or, with ``account_ids``, as mappings with the account."""
    if not options.account_ids:
        return {target.region: value for target, value in values.items()}
    return [
        {"account_id": target.account_id, "region": target.region, key: value}
        for target, value in values.items()
    ]


def _key(current: CopyState, target: Target, run: CopyRun) -> str | None:
    """Return the key of the snapshots; until AWS shows it, the requested one."""
    actual = next((snapshot.kms_key_id for snapshot in run.snapshots if snapshot.kms_key_id), None)
    requested = None if run.available else current.keys.get(target)
    return actual or (requested.arn if requested else None)


def _origin(options: CopyOptions, current: CopyState, target: Target, copied: bool) -> str:
    existing = planner.existing_copy(options, current, target)
    if copied or existing is None:
        return "copied"
    # With reencrypt_source, the image of the source's own region can be a copy, too.
    if existing.image_id == current.source_of(target).image_id:
        return "source"
    return "found" if planner.is_own(options, current, target, existing) else "adopted"
