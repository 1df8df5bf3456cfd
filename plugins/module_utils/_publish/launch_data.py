# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adapt the data of a launch template's version to another image, so that instances can be launched.

Templates that were created in the console often contain the snapshots of their image (aws/aws-cli#4297). With
another image, EC2 refuses a launch with such a snapshot on the root device (``InvalidBlockDeviceMapping``),
and creates other volumes with the previous image's data. It also refuses a volume that is smaller than its
snapshot.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .._model import Image
from .._plan import KNOWN_AFTER_APPLY
from .options import PublishOptions
from .state import LaunchTemplate, PublishState, TargetState, TemplateVersion, follows, follows_another


class Change(NamedTuple):
    """The change of a template: ``name`` is its new image, an AMI ID or ``resolve:ssm:`` and a parameter.

    ``image`` is that image, None if it is not visible yet. ``previous`` is the image before, None if it is
    not visible. ``previous_id`` is empty if the image does not change.
    """

    name: str
    image: Image | None = None
    previous_id: str = ""
    previous: Image | None = None


def find_change(
    options: PublishOptions, current: PublishState, state: TargetState, version: TemplateVersion
) -> Change:
    """Return the change from a version to a new one; a planned copy has the devices of its source."""
    name, image = state.image_id or KNOWN_AFTER_APPLY, state.image
    if state.image_id is None:
        image = current.source
    previous_id = version.image_id or ""
    if follows(version, options.parameter):
        name, previous_id = previous_id, state.parameter.latest.value if state.parameter else ""
    if previous_id == state.image_id:
        previous_id = ""
    return Change(name, image, previous_id, state.named.get(previous_id))


def build_data(version: TemplateVersion, change: Change) -> dict[str, Any]:
    """Return the parameters of a new version that is based on this one.

    AWS inherits the other parameters, and all of the block devices except their snapshots, unless these are
    repeated (botocore shape ``CreateLaunchTemplateVersionRequest``, ``SourceVersion``).
    """
    mappings = fit_mappings(version, change)
    return {
        "ImageId": change.name,
        **_mapping_parameters(mappings if any(map(_snapshot_id, mappings)) else []),
    }


def build_request(template: LaunchTemplate, base: TemplateVersion, change: Change) -> dict[str, Any]:
    """Return the parameters of CreateLaunchTemplateVersion, including ClientToken, for a change of a version.

    The token is a hash of all other parameters and of the latest version's number. So two runs at once, which
    see the same latest version, create one version, and a later change back to an earlier image creates
    another one. It has 64 ASCII characters (EC2 Developer Guide, "Ensuring idempotency in Amazon EC2 API
    requests").
    """
    request: dict[str, Any] = {
        "LaunchTemplateId": template.template_id,
        "SourceVersion": str(base.number),
        "LaunchTemplateData": build_data(base, change),
    }
    identity = json.dumps([request, template.latest.number], sort_keys=True)
    return {**request, "ClientToken": hashlib.sha256(identity.encode()).hexdigest()}


def is_result(version: TemplateVersion, change: Change, of: TemplateVersion) -> bool:
    """Whether the version is the result of the change of ``of``, which can be the version itself."""
    mappings = [dict(mapping) for mapping in version.mappings if not _is_bare(mapping)]
    return {**version.data, "BlockDeviceMappings": mappings} == _new_data(of, change)


def find_differing_data(
    options: PublishOptions, current: PublishState, state: TargetState, template: LaunchTemplate
) -> list[str]:
    """Return the parameters of a new version that its base decides, the default or the latest version.

    There are none if these two versions differ only in their images, as after a run that was interrupted.
    Values are left out, because they can be secrets, such as ``UserData``.
    """
    versions = (template.default, template.latest)
    default, latest = (
        _new_data(version, find_change(options, current, state, version)) for version in versions
    )
    names = {name for name in (*default, *latest) if default.get(name) != latest.get(name)}
    # A version that takes its image from another parameter must not launch this image.
    is_other = any(follows_another(version, options.parameter) for version in versions)
    if is_other and template.default.image_id != template.latest.image_id:
        names.add("ImageId")
    return sorted(names)


def fit_mappings(version: TemplateVersion, change: Change) -> list[dict[str, Any]]:
    """Return the block device mappings without snapshots of another image.

    These are the snapshot of the root device, and those of the previous image. A mapping without any other
    parameter is omitted.
    """
    fitted = (_fit_mapping(mapping, change) for mapping in version.mappings)
    return [mapping for mapping in fitted if not _is_bare(mapping)]


def find_missing_devices(version: TemplateVersion, change: Change) -> Iterator[str]:
    """Yield the devices that the version changes, and that the image does not have.

    A device that the version adds has a snapshot that is not the previous image's, or a size.
    """
    if change.image is None:
        return
    devices = {device.name for device in change.image.devices}
    for mapping in version.mappings:
        name = mapping.get("DeviceName", "")
        ebs = mapping.get("Ebs")
        if ebs is None or name in devices or _snapshot_id(_fit_mapping(mapping, change)):
            continue
        was_root = change.previous is not None and name == change.previous.root_device
        if was_root or _snapshot_id(mapping) or "VolumeSize" not in ebs:
            yield name


def find_small_volumes(version: TemplateVersion, change: Change) -> Iterator[tuple[str, int, int]]:
    """Yield the volumes that are smaller than the image's, with both sizes in GiB.

    A volume that was smaller than the previous image's volume is left out: EC2 has accepted it, because
    snapshots can be smaller than the volumes of their image.
    """
    sizes, before = _sizes(change.image), _sizes(change.previous)
    for mapping in version.mappings:
        name, size = mapping.get("DeviceName", ""), mapping.get("Ebs", {}).get("VolumeSize", 0)
        is_too_small = before.get(name, 0) <= size < sizes.get(name, 0)
        if size and is_too_small and not _snapshot_id(_fit_mapping(mapping, change)):
            yield name, size, sizes[name]


def find_doubtful_snapshots(version: TemplateVersion, change: Change) -> Iterator[str]:
    """Yield the snapshots that replace the image's and may be those of an invisible previous image."""
    if change.image is None or change.previous is not None or not change.previous_id:
        return
    devices = {device.name for device in change.image.devices}
    for mapping in fit_mappings(version, change):
        if mapping.get("DeviceName") in devices and (snapshot_id := _snapshot_id(mapping)):
            yield snapshot_id


def _new_data(version: TemplateVersion, change: Change) -> dict[str, Any]:
    """Return the data of the new version that is based on this one."""
    expected = {"ImageId": change.name, "BlockDeviceMappings": fit_mappings(version, change)}
    return {**version.data, **expected}


def _sizes(image: Image | None) -> dict[str, int]:
    return {device.name: device.size_gib or 0 for device in image.devices} if image else {}


def _fit_mapping(mapping: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """Return the mapping as the new version has it."""
    known, snapshot_id = change.image or change.previous, _snapshot_id(mapping)
    is_root = known is not None and known.root_device and mapping.get("DeviceName") == known.root_device
    is_of_image = change.image is not None and snapshot_id in change.image.snapshot_ids
    is_of_previous = change.previous is not None and snapshot_id in change.previous.snapshot_ids
    if not snapshot_id or is_of_image or not (is_root or is_of_previous):
        return dict(mapping)
    ebs = {key: value for key, value in mapping.get("Ebs", {}).items() if key != "SnapshotId"}
    return {**mapping, "Ebs": ebs}


def _is_bare(mapping: Mapping[str, Any]) -> bool:
    """Whether a mapping has no parameter but the device; NoDevice is one, although its value is empty."""
    return not any(value or key == "NoDevice" for key, value in mapping.items() if key != "DeviceName")


def _snapshot_id(mapping: Mapping[str, Any]) -> str:
    return str(mapping.get("Ebs", {}).get("SnapshotId") or "")


def _mapping_parameters(mappings: list[dict[str, Any]]) -> dict[str, Any]:
    return {"BlockDeviceMappings": mappings} if mappings else {}
