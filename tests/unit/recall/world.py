# SPDX-License-Identifier: GPL-3.0-or-later

"""Any releases of two families in two accounts, what names them, and recalls of one of the releases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pprint import pformat
from typing import Any, NamedTuple

from ansible_collections.golden.images.plugins.module_utils._model import RESOLVE, Image, ImageRef, Target
from ansible_collections.golden.images.plugins.module_utils._parameter_names import name_in_arn
from ansible_collections.golden.images.plugins.module_utils._plan import Action
from ansible_collections.golden.images.plugins.module_utils._publish.state import (
    MAX_VERSIONS,
    LaunchTemplate,
    Parameter,
    ParameterVersion,
    TargetState,
    TemplateVersion,
    label_for,
)
from ansible_collections.golden.images.plugins.module_utils._recall.decide import (
    choose_restored,
    choose_unit,
    needs_history,
)
from ansible_collections.golden.images.plugins.module_utils._recall.options import RecallOptions
from ansible_collections.golden.images.plugins.module_utils._recall.plan import RecallPlan, WriteRecord, plan
from ansible_collections.golden.images.plugins.module_utils._recall.record import (
    LAUNCH_TEMPLATE,
    PARAMETER,
    Pointer,
    Position,
    Record,
    Stored,
)
from ansible_collections.golden.images.plugins.module_utils._recall.state import (
    RecallState,
    Release,
    Unit,
    find_release,
    find_source,
    without_recall,
)
from ansible_collections.golden.images.plugins.module_utils._tags import RECALLED_TAG, SOURCE_TAG
from hypothesis import strategies as st

from tests.unit.examples import CONSUMER, OWNER, source_image
from tests.unit.recall.examples import AWAY, HOME, NAME, NOW

TARGETS = tuple(Target(account, region) for account in (OWNER, CONSUMER) for region in (HOME, AWAY))
OTHER_NAME = "/golden/db"
# The last one is never named in the options.
TEMPLATES = ("web", "db", "other")


class Made(NamedTuple):
    """Which image it is: its release, its account and region, and whether it is a second one there."""

    release: str
    target: Target
    second: int = 0

    @property
    def ref(self) -> ImageRef:
        """The image itself."""
        digits = f"{RELEASES.index(self.release)}{TARGETS.index(self.target)}{self.second}"
        return ImageRef(self.target.region, f"ami-{digits:0<17}")


RELEASES = ("web-1", "web-2", "web-3", "db-1", "db-2", "web-4")
# The fix is published during the recall.
BAD, FIX = "web-2", "web-4"
SOURCES = {release: Made(release, TARGETS[0]) for release in RELEASES}
LABELS = {release: label_for(made.ref.image_id) for release, made in SOURCES.items()}
# The owner has a second copy of each image, under another key.
ALL = tuple(
    Made(release, target, second)
    for release in RELEASES
    for target in TARGETS
    for second in ((0, 1) if target.account_id == OWNER else (0,))
)
MADE = {made.ref: made for made in ALL}


def name(ref: ImageRef) -> str:
    """The release of an image, and the number of the account."""
    made = MADE.get(ref)
    return f"{made.release} {ref.image_id}" if made else ref.image_id


OF_OWNER = frozenset(made for made in ALL if made.target.account_id == OWNER)


@dataclass(frozen=True)
class Template:
    """What each version of a launch template names as its image, and the number of the default one."""

    images: tuple[str, ...]
    default: int

    def read(self, template_id: str, target: Target) -> LaunchTemplate:
        """The template as it is read."""
        versions = [
            TemplateVersion(
                number,
                {"ImageId": text} if text else {},
                name_in_arn(text.removeprefix(RESOLVE), target.account_id, target.region),
            )
            for number, text in enumerate(self.images, start=1)
        ]
        return LaunchTemplate(template_id, versions[self.default - 1], versions[-1])


def id_of(target: Target, name: str) -> str:
    """The ID of a launch template."""
    return f"lt-{TARGETS.index(target)}{TEMPLATES.index(name):0<16}"


@dataclass(frozen=True)
class World:
    """What exists: images as their owners see them, the parameter and templates of targets, the tombstone.

    ``templates`` are by target and ID.
    """

    images: Mapping[ImageRef, Image]
    parameters: Mapping[Target, Parameter]
    templates: Mapping[tuple[Target, str], Template]
    record: Record | None = None

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """Print what a test that fails has to show of a world (hypothesis.vendor.pretty)."""
        images = [
            f"{name(ref)} {image.source_image_id or 'tagged'} {image.tags.get(RECALLED_TAG, '')}"
            for ref, image in self.images.items()
        ]
        parameters = {
            f"{target.account_id} {target.region}": [
                f"{item.version} {name(ImageRef(target.region, item.value))} {' '.join(item.labels)}"
                for item in (parameter.versions[0], *parameter.versions[1:][-4:])
            ]
            for target, parameter in self.parameters.items()
        }
        templates = {
            f"{target.account_id} {target.region} {template_id}": (
                [name(ImageRef(target.region, text)) for text in template.images],
                template.default,
            )
            for (target, template_id), template in self.templates.items()
        }
        printer.text("\n".join(map(pformat, (images, parameters, templates, self.record))))

    def see(self, target: Target, image_ids: Iterable[str | None]) -> dict[str, Image]:
        """Return an account's views of images: of its own with their tags, and of the owner's."""
        refs = (ImageRef(target.region, image_id or "") for image_id in image_ids)
        found = [self.images[ref] for ref in refs if ref in self.images]
        return {
            image.image_id: image if image.owner_id == target.account_id else replace(image, tags={})
            for image in found
            if image.owner_id in (target.account_id, OWNER)
        }

    def resolve(self, target: Target, text: str) -> str | None:
        """Return the image that a template launches with this text; None if no one here knows."""
        named = text.removeprefix(RESOLVE)
        if named == text:
            return text or None
        own = next((start for start in (NAME, _arn(target)) if named.startswith(start)), None)
        if own is None or target not in self.parameters:
            return None
        parameter, selector = self.parameters[target], named.removeprefix(own).removeprefix(":")
        if not selector:
            return parameter.latest.value
        selected = (
            version.value
            for version in parameter.versions
            if selector == str(version.version) or selector in version.labels
        )
        return next(selected, None)

    def launched(self, target: Target, template_id: str) -> str | None:
        """Return the image that the default version of a template launches."""
        template = self.templates[target, template_id]
        return self.resolve(target, template.images[template.default - 1])

    def is_bad(self, target: Target, image_id: str | None) -> bool:
        """Whether an image is of the bad release, as far as its owner can know that."""
        made = MADE.get(ImageRef(target.region, image_id or ""))
        if made is None or made.release != BAD:
            return False
        versions = self.parameters[target].versions if target in self.parameters else ()
        is_labeled = any(item.value == image_id and LABELS[BAD] in item.labels for item in versions)
        return made.ref in self.images or made == SOURCES[BAD] or is_labeled

    def is_good(self, target: Target, image_id: str | None) -> bool:
        """Whether an image can be launched, and neither it nor the other images of its release are bad."""
        ref = ImageRef(target.region, image_id or "")
        return ref in self.images and MADE[ref].release != BAD and not self._is_recalled(MADE[ref].release)

    def _is_recalled(self, release: str) -> bool:
        return any(
            RECALLED_TAG in image.tags for ref, image in self.images.items() if MADE[ref].release == release
        )

    def perform(self, action: Any, record: Record | None) -> World:
        """Return the world after a planned action; ``record`` is the planned one."""
        if isinstance(action, WriteRecord):
            return replace(self, record=record)
        given = action.parameters
        if action.operation in ("CreateTags", "DeleteTags"):
            return self._tag(action)
        if action.operation in ("CreateLaunchTemplateVersion", "ModifyLaunchTemplate"):
            key = action.target, given["LaunchTemplateId"]
            template = self.templates[key]
            if action.operation == "ModifyLaunchTemplate":
                number = given["DefaultVersion"]
                default = int(number) if number.isdigit() else len(template.images)
                changed = replace(template, default=default)
            else:
                image_id = given["LaunchTemplateData"]["ImageId"]
                changed = replace(template, images=(*template.images, image_id))
            return replace(self, templates={**self.templates, key: changed})
        assert given["Name"] == NAME
        versions = self.parameters[action.target].versions
        if action.operation == "PutParameter":
            assert given["Overwrite"]
            made = ParameterVersion(versions[-1].version + 1, given["Value"])
            if len(versions) == MAX_VERSIONS:
                assert not versions[0].labels
            versions = (*versions, made)[-MAX_VERSIONS:]
        else:
            number = given["ParameterVersion"] if action.operation == "LabelParameterVersion" else 0
            versions = tuple(_label(versions, given["Labels"], number))
        return replace(self, parameters={**self.parameters, action.target: Parameter(versions)})

    def _tag(self, action: Action) -> World:
        ((image_id,), (tag,)) = action.parameters["Resources"], action.parameters["Tags"]
        ref = ImageRef(action.target.region, image_id)
        image = self.images[ref]
        assert tag["Key"] == RECALLED_TAG
        assert image.owner_id == action.target.account_id
        tags = {key: value for key, value in image.tags.items() if key != RECALLED_TAG}
        if action.operation == "CreateTags":
            tags[RECALLED_TAG] = tag["Value"]
        return replace(self, images={**self.images, ref: replace(image, tags=tags)})


def _arn(target: Target) -> str:
    return f"arn:aws:ssm:{target.region}:{target.account_id}:parameter{NAME}"


def _label(
    versions: Iterable[ParameterVersion], labels: Iterable[str], number: int | str
) -> Iterator[ParameterVersion]:
    """Yield the versions with labels moved to that of a number, the newest one if it is not known."""
    listed = list(versions)
    selected = number if isinstance(number, int) else listed[-1].version
    for item in listed:
        added = labels if item.version == selected else ()
        yield replace(item, labels=(item.labels - {*labels}) | {*added})


def read(world: World, options: RecallOptions) -> RecallState:
    """Return the state as the module reads it."""
    current = RecallState(OWNER, "aws", NOW, stored=Stored(world.record))
    return (
        _read_release(world, options, current)
        if options.is_recall
        else _read_recalled(world, options, current)
    )


def find_release_of(
    options: RecallOptions, images: Mapping[ImageRef, Image], record: Record | None
) -> Release:
    """Return the release as the module finds it among all images."""
    may_be_copies = {
        ref: image
        for ref, image in images.items()
        if image.owner_id == OWNER
        and ({SOURCE_TAG, RECALLED_TAG} & image.tags.keys() or find_source(image) == options.source)
    }
    recorded = record.images if record else ()
    return find_release(OWNER, options.source, images.get(options.source), may_be_copies, recorded)


def _read_release(world: World, options: RecallOptions, current: RecallState) -> RecallState:
    release = find_release_of(options, world.images, world.record)
    is_open = world.record is not None and not world.record.taken_back_at
    pointers = world.record.by_key if world.record and is_open else {}
    publishing = options.publishing(
        NAME,
        (HOME, AWAY),
        source_image_id=options.previous_source_image_id or options.source_image_id,
        launch_templates=options.launch_templates,
        launch_template_base_version=options.launch_template_base_version,
    )

    def choose(target: Target, state: TargetState) -> Unit:
        return choose_unit(options, publishing, release, target, state, pointers, OWNER)

    def read_one(target: Target) -> Unit:
        state = _look(world, target, options.launch_templates, options.previous_source_image_id)
        if not needs_history(publishing, unit := choose(target, state)):
            return unit
        versions = state.parameter.versions if state.parameter else ()
        return choose(target, _add_images(world, target, state, [item.value for item in versions]))

    return replace(current, release=release, units=tuple(map(read_one, TARGETS)))


def _read_recalled(world: World, options: RecallOptions, current: RecallState) -> RecallState:
    assert world.record is not None
    if world.record.taken_back_at:
        return current
    images = {ref: world.images[ref] for ref in world.record.images if ref in world.images}
    groups: dict[Target, list[Pointer]] = {}
    for pointer in world.record.pointers:
        groups.setdefault(pointer.key.target, []).append(pointer)
    units: list[Unit] = []
    for target, pointers in groups.items():
        names = tuple(item.key.resource for item in pointers if item.key.kind == LAUNCH_TEMPLATE)
        state = _look(world, target, names, None)
        state = _add_images(world, target, state, [item.before.image_id for item in pointers])
        publishing = options.publishing(
            NAME, (target.region,), source_image_id=options.source_image_id, launch_templates=names
        )
        units += choose_restored(publishing, target, without_recall(state), tuple(pointers))
    return replace(current, release=Release(images=images), units=tuple(units))


def _look(world: World, target: Target, names: Iterable[str], previous: str | None) -> TargetState:
    """Return the parameter of a target, and its templates by name or ID, with the images that these name."""
    parameter = world.parameters.get(target)
    ids = {name: name if name.startswith("lt-") else id_of(target, name) for name in names}
    templates = {
        name: world.templates[target, template_id].read(template_id, target)
        for name, template_id in ids.items()
        if (target, template_id) in world.templates
    }
    image_id = None
    if parameter and previous:
        labeled = parameter.version_with_label(label_for(previous))
        itself = previous if parameter.has_value(previous) else None
        image_id = labeled.value if labeled else itself
    read_versions = [item for found in templates.values() for item in (found.default, found.latest)]
    named = [item.image_id for item in read_versions]
    named += [parameter.latest.value if parameter else None, image_id]
    images = world.see(target, named)
    return TargetState(image_id, images.get(image_id or ""), parameter, templates, images)


def _add_images(world: World, target: Target, state: TargetState, image_ids: Iterable[str]) -> TargetState:
    return replace(state, named={**state.named, **world.see(target, image_ids)})


def run(world: World, options: RecallOptions, stop: int | None = None) -> World:
    """Return the world after a run in the order of the flow, which is killed after so many actions.

    The numbers of the versions are written after the last action.
    """
    planned = plan(options, read(world, options))
    if planned.refusals:
        return world
    writes = [action for action in planned.actions if isinstance(action, WriteRecord)]
    moves = [action for unit in planned.units for action in unit.planned.actions]
    actions = [*writes, *planned.tags, *moves] if options.is_recall else [*moves, *planned.tags, *writes]
    for action in actions[:stop]:
        world = world.perform(action, planned.record)
    if options.is_recall and planned.record and (stop is None or stop > len(actions)):
        world = replace(world, record=planned.record.add((), _number(world, planned)))
    return world


def _number(world: World, planned: RecallPlan) -> Iterator[Pointer]:
    """Yield the pointers of a plan with the numbers that they have after it."""
    for pointer in (pointer for unit in planned.units for pointer in unit.pointers):
        target, kind, resource = pointer.key
        latest = world.parameters[target].latest.version if kind == PARAMETER else 0
        number = latest or world.templates[target, resource].default
        yield replace(pointer, after=Position(pointer.after.image_id, number))


@st.composite
def made_images(draw: st.DrawFn) -> dict[ImageRef, Image]:
    """Any images of the releases, of which a few are missing, as their owners see them."""
    missing = draw(st.frozensets(st.sampled_from([made for made in ALL if made.release != FIX]), max_size=5))
    whole = [
        release
        for release in RELEASES
        if release not in (BAD, FIX) and not any(made.release == release for made in missing & OF_OWNER)
    ]
    recalled = draw(st.frozensets(st.sampled_from(whole))) if whole else frozenset()
    # AWS has recorded the source of a copy that somebody made by hand.
    by_hand = draw(st.frozensets(st.sampled_from(ALL), max_size=4))
    return {
        made.ref: _image(made, missing, made in by_hand, made.release in recalled)
        for made in ALL
        if made not in missing
    }


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any world with a few parameters and templates. Nothing that a recall has to know is unknowable."""
    images = draw(made_images())
    targets = draw(st.sets(st.sampled_from(TARGETS), min_size=1, max_size=3))
    parameters = {target: draw(histories(target)) for target in targets if draw(st.integers(0, 7))}
    templates = {
        (target, id_of(target, name)): draw(launch_templates(target))
        for target in targets
        for name in TEMPLATES[: draw(st.integers(0, 2))]
    }
    for target in TARGETS:
        image = Made(BAD, Target(OWNER, target.region)).ref.image_id
        templates[target, id_of(target, TEMPLATES[2])] = Template((image,), 1)
    return World(images, parameters, templates)


