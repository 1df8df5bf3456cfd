# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of the parameter and the launch templates that an image is published in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .._failures import Failure
from .._model import IMAGE_DATA_TYPE, RESOLVE, Image, ImageRef, Sharing, Target
from .._parameter_names import is_named
from .._parameter_share import ResourceShare
from .._tags import SOURCE_TAG
from .options import ADVANCED, DEFAULT, LATEST, STANDARD, PublishOptions

# This collection recognizes its versions by the labels. A label must not begin with a number, "aws" or "ssm"
# (Systems Manager API Reference, LabelParameterVersion).
LABEL_PREFIX = "source-"
# Systems Manager API Reference, errors of PutParameter.
MAX_VERSIONS = 100


@dataclass(frozen=True)
class ParameterVersion:
    """A version of a parameter (botocore shape ``ParameterHistory``)."""

    version: int
    value: str
    type: str = "String"
    data_type: str = IMAGE_DATA_TYPE
    tier: str = STANDARD
    labels: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Parameter:
    """An SSM parameter: all its versions, oldest first and at least one, and its tags if they matter."""

    versions: tuple[ParameterVersion, ...]
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def latest(self) -> ParameterVersion:
        """Return the version that the parameter's name stands for."""
        return self.versions[-1]

    @property
    def is_full(self) -> bool:
        """Whether AWS has to delete the oldest version to make room for a new one."""
        return len(self.versions) >= MAX_VERSIONS

    @property
    def holds_image(self) -> bool:
        """Whether the parameter has the type and the data type that AWS validates to be an image."""
        return (self.latest.type, self.latest.data_type) == ("String", IMAGE_DATA_TYPE)

    def has_value(self, value: str) -> bool:
        """Whether any version has this value."""
        return any(version.value == value for version in self.versions)

    def version_with_label(self, label: str) -> ParameterVersion | None:
        """Return the version that has the label; at most one has it."""
        return next((version for version in self.versions if label in version.labels), None)


@dataclass(frozen=True)
class TemplateVersion:
    """A version of a launch template; ``data`` is its content (botocore shape ``LaunchTemplateData``).

    Its text leaves ``data`` out, because user data may hold secrets. ``arn_name`` is the name of the
    account's parameter that it takes its image from, if it names that parameter by ARN.
    """

    number: int
    data: Mapping[str, Any] = field(repr=False)
    arn_name: str = ""

    @property
    def image_id(self) -> str | None:
        """Return the AMI ID, or ``resolve:ssm:`` and a parameter; None if launches select it."""
        return self.data.get("ImageId") or None

    @property
    def instance_type(self) -> str | None:
        """Return the instance type; None if launches select it, or the template has requirements."""
        return self.data.get("InstanceType") or None

    @property
    def requirements(self) -> Mapping[str, Any]:
        """Return the requirements by which AWS selects types (botocore shape ``InstanceRequirements``)."""
        return self.data.get("InstanceRequirements") or {}

    @property
    def mappings(self) -> Sequence[Mapping[str, Any]]:
        """Return the block device mappings (botocore shape ``LaunchTemplateBlockDeviceMapping``)."""
        return tuple(self.data.get("BlockDeviceMappings", ()))


@dataclass(frozen=True)
class InstanceType:
    """An instance type as DescribeInstanceTypes returns it (botocore shape ``InstanceTypeInfo``).

    A value that AWS does not return is empty or None. ``vcpus`` is the default number.
    """

    name: str
    architectures: frozenset[str] = frozenset()
    boot_modes: frozenset[str] = frozenset()
    ena_support: str = ""
    tpm_support: str = ""
    vcpus: int | None = None
    memory_mib: int | None = None
    bare_metal: bool | None = None
    burstable: bool | None = None
    virtualizations: frozenset[str] = frozenset()
    root_device_types: frozenset[str] = frozenset()


@dataclass(frozen=True)
class LaunchTemplate:
    """A launch template with its default and its latest version, which may be the same."""

    template_id: str
    default: TemplateVersion
    latest: TemplateVersion


@dataclass(frozen=True)
class Origin:
    """The original source of an image, or the last known one of its sources.

    ``created`` is the time of its creation, None if unknown; ``not_after`` is the latest possible time.
    ``problem`` is the reason why the source or its time is unknown.
    """

    ref: ImageRef
    created: datetime | None = None
    not_after: datetime | None = None
    problem: str = ""


@dataclass(frozen=True)
class TargetState:
    """The state of one target.

    ``image`` is the account's view of ``image_id``; ``named`` are the existing images that parameter and
    templates name, by ID. ``launch`` is None if the launch permissions do not matter. ``templates`` are by
    the requested names, without missing ones. ``shares`` are the resource shares of the parameter's name, in
    the own account if it is shared, and ``other_shares`` those of other names that have the parameter.
    ``types`` are the region's instance types that the templates can have, by name. ``encrypts`` is whether
    the account encrypts EBS volumes by default, None if that was not read.
    """

    image_id: str | None = None
    image: Image | None = None
    parameter: Parameter | None = None
    templates: Mapping[str, LaunchTemplate] = field(default_factory=dict)
    named: Mapping[str, Image] = field(default_factory=dict)
    launch: Sharing | None = None
    types: Mapping[str, InstanceType] = field(default_factory=dict)
    encrypts: bool | None = None
    shares: tuple[ResourceShare, ...] = ()
    other_shares: tuple[ResourceShare, ...] = ()


