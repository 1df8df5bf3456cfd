# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions for the settings of Allowed AMIs, per account and Region."""

from __future__ import annotations

import re
from typing import Any

from ...exceptions import NotSimulated
from .. import state
from ..access import Caller
from ..allowed_images import AUDIT_MODE, DISABLED, ENABLED, SEVERITIES, Criterion
from ..errors import Ec2Error, invalid_value
from ..ids import ACCOUNT_ID
from .registry import action

MOST_CRITERIA, MOST_PROVIDERS, MOST_NAMES, MOST_WATERMARKS = 10, 200, 50, 50
"""botocore operation ReplaceImageCriteriaInAllowedImagesSettings, shape ImageCriterionRequest."""

_ALIASES = frozenset({"amazon", "aws-marketplace", "aws-backup-vault"})
_NAME = re.compile(r"[A-Za-z0-9()\[\] ./\-'@_*?]{1,128}")


@action("GetAllowedImagesSettings")
def get_settings(caller: Caller, _: dict[str, Any]) -> dict[str, Any]:
    """Return the state and the criteria."""
    chosen = state.account_region(*caller)
    criteria = chosen.image_criteria
    return {"State": chosen.allowed_images_state, "ImageCriteria": criteria, "ManagedBy": "account"}


@action("EnableAllowedImagesSettings")
def enable_settings(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Enable the criteria, or audit mode.

    The effect of enabling without criteria is not documented.
    """
    wanted = params["AllowedImagesSettingsState"]
    if wanted not in (ENABLED, AUDIT_MODE):
        raise invalid_value("allowedImagesSettingsState", wanted, "Expected enabled or audit-mode.")
    chosen = state.account_region(*caller)
    if not chosen.image_criteria:
        raise NotSimulated("Allowed AMIs without criteria")
    chosen.allowed_images_state = wanted
    return {"AllowedImagesSettingsState": wanted}


@action("DisableAllowedImagesSettings")
def disable_settings(caller: Caller, _: dict[str, Any]) -> dict[str, Any]:
    """Disable Allowed AMIs; the criteria are kept."""
    state.account_region(*caller).allowed_images_state = DISABLED
    return {"AllowedImagesSettingsState": DISABLED}


@action("ReplaceImageCriteriaInAllowedImagesSettings")
def replace_criteria(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Replace all criteria."""
    criteria = params.get("ImageCriteria", [])
    if len(criteria) > MOST_CRITERIA:
        raise Ec2Error("InvalidParameterValue", f"At most {MOST_CRITERIA} image criteria")
    for criterion in criteria:
        _require_valid(criterion)
    state.account_region(*caller).image_criteria = criteria
    return {"ReturnValue": True}


def _require_valid(criterion: Criterion) -> None:
    providers, names = criterion.get("ImageProviders", []), criterion.get("ImageNames", [])
    for provider in providers:
        if provider not in _ALIASES | {"none"} and not ACCOUNT_ID.fullmatch(provider):
            raise invalid_value("imageProvider", provider)
    if "none" in providers and len(providers) > 1:
        raise invalid_value("imageProvider", "none", "With none, no other value can be specified.")
    for name in names:
        if not _NAME.fullmatch(name):
            raise invalid_value("imageName", name)
    severity = criterion.get("ScanResultCondition", {}).get("MaximumSeverityLabel", SEVERITIES[0])
    if severity not in SEVERITIES:
        raise invalid_value("maximumSeverityLabel", severity)
    watermarks = criterion.get("ImageWatermarks", [])
    if len(providers) > MOST_PROVIDERS or len(names) > MOST_NAMES or len(watermarks) > MOST_WATERMARKS:
        raise Ec2Error("InvalidParameterValue", "Too many values in an image criterion")
