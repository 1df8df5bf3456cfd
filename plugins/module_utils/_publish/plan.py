# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the calls that publish images in parameters and launch templates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._model import IMAGE_DATA_TYPE, Image, Target
from .._plan import KNOWN_AFTER_APPLY, Action, Plan, PlanWithoutTargets, TargetPlan
from .._tags import differing_tags, tag_list
from .._wording import with_full_stop
from . import checks
from .launch_data import Change, build_request, find_change, find_doubtful_snapshots, is_result
from .launches import explain_doubts, explain_uncertainties, requires_tokens
from .options import ADVANCED, DEFAULT, PublishOptions
from .origins import compare
from .resource_share import (
    describe_share,
    describe_taking_back,
    plan_calls,
    plan_taking_back,
    warn_of_share,
    warn_of_taking_back,
)
from .state import (
    LABEL_PREFIX,
    MAX_VERSIONS,
    LaunchTemplate,
    Parameter,
    ParameterVersion,
    PublishState,
    TargetState,
    TemplateVersion,
    base_version,
    common_labels,
    follows,
    label_for,
    launches_image,
    may_name,
    needs_version,
    versions_in_use,
    versions_to_launch,
)


def plan(options: PublishOptions, current: PublishState) -> Plan | PlanWithoutTargets:
    """Plan every target that could be read; the others are tolerated."""
    if options.is_unverified:
        return PlanWithoutTargets(
            warnings=("In no region is every account verified, so nothing is published.",)
        )
    if options.takes_back:
        planned = (_plan_taking_back(options, current, target) for target in sorted(current.targets))
    else:
        labeled = choose_labels(options, current)
        planned = (
            _plan_target(options, current, target, labeled[target]) for target in sorted(current.targets)
        )
    return Plan(
        (
            *(item.tolerate(options.best_effort_regions) for item in planned),
            *(TargetPlan(target, tolerated=(failure,)) for target, failure in sorted(current.unread.items())),
        )
    )


def _plan_taking_back(options: PublishOptions, current: PublishState, target: Target) -> TargetPlan:
    """Plan that consumers lose the parameter, and nothing else."""
    view: dict[str, Any] = {"launch_templates": {}, "parameter": None}
    return TargetPlan(
        target,
        actions=tuple(plan_taking_back(options, current, target)),
        before={**view, **describe_taking_back(options, current, target, is_after=False)},
        after={**view, **describe_taking_back(options, current, target, is_after=True)},
        warnings=tuple(warn_of_taking_back(options, current, target)),
    )


def choose_labels(options: PublishOptions, current: PublishState) -> dict[Target, str]:
    """Return the label of each target's version, which may be unknown as long as copies are planned."""
    if options.source_image_id:
        return dict.fromkeys(current.targets, label_for(options.source_image_id))
    states = current.targets.values()
    views: dict[str, list[Image]] = {state.image_id: [] for state in states if state.image_id}
    regions = {state.image_id: target.region for target, state in current.targets.items() if state.image_id}
    for state in states:
        if state.image is not None:
            views[state.image.image_id].append(state.image)
    labels = common_labels(views, regions)
    if any(state.image_id is None for state in states):
        # A planned copy may be one of an image that is itself a copy of an earlier image.
        labels_of_published = {label_for(image_id) for image_id in views}
        labels = {image_id: label for image_id, label in labels.items() if label in labels_of_published}
    return {
        target: labels.get(state.image_id or "", KNOWN_AFTER_APPLY)
        for target, state in current.targets.items()
    }


def _plan_target(every: PublishOptions, current: PublishState, target: Target, label: str) -> TargetPlan:
    options = every.for_account(target.account_id, current.account_id)
    state = current.targets[target]
    refusals = tuple(checks.list_refusals(options, current, target, label))
    if options.is_rollback and state.image_id is None:
        return TargetPlan(target, refusals=refusals)
    templates = _list_templates(options, state)
    # A template that follows the parameter must fit the image before the parameter has it. Other templates
    # change after the parameter: they must not follow one that lacks the image, or does not exist.
    following = [
        template
        for template in templates
        if all(
            follows(version, options.parameter)
            for version in (template.default, base_version(options, template))
        )
    ]
    others = [template for template in templates if template not in following]

    def plan_templates(changing: Iterable[LaunchTemplate]) -> Iterator[Action]:
        for template in changing:
            yield from _plan_template(options, current, target, template)

    before, after = plan_calls(options, current, target)
    actions = (
        *before,
        *plan_templates(following),
        *_plan_parameter(options, target, state, label),
        *plan_templates(others),
        *after,
    )
    return TargetPlan(
        target,
        actions=actions,
        before={
            **_describe_before(options, state),
            **describe_share(options, current, target, is_after=False),
        },
        after={
            **_describe_after(options, current, state, label),
            **describe_share(options, current, target, is_after=True),
        },
        warnings=(
            *_list_warnings(options, state, target, label),
            *_warn_of_age(options, current, target),
            *warn_of_share(options, current, target),
            *(
                warning
                for name, template in state.templates.items()
                for warning in (
                    *_warn_of_template(options, current, state, name, template),
                    *_warn_of_launches(options, current, state, name, template),
                )
            ),
        ),
        refusals=refusals,
    )


