# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why an image cannot be published, found before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..failures import Failure
from ..listing import listed
from ..model import IMAGE_DATA_TYPE, Image, Target
from ..tags import MAX_TAGS
from .launch_data import change_for, differing_data, missing_devices, small_volumes
from .launches import conflicts, misfits
from .options import ADVANCED, LATEST, STANDARD, PublishOptions
from .origins import compare
from .state import (
    LABEL_PREFIX,
    MAX_VERSIONS,
    Parameter,
    PublishSeen,
    TargetSeen,
    base_version,
    follows_another,
    label_for,
    launches_image,
    may_name,
    needs_version,
    versions_to_launch,
)

# Systems Manager API Reference, errors of LabelParameterVersion.
MAX_LABELS = 10
# So many labels that exist are named, more are counted.
_NAMED = 3


class Obstacle(NamedTuple):
    """A reason for a refusal. The fields are those of ``Failure``."""

    error_code: str
    action: str
    message: str
    remedy: str


def refusals(wanted: PublishOptions, seen: PublishSeen, target: Target, label: str) -> Iterator[Failure]:
    """Every reason why the image cannot be published in one target."""
    there = seen.targets[target]
    own = target.account_id == seen.account_id
    found = [*_of_image(wanted, there, own), *_of_kind(wanted, there, seen.source)]
    found += _of_age(wanted, seen, target)
    if there.parameter is not None:
        found += _of_parameter(wanted, there.parameter, there.image_id, label)
    for name in wanted.launch_templates:
        found += _of_template(wanted, seen, there, name)
    where = "" if own else f"In account {target.account_id}: "
    for one in found:
        yield Failure.at(target, one.action, one.error_code, where + one.message, one.remedy)


def _of_image(wanted: PublishOptions, there: TargetSeen, own: bool) -> Iterator[Obstacle]:
    image = there.image
    if there.image_id is None and wanted.is_rollback:
        label = label_for(wanted.source_image_id or "")
        others = _labels(there.parameter) if there.parameter else []
        yield Obstacle(
            "label_not_found",
            "source_image_id",
            f"No version of {wanted.parameter} has the label {label}: no copy of it was published here, or "
            f"the label was removed. {_listed(others)}",
            "Set source_image_id to the ID in one of these labels, or remove the region."
            if others
            else "Publish the copy of this region first (ami_publish with images), or remove the region.",
        )
    if there.image_id is not None and image is None and (own or not wanted.as_if_shared):
        yield Obstacle(
            "image_not_found",
            "DescribeImages",
            f"{there.image_id} does not exist or is not visible.",
            _where_it_went(wanted, own),
        )
    if image is not None and image.state != "available":
        reason = f" ({image.state_reason})" if image.state_reason else ""
        disabled = image.state == "disabled"
        yield Obstacle(
            "image_not_available",
            "DescribeImages",
            f"{image.image_id} is {image.state}{reason}.",
            "Enable it (EnableImage), and share it again." if disabled else "Publish an available image.",
        )
    if image is not None and there.launch is not None and not there.launch.without(image.owner_id):
        yield Obstacle(
            "not_shared",
            "require_shared",
            f"{image.image_id} is not shared with any other account.",
            "Share it first (ami_share), or set require_shared: false.",
        )


def _labels(parameter: Parameter) -> list[str]:
    """This collection's labels with their versions, the newest version first."""
    return [
        f"{label} (version {version.version})"
        for version in reversed(parameter.versions)
        for label in sorted(version.labels)
        if label.startswith(LABEL_PREFIX)
    ]


def _listed(labels: list[str]) -> str:
    if not labels:
        return "There are no labels of other images."
    return f"Labels there: {listed(labels, _NAMED)}."


def _where_it_went(wanted: PublishOptions, own: bool) -> str:
    if not own:
        return (
            "Share it with the account (ami_share). If it is shared, the account's Allowed AMIs settings can "
            "hide it. If it was deregistered, publish another one."
        )
    if wanted.is_rollback:
        return "It was deregistered: publish another copy (ami_publish with images), or remove the region."
    return "Check the AMI ID and the region: the copy in each region has its own ID."


def _of_kind(wanted: PublishOptions, there: TargetSeen, source: Image | None) -> Iterator[Obstacle]:
    """Refuse a change that users do not expect: they keep their instance types and their user data."""
    image = there.image if there.image_id is not None else source
    named = [(name, base_version(wanted, template).image_id) for name, template in there.templates.items()]
    if there.parameter is not None:
        named.insert(0, (wanted.parameter, there.parameter.latest.value))
    for name, image_id in named:
        present = there.named.get(image_id or "")
        if image is None or present is None:
            continue
        if image.architecture != present.architecture:
            yield Obstacle(
                "architecture_mismatch",
                "DescribeImages",
                f"{image.image_id} is for {image.architecture}, but {name} has {present.image_id} for "
                f"{present.architecture}.",
                "Use separate parameters and launch templates for each architecture.",
            )
        if image.is_windows != present.is_windows:
            new, old = ("is", "is not") if image.is_windows else ("is not", "is")
            yield Obstacle(
                "platform_mismatch",
                "DescribeImages",
                f"{image.image_id} {new} for Windows, but {name} has {present.image_id}, which {old}.",
                "Use separate parameters and launch templates for Windows.",
            )


def _of_age(wanted: PublishOptions, seen: PublishSeen, target: Target) -> Iterator[Obstacle]:
    """Refuse an unwanted step back, such as by an old file of variables."""
    found = compare(wanted, seen, target)
    if found is not None and found.is_older:
        yield Obstacle(
            "older_than_published",
            "publish_older",
            f"{found.new} is older than {found.published}, which {wanted.parameter} has.",
            "Publish a newer image. To go back to this one, roll back (rollback_ami), or set "
            "publish_older: true.",
        )


