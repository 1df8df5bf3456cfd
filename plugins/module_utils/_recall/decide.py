# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide which pointers move to which image: pure functions of what was read in one target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from .._failures import Failure
from .._model import RESOLVE, ImageRef, Target
from .._option import is_image_id
from .._parameter_names import is_named, name_in_arn
from .._publish.checks import list_own_labels, name_labels
from .._publish.options import DEFAULT, LATEST, PublishOptions
from .._publish.state import (
    LABEL_PREFIX,
    LaunchTemplate,
    Parameter,
    ParameterVersion,
    TargetState,
    TemplateVersion,
    follows,
    follows_another,
    label_for,
    label_of,
    versions_in_use,
)
from .options import RecallOptions
from .record import LAUNCH_TEMPLATE, PARAMETER, Pointer, PointerKey, Position
from .state import Left, Release, Unit, find_source

NO_EARLIER_IMAGE = "no_earlier_image"
LABEL_NOT_FOUND = "label_not_found"
MISSING = "does not exist"
ELSEWHERE = "names another image already"
NOT_MOVED = "was not moved by the recall"
REGION_FAILED = "stays, because its region failed"
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
        """Whether the ID is that of an image of the release in this region, which may be deregistered."""
        if not image_id or not is_image_id(image_id):
            return False
        ref = ImageRef(self.target.region, image_id)
        return self.release.includes(ref, self.state.named.get(image_id)) or any(
            version.value == image_id and version.labels & self.release.labels for version in self.versions
        )

    def is_recalled(self, image_id: str) -> bool:
        """Whether the ID is that of an image of the release, or of another one that was recalled."""
        ref, image = ImageRef(self.target.region, image_id), self.state.named.get(image_id)
        if self.is_of_release(image_id) or self.release.is_recalled(ref, image):
            return True
        # A recall does not tag the copies that consumers own.
        is_consumers = image is not None and image.owner_id != self.own_account_id
        return image is not None and is_consumers and find_source(image) in self.release.recalled

    @property
    def versions(self) -> tuple[ParameterVersion, ...]:
        """Return the history of the parameter."""
        return self.state.parameter.versions if self.state.parameter else ()

    @property
    def has_named_release(self) -> bool:
        """Whether the parameter has ever named an image of the release, and so is of its family."""
        return any(self.is_of_release(version.value) for version in self.versions)

    def find_pinned(self, version: TemplateVersion) -> ParameterVersion | None:
        """Return the version of the parameter that a template names by number or label; else None."""
        named, _colon, selector = (version.image_id or "").removeprefix(RESOLVE).rpartition(":")
        name = self.options.parameter
        if named != name and not is_named(
            name, name_in_arn(named, self.target.account_id, self.target.region)
        ):
            return None
        found = (item for item in self.versions if selector == str(item.version) or selector in item.labels)
        return next(found, None)

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
    image_id, label, failures = _choose_image(known, options.previous_source_image_id)
    found = _sort(known, image_id)
    unit = Unit(
        target,
        publishing,
        state,
        settled=tuple(found.settled),
        left=tuple(found.left),
        left_failures=tuple(found.failures),
    )
    if not found.moved:
        return unit
    moves_parameter = any(pointer.key.kind == PARAMETER for pointer in found.moved)
    names = [pointer.name for pointer in found.moved if pointer.key.kind != PARAMETER]
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


def needs_history(options: PublishOptions, unit: Unit) -> bool:
    """Whether it matters which images all versions of the parameter name.

    So it does for what moves, and for a template that names one of these versions. ``options`` are those that
    the unit was chosen with.
    """
    versions = (
        version
        for template in unit.state.templates.values()
        for version in versions_in_use(options, template)
    )
    return bool(unit.pointers) or any(follows_another(version, options.parameter) for version in versions)


def _choose_image(known: _Target, previous: str | None) -> tuple[str | None, str, tuple[Failure, ...]]:
    """Return the image to go back to, its label, and why there is none.

    ``previous`` is the source of the one that the user has selected. A parameter that never named the release
    is of another family, and so are its images.
    """
    if previous is None:
        image_id = find_earlier_image(known.state.parameter, known.is_recalled)
        if image_id is None or not known.has_named_release:
            return None, "", (_report_no_earlier_image(known, image_id),)
        return image_id, find_label(known.state, image_id), ()
    image_id, label = known.state.image_id, label_for(previous)
    if image_id is None:
        return None, label, (_report_no_label(known, label),)
    if not known.is_recalled(image_id):
        return image_id, label, ()
    return (
        image_id,
        label,
        (
            Failure.at(
                known.target,
                "previous_source_image_id",
                "image_recalled",
                f"{known.where}{image_id}, the image of {previous}, was recalled.",
                "Set previous_source_image_id to the source of another release.",
            ),
        ),
    )


def find_earlier_image(parameter: Parameter | None, is_recalled: Callable[[str], bool]) -> str | None:
    """Return the image of the newest version whose image is not recalled; None if there is none."""
    for version in reversed(parameter.versions if parameter else ()):
        if is_image_id(version.value) and not is_recalled(version.value):
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
    """The pointers of a target: those to move, those that an earlier run has moved, and the others.

    ``failures`` are why some of the others stay, although they name the release.
    """

    moved: list[Pointer] = field(default_factory=list)
    settled: list[Pointer] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

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


