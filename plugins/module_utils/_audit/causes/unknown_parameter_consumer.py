# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parameters that name an image and are shared, through AWS RAM, with consumers that must not use it."""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import Severity
from ..._parameter_share import ASSOCIATED, Association
from ..cause import Cause, Evidence, Remediation
from ..region import AuditedRegion, not_allowed

_CODE = "unknown_parameter_consumer"


def _find(region: AuditedRegion) -> Iterator[Evidence]:
    images = {listed.image.image_id: listed.image for listed in region.current.images}
    for parameter in region.current.parameters:
        image = images.get(parameter.image_id)
        if image is None or (allowed := region.options.allowed_for(image)).public:
            continue
        unknown = not_allowed(parameter.sharing.without(region.target.account_id), allowed)
        for principal in sorted(unknown.names):
            outside = ", which is outside of the organization" if principal in parameter.external else ""
            status = parameter.statuses.get(principal, ASSOCIATED)
            ending = "" if Association(principal, status).is_present else f" ({status})"
            yield Evidence(
                parameter.name,
                f"{parameter.name}, which names {image.image_id} ({image.name}), is shared through AWS RAM "
                f"with {principal}{ending}{outside}.",
                f"Take it back (golden.images.remediate_ami_sharing with remediate_finding_codes: [{_CODE}], "
                "or ami_publish with state: absent; from other tools' resource shares: aws ram "
                "disassociate-resource-share), or allow the consumer in the audit.",
                image.image_id,
                principal,
            )


CAUSE = Cause(
    code=_CODE,
    severity=Severity.HIGH,
    meaning="A parameter that names the image is shared through AWS RAM with an account, an organization or "
    "an organizational unit that is not allowed.",
    remedy="Take the parameter back, see [remediating](remediating.md) and "
    "[publishing](publishing.md#take-a-parameter-back), or allow the consumer.",
    find=_find,
    remediation=Remediation.IF_SELECTED,
    remediated="the consumer from this collection's resource share of the parameter",
    part="parameters",
    title="{who} {is} not allowed, but {can} read a parameter that names {resources}.",
    same_images=True,
)