def _of_parameter(
    wanted: PublishOptions, parameter: Parameter, image_id: str | None, label: str
) -> Iterator[Obstacle]:
    latest, name = parameter.latest, wanted.parameter
    if not parameter.holds_image:
        kind = latest.type if latest.type != "String" else f"String of data type {latest.data_type}"
        yield Obstacle(
            "wrong_parameter_type",
            "parameter",
            f"{name} is a {kind}, not a String of data type {IMAGE_DATA_TYPE}, and AWS cannot change that.",
            "Use another parameter, or delete this one.",
        )
    if wanted.tier == STANDARD and latest.tier == ADVANCED:
        yield Obstacle(
            "wrong_parameter_tier",
            "tier",
            f"{name} is an advanced parameter, which AWS cannot change to standard.",
            "Remove tier, or delete the parameter.",
        )
    if needs_version(wanted, parameter, image_id):
        if not may_name(wanted, parameter, image_id, label):
            yield from full(name, parameter)
    elif label not in latest.labels and len(latest.labels) >= MAX_LABELS:
        yield Obstacle(
            "too_many_parameter_labels",
            "LabelParameterVersion",
            f"Version {latest.version} of {name} has {MAX_LABELS} labels, the maximum.",
            "Remove one of them.",
        )
    count = len({**parameter.tags, **wanted.parameter_tags})
    if count > MAX_TAGS:
        yield Obstacle(
            "invalid_option",
            "parameter_tags",
            f"parameter_tags: {name} would have {count} tags; AWS allows {MAX_TAGS}.",
            "Use fewer tags.",
        )


def full(name: str, parameter: Parameter) -> Iterator[Obstacle]:
    """Why the parameter takes no new version, if it takes none."""
    oldest = parameter.versions[0]
    foreign = sorted(one for one in oldest.labels if not one.startswith(LABEL_PREFIX))
    if foreign and parameter.is_full:
        yield Obstacle(
            "too_many_parameter_versions",
            "PutParameter",
            f"{name} has {MAX_VERSIONS} versions. The oldest, {oldest.version}, has the label "
            f"{', '.join(foreign)}, so that AWS does not delete it and rejects a new one.",
            "Move that label to another version.",
        )


def _of_template(
    wanted: PublishOptions, seen: PublishSeen, there: TargetSeen, name: str
) -> Iterator[Obstacle]:
    template = there.templates.get(name)
    is_latest = wanted.launch_template_base_version == LATEST
    which, make = ("latest", "create a version") if is_latest else ("default", "set a default version")
    if template is None:
        yield Obstacle(
            "launch_template_not_found",
            "launch_templates",
            f"launch_templates: {name} does not exist.",
            "Create it in this region, or remove it. An ID is of one region; a name can exist in all.",
        )
    elif wanted.launch_template_base_version is None and (
        differing := differing_data(wanted, seen, there, template)
    ):
        yield Obstacle(
            "launch_template_versions_differ",
            "launch_templates",
            f"launch_templates: {name} has the default version {template.default.number} and the latest "
            f"version {template.latest.number}, which differ in {', '.join(differing)}.",
            "Set launch_template_base_version to default or latest, the version with the right parameters. "
            "The new version is based on it, and is then both the default and the latest one.",
        )
    elif follows_another(base := base_version(wanted, template), wanted.parameter):
        yield Obstacle(
            "launch_template_follows_parameter",
            "launch_templates",
            f"The {which} version of {name} takes its image from {base.image_id}.",
            f"Publish in that parameter, or {make} with an image ID.",
        )
    else:
        yield from _of_launches(wanted, seen, there, name, make)
        change = change_for(wanted, seen, there, base)
        if launches_image(wanted, there, base):
            return
        image_id = change.image.image_id if change.image else change.name
        if missing := list(missing_devices(base, change)):
            yield Obstacle(
                "launch_template_device_missing",
                "launch_templates",
                f"The {which} version of {name} changes {', '.join(missing)}. {image_id} has no such device.",
                f"{make.capitalize()} without that device.",
            )
        for device, size, needed in small_volumes(base, change):
            yield Obstacle(
                "launch_template_volume_too_small",
                "launch_templates",
                f"The {which} version of {name} has {size} GiB for {device}; {image_id} has {needed} GiB.",
                f"{make.capitalize()} with at least {needed} GiB, or without that size.",
            )


def _of_launches(
    wanted: PublishOptions, seen: PublishSeen, there: TargetSeen, name: str, make: str
) -> Iterator[Obstacle]:
    """Refuse instance types and options with which EC2 would refuse each launch of the template."""
    for version in versions_to_launch(wanted, there.templates[name]):
        change = change_for(wanted, seen, there, version)
        if change.image is None or launches_image(wanted, there, version):
            continue
        for misfit in misfits(version, change.image, there.types):
            yield Obstacle(
                "launch_template_type_unsupported",
                "launch_templates",
                f"Version {version.number} of {name} {misfit}.",
                f"{make.capitalize()} with an instance type that the image supports, or leave {name} out.",
            )
        for conflict in conflicts(version, change, there):
            yield Obstacle(
                "launch_template_options_unsupported",
                "launch_templates",
                f"Version {version.number} of {name} {conflict.text}.",
                f"{make.capitalize()} {conflict.cure}, or leave {name} out.",
            )
