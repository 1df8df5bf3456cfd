# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the account sees the image, unless its Allowed AMIs settings hide it."""

from __future__ import annotations

from collections.abc import Iterator

from ..._denial import DENIED
from ..._failures import Failure
from ..._finding import BlocksLaunch, Finding
from ..check import ACCOUNT, SHARING, Cause, Check, Evidence
from .allowed_images import allows

_OUTSIDE_ORGANIZATION = Cause(
    code="outside_organization",
    table=SHARING,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning="The image is shared with organizations or organizational units that the account is not in.",
    remedy="Share it with the account itself (`ami_share` with `account_ids`)",
)
_NOT_VISIBLE = Cause(
    code="not_visible",
    table=ACCOUNT,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning="The account cannot see the image, although it is shared or may be.",
    remedy=("Wait: AWS documents no limit for propagation; or allow the role `ec2:GetAllowedImagesSettings`"),
)


def _find(evidence: Evidence) -> Iterator[Finding]:
    checked, owner = evidence.checked, evidence.owner
    if checked is None or checked.image is not None or allows(evidence) is False:
        return
    is_shared = owner.is_shared_with(evidence.account_id)
    if owner.launch is not None and is_shared is None and checked.allowed_images is not None:
        yield _OUTSIDE_ORGANIZATION.finding(
            f"{evidence.image_id} is shared through {owner.organizations} only, and account "
            f"{evidence.account_id} cannot see it: the account is in none of them.",
            f"Share it with {evidence.account_id} itself (ami_share), or move the account.",
        )
    elif is_shared is not False and (owner.image is not None or owner.problem is not None):
        yield _to_finding(evidence, bool(is_shared), checked.allowed_images_problem)


def _to_finding(evidence: Evidence, is_shared: bool, problem: Failure | None) -> Finding:
    why = " although it is shared with it" if is_shared else ""
    remedies = [
        "Wait and diagnose again: AWS documents no limit for how long a change takes to propagate."
        if is_shared
        else f"Let the image's owner share it with {evidence.account_id}.",
        *([_advise_on_settings(problem)] if problem is not None else []),
    ]
    return _NOT_VISIBLE.finding(
        f"Account {evidence.account_id} cannot see {evidence.image_id} in {evidence.region}{why}.",
        " ".join(remedies),
    )


def _advise_on_settings(problem: Failure) -> str:
    if problem.error_code in DENIED:
        return "Allow the role ec2:GetAllowedImagesSettings: Allowed AMIs may hide it."
    return f"Allowed AMIs may hide it, and could not be read: {problem.text()}"


CHECK = Check((_OUTSIDE_ORGANIZATION, _NOT_VISIBLE), _find)
