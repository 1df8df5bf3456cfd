# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Disabled images that other accounts can still use, or whose snapshots they can read.

Disabling removes launch permissions, but no volume permissions (EC2 User Guide, "Disable an AMI").
"""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import Severity
from ..._model import Sharing
from ..cause import Cause, Evidence
from ..region import AuditedRegion, all_disabled


def _find(region: AuditedRegion) -> Iterator[Evidence]:
    for image in (listed.image for listed in region.current.images if listed.image.state == "disabled"):
        shares = {image.image_id: region.current.sharing.get(image.image_id, Sharing())}
        for snapshot_id in image.snapshot_ids:
            if all_disabled(region.users[snapshot_id]):
                shares[snapshot_id] = region.current.effective_volume(snapshot_id)
        still = [name for name, sharing in shares.items() if sharing.without(region.target.account_id)]
        if still:
            yield Evidence(
                image.image_id,
                f"{image.image_id} ({image.name}) is disabled, but other accounts can still use "
                f"{', '.join(still)}.",
                "Unshare the image (golden.images.unshare_ami, or golden.images.remediate_ami_sharing if "
                "snapshots are public), or restore it (golden.images.restore_ami).",
                image.image_id,
            )


CAUSE = Cause(
    code="shared_but_disabled",
    severity=Severity.MEDIUM,
    meaning="The image is disabled, but other accounts can still use it or its snapshots: disabling removes "
    "launch permissions only.",
    remedy="Unshare the image from the accounts that must not use it: `unshare_ami`, see "
    "[remediating](remediating.md).",
    find=_find,
    remediated="The principals that still have access may be allowed. Those that are not are "
    "`unknown_account`. Remove the access of the others with `golden.images.unshare_ami`; that of the public "
    "is `snapshot_public`.",
    of_snapshots=True,
    title="{resources}: disabled, but other accounts can still use it or its snapshots.",
)