def choose_tier(options: PublishOptions, latest: ParameterVersion | None) -> str | None:
    """Return the tier to request for a new version; None for the account's default.

    An advanced parameter stays advanced: AWS rejects any other tier as a change to a standard parameter
    (Systems Manager API Reference, PutParameter, Tier).
    """
    return ADVANCED if latest is not None and latest.tier == ADVANCED else options.tier


def _plan_parameter(
    options: PublishOptions, target: Target, state: TargetState, label: str
) -> Iterator[Action]:
    parameter, name = state.parameter, options.parameter
    latest = parameter.latest if parameter else None

    def action(operation: str, parameters: Mapping[str, Any]) -> Action:
        return Action(target, operation, parameters, name, "ssm")

    version: int | str = latest.version if latest else KNOWN_AFTER_APPLY
    if needs_version(options, parameter, state.image_id):
        version = KNOWN_AFTER_APPLY
        if parameter and (labels_to_remove := _labels_to_remove(parameter)):
            oldest = parameter.versions[0].version
            labels = {"Name": name, "ParameterVersion": oldest, "Labels": labels_to_remove}
            yield action("UnlabelParameterVersion", labels)
        tier = choose_tier(options, latest)
        yield action(
            "PutParameter",
            {
                "Name": name,
                "Value": state.image_id or KNOWN_AFTER_APPLY,
                "Type": "String",
                "DataType": IMAGE_DATA_TYPE,
                **(_creation_parameters(options) if parameter is None else {"Overwrite": True}),
                **({"Tier": tier} if tier else {}),
            },
        )
    if version == KNOWN_AFTER_APPLY or (latest and label not in latest.labels):
        yield action("LabelParameterVersion", {"Name": name, "ParameterVersion": version, "Labels": [label]})
    missing = differing_tags(parameter.tags, options.parameter_tags) if parameter else {}
    if missing:
        tags = {"ResourceType": "Parameter", "ResourceId": name, "Tags": tag_list(missing)}
        yield action("AddTagsToResource", tags)


def _creation_parameters(options: PublishOptions) -> dict[str, Any]:
    """Return the parameters of PutParameter that only a new parameter has.

    AWS refuses tags with Overwrite, and has AddTagsToResource for these (botocore shape
    ``PutParameterRequest``, ``Tags``). Policies may require tags of a new parameter (Service Authorization
    Reference, PutParameter: ``aws:RequestTag``). Without Overwrite, AWS does not change a parameter that
    another client has created since it was read.
    """
    return {"Tags": tag_list(options.parameter_tags)} if options.parameter_tags else {}


def _labels_to_remove(parameter: Parameter) -> list[str]:
    """Return this collection's labels on a version that AWS must delete for a new one.

    The label of the image to publish may be among them, and is put on the new version.
    """
    if not parameter.is_full:
        return []
    return sorted(label for label in parameter.versions[0].labels if label.startswith(LABEL_PREFIX))


def _list_templates(options: PublishOptions, state: TargetState) -> list[LaunchTemplate]:
    """Return the named templates, each once, even if it is given by name and by ID."""
    named = [state.templates[name] for name in options.launch_templates if name in state.templates]
    return list({template.template_id: template for template in named}.values())


def _plan_template(
    options: PublishOptions, current: PublishState, target: Target, template: LaunchTemplate
) -> Iterator[Action]:
    base = base_version(options, template)
    change = find_change(options, current, current.targets[target], base)
    number = _new_default(options, template, change)
    if number == template.default.number:
        return
    if number == KNOWN_AFTER_APPLY:
        yield Action(
            target,
            "CreateLaunchTemplateVersion",
            build_request(template, base, change),
            template.template_id,
        )
    parameters = {"LaunchTemplateId": template.template_id, "DefaultVersion": str(number)}
    yield Action(target, "ModifyLaunchTemplate", parameters, template.template_id)


def _new_default(options: PublishOptions, template: LaunchTemplate, change: Change) -> int | str:
    """Return the number of the next default version: the default, the latest or a new version."""
    base = base_version(options, template)
    if all(is_result(version, change, base) for version in versions_in_use(options, template)):
        return template.default.number
    # An interrupted run may have created the version already.
    return template.latest.number if is_result(template.latest, change, base) else KNOWN_AFTER_APPLY


def _describe_before(options: PublishOptions, state: TargetState) -> dict[str, Any]:
    parameter = state.parameter
    view = None
    if parameter is not None:
        latest = parameter.latest
        view = _describe_parameter(
            options.parameter, latest.value, latest.labels, latest.tier, parameter.tags
        )
    templates = {
        name: _describe_template(template.default.number, template.default.image_id, template.latest)
        for name, template in state.templates.items()
    }
    return {"launch_templates": templates, "parameter": view}


