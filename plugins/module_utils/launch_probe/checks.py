# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why an image cannot be launched in an account, found before anything is launched."""

from __future__ import annotations

from ..failures import Failure
from ..model import SMALLEST_INSTANCE_TYPES, Image
from .options import ProbeOptions
from .request import instance_type
from .state import Probe, ProbeSeen


def precheck(options: ProbeOptions, seen: ProbeSeen, probe: Probe) -> Failure | None:
    """Why an image is not launched in an account, None if it is."""
    if probe.target in seen.problems:
        return seen.problems[probe.target]
    if probe.image_id is None:
        return None
    return _check_image(options, probe, seen.images[probe])


def _check_image(options: ProbeOptions, probe: Probe, image: Image | None) -> Failure | None:
    if image is None:
        return Failure.at(
            probe.target,
            "DescribeImages",
            "not_visible",
            f"{probe.image_id} is not visible in account {probe.target.account_id}.",
            "Share it with the account (ami_share). The account's Allowed AMIs settings can hide it, too.",
        )
    if image.state != "available":
        return Failure.at(
            probe.target,
            "DescribeImages",
            "image_not_available",
            f"{image.image_id} is {image.state}.",
            "Wait until it is available, or set another image.",
        )
    if instance_type(options, image) is None:
        return Failure.at(
            probe.target,
            "instance_type",
            "missing_instance_type",
            _no_default(image),
            "Set an instance_type that the image supports.",
        )
    return None


def _no_default(image: Image) -> str:
    """Why an image has no default instance type."""
    default = SMALLEST_INSTANCE_TYPES.get(image.architecture)
    if default is None:
        return (
            f"There is no default instance type for {image.architecture or 'the unknown architecture'} of "
            f"{image.image_id}, only for {', '.join(sorted(SMALLEST_INSTANCE_TYPES))}."
        )
    if image.ena_support is False:
        return f"{image.image_id} does not support ENA, which the default instance type {default} requires."
    return f"The instance type specification of {image.image_id} excludes the default type {default}."
