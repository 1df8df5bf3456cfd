# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All causes of findings. A new one is a file of this package, and two lines here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..._finding import Severity
from ..cause import Cause, Remediation
from . import (
    access_remains_through_organization,
    default_key,
    key_not_enabled,
    key_of_other_account,
    key_public,
    missing_key_access,
    public,
    shared_but_disabled,
    snapshot_public,
    snapshot_wider_than_image,
    stale_principal,
    unknown_key_principal,
    unknown_parameter_consumer,
    unknown_principals,
    unreadable,
    unused_key_access,
)

_ALL = (
    access_remains_through_organization.CAUSE,
    default_key.CAUSE,
    key_not_enabled.CAUSE,
    key_of_other_account.CAUSE,
    key_public.CAUSE,
    missing_key_access.CAUSE,
    public.CAUSE,
    shared_but_disabled.CAUSE,
    snapshot_public.CAUSE,
    snapshot_public.BLOCKED,
    snapshot_wider_than_image.CAUSE,
    stale_principal.CAUSE,
    unknown_key_principal.CAUSE,
    unknown_parameter_consumer.CAUSE,
    unknown_principals.ACCOUNT,
    unknown_principals.ORGANIZATION,
    unknown_principals.UNIT,
    unreadable.ACCOUNT,
    unreadable.BLOCK_PUBLIC_ACCESS,
    unreadable.IMAGE,
    unreadable.KEY,
    unreadable.PARAMETERS,
    unreadable.REGION,
    unreadable.SNAPSHOT,
    unreadable.UNUSED_SNAPSHOTS,
    unused_key_access.GRANT,
    unused_key_access.STATEMENT,
)
CAUSES: Mapping[str, Cause] = MappingProxyType(
    {cause.code: cause for cause in sorted(_ALL, key=lambda cause: cause.code)}
)
"""Each cause by its code, in their order."""
NOT_ALLOWED = tuple(code for code, cause in CAUSES.items() if cause.remediation is Remediation.BY_DEFAULT)
"""Codes for principals that have access to an image or snapshot and are not on the allowlist."""
MEANINGS: Mapping[str, str] = MappingProxyType({code: cause.meaning for code, cause in CAUSES.items()})
"""Meaning of each code, in reports and in the table of docs/auditing.md."""
UNREADABLE = frozenset(code for code in CAUSES if code.endswith("_unreadable"))
"""Codes for what could not be read."""
SAME_IMAGES = frozenset(code for code, cause in CAUSES.items() if cause.same_images)
"""Codes for one principal each. Those that can use the same images are shown as one group."""


_OTHER = Cause(code="", severity=Severity.LOW, meaning="", remedy="")


def cause_of(code: str) -> Cause:
    """Return the cause with a code, or one without words for a code of another version."""
    return CAUSES.get(code, _OTHER)


def urgency(code: str) -> int:
    """Return the rank of a code among those of its severity: public access first, what was not read last."""
    return cause_of(code).urgency
