# SPDX-License-Identifier: GPL-3.0-or-later

"""Examples for the audit's tests: an image, its snapshots and its key, and their findings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import reduce
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._audit.state import (
    AuditState,
    Listed,
    Problem,
    RegionState,
)
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._model import (
    Image,
    KeyState,
    PublicAccessBlock,
    Sharing,
)
from ansible_collections.golden.images.plugins.modules import ami_share_audit

from tests.unit.examples import OWNER, SOURCE_ID, source_image, target_in, volumes
from tests.unit.in_process import returned
from tests.unit.keys.policies import policy_of
from tests.unit.kms_grant.examples import KEY

EU, US = "eu-west-1", "us-east-1"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
PRIVATE, PUBLIC = Sharing(), Sharing(public=True)
IMAGE = source_image(devices=volumes("snap-00000001", "snap-00000002"))
ENCRYPTED = source_image(devices=volumes("snap-00000001", encrypted=True))


def accounts(*account_ids: str) -> Sharing:
    """Shared with these accounts."""
    return Sharing(frozenset(account_ids))


def region(
    launch: Sharing = PRIVATE, volume: Sharing = PRIVATE, image: Image = IMAGE, **changes: Any
) -> RegionState:
    """One image that is shared like this, and its first snapshot like that."""
    values: dict[str, Any] = {
        "images": (Listed(image),),
        "image_block": PublicAccessBlock("block-new-sharing"),
        "snapshot_block": PublicAccessBlock("block-new-sharing"),
        "sharing": {image.image_id: launch},
        "volume_permissions": {**dict.fromkeys(image.snapshot_ids, PRIVATE), image.snapshot_ids[0]: volume},
        **changes,
    }
    return RegionState(**values)


def under_key(
    launch: Sharing, *grants: Any, policy: str | None = None, key: Any = KEY, **changes: Any
) -> RegionState:
    """One encrypted image whose key has these grants and this policy."""
    seen = KeyState(key, grants, policy or policy_of())
    values = {"key_of": {"snap-00000001": key.arn}, "keys": {key.arn: seen}, **changes}
    return region(launch, PRIVATE, ENCRYPTED, **values)


def account_of(*regions: RegionState, unread: Mapping[str, Failure] | None = None) -> AuditState:
    """An account with one or two regions, ``EU`` first, and regions that could not be read."""
    failed = {target_in(name): failure for name, failure in (unread or {}).items()}
    return AuditState(
        OWNER, NOW, {target_in(name): one for name, one in zip((EU, US), regions, strict=False)}, failed
    )


def audit_of(
    *regions: RegionState, unread: Mapping[str, Failure] | None = None, **options: Any
) -> dict[str, Any]:
    """What ``ami_share_audit`` returns with these options for an account with these regions."""
    return audit_result(account_of(*regions, unread=unread), options)


def audit_result(account: AuditState, options: Mapping[str, Any]) -> dict[str, Any]:
    """What ``ami_share_audit`` returns for an account, as Ansible passes it to other modules."""
    found: dict[str, Any] = json.loads(json.dumps(returned(ami_share_audit, options, account)))
    return found


def refused(region: str | None = EU, action: str = "DescribeImages", **changes: Any) -> Failure:
    """AWS's refusal of a call."""
    values = {
        "message": "You are not authorized.",
        "remedy": f"Allow {action}.",
        "error_code": "UnauthorizedOperation",
        "action": action,
        "region": region,
        "account_id": OWNER,
        "request_id": "r-1",
        "source": "aws",
        **changes,
    }
    return Failure(**values)


def unread(code: str, resource: str, **changes: Any) -> Problem:
    """An image, snapshot or key that could not be read."""
    return Problem(code, resource, refused(action="DescribeImageAttribute", **changes), SOURCE_ID)


def codes(result: Mapping[str, Any]) -> list[tuple[str, str, str | None]]:
    """Code, resource and principal of each finding."""
    return [(one["code"], one["resource"], one["principal"]) for one in result["findings"]]


def allowing(*given: str | Sharing, **options: Any) -> dict[str, Any]:
    """The options that allow these accounts, or these consumers, everything.

    Only a rule can allow an image to be public.
    """
    each = (one if isinstance(one, Sharing) else accounts(one) for one in given)
    allowed = reduce(Sharing.__or__, each, PRIVATE)
    named = {
        "allowed_account_ids": sorted(allowed.account_ids),
        "allowed_org_arns": sorted(allowed.org_arns),
        "allowed_org_unit_arns": sorted(allowed.org_unit_arns),
    }
    return {**named, **({"rules": [rule(PUBLIC, "*")]} if allowed.public else {}), **options}


def rule(allowed: Sharing, name_pattern: str | None = None, **changes: Any) -> dict[str, Any]:
    """The rule that allows these consumers the images with such a name."""
    return {
        "account_ids": sorted(allowed.account_ids),
        "org_arns": sorted(allowed.org_arns),
        "org_unit_arns": sorted(allowed.org_unit_arns),
        "public": allowed.public,
        "name_pattern": name_pattern,
        **changes,
    }


def orgs(*arns: str, units: Iterable[str] = ()) -> Sharing:
    """Shared with these organizations and organizational units."""
    return Sharing(org_arns=frozenset(arns), org_unit_arns=frozenset(units))