def _image(made: Made, missing: frozenset[Made], by_hand: bool, is_recalled: bool) -> Image:
    """An image as its owner sees it."""
    tags: dict[str, str] = {}
    fields: dict[str, str] = {}
    source, above = SOURCES[made.release], Made(made.release, Target(OWNER, made.target.region))
    if made != source:
        of = above if above not in missing and above != made else source
        # Without the tag, a copy of a copy is not found among the owner's.
        if by_hand and (of == source or made not in OF_OWNER):
            fields = {"source_region": of.ref.region, "source_image_id": of.ref.image_id}
        else:
            tags[SOURCE_TAG] = str(of.ref)
    if is_recalled and made in OF_OWNER:
        tags[RECALLED_TAG] = NOW
    return source_image(
        image_id=made.ref.image_id,
        owner_id=made.target.account_id,
        architecture="x86_64",
        tags=tags,
        **fields,
    )


def _image_ids(target: Target, newest: bool = False) -> st.SearchStrategy[str]:
    """The images that an account can name in a region, also those that do not exist any more."""
    there = [Target(account, target.region) for account in (OWNER, target.account_id)]
    visible = [made for made in ALL if made.target in there and made.release != FIX]
    of_bad = [made for made in visible if made.release == BAD]
    # What is newest is of the bad release half the time.
    return st.sampled_from([made.ref.image_id for made in (*visible, *of_bad * (4 if newest else 1))])


