# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse images that cannot be published, before anything is changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from .._failures import Failure
from .._listing import join_texts
from .._model import IMAGE_DATA_TYPE, Image, Target
from .._tags import MAX_TAGS, refuse_recalled
from .launch_data import find_change, find_differing_data, find_missing_devices, find_small_volumes
from .launches import explain_misfits, find_conflicts
from .options import ADVANCED, EMPTY_PURGE, EMPTY_PURGE_REMEDY, LATEST, STANDARD, PublishOptions
from .origins import compare
from .resource_share import find_conflict, find_difference
from .state import (
    LABEL_PREFIX,
    MAX_VERSIONS,
    Parameter,
    PublishState,
    TargetState,
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
# A message names at most this many labels, and counts the others.
_NAMED = 3


class Obstacle(NamedTuple):
    """A reason for a refusal, with fields of ``Failure``."""

    error_code: str
    action: str
    message: str
    remedy: str


def list_refusals(
    options: PublishOptions, current: PublishState, target: Target, label: str
) -> Iterator[Failure]:
    """Yield every reason why the image cannot be published in a target."""
    state = current.targets[target]
    own = target.account_id == current.account_id
    obstacles = [*_check_image(options, state, own), *_check_kind(options, state, current.source)]
    obstacles += _check_recall(current, target)
    obstacles += _check_age(options, current, target)
    if state.parameter is not None:
        obstacles += _check_parameter(options, state.parameter, state.image_id, label)
    obstacles += _check_share(options, current, target)
    for name in options.launch_templates:
        obstacles += _check_template(options, current, state, name)
    where = "" if own else f"In account {target.account_id}: "
    for obstacle in obstacles:
        yield Failure.at(
            target, obstacle.action, obstacle.error_code, where + obstacle.message, obstacle.remedy
        )


def _check_image(options: PublishOptions, state: TargetState, own: bool) -> Iterator[Obstacle]:
    image = state.image
    if state.image_id is None and options.is_rollback:
        label = label_for(options.source_image_id or "")
        if state.parameter is None:
            yield Obstacle(
                "label_not_found",
                "parameter",
                f"The parameter {options.parameter} does not exist.",
                "Check the name, or remove the region if nothing was published there.",
            )
            return
        others = list_own_labels(state.parameter)
        yield Obstacle(
            "label_not_found",
            "source_image_id",
            f"No version of {options.parameter} has the label {label}: no copy of it was published here, or "
            f"the label was removed. {name_labels(others)}",
            "Set source_image_id to the ID in one of these labels, or remove the region."
            if others
            else "Publish the copy of this region first (golden.images.publish_ami), or remove the region.",
        )
    if state.image_id is not None and image is None and (own or not options.as_if_shared):
        yield Obstacle(
            "image_not_found",
            "DescribeImages",
            f"{state.image_id} does not exist or is not visible.",
            _remedy_for_missing_image(options, own),
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
    if image is not None and state.launch is not None and not state.launch.without(image.owner_id):
        yield Obstacle(
            "not_shared",
            "require_shared",
            f"{image.image_id} is not shared with any other account.",
            "Share it first (ami_share), or set require_shared: false.",
        )


def _check_share(options: PublishOptions, current: PublishState, target: Target) -> Iterator[Obstacle]:
    if options.is_empty_purge:
        yield Obstacle(
            "invalid_option", "publish_share_purge", f"publish_share_purge: {EMPTY_PURGE}", EMPTY_PURGE_REMEDY
        )
    if conflict := find_conflict(options, current, target):
        yield Obstacle("resource_share_conflict", "publish_share", *conflict)
    if difference := find_difference(options, current, target):
        yield Obstacle("resource_share_differs", "publish_share_external", *difference)


def list_own_labels(parameter: Parameter, without: Collection[str] = ()) -> list[str]:
    """Return this collection's labels with their versions, the newest version first."""
    return [
        f"{label} (version {version.version})"
        for version in reversed(parameter.versions)
        for label in sorted(version.labels)
        if label.startswith(LABEL_PREFIX) and label not in without
    ]


def name_labels(labels: list[str]) -> str:
    """Return a sentence that names some of the labels, and counts the others."""
    if not labels:
        return "There are no labels of other images."
    return f"Labels there: {join_texts(labels, _NAMED)}."


def _remedy_for_missing_image(options: PublishOptions, own: bool) -> str:
    if not own:
        return (
            "Share it with the account (ami_share). If it is shared, the account's Allowed AMIs settings can "
            "hide it. If it was deregistered, publish another one."
        )
    if options.is_rollback:
        return "It was deregistered: publish another copy (ami_publish with images), or remove the region."
    return "Check the AMI ID and the region: the copy in each region has its own ID."


def _check_kind(options: PublishOptions, state: TargetState, source: Image | None) -> Iterator[Obstacle]:
    """Refuse another architecture or platform, for which instance types and user data do not fit."""
    image = state.image if state.image_id is not None else source
    named = [(name, base_version(options, template).image_id) for name, template in state.templates.items()]
    if state.parameter is not None:
        named.insert(0, (options.parameter, state.parameter.latest.value))
    for name, image_id in named:
        present = state.named.get(image_id or "")
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


def _check_recall(current: PublishState, target: Target) -> Iterator[Obstacle]:
    """Refuse an image that was recalled. Another account's has no tag that this one sees."""
    state = current.targets[target]
    image = state.image if state.image_id is not None else current.source
    if image is not None:
        for failure in refuse_recalled(image.image_id, image.tags, target, "DescribeImages"):
            yield Obstacle(failure.error_code, failure.action, failure.message, failure.remedy)


def _check_age(options: PublishOptions, current: PublishState, target: Target) -> Iterator[Obstacle]:
    """Refuse an older image, which for example an old file of variables may name."""
    ages = compare(options, current, target)
    if ages is not None and ages.is_older:
        yield Obstacle(
            "older_than_published",
            "publish_older",
            f"{ages.new} is older than {ages.published}, which {options.parameter} has.",
            "Publish a newer image. To go back to this one, roll back (rollback_ami), or set "
            "publish_older: true.",
        )


def _check_parameter(
    options: PublishOptions, parameter: Parameter, image_id: str | None, label: str
) -> Iterator[Obstacle]:
    latest, name = parameter.latest, options.parameter
    if not parameter.holds_image:
        kind = latest.type if latest.type != "String" else f"String of data type {latest.data_type}"
        yield Obstacle(
            "wrong_parameter_type",
            "parameter",
            f"{name} is a {kind}, not a String of data type {IMAGE_DATA_TYPE}, and AWS cannot change that.",
            "Use another parameter, or delete this one.",
        )
    if options.tier == STANDARD and latest.tier == ADVANCED:
        yield Obstacle(
            "wrong_parameter_tier",
            "tier",
            f"{name} is an advanced parameter, which AWS cannot change to standard.",
            "Remove tier, or delete the parameter.",
        )
    if needs_version(options, parameter, image_id):
        if not may_name(options, parameter, image_id, label):
            yield from check_version_limit(name, parameter)
    elif label not in latest.labels and len(latest.labels) >= MAX_LABELS:
        yield Obstacle(
            "too_many_parameter_labels",
            "LabelParameterVersion",
            f"Version {latest.version} of {name} has {MAX_LABELS} labels, the maximum.",
            "Remove one of them.",
        )
    count = len({**parameter.tags, **options.parameter_tags})
    if count > MAX_TAGS:
        yield Obstacle(
            "invalid_option",
            "parameter_tags",
            f"parameter_tags: {name} would have {count} tags; AWS allows {MAX_TAGS}.",
            "Use fewer tags.",
        )


def check_version_limit(name: str, parameter: Parameter) -> Iterator[Obstacle]:
    """Yield the reason if the parameter takes no new version."""
    oldest = parameter.versions[0]
    foreign = sorted(label for label in oldest.labels if not label.startswith(LABEL_PREFIX))
    if foreign and parameter.is_full:
        yield Obstacle(
            "too_many_parameter_versions",
            "PutParameter",
            f"{name} has {MAX_VERSIONS} versions. The oldest, {oldest.version}, has the label "
            f"{', '.join(foreign)}, so that AWS does not delete it and rejects a new one.",
            "Move that label to another version.",
        )


def _check_template(
    options: PublishOptions, current: PublishState, state: TargetState, name: str
) -> Iterator[Obstacle]:
    template = state.templates.get(name)
    is_latest = options.launch_template_base_version == LATEST
    which, make = ("latest", "create a version") if is_latest else ("default", "set a default version")
    if template is None:
        yield Obstacle(
            "launch_template_not_found",
            "launch_templates",
            f"launch_templates: {name} does not exist.",
            "Create it in this region, or remove it. An ID is of one region; a name can exist in all.",
        )
    elif options.launch_template_base_version is None and (
        differing := find_differing_data(options, current, state, template)
    ):
        yield Obstacle(
            "launch_template_versions_differ",
            "launch_templates",
            f"launch_templates: {name} has the default version {template.default.number} and the latest "
            f"version {template.latest.number}, which differ in {', '.join(differing)}.",
            "Set launch_template_base_version to default or latest, the version with the right parameters. "
            "The new version is based on it, and is then both the default and the latest one.",
        )
    elif follows_another(base := base_version(options, template), options.parameter):
        yield Obstacle(
            "launch_template_follows_parameter",
            "launch_templates",
            f"The {which} version of {name} takes its image from {base.image_id}.",
            f"Publish in that parameter, or {make} with an image ID.",
        )
    else:
        yield from _check_launches(options, current, state, name, make)
        change = find_change(options, current, state, base)
        if launches_image(options, state, base):
            return
        image_id = change.image.image_id if change.image else change.name
        if missing := list(find_missing_devices(base, change)):
            yield Obstacle(
                "launch_template_device_missing",
                "launch_templates",
                f"The {which} version of {name} changes {', '.join(missing)}. {image_id} has no such device.",
                f"{make.capitalize()} without that device.",
            )
        for device, size, needed in find_small_volumes(base, change):
            yield Obstacle(
                "launch_template_volume_too_small",
                "launch_templates",
                f"The {which} version of {name} has {size} GiB for {device}; {image_id} has {needed} GiB.",
                f"{make.capitalize()} with at least {needed} GiB, or without that size.",
            )


def _check_launches(
    options: PublishOptions, current: PublishState, state: TargetState, name: str, make: str
) -> Iterator[Obstacle]:
    """Refuse instance types and options with which EC2 would refuse each launch of the template."""
    for version in versions_to_launch(options, state.templates[name]):
        change = find_change(options, current, state, version)
        if change.image is None or launches_image(options, state, version):
            continue
        for misfit in explain_misfits(version, change.image, state.types):
            yield Obstacle(
                "launch_template_type_unsupported",
                "launch_templates",
                f"Version {version.number} of {name} {misfit}.",
                f"{make.capitalize()} with an instance type that the image supports, or leave {name} out.",
            )
        for conflict in find_conflicts(version, change, state):
            yield Obstacle(
                "launch_template_options_unsupported",
                "launch_templates",
                f"Version {version.number} of {name} {conflict.text}.",
                f"{make.capitalize()} {conflict.cure}, or leave {name} out.",
            )
