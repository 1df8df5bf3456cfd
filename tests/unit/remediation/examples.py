# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of an audit, what ``remediation_plan`` returns for it, and the account after its tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import reduce
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._audit.causes import NOT_ALLOWED
from ansible_collections.golden.images.plugins.module_utils._audit.state import AuditState, RegionState
from ansible_collections.golden.images.plugins.module_utils._keys.needed import SharedUnderKey
from ansible_collections.golden.images.plugins.module_utils._kms_grant.options import GrantOptions
from ansible_collections.golden.images.plugins.module_utils._kms_grant.plan import plan as plan_access
from ansible_collections.golden.images.plugins.module_utils._kms_grant.state import GrantState
from ansible_collections.golden.images.plugins.module_utils._model import KeyRef, KeyState, Sharing, Target
from ansible_collections.golden.images.plugins.module_utils._remediation import flow as remediation_plan

from tests.unit.audit.examples import US, audit_of
from tests.unit.examples import OWNER, target_in
from tests.unit.in_process import returned
from tests.unit.kms_grant import examples as granting

HERE, FAR = target_in().region, US
MANY = 1_000


def remediation(audit_result: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """What the module returns for this audit; by default for all that is not allowed, without a cap."""
    choice = {} if {"images", "expected_removals"} & options.keys() else {"finding_codes": NOT_ALLOWED}
    return returned(
        remediation_plan, {**choice, "audit_result": audit_result, "max_removals": MANY, **options}
    )


def remediated(
    *regions: RegionState, audit: Mapping[str, Any] | None = None, **options: Any
) -> dict[str, Any]:
    """What the module returns for an account with these regions; ``audit`` are options of ``audit_of``."""
    return remediation(audit_of(*regions, **(audit or {})), **options)


def removed(result: Mapping[str, Any]) -> list[tuple[str, str, list[str]]]:
    """The removals: resource, principal and codes of the findings."""
    assert not result.get("failed"), result["msg"]
    return [(one["resource"], one["principal"], one["finding_codes"]) for one in result["removals"]]


def resources(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Region and resource of each removal."""
    assert not result.get("failed"), result["msg"]
    return [(one["region"], one["resource"]) for one in result["removals"]]


def performed(seen: AuditState, result: Mapping[str, Any]) -> AuditState:
    """The account after ``ami_share`` and ``ami_kms_grant`` have performed the returned tasks."""
    regions = dict(seen.regions)
    for task in result["unshare_tasks"]:
        for region, image_id in task["images"].items():
            regions[target_in(region)] = _unshared(regions[target_in(region)], image_id, task)
        for region, ids in task["snapshots"].items():
            before = regions[target_in(region)]
            regions[target_in(region)] = replace(before, unused=_without(before.unused, ids, task))
    for task in result["revoke_tasks"]:
        for region, arn in task["kms_key_ids"].items():
            target = target_in(region)
            revoked = _revoked(regions[target], regions[target].keys[arn], target, task)
            regions[target] = replace(regions[target], keys={**regions[target].keys, arn: revoked})
    return replace(seen, regions=regions)


def _unshared(region: RegionState, image_id: str, task: Mapping[str, Any]) -> RegionState:
    """The region after a task of ``ami_share`` for one of its images, or for some snapshots of it only."""
    (image,) = (item.image for item in region.images if item.image.image_id == image_id)
    snapshots = task["snapshot_ids"] or image.snapshot_ids if task["share_snapshots"] else ()
    own = [one for one in snapshots if one in image.snapshot_ids]
    return replace(
        region,
        sharing=_without(region.sharing, [] if task["snapshot_ids"] else [image_id], task),
        volume_permissions=_without(region.volume_permissions, own, task),
    )


def _without(
    sharing: Mapping[str, Sharing], resources: Iterable[str], task: Mapping[str, Any]
) -> dict[str, Sharing]:
    """The sharing after the principals of a task have lost these resources; others have no ``resources``."""
    principals = Sharing(
        frozenset(task["account_ids"]),
        frozenset(task["org_arns"]),
        frozenset(task["org_unit_arns"]),
        task["group"] == "all",
    )
    return {**sharing, **{one: sharing[one] - principals for one in resources}}


def _revoked(region: RegionState, key: KeyState, target: Target, task: Mapping[str, Any]) -> KeyState:
    """The key after ``ami_kms_grant``, which reads what is shared under it once the images are unshared."""
    wanted = GrantOptions(
        kms_key_ids={target.region: key.key.arn},
        account_ids=tuple(task["account_ids"]),
        principals=tuple(task["principals"]),
        org_ids=tuple(task["org_ids"]),
        org_unit_ids=tuple(task["org_unit_ids"]),
        unshared_image_ids=tuple(task["unshared_image_ids"]),
        state="absent",
    )
    others = {
        item.image.image_id: reduce(
            Sharing.__or__,
            (region.volume_permissions.get(one, Sharing()) for one in item.image.snapshot_ids),
            region.sharing.get(item.image.image_id, Sharing()) | Sharing(frozenset({OWNER})),
        )
        for item in region.images
        if key.key.arn in (*region.key_arns(item.image), *region.associated_key_arns(item.image))
        if item.image.image_id not in wanted.ignored_image_ids
    }
    shared = {KeyRef(target.region, key.key.arn): SharedUnderKey(others)}
    seen = GrantState(OWNER, "aws", {target: (key,)}, shared=shared)
    planned = plan_access(wanted, seen)
    assert planned.refusals == ()
    (after,) = granting.performed(seen, planned).keys[target]
    return after
