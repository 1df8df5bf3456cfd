# SPDX-License-Identifier: GPL-3.0-or-later

"""Examples for the remediation's tests: an audit's result, and the state after the planned tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from typing import Any

from ansible_collections.golden.images.plugins.module_utils.audit import plan as audit
from ansible_collections.golden.images.plugins.module_utils.audit.state import (
    AuditSeen,
    AuditWanted,
    RegionSeen,
)
from ansible_collections.golden.images.plugins.module_utils.keys.needed import SharedUnderKey
from ansible_collections.golden.images.plugins.module_utils.kms_grant.plan import plan as plan_access
from ansible_collections.golden.images.plugins.module_utils.kms_grant.state import GrantSeen, GrantWanted
from ansible_collections.golden.images.plugins.module_utils.model import (
    Image,
    KeyRef,
    KeySeen,
    Sharing,
    Target,
)
from ansible_collections.golden.images.plugins.module_utils.remediation.plan import (
    RemediationPlan,
    RemediationWanted,
    plan,
)
from ansible_collections.golden.images.plugins.module_utils.remediation.state import Audited, read
from ansible_collections.golden.images.plugins.module_utils.remediation.tasks import (
    revoke_tasks,
    unshare_tasks,
)
from ansible_collections.golden.images.plugins.module_utils.share import plan as share
from ansible_collections.golden.images.plugins.module_utils.share.state import Shared, ShareSeen, ShareWanted

from tests.unit.examples import OWNER
from tests.unit.kms_grant import examples as granting

MANY = 1_000


def result_of(seen: AuditSeen, wanted: AuditWanted) -> dict[str, Any]:
    """What ``ami_share_audit`` returns."""
    found = audit.plan(wanted, seen)
    return {
        "account_id": seen.account_id,
        "check_keys": wanted.check_keys,
        "check_snapshots": wanted.check_snapshots,
        "findings": [finding.as_result() for finding in found.findings],
        "kms_keys": audit.keys(seen),
        "regions": audit.regions(seen),
        "results": audit.results(seen, found),
        "unused_snapshots": audit.unused_snapshots(seen),
    }


def audited(seen: AuditSeen, wanted: AuditWanted | None = None) -> Audited:
    """The audit's result as values."""
    return read(result_of(seen, wanted or AuditWanted()))


def remediated(seen: AuditSeen, wanted: AuditWanted | None = None, **changes: Any) -> RemediationPlan:
    """The plan for an account in this state, with a cap that is not reached."""
    values = {"audited": audited(seen, wanted), "max_removals": MANY, **changes}
    return plan(RemediationWanted(**values))


def performed(seen: AuditSeen, plan: RemediationPlan, of: Audited) -> AuditSeen:
    """The account after ``ami_share`` and ``ami_kms_grant`` have performed the planned tasks."""
    regions = dict(seen.regions)
    for task in unshare_tasks(plan.removals, of):
        for region, ids in task["snapshots"].items():
            target = Target(OWNER, region)
            regions[target] = _without_image(regions[target], target, ids, task)
        for region, image_id in task["images"].items():
            target = Target(OWNER, region)
            regions[target] = _unshared(regions[target], target, image_id, task)
    for task in revoke_tasks(plan.removals, of):
        for region, arn in task["kms_key_ids"].items():
            target = Target(OWNER, region)
            revoked = _revoked(regions[target], regions[target].keys[arn], target, task)
            regions[target] = replace(regions[target], keys={**regions[target].keys, arn: revoked})
    return replace(seen, regions=regions)


def _without_image(region: RegionSeen, target: Target, ids: list[str], task: Mapping[str, Any]) -> RegionSeen:
    wanted = ShareWanted(
        images={},
        sharing=Sharing(frozenset(task["account_ids"]), public=task["group"] == "all"),
        present=False,
        snapshots={target.region: tuple(ids)},
    )
    shared = Shared.without_image(OWNER, {one: region.unused[one] for one in ids})
    left = share.plan(wanted, ShareSeen(OWNER, {target: shared}))
    assert left.refusals == ()
    after = left.targets[0].after["volume_permissions"]
    return replace(region, unused={**region.unused, **{one: _sharing(given) for one, given in after.items()}})


def _unshared(region: RegionSeen, target: Target, image_id: str, task: Mapping[str, Any]) -> RegionSeen:
    (image,) = (item.image for item in region.images if item.image.image_id == image_id)
    wanted = ShareWanted(
        images={target.region: image_id},
        sharing=Sharing(
            frozenset(task["account_ids"]),
            frozenset(task["org_arns"]),
            frozenset(task["org_unit_arns"]),
            task["group"] == "all",
        ),
        present=False,
        share_snapshots=task["share_snapshots"],
        snapshot_ids=frozenset(task["snapshot_ids"]),
    )
    shared = Shared(image, region.sharing[image_id], _volumes(region, image, wanted))
    left = share.plan(wanted, ShareSeen(OWNER, {target: shared}))
    assert left.refusals == ()
    after = left.targets[0].after
    return replace(
        region,
        sharing={**region.sharing, image_id: _sharing(after["launch_permissions"])},
        volume_permissions={
            **region.volume_permissions,
            **{one: _sharing(given) for one, given in after["volume_permissions"].items()},
        },
    )


def _volumes(region: RegionSeen, image: Image, wanted: ShareWanted) -> dict[str, Sharing]:
    """The snapshots that ``ami_share`` reads."""
    if not wanted.share_snapshots:
        return {}
    return {
        one: region.volume_permissions[one]
        for one in image.snapshot_ids
        if not wanted.snapshot_ids or one in wanted.snapshot_ids
    }


def _sharing(given: Mapping[str, Any]) -> Sharing:
    return Sharing(
        frozenset(given["account_ids"]),
        frozenset(given.get("org_arns", ())),
        frozenset(given.get("org_unit_arns", ())),
        given["public"],
    )


def _revoked(region: RegionSeen, key: KeySeen, target: Target, task: Mapping[str, Any]) -> KeySeen:
    wanted = GrantWanted(
        kms_key_ids={target.region: key.key.arn},
        account_ids=frozenset(task["account_ids"]),
        principals=frozenset(task["principals"]),
        org_ids=frozenset(task["org_ids"]),
        org_unit_ids=frozenset(task["org_unit_ids"]),
        unshared_image_ids=frozenset(task["unshared_image_ids"]),
        present=False,
    )
    # As ``ami_kms_grant`` reads them once the images are unshared.
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
    seen = GrantSeen(OWNER, "aws", {target: (key,)}, shared=shared)
    planned = plan_access(wanted, seen)
    assert planned.refusals == ()
    (after,) = granting.performed(seen, planned).keys[target]
    return after