@st.composite
def histories(draw: st.DrawFn, target: Target) -> Parameter:
    """A parameter: each release has its label on one of its versions, or on none."""
    values = [*draw(st.lists(_image_ids(target), max_size=4)), draw(_image_ids(target, newest=True))]
    older = draw(st.sampled_from([0, 0, 0, 0, 0, 0, 0, MAX_VERSIONS]))
    values = [*[values[0]] * (older - len(values)), *values]
    labeled: dict[str, int] = {}
    for number, value in enumerate(values, start=1):
        release = MADE[ImageRef(target.region, value)].release
        if draw(st.booleans()) if len(values) - number < 5 else number == 1:
            labeled[release] = number
    return Parameter(
        tuple(
            ParameterVersion(
                number,
                value,
                labels=frozenset(LABELS[release] for release, there in labeled.items() if there == number),
            )
            for number, value in enumerate(values, start=1)
        )
    )


@st.composite
def launch_templates(draw: st.DrawFn, target: Target) -> Template:
    """A launch template with the ID of an image, a parameter, a version of it, or nothing."""
    selectors = ["", ":1", ":2", f":{LABELS[BAD]}", f":{LABELS['web-1']}"]
    names = [f"{RESOLVE}{start}{selector}" for start in (NAME, _arn(target)) for selector in selectors]
    others = st.sampled_from([*names, f"{RESOLVE}{OTHER_NAME}", ""])
    texts = st.one_of(_image_ids(target, newest=True), _image_ids(target, newest=True), others)
    images = draw(st.lists(texts, min_size=1, max_size=3))
    if draw(st.booleans()):
        # The default version is the latest one, and both are as often as not of one image.
        return Template(tuple(images), len(images))
    return Template(tuple(images), draw(st.integers(1, len(images))))


SELECTED = st.fixed_dictionaries(
    {
        "launch_templates": st.sampled_from([TEMPLATES[:2], TEMPLATES[:2], TEMPLATES[:1], ()]),
        "launch_template_base_version": st.sampled_from([None, "default", "latest"]),
        "previous_source_image_id": st.sampled_from(
            [None, None, None, *(SOURCES[release].ref.image_id for release in ("web-1", "db-1"))]
        ),
    }
)


def recall(selected: Mapping[str, Any], state: str = "present") -> RecallOptions:
    """Return the options of a recall of the bad release, or of taking that back."""
    return RecallOptions(
        state=state,
        source_image_id=SOURCES[BAD].ref.image_id,
        source_region=HOME,
        parameter=NAME,
        account_ids=(CONSUMER,),
        consumer_role_name="golden-consumer",
        tombstone_path="/recalls.jsonl",
        **selected,
    )