def _sort(known: _Target, earlier: str | None) -> _Sorted:
    """Sort the parameter and the launch templates, each once, by whether they name the release.

    ``earlier`` is the image that they go back to.
    """
    found, name, parameter = _Sorted(), known.options.parameter, known.state.parameter
    key = PointerKey(known.target, PARAMETER, name)
    if parameter is None:
        found.left.append(Left(key, name, None, MISSING))
    else:
        latest = parameter.latest
        label = next((item for item in sorted(latest.labels) if item.startswith(LABEL_PREFIX)), "")
        before = Position(latest.value, latest.version)
        new, is_named = Pointer(key, name, name, before, before, label), known.is_of_release(latest.value)
        reason = ELSEWHERE if known.has_named_release else _NOT_OF_RELEASE
        found.add(new, known.recorded.get(key), is_named, reason, latest.value)
    templates: dict[str, str] = {}
    for given in known.options.launch_templates:
        template = known.state.templates.get(given)
        if template is None:
            key = PointerKey(known.target, LAUNCH_TEMPLATE, given)
            found.left.append(Left(key, given, None, MISSING))
        elif templates.setdefault(template.template_id, given) == given:
            _sort_template(known, found, given, template, earlier)
    return found


def _sort_template(
    known: _Target, found: _Sorted, name: str, template: LaunchTemplate, earlier: str | None
) -> None:
    """Add a launch template: it moves if all its versions in use have the ID of an image of the release.

    One whose latest version has the earlier image already moves, too: an interrupted run has made it.
    """
    key = PointerKey(known.target, LAUNCH_TEMPLATE, template.template_id)
    in_use, default = versions_in_use(known.options, template), template.default
    recorded = known.recorded.get(key)
    named = [item for item in in_use if known.is_of_release(item.image_id)]
    made = {earlier, recorded.after.image_id if recorded else None} - {None}
    moves = default in named and all(item in named or item.image_id in made for item in in_use)
    if not moves and (failures := list(_refuse_template(known, name, template, named))):
        found.left.append(Left(key, name, default.image_id, "stays, because it failed"))
        found.failures += failures
        return
    before = Position(default.image_id or "", default.number)
    new = Pointer(key, known.options.parameter, name, before, before, latest_version=template.latest.number)
    found.add(new, recorded, moves, _explain(known, in_use), default.image_id)


def _refuse_template(
    known: _Target, name: str, template: LaunchTemplate, named: list[TemplateVersion]
) -> Iterator[Failure]:
    """Yield why a launch template stays although one of its versions in use launches the release.

    ``named`` are the versions with the ID of an image of the release.
    """
    if named:
        other = next(
            (item for item in (template.latest, template.default) if item not in named), template.latest
        )
        yield Failure.at(
            known.target,
            "launch_templates",
            "launch_template_versions_differ",
            f"{known.where}launch_templates: {name} has the default version {template.default.number} and "
            f"the latest version {template.latest.number}. Version {named[0].number} launches "
            f"{named[0].image_id}, which is of the release; version {other.number} launches "
            f"{other.image_id or 'no image'}.",
            "Set launch_template_base_version: default if only the default version counts, or change the "
            "template yourself.",
        )
    for version in {item.number: item for item in versions_in_use(known.options, template)}.values():
        pinned = known.find_pinned(version)
        if pinned and known.is_of_release(pinned.value):
            yield Failure.at(
                known.target,
                "launch_templates",
                "launch_template_follows_parameter",
                f"{known.where}launch_templates: version {version.number} of {name} takes its image from "
                f"{version.image_id}, which is {pinned.value}, an image of the release.",
                f"Change the template yourself: make a version with {RESOLVE}{known.options.parameter} or "
                "with the ID of another image the default one.",
            )


def _follows(options: PublishOptions, versions: tuple[TemplateVersion, ...]) -> bool:
    return all(follows(version, options.parameter) for version in versions)


def _explain(known: _Target, versions: tuple[TemplateVersion, ...]) -> str:
    """Return why a template does not move that has no ID of an image of the release."""
    name = known.options.parameter
    if _follows(known.options, versions):
        return f"launches what {name} names"
    for version in versions:
        if version.image_id is None:
            return "launches no image of its own"
        if not (is_image_id(version.image_id) or follows(version, name) or known.find_pinned(version)):
            return f"takes its image from {version.image_id}, which was not looked at"
    return _NOT_OF_RELEASE


def _report_no_earlier_image(known: _Target, other: str | None) -> Failure:
    """Return the failure of a target without an earlier image; ``other`` is that of another family."""
    name = known.options.parameter
    remedy = (
        "Publish another release (publish_ami), which replaces this one, and recall again. To block this one "
        "without that, set level: block (recall_level of the role)."
    )
    if known.state.parameter is None:
        message = f"The parameter {name}, whose history has the earlier images, does not exist."
    elif other is not None:
        message = f"No version of {name} names an image of the release, so {other} may be of another family."
        remedy = "Set the parameter in which the release was published, or previous_source_image_id."
    else:
        message = f"Each version of {name} names an image of the release, or another one that was recalled."
    return Failure.at(known.target, "parameter", NO_EARLIER_IMAGE, known.where + message, remedy)


def _report_no_label(known: _Target, label: str) -> Failure:
    """Return the failure of a target without an image of the release that the user has selected."""
    name, parameter = known.options.parameter, known.state.parameter
    if parameter is None:
        message, others = f"The parameter {name} does not exist.", []
    else:
        others = list_own_labels(parameter, known.release.labels)
        message = f"No version of {name} has the label {label}. {name_labels(others)}"
    remedy = "Remove previous_source_image_id, so that the history decides"
    if others:
        remedy = f"{remedy}, or set it to the ID in one of these labels"
    return Failure.at(
        known.target, "previous_source_image_id", LABEL_NOT_FOUND, known.where + message, f"{remedy}."
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