def _describe_after(
    options: PublishOptions, current: PublishState, state: TargetState, label: str
) -> dict[str, Any]:
    image_id = state.image_id or KNOWN_AFTER_APPLY
    parameter = state.parameter
    latest = parameter.latest if parameter else None
    tags = {**(parameter.tags if parameter else {}), **options.parameter_tags}
    if latest is None or needs_version(options, parameter, state.image_id):
        tier = choose_tier(options, latest) or (latest.tier if latest else None)
        view = _describe_parameter(options.parameter, image_id, frozenset({label}), tier, tags)
    else:
        view = _describe_parameter(
            options.parameter, latest.value, latest.labels | {label}, latest.tier, tags
        )
    templates = {
        name: _describe_template_after(options, current, state, template)
        for name, template in state.templates.items()
    }
    return {"launch_templates": templates, "parameter": view}


def _describe_template_after(
    options: PublishOptions, current: PublishState, state: TargetState, template: LaunchTemplate
) -> dict[str, Any]:
    change = find_change(options, current, state, base_version(options, template))
    number = _new_default(options, template, change)
    return _describe_template(number, change.name, template.latest if number != KNOWN_AFTER_APPLY else None)


def _describe_template(
    number: int | str, image_id: str | None, latest: TemplateVersion | None
) -> dict[str, Any]:
    """Return a template with the default version ``number``; ``latest`` is None if that is a new version."""
    return {
        "default_version": number,
        "image_id": image_id,
        "latest_image_id": latest.image_id if latest else image_id,
        "latest_version": latest.number if latest else number,
    }


def _describe_parameter(
    name: str, value: str, labels: frozenset[str], tier: str | None, tags: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "labels": sorted(labels),
        "name": name,
        "tags": dict(sorted(tags.items())),
        "tier": tier,
        "value": value,
    }


def _list_warnings(options: PublishOptions, state: TargetState, target: Target, label: str) -> Iterator[str]:
    parameter = state.parameter
    dropped: list[str] = []
    if parameter and may_name(options, parameter, state.image_id, label):
        if label not in parameter.latest.labels:
            yield from (
                f"{obstacle.message} {obstacle.remedy}"
                for obstacle in checks.check_version_limit(options.parameter, parameter)
            )
    elif parameter and needs_version(options, parameter, state.image_id):
        dropped = [item.removeprefix(LABEL_PREFIX) for item in _labels_to_remove(parameter) if item != label]
    if dropped:
        yield (
            f"{options.parameter} has {MAX_VERSIONS} versions: the oldest is deleted. This prevents a "
            f"rollback to {', '.join(dropped)}."
        )
    if state.image_id is not None and state.image is None and options.as_if_shared:
        yield (
            f"{state.image_id} is not visible in account {target.account_id} yet. "
            "Check mode assumes that it will be."
        )


def _warn_of_template(
    options: PublishOptions, current: PublishState, state: TargetState, name: str, template: LaunchTemplate
) -> Iterator[str]:
    default, latest = template.default, template.latest
    base = base_version(options, template)
    change = find_change(options, current, state, base)
    if base.image_id == change.name and not change.previous_id and not is_result(base, change, base):
        yield (
            f"Version {base.number} of {name} has the snapshot of another image on the root device: EC2 does "
            "not launch it. The new version omits the snapshot."
        )
    if kept := list(find_doubtful_snapshots(base, change)):
        yield (
            f"{name} keeps {', '.join(kept)}: whether {change.previous_id} had this snapshot is not known, "
            "because the image is not visible. If so, remove the snapshot from the template."
        )
    is_done = is_result(default, change, base)
    if is_done and latest.image_id != change.name and not follows(latest, options.parameter):
        fate = (
            "It is not changed, because of launch_template_base_version: default."
            if options.launch_template_base_version == DEFAULT
            else "The new version replaces it."
        )
        yield (
            f"The default version of {name}, {default.number}, launches {change.name}; its latest version, "
            f"{latest.number}, launches {latest.image_id or 'no image'}. {fate}"
        )


def _warn_of_launches(
    options: PublishOptions, current: PublishState, state: TargetState, name: str, template: LaunchTemplate
) -> Iterator[str]:
    for version in versions_to_launch(options, template):
        change = find_change(options, current, state, version)
        if change.image is None or launches_image(options, state, version):
            continue
        for doubt in explain_doubts(version, change.image, state.types):
            yield f"Version {version.number} of {name} {doubt}."
        for uncertainty in explain_uncertainties(version, change, state):
            yield f"Version {version.number} of {name} {uncertainty}."
        if requires_tokens(version, change.image, change.previous):
            yield (
                f"{change.image.image_id} makes instances that {name} launches require IMDSv2 by default, "
                f"unlike {change.previous_id}: version {version.number} does not set HttpTokens."
            )


def _warn_of_age(options: PublishOptions, current: PublishState, target: Target) -> Iterator[str]:
    ages = compare(options, current, target)
    if ages is not None and ages.is_older is None:
        yield (
            f"Whether {ages.new} is older than {ages.published}, which {options.parameter} has, is not "
            f"known: {with_full_stop(ages.problem)}"
        )
