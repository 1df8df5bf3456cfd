# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever names what: a recall touches only its release, ends, and can be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._model import Target
from ansible_collections.golden.images.plugins.module_utils._publish.state import (
    Parameter,
    ParameterVersion,
    versions_in_use,
)
from ansible_collections.golden.images.plugins.module_utils._recall.plan import plan
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.examples import OWNER
from tests.unit.recall.examples import NAME
from tests.unit.recall.world import (
    BAD,
    FIX,
    LABELS,
    MADE,
    SELECTED,
    TARGETS,
    Template,
    World,
    id_of,
    read,
    recall,
    run,
    worlds,
)

Selected = dict[str, Any]
# After how many actions a run is killed.
STOP = st.integers(0, 16)


def named(world: World) -> dict[tuple[Target, str], str | None]:
    """What parameters name, and what the default versions of templates launch."""
    values = {(target, NAME): parameter.latest.value for target, parameter in world.parameters.items()}
    return {**values, **{key: world.launched(*key) for key in world.templates}}


@given(worlds(), SELECTED, STOP)
def test_a_recall_touches_only_what_names_the_release_even_if_it_is_killed(
    before: World, selected: Selected, stop: int
) -> None:
    options = recall(selected)
    after = run(before, options, stop)
    for ref, image in after.images.items():
        if image != before.images[ref]:
            assert (MADE[ref].release, image.owner_id) == (BAD, OWNER)
    for target, parameter in after.parameters.items():
        was = before.parameters[target]
        if parameter != was:
            assert before.is_bad(target, was.latest.value)
        # A full parameter loses the label of its oldest version before it gets another one.
        if parameter.latest.value != was.latest.value:
            _check_good(before, target, parameter.latest.value, selected)
    for (target, template_id), template in after.templates.items():
        was_template = before.templates[target, template_id]
        if template == was_template:
            continue
        assert template_id in [id_of(target, name) for name in selected["launch_templates"]]
        assert template.images[: len(was_template.images)] == was_template.images
        assert before.is_bad(target, was_template.images[was_template.default - 1])
        for text in (*template.images[len(was_template.images) :], template.images[template.default - 1]):
            if text not in was_template.images:
                _check_good(before, target, text, selected)


def _check_good(before: World, target: Target, image_id: str | None, selected: Selected) -> None:
    """What a pointer of a target names after a recall has been published there before, and is good."""
    assert before.is_good(target, image_id)
    versions = before.parameters[target].versions
    assert image_id in [version.value for version in versions]
    if selected["previous_source_image_id"] is None:
        # Its family is that of the parameter.
        assert any(before.is_bad(target, version.value) for version in versions)


@given(worlds(), SELECTED)
def test_a_recall_without_failures_leaves_nothing_that_names_the_release(
    before: World, selected: Selected
) -> None:
    options = recall(selected)
    if (planned := plan(options, read(before, options))).failures or planned.refusals:
        return
    after = run(before, options)
    for target in TARGETS:
        if target in after.parameters:
            assert not before.is_bad(target, after.parameters[target].latest.value)
        for text in _in_use(after, target, selected):
            assert not before.is_bad(target, after.resolve(target, text))


def _in_use(world: World, target: Target, selected: Selected) -> Iterator[str]:
    """The texts of the versions of named templates that launches use."""
    publishing = recall(selected).publishing(
        NAME, (target.region,), launch_template_base_version=selected["launch_template_base_version"]
    )
    for name in selected["launch_templates"]:
        template_id = id_of(target, name)
        if template := world.templates.get((target, template_id)):
            for version in versions_in_use(publishing, template.read(template_id, target)):
                yield version.image_id or ""


@given(worlds(), SELECTED, STOP)
def test_a_rerun_completes_a_killed_recall_and_then_has_nothing_to_do(
    before: World, selected: Selected, stop: int
) -> None:
    options = recall(selected)
    whole, killed = run(before, options), run(before, options, stop)
    again = run(killed, options)
    assert again == whole
    for world in (whole, again):
        planned = plan(options, read(world, options))
        if not planned.refusals:
            assert (planned.actions, planned.record) == ((), world.record)


@given(worlds(), SELECTED, STOP, STOP)
def test_taking_a_recall_back_restores_what_was_named_even_if_both_were_killed(
    before: World, selected: Selected, stop: int, stop_of_end: int
) -> None:
    recalled = run(before, recall(selected), stop)
    if recalled.record is None:
        assert recalled == before
        return
    back = recall(selected, "absent")
    planned = plan(back, read(recalled, back))
    failed = {unit.unit.target for unit in planned.units if unit.failures}
    end = run(run(recalled, back, stop_of_end), back)
    pinned = {key for key, _ in _list_pinned(before)}
    for key, image_id in named(before).items():
        if key[0] not in failed and key not in pinned:
            assert named(end)[key] == image_id
    for (target, template_id), template in end.templates.items():
        # A version that a killed run has made is not left as the latest one.
        if target not in failed and template != before.templates[target, template_id]:
            assert end.resolve(target, template.images[-1]) == end.launched(target, template_id)
    if not failed:
        assert end.images == before.images
        assert plan(back, read(end, back)).actions == ()


def _list_pinned(world: World) -> Iterator[tuple[tuple[Target, str], str]]:
    """Templates that name a version of the parameter, which AWS deletes after a hundred others."""
    for key, template in world.templates.items():
        text = template.images[template.default - 1]
        if text.removeprefix("resolve:").count(":") > 1:
            yield key, text


@given(worlds(), SELECTED, STOP, st.sets(st.sampled_from(TARGETS), min_size=1))
def test_a_fix_that_was_published_meanwhile_stays(
    before: World, selected: Selected, stop: int, fixed: set[Target]
) -> None:
    """Neither a rerun of a killed recall nor its end replaces it."""
    killed = _publish_fix(run(before, recall(selected), stop), fixed)
    ends = [run(killed, recall(selected))]
    if killed.record is not None:
        ends += [run(world, recall(selected, "absent")) for world in (killed, ends[0])]
    for target in fixed:
        for end in ends:
            if target in end.parameters:
                assert end.parameters[target] == killed.parameters[target]
            for key, template in end.templates.items():
                if key[0] == target:
                    assert template == killed.templates[key]


def _publish_fix(world: World, targets: set[Target]) -> World:
    """Another client publishes a fix in parameters and templates of targets."""
    images = {
        target: next(
            made.ref.image_id
            for made in MADE.values()
            if (made.release, made.target) == (FIX, Target(OWNER, target.region))
        )
        for target in targets
    }
    parameters = {
        target: Parameter(
            (
                *(replace(item, labels=item.labels - {LABELS[FIX]}) for item in parameter.versions),
                ParameterVersion(
                    parameter.latest.version + 1, images[target], labels=frozenset({LABELS[FIX]})
                ),
            )
        )
        for target, parameter in world.parameters.items()
        if target in targets
    }
    templates = {
        key: Template((*template.images, images[key[0]]), len(template.images) + 1)
        for key, template in world.templates.items()
        if key[0] in targets
    }
    return replace(
        world,
        parameters={**world.parameters, **parameters},
        templates={**world.templates, **templates},
    )