@dataclass(frozen=True)
class PublishState:
    """The state of every target; ``source`` is the source of planned copies, if known.

    ``unread`` are the failures of the best-effort targets that could not be read. ``origins`` are by image,
    for those whose ages are compared.
    """

    account_id: str
    partition: str
    targets: Mapping[Target, TargetState]
    source: Image | None = None
    unread: Mapping[Target, Failure] = field(default_factory=dict)
    origins: Mapping[ImageRef, Origin] = field(default_factory=dict)


def label_for(source_image_id: str) -> str:
    """Return the label of the version that names a copy of this source."""
    return LABEL_PREFIX + source_image_id


def label_of(image_id: str, views: Iterable[Image]) -> str:
    """Return the label of an image by its source, which the owner's tag or AWS records; else by its own ID.

    ``views`` are the accounts' views of the image: only its owner sees the tag.
    """
    images = list(views)
    tagged_sources = [view.tags[SOURCE_TAG].rpartition("/")[2] for view in images if SOURCE_TAG in view.tags]
    recorded_sources = [view.source_image_id for view in images if view.source_image_id]
    return label_for(next(iter((*tagged_sources, *recorded_sources)), image_id))


def common_labels(views: Mapping[str, Iterable[Image]], regions: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of images that are published together, by ID: an image and its copies share one.

    An image with copies in other regions has the label of its own ID, even if it is itself a copy, for
    example from a build account. An image that only accounts of its region have copied keeps the label of its
    source. ``views`` are the accounts' views of each image.
    """
    labels = {image_id: label_of(image_id, views_of_image) for image_id, views_of_image in views.items()}
    published = {label_for(image_id): image_id for image_id in labels}
    sources = {image_id: published[label] for image_id, label in labels.items() if label in published}
    copied = {source for image_id, source in sources.items() if regions[source] != regions[image_id]}
    origins = {image_id: _find_first_of_chain(image_id, sources) for image_id in labels}
    return {
        image_id: label_for(origin) if origin in copied else labels[origin]
        for image_id, origin in origins.items()
    }


def _find_first_of_chain(image_id: str, sources: Mapping[str, str]) -> str:
    """Return the first image of a chain of copies; any image of a circle, which wrong tags can make."""
    passed: set[str] = set()
    while image_id in sources and image_id not in passed:
        passed.add(image_id)
        image_id = sources[image_id]
    return image_id


def follows(version: TemplateVersion, parameter: str) -> bool:
    """Whether the version of a template takes its image from the parameter."""
    return version.image_id == RESOLVE + parameter or is_named(parameter, version.arn_name)


def follows_another(version: TemplateVersion, parameter: str) -> bool:
    """Whether the version of a template takes its image from another parameter."""
    named = version.image_id or ""
    return named.startswith(RESOLVE) and not follows(version, parameter)


def base_version(options: PublishOptions, template: LaunchTemplate) -> TemplateVersion:
    """Return the version that a new one is based on."""
    return template.latest if options.launch_template_base_version == LATEST else template.default


def versions_to_launch(options: PublishOptions, template: LaunchTemplate) -> tuple[TemplateVersion, ...]:
    """Return the versions that will launch the image: the base, and the latest if it follows the parameter.

    The latest version is kept if the user has selected the default version as the base.
    """
    base, latest = base_version(options, template), template.latest
    return (base, latest) if base != latest and follows(latest, options.parameter) else (base,)


def launches_image(options: PublishOptions, state: TargetState, version: TemplateVersion) -> bool:
    """Whether the version launches the image to publish already, so that nothing changes for it."""
    if state.image_id is None:
        return False
    if follows(version, options.parameter):
        return state.parameter is not None and state.parameter.latest.value == state.image_id
    return version.image_id == state.image_id


def versions_in_use(options: PublishOptions, template: LaunchTemplate) -> tuple[TemplateVersion, ...]:
    """Return the versions that must launch the image: the default and the latest version.

    Instances can be launched from each. If the user has selected the default version, the latest one does not
    count.
    """
    if options.launch_template_base_version == DEFAULT:
        return (template.default,)
    return (template.default, template.latest)


def needs_version(options: PublishOptions, parameter: Parameter | None, image_id: str | None) -> bool:
    """Whether the parameter needs a new version: for another image, or for the advanced tier."""
    if parameter is None or image_id is None:
        return True
    latest = parameter.latest
    return latest.value != image_id or (options.tier == ADVANCED and latest.tier == STANDARD)


def may_name(options: PublishOptions, parameter: Parameter, image_id: str | None, label: str) -> bool:
    """Whether the parameter may already name an unknown image, and then needs no new version.

    The ID of a planned copy is None, and so is the ID of an image in a region whose copies are not read yet.
    The newest version cannot name a copy of the image's source if it has only labels of other sources.
    ``label`` is the label of the image, which may be unknown.
    """
    latest = parameter.latest
    if image_id is not None or needs_version(options, parameter, latest.value):
        return False
    labels = {item for item in latest.labels if item.startswith(LABEL_PREFIX)}
    return label in labels or not label.startswith(LABEL_PREFIX) or not labels


def is_settled(options: PublishOptions, state: TargetState) -> bool:
    """Whether parameter and templates name the image already, so that nothing changes for their users."""
    return (
        state.parameter is not None
        and state.parameter.latest.value == state.image_id
        and all(
            name in state.templates
            and all(
                version.image_id == state.image_id or follows(version, options.parameter)
                for version in versions_in_use(options, state.templates[name])
            )
            for name in options.launch_templates
        )
    )
