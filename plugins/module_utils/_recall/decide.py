# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide which pointers move to which image: pure functions of what was read in one target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from .._failures import Failure
from .._model import ImageRef, Target
from .._option import is_image_id
from .._publish.options import DEFAULT, LATEST, PublishOptions
from .._publish.state import (
    LABEL_PREFIX,
    LaunchTemplate,
    Parameter,
    ParameterVersion,
    TargetState,
    TemplateVersion,
    follows,
    label_for,
    label_of,
    versions_in_use,
)
from .options import RecallOptions
from .record import LAUNCH_TEMPLATE, PARAMETER, Pointer, PointerKey, Position
from .state import Left, Release, Unit

NO_EARLIER_IMAGE = "no_earlier_image"
MISSING = "does not exist"
NOT_MOVED = "was not moved by the recall"
_NOT_OF_RELEASE = "is not an image of the release"


@dataclass(frozen=True)
class _Target:
    """What is known of one target of a recall."""

    options: PublishOptions
    release: Release
    target: Target
    state: TargetState
    recorded: Mapping[PointerKey, Pointer]
    own_account_id: str

    def is_of_release(self, image_id: str | None) -> bool:
        """Whether the ID is that of an image of the release in this region."""
        if not image_id or not is_image_id(image_id):
            return False
        return self.release.includes(ImageRef(self.target.region, image_id), self.state.named.get(image_id))

    def has_label_of_release(self, version: ParameterVersion) -> bool:
        """Whether a version was published as one of the release; its image may be deregistered."""
        return not version.labels.isdisjoint(label_for(ref.image_id) for ref in self.release.refs)

    def is_recalled(self, image_id: str) -> bool:
        """Whether the ID is that of an image of the release, or of another one that was recalled."""
        return self.release.is_recalled(
            ImageRef(self.target.region, image_id), self.state.named.get(image_id)
        )

    @property
    def where(self) -> str:
        """Return the beginning of a message about this target; empty for the own account."""
        is_own = self.target.account_id == self.own_account_id
        return "" if is_own else f"In account {self.target.account_id}: "


def choose_unit(
    options: RecallOptions,
    publishing: PublishOptions,
    release: Release,
    target: Target,
    state: TargetState,
    recorded: Mapping[PointerKey, Pointer],
    own_account_id: str,
) -> Unit:
    """Return the pointers of a target that name the release, and the image that they go back to.

    ``state.named`` has the images of all versions of the parameter. ``state.image_id`` is the image of
    ``previous_source_image_id``, if that is set. ``recorded`` are the pointers of an earlier run, which may
    have been interrupted while it moved them.
    """
    known = _Target(publishing, release, target, state, recorded, own_account_id)
    found = _sort(known)
    unit = Unit(target, publishing, state, settled=tuple(found.settled), left=tuple(found.left))
    if not found.moved:
        return unit
    moves_parameter = any(pointer.key.kind == PARAMETER for pointer in found.moved)
    names = [pointer.name for pointer in found.moved if pointer.key.kind != PARAMETER]
    failures: tuple[Failure, ...] = ()
    if options.previous_source_image_id:
        image_id = state.image_id
        if image_id is not None and known.is_recalled(image_id):
            failures = (
                Failure.at(
                    known.target,
                    "previous_source_image_id",
                    "image_recalled",
                    f"{known.where}{image_id}, the image of {options.previous_source_image_id}, was "
                    "recalled.",
                    "Set the source of another release.",
                ),
            )
        label = label_for(options.previous_source_image_id)
    else:
        image_id = _find_earlier_image(known)
        label = find_label(state, image_id) if image_id else ""
        if image_id is None:
            failures = (_report_no_earlier_image(known),)
    failures += tuple(_refuse_mixed(known, names, image_id))
    # A template that follows the parameter must fit the image, too.
    following = [
        name
        for name, template in state.templates.items()
        if moves_parameter and _follows(publishing, versions_in_use(publishing, template))
    ]
    source = label.removeprefix(LABEL_PREFIX) or None
    return replace(
        unit,
        options=replace(publishing, source_image_id=source, launch_templates=(*names, *following)),
        state=replace(
            state,
            image_id=image_id,
            image=state.named.get(image_id or ""),
            templates={name: state.templates[name] for name in (*names, *following)},
        ),
        pointers=tuple(replace(pointer, after=Position(image_id or "", None)) for pointer in found.moved),
        failures=failures,
    )


