# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the source: one image for all regions, or each region's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .._aws import errors, read
from .._aws.caller import identify_for_checks, region_for_checks
from .._aws.clients import Clients
from .._aws.parameters import current
from .._aws.read import SETTLING_GRACE_PERIOD, Caller
from .._causes import MOST_NAMED
from .._failures import IMAGE_RECALLED, Failure, TargetFailed, ValidationError, invalid_option
from .._fanout import map_parallel
from .._keys.encryption import check_source
from .._listing import join_texts
from .._model import Image, Target, time_of
from .._plan import KNOWN_AFTER_APPLY
from .._tags import refuse_recalled, without_copies
from . import checks as copy_checks
from .options import CopyOptions
from .state import USABLE_STATES

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import FilterTypeDef


@dataclass(frozen=True)
class Sources:
    """Account of the credentials, and the source of each region.

    ``unread`` maps best-effort regions whose source cannot be copied to the reasons. ``images`` lacks them.
    """

    caller: Caller
    images: Mapping[str, Image]
    unread: Mapping[str, tuple[Failure, ...]] = field(default_factory=dict)


def read_sources(clients: Clients, options: CopyOptions) -> Sources:
    """Read and check the regions and the sources.

    Raises:
        ValidationError: with all reasons why regions or sources cannot be used, except those of best-effort
            regions.
    """
    region = options.first_source_region
    caller, checked_in = identify_for_checks(clients, region_for_checks(clients, [region]))
    clients.open("ec2", [checked_in])
    try:
        known = read.regions(clients.ec2(checked_in))
        others = {} if known.keys() >= {region, *options.regions} else clients.partitions()
        failures = copy_checks.check_regions(options, known, caller.partition, others)
        if any(failure.action == "source_region" for failure in failures):
            raise ValidationError(failures)
        clients.open("ec2", [region])
        if options.source_images:
            if failures:
                raise ValidationError(failures)
            return _read_each(clients, options, options.source_images, caller)
        source = _find_source(clients, options, caller.account_id)
        if isinstance(source, Failure):
            failures += (source,)
        else:
            unreadable = _unreadable_snapshots(clients, options, source, caller.account_id)
            failures += copy_checks.check_source(caller.account_id, source, region, unreadable)
            failures += check_source(options.encryption, source)
            failures += copy_checks.check_consumers(options, caller.account_id, source)
    except errors.AWS_ERRORS as exception:
        failed = errors.failure(exception, None, "DescribeImages")
        # The failure concerns all regions, and this one may be none of them.
        message = f"The source could not be read in {region}: {failed.message}"
        raise ValidationError([replace(failed, message=message)]) from exception
    if failures or isinstance(source, Failure):
        raise ValidationError(failures)
    return Sources(caller, dict.fromkeys(options.regions, source))


def _read_each(
    clients: Clients, options: CopyOptions, image_ids: Mapping[str, str | None], caller: Caller
) -> Sources:
    """Read the source of each region in that region."""
    clients.open("ec2", options.regions)

    def read_source(region: str) -> Image:
        image_id = image_ids[region]
        if image_id is None:
            # Another task has planned this image in check mode; nothing else is known.
            return Image(KNOWN_AFTER_APPLY, KNOWN_AFTER_APPLY, caller.account_id, "available")
        # Usually a copy that has just been started, or has just become available.
        find = read.visible_image if options.source_is_ready else read.settled_image
        source = find(clients.ec2(region), image_id)
        if source is None:
            raise TargetFailed(errors.no_image(image_id, Target(caller.account_id, region)))
        return source

    optional = options.best_effort_regions
    images, failed = map_parallel(
        options.regions, read_source, optional=optional, grace_period=SETTLING_GRACE_PERIOD
    )
    failures: dict[str, tuple[Failure, ...]] = {
        region: (errors.failure(exception, Target(caller.account_id, region), "DescribeImages"),)
        for region, exception in failed.items()
    }
    for region, source in images.items():
        target = Target(caller.account_id, region)
        refusals = (
            *refuse_recalled(source.image_id, source.tags, target, "source_images"),
            *(() if options.source_is_ready else copy_checks.check_state(source, region)),
            *check_source(options.encryption, source),
        )
        if refusals:
            failures[region] = refusals
    if required := [
        item
        for region in failures
        for item in failures[region]
        if region not in options.best_effort_regions or item.error_code == IMAGE_RECALLED
    ]:
        raise ValidationError(required)
    return Sources(caller, {region: images[region] for region in images if region not in failures}, failures)


