# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the image is shared with the account."""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import BlocksLaunch, Finding, Severity
from ..._model import Image
from ..check import SHARING, Cause, Check, Evidence

_NOT_SHARED = Cause(
    code="not_shared",
    table=SHARING,
    blocks_launch=BlocksLaunch.BLOCKING,
    otherwise=BlocksLaunch.UNKNOWN,
    meaning=(
        "The image is neither public nor shared with the account, an organization or an organizational unit."
    ),
    details="Unknown if the account can see it nevertheless.",
    remedy="Share it (`ami_share`)",
)
_THROUGH_ORGANIZATION = Cause(
    code="shared_through_organization",
    table=SHARING,
    blocks_launch=BlocksLaunch.UNKNOWN,
    otherwise=BlocksLaunch.HARMLESS,
    meaning=(
        "The image is shared only with organizations or organizational units that the account may be in. The "
        "account cannot copy it, since snapshots cannot be shared with these."
    ),
    details="Harmless if the account can see it; to check that requires `consumer_role_name`.",
    remedy=(
        "If the account has to copy it, share it with the account itself (`ami_share` with `account_ids`)"
    ),
)
_PUBLIC = Cause(
    code="public",
    table=SHARING,
    blocks_launch=BlocksLaunch.HARMLESS,
    # The same severity as in an audit, although the account can launch the image.
    severity=Severity.HIGH,
    meaning="Every AWS account can launch the image.",
    remedy=(
        "Share it with the accounts that need it (`ami_share` with `account_ids`), then make it private "
        "(`group: all`, `state: absent`)"
    ),
)


def _find(evidence: Evidence) -> Iterator[Finding]:
    image, launch, account_id = evidence.image, evidence.launch, evidence.account_id
    if image is None or launch is None:
        return
    if launch.public:
        yield _PUBLIC.finding(
            f"{image.image_id} is public: every AWS account can launch it, including {account_id}.",
            "If that is not intended, share it with accounts, then unshare it from the public (ami_share, "
            "group: all, state: absent).",
        )
    elif account_id in launch.account_ids:
        return
    elif not evidence.owner.organizations:
        yield _NOT_SHARED.finding(
            f"{image.image_id} is not shared with account {account_id}"
            + (", although the account sees it." if evidence.is_visible else "."),
            f"Share it with {account_id} (golden.images.share_ami, or ami_share).",
            # The account's own view contradicts it: one of the two may not have propagated yet.
            BlocksLaunch.UNKNOWN if evidence.is_visible else BlocksLaunch.BLOCKING,
        )
    elif evidence.is_visible is not False:
        yield _report_organization(evidence, image)


def _report_organization(evidence: Evidence, image: Image) -> Finding:
    owner_knows = "The image's owner cannot read whether the account is in one of them. "
    return _THROUGH_ORGANIZATION.finding(
        f"{image.image_id} is shared with account {evidence.account_id} through "
        f"{evidence.owner.organizations} only. {'' if evidence.is_visible else owner_knows}"
        "An account cannot copy an image that is shared only through an organization or organizational unit.",
        "To launch it, nothing is needed. To copy it, share it with the account itself (ami_share).",
        BlocksLaunch.HARMLESS if evidence.is_visible else BlocksLaunch.UNKNOWN,
    )


CHECK = Check((_NOT_SHARED, _THROUGH_ORGANIZATION, _PUBLIC), _find)