def _find_earlier_image(known: _Target) -> str | None:
    """Return the image of the newest version whose image is not recalled; None if there is none."""
    for version in reversed(known.state.parameter.versions if known.state.parameter else ()):
        is_recalled = known.is_recalled(version.value) or known.has_label_of_release(version)
        if is_image_id(version.value) and not is_recalled:
            return version.value
    return None


def find_label(state: TargetState, image_id: str) -> str:
    """Return this collection's label of the image: that of its version, or else by its source."""
    versions = state.parameter.versions if state.parameter else ()
    labels = [
        label
        for version in reversed(versions)
        if version.value == image_id
        for label in sorted(version.labels)
        if label.startswith(LABEL_PREFIX)
    ]
    views = [state.named[image_id]] if image_id in state.named else []
    return labels[0] if labels else label_of(image_id, views)


@dataclass
class _Sorted:
    """The pointers of a target: those to move, those that an earlier run has moved, and the others."""

    moved: list[Pointer] = field(default_factory=list)
    settled: list[Pointer] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)

    def add(
        self, new: Pointer, recorded: Pointer | None, is_named: bool, reason: str, image_id: str | None
    ) -> None:
        """Add a pointer as it is now. ``recorded`` is what an earlier run has moved it to."""
        if is_named:
            self.moved.append(new)
        elif recorded and recorded.after == Position(new.before.image_id, None):
            # An interrupted run may have put the value without its label.
            self.moved.append(replace(recorded, name=new.name))
        elif recorded and recorded.after == new.before:
            self.settled.append(recorded)
        else:
            self.left.append(Left(new.key, new.name, image_id, reason))


def _sort(known: _Target) -> _Sorted:
    """Sort the parameter and the launch templates, each once, by whether they name the release."""
    found, name, parameter = _Sorted(), known.options.parameter, known.state.parameter
    key = PointerKey(known.target, PARAMETER, name)
    if parameter is None:
        found.left.append(Left(key, name, None, MISSING))
    else:
        latest = parameter.latest
        label = next((item for item in sorted(latest.labels) if item.startswith(LABEL_PREFIX)), "")
        is_named = known.is_of_release(latest.value) or known.has_label_of_release(latest)
        before = Position(latest.value, latest.version)
        new = Pointer(key, name, name, before, before, label)
        found.add(new, known.recorded.get(key), is_named, _NOT_OF_RELEASE, latest.value)
    templates: dict[str, str] = {}
    for given in known.options.launch_templates:
        template = known.state.templates.get(given)
        if template is None:
            key = PointerKey(known.target, LAUNCH_TEMPLATE, given)
            found.left.append(Left(key, given, None, MISSING))
        elif templates.setdefault(template.template_id, given) == given:
            _sort_template(known, found, given, template)
    return found


def _sort_template(known: _Target, found: _Sorted, name: str, template: LaunchTemplate) -> None:
    """Add a launch template: it moves if a version in use has the ID of an image of the release."""
    key = PointerKey(known.target, LAUNCH_TEMPLATE, template.template_id)
    in_use, image_id = versions_in_use(known.options, template), template.default.image_id
    named = [item.image_id or "" for item in in_use if known.is_of_release(item.image_id)]
    # Only the latest version may name the release: the default one is what is restored.
    own = image_id if image_id and (is_image_id(image_id) or not named) else next(iter(named), "")
    before = Position(own, template.default.number)
    new = Pointer(key, known.options.parameter, name, before, before, latest_version=template.latest.number)
    found.add(new, known.recorded.get(key), bool(named), _explain(known.options, in_use), image_id)


def _follows(options: PublishOptions, versions: tuple[TemplateVersion, ...]) -> bool:
    return all(follows(version, options.parameter) for version in versions)


def _explain(options: PublishOptions, versions: tuple[TemplateVersion, ...]) -> str:
    """Return why a template does not move that has no ID of an image of the release."""
    if _follows(options, versions):
        return f"launches what {options.parameter} names"
    return _NOT_OF_RELEASE


def _report_no_earlier_image(known: _Target) -> Failure:
    name = known.options.parameter
    if known.state.parameter is None:
        message = f"The parameter {name}, whose history has the earlier images, does not exist."
    else:
        message = f"Each version of {name} names an image of the release, or another one that was recalled."
    return Failure.at(
        known.target,
        "parameter",
        NO_EARLIER_IMAGE,
        known.where + message,
        "Publish another release (publish_ami), which replaces this one, and recall again.",
    )