def _find_source(clients: Clients, options: CopyOptions, account_id: str) -> Image | Failure:
    """Return the source, or why there is none."""
    ec2, image_id = clients.ec2(options.first_source_region), options.source_image_id
    if options.source_parameter is not None:
        named_image = _read_parameter(clients, options.source_parameter, options.first_source_region)
        if isinstance(named_image, Failure):
            return named_image
        image_id = named_image
    if image_id is not None:
        return read.image(ec2, image_id) or _refuse_invisible(options, image_id, account_id)
    filters: list[FilterTypeDef] = [
        {"Name": name, "Values": list(values)} for name, values in (options.source_filters or {}).items()
    ]
    matches = without_copies(read.images(ec2, filters, options.source_owners), options.first_source_region)
    alive = [image for image in matches if image.state in USABLE_STATES]
    now = datetime.now(UTC)
    deprecated = [image for image in alive if _is_withdrawn(image, account_id, now)]
    newest = _newest(image for image in alive if image not in deprecated)
    return newest or _refuse_no_match(options, _newest(deprecated))


def _newest(images: Iterable[Image]) -> Image | None:
    return max(images, key=lambda image: (image.creation_date, image.image_id), default=None)


def _is_withdrawn(image: Image, account_id: str, now: datetime) -> bool:
    """Whether another owner has deprecated the image. AWS's own searches then leave it out.

    Source: botocore shape DescribeImagesRequest, IncludeDeprecated.
    """
    deprecated = time_of(image.deprecation_time)
    return image.owner_id != account_id and deprecated is not None and deprecated <= now


def _read_parameter(clients: Clients, parameter: str, region: str) -> str | Failure:
    """Return the image ID in an SSM parameter, or why there is none."""
    clients.open("ssm", [region])
    try:
        image_parameter = current(clients.ssm(region), parameter)
    except errors.AWS_ERRORS as exception:
        return errors.failure(exception, None, "GetParameter")
    problem = "does not exist" if image_parameter is None else image_parameter.not_an_image()
    if image_parameter is not None and problem is None:
        return image_parameter.value
    return invalid_option(
        "source_parameter",
        f"source_parameter: {parameter} in {region} {problem}.",
        "Check its name and source_region, or write the ID of the source image into it.",
    )


def _refuse_invisible(options: CopyOptions, image_id: str, account_id: str) -> Failure:
    if options.source_parameter is not None:
        return invalid_option(
            "source_parameter",
            f"source_parameter: {options.source_parameter} names {image_id}, which account {account_id} "
            f"cannot see in {options.first_source_region}.",
            "Write the ID of an existing image into it. Another account's must be shared with this one.",
        )
    return invalid_option(
        "source_image_id",
        f"source_image_id: account {account_id} cannot see image {image_id} in "
        f"{options.first_source_region}.",
        "Check the ID and source_region. Another account's image must be shared with this one.",
    )


def _refuse_no_match(options: CopyOptions, deprecated: Image | None) -> Failure:
    """Return the failure of filters without a usable match. ``deprecated`` is the newest that is left out."""
    if deprecated is not None:
        return invalid_option(
            "source_filters",
            f"source_filters: all images of other accounts that match in {options.first_source_region} are "
            f"deprecated, the newest, {deprecated.image_id}, since {deprecated.deprecation_time}.",
            f"Check the filters, or set source_image_id: {deprecated.image_id} to copy it nevertheless.",
        )
    return invalid_option(
        "source_filters",
        f"source_filters: no image owned by {join_texts(options.source_owners, MOST_NAMED)} matches in "
        f"{options.first_source_region}.",
        "Check the filters, source_owners and source_region.",
    )


def _unreadable_snapshots(
    clients: Clients, options: CopyOptions, source: Image, account_id: str
) -> tuple[str, ...]:
    if options.account_ids or source.owner_id == account_id:
        # With account_ids each account's own access is checked instead.
        return ()
    ec2 = clients.ec2(options.first_source_region)
    visible = {item.snapshot_id for item in read.visible_snapshots(ec2, source.snapshot_ids)}
    return tuple(snapshot_id for snapshot_id in source.snapshot_ids if snapshot_id not in visible)
