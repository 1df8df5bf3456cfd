# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_launch_probe``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..arguments import ACCOUNT_IDS_SPEC, CONSUMER_ROLE_SPEC, IMAGES_BY_TARGET_SPEC, LAUNCH_SPEC, Options
from .state import ProbeWanted

ARGUMENT_SPEC: dict[str, Any] = {
    **IMAGES_BY_TARGET_SPEC,
    **CONSUMER_ROLE_SPEC,
    **LAUNCH_SPEC,
    "account_ids": {**ACCOUNT_IDS_SPEC, "required": True},
    "instance_type": {"type": "str"},
    "wait_timeout": {"type": "int", "default": 300},
}


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> ProbeWanted:
    """Read the options.

    Raises:
        Refused: with every option that is not valid.
    """
    options = Options(params, allows_planned=check_mode)
    wanted = ProbeWanted(
        images=options.images_by_target(),
        account_ids=tuple(sorted({*options.account_ids("account_ids")})),
        network=options.network(),
        launch_tags=options.launch_tags(),
        instance_type=options.instance_type(),
        wait_timeout=params["wait_timeout"],
        consumer_role=options.consumer_role(),
        only_planned=check_mode,
    )
    if not params["account_ids"]:
        options.refuse("account_ids", "there are no accounts.", "List the accounts that launch the images.")
    if wanted.wait_timeout < 1:
        options.refuse(
            "wait_timeout",
            f"must be at least 1 second (got {wanted.wait_timeout}).",
            "Use a number of seconds such as 300.",
        )
    for target in wanted.targets():
        if wanted.network.subnet_id(target) is None:
            options.refuse(
                "subnet_ids",
                f"no subnet is set for {target.region} in account {target.account_id}.",
                "Map the region to a subnet, or to a mapping of account to subnet.",
            )
    options.check()
    return wanted