def _refuse_mixed(known: _Target, names: list[str], image_id: str | None) -> Iterator[Failure]:
    """Refuse a template of which another version in use launches an image that is not of the release."""
    for name in names:
        template = known.state.templates[name]
        for version in versions_in_use(known.options, template):
            if (
                version.image_id in (None, image_id)
                or known.is_of_release(version.image_id)
                or follows(version, known.options.parameter)
            ):
                continue
            yield Failure.at(
                known.target,
                "launch_templates",
                "launch_template_versions_differ",
                f"{known.where}launch_templates: {name} has the default version {template.default.number} "
                f"and the latest version {template.latest.number}. Version {version.number} launches "
                f"{version.image_id}, which is not of the release.",
                "Set launch_template_base_version: default if only the default version counts, or leave the "
                "template out and change it yourself.",
            )


def choose_restored(
    publishing: PublishOptions, target: Target, state: TargetState, pointers: tuple[Pointer, ...]
) -> tuple[Unit, ...]:
    """Return the pointers of a target that get their earlier image back, and those that are left.

    One unit has the pointers that get the same image. Launch templates are restored from their default
    version; one of which an interrupted recall made the latest version only, from that.
    """
    moved: dict[tuple[str, str], list[Pointer]] = {}
    left: list[Left] = []
    for pointer in pointers:
        if pointer.key.kind == PARAMETER:
            image_id = state.parameter.latest.value if state.parameter else None
            reason = explain_parameter(pointer, state.parameter)
        else:
            template = state.templates.get(pointer.key.resource)
            image_id = template.default.image_id if template else None
            reason = explain_template(pointer, template)
        if reason:
            left.append(Left(pointer.key, pointer.name, image_id, reason))
            continue
        template = state.templates.get(pointer.key.resource)
        base = LATEST if template and _has_unused_version(pointer, template) else DEFAULT
        moved.setdefault((pointer.before.image_id, base), []).append(pointer)
    units = [Unit(target, publishing, state, left=tuple(left))] if left or not moved else []
    for (image_id, base), group in moved.items():
        names = tuple(pointer.key.resource for pointer in group if pointer.key.kind == LAUNCH_TEMPLATE)
        label = next((pointer.label for pointer in group if pointer.label), "")
        label = label or find_label(state, image_id)
        options = replace(
            publishing,
            source_image_id=label.removeprefix(LABEL_PREFIX),
            launch_templates=names,
            launch_template_base_version=base,
        )
        templates = {name: state.templates[name] for name in names}
        image = state.named.get(image_id)
        restored = replace(state, image_id=image_id, image=image, templates=templates)
        units.append(Unit(target, options, restored, tuple(group)))
    return tuple(units)


def explain_parameter(pointer: Pointer, parameter: Parameter | None) -> str:
    """Return why a parameter is not restored; empty if it is as the recall left it, or has its image back.

    The number of an interrupted run is not known: then each version since must have the recall's image.
    """
    if parameter is None:
        return MISSING
    latest, (image_id, number) = parameter.latest, pointer.after
    since = [item for item in parameter.versions if item.version > (pointer.before.version or 0)]
    if not since and latest.value == pointer.before.image_id:
        return NOT_MOVED
    if latest.value == pointer.before.image_id and _is_after_recall(pointer, parameter):
        return ""
    if number is None:
        is_own = bool(since) and all(item.value == image_id for item in since)
    else:
        is_own = (latest.value, latest.version) == (image_id, number)
    return "" if is_own else f"was changed since: version {latest.version} names {latest.value}"


def _is_after_recall(pointer: Pointer, parameter: Parameter) -> bool:
    """Whether the image before is back, in a version after the recall's: an earlier run may have put it."""
    return parameter.latest.version > (pointer.after.version or pointer.before.version or 0)


def explain_template(pointer: Pointer, template: LaunchTemplate | None) -> str:
    """Return why a launch template is not restored; empty if it is as the recall left it, or restored."""
    if template is None:
        return MISSING
    default, (image_id, number) = template.default, pointer.after
    if default.image_id == pointer.before.image_id:
        if default.number > (number or pointer.before.version or 0):
            return ""
        if number is None and default.number == pointer.before.version:
            return "" if _has_unused_version(pointer, template) else NOT_MOVED
    if number is None:
        is_own = default.number != pointer.before.version and default.image_id == image_id
    else:
        is_own = (default.number, default.image_id) == (number, image_id)
    now = default.image_id or "no image"
    return "" if is_own else f"was changed since: default version {default.number} launches {now}"


def _has_unused_version(pointer: Pointer, template: LaunchTemplate) -> bool:
    """Whether an interrupted recall has made a version, but not the default one."""
    is_unused = pointer.after.version is None and template.default.number == pointer.before.version
    is_new = template.latest.number > (pointer.latest_version or 0)
    return is_unused and is_new and template.latest.image_id == pointer.after.image_id
