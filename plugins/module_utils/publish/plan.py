# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans the calls that publish images in parameters and launch templates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..model import IMAGE_DATA_TYPE, Image, Target
from ..plan import KNOWN_AFTER_APPLY, Action, Plan, TargetPlan
from ..tags import differing_tags, tag_list
from ..wording import ended
from . import checks
from .launch_data import Change, change_for, doubtful_snapshots, is_result, version_request
from .launches import doubts, requires_tokens, uncertainties
from .options import ADVANCED, DEFAULT, PublishOptions
from .origins import compare
from .state import (
    LABEL_PREFIX,
    MAX_VERSIONS,
    LaunchTemplate,
    Parameter,
    ParameterVersion,
    PublishSeen,
    TargetSeen,
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


def plan(wanted: PublishOptions, seen: PublishSeen) -> Plan:
    """Plan every target that could be read; the others are tolerated."""
    labeled = labels(wanted, seen)
    planned = (_plan_target(wanted, seen, target, labeled[target]) for target in sorted(seen.targets))
    return Plan(
        (
            *(one.tolerating(wanted.best_effort_regions) for one in planned),
            *(TargetPlan(target, tolerated=(failure,)) for target, failure in sorted(seen.unread.items())),
        )
    )


def labels(wanted: PublishOptions, seen: PublishSeen) -> dict[Target, str]:
    """The label of each target's version. As long as copies are only planned, it may not be known."""
    if wanted.source_image_id:
        return dict.fromkeys(seen.targets, label_for(wanted.source_image_id))
    found = seen.targets.values()
    views: dict[str, list[Image]] = {there.image_id: [] for there in found if there.image_id}
    regions = {there.image_id: target.region for target, there in seen.targets.items() if there.image_id}
    for there in found:
        if there.image is not None:
            views[there.image.image_id].append(there.image)
    known = common_labels(views, regions)
    if any(there.image_id is None for there in found):
        # A planned copy may be one of an image that is itself a copy of an earlier image.
        of_published = {label_for(image_id) for image_id in views}
        known = {image_id: label for image_id, label in known.items() if label in of_published}
    return {
        target: known.get(there.image_id or "", KNOWN_AFTER_APPLY) for target, there in seen.targets.items()
    }


def _plan_target(wanted: PublishOptions, seen: PublishSeen, target: Target, label: str) -> TargetPlan:
    there = seen.targets[target]
    refusals = tuple(checks.refusals(wanted, seen, target, label))
    if wanted.is_rollback and there.image_id is None:
        return TargetPlan(target, refusals=refusals)
    templates = _templates(wanted, there)
    # A template that follows the parameter must be ready for the image before the parameter has it. Another
    # one must not follow a parameter that does not have it yet, and may not exist.
    following = [
        one
        for one in templates
        if all(follows(it, wanted.parameter) for it in (one.default, base_version(wanted, one)))
    ]
    others = [one for one in templates if one not in following]

    def of_templates(changing: Iterable[LaunchTemplate]) -> Iterator[Action]:
        for template in changing:
            yield from _template_actions(wanted, seen, target, template)

    actions = (
        *of_templates(following),
        *_parameter_actions(wanted, target, there, label),
        *of_templates(others),
    )
    return TargetPlan(
        target,
        actions=actions,
        before=_view_before(wanted, there),
        after=_view_after(wanted, seen, there, label),
        warnings=(
            *_warnings(wanted, there, target, label),
            *_age_warnings(wanted, seen, target),
            *(
                warning
                for name, template in there.templates.items()
                for warning in (
                    *_template_warnings(wanted, seen, there, name, template),
                    *_launch_warnings(wanted, seen, there, name, template),
                )
            ),
        ),
        refusals=refusals,
    )


def new_tier(wanted: PublishOptions, latest: ParameterVersion | None) -> str | None:
    """The tier to ask for with a new version; None leaves it to the account's default.

    An advanced parameter stays advanced: AWS rejects any other tier as a change to a standard parameter
    (Systems Manager API Reference, PutParameter, Tier).
    """
    return ADVANCED if latest is not None and latest.tier == ADVANCED else wanted.tier


def _parameter_actions(
    wanted: PublishOptions, target: Target, there: TargetSeen, label: str
) -> Iterator[Action]:
    parameter, name = there.parameter, wanted.parameter
    latest = parameter.latest if parameter else None

    def action(operation: str, parameters: Mapping[str, Any]) -> Action:
        return Action(target, operation, parameters, name, "ssm")

    version: int | str = latest.version if latest else KNOWN_AFTER_APPLY
    if needs_version(wanted, parameter, there.image_id):
        version = KNOWN_AFTER_APPLY
        if parameter and (in_the_way := _labels_in_the_way(parameter)):
            oldest = parameter.versions[0].version
            labels = {"Name": name, "ParameterVersion": oldest, "Labels": in_the_way}
            yield action("UnlabelParameterVersion", labels)
        tier = new_tier(wanted, latest)
        yield action(
            "PutParameter",
            {
                "Name": name,
                "Value": there.image_id or KNOWN_AFTER_APPLY,
                "Type": "String",
                "DataType": IMAGE_DATA_TYPE,
                **(_creation(wanted) if parameter is None else {"Overwrite": True}),
                **({"Tier": tier} if tier else {}),
            },
        )
    if version == KNOWN_AFTER_APPLY or (latest and label not in latest.labels):
        yield action("LabelParameterVersion", {"Name": name, "ParameterVersion": version, "Labels": [label]})
    missing = differing_tags(parameter.tags, wanted.parameter_tags) if parameter else {}
    if missing:
        tags = {"ResourceType": "Parameter", "ResourceId": name, "Tags": tag_list(missing)}
        yield action("AddTagsToResource", tags)


def _creation(wanted: PublishOptions) -> dict[str, Any]:
    """The parameters of PutParameter that only a new parameter has.

    AWS refuses tags with Overwrite, for which AddTagsToResource is (botocore shape ``PutParameterRequest``,
    ``Tags``), and policies may require tags of a new parameter (Service Authorization Reference,
    PutParameter: ``aws:RequestTag``). Without Overwrite, AWS does not change a parameter that another client
    has created since it was read.
    """
    return {"Tags": tag_list(wanted.parameter_tags)} if wanted.parameter_tags else {}


def _labels_in_the_way(parameter: Parameter) -> list[str]:
    """This collection's labels on a version that AWS has to delete to make room for a new one.

    The label of the image that is published now may be among them. It is put on the new version.
    """
    if not parameter.is_full:
        return []
    return sorted(label for label in parameter.versions[0].labels if label.startswith(LABEL_PREFIX))


def _templates(wanted: PublishOptions, there: TargetSeen) -> list[LaunchTemplate]:
    """The wanted templates, each once, although one may be given by name and by ID."""
    named = [there.templates[name] for name in wanted.launch_templates if name in there.templates]
    return list({template.template_id: template for template in named}.values())


def _template_actions(
    wanted: PublishOptions, seen: PublishSeen, target: Target, template: LaunchTemplate
) -> Iterator[Action]:
    base = base_version(wanted, template)
    change = change_for(wanted, seen, seen.targets[target], base)
    number = _new_default(wanted, template, change)
    if number == template.default.number:
        return
    if number == KNOWN_AFTER_APPLY:
        yield Action(
            target,
            "CreateLaunchTemplateVersion",
            version_request(template, base, change),
            template.template_id,
        )
    parameters = {"LaunchTemplateId": template.template_id, "DefaultVersion": str(number)}
    yield Action(target, "ModifyLaunchTemplate", parameters, template.template_id)


def _new_default(wanted: PublishOptions, template: LaunchTemplate, change: Change) -> int | str:
    """The number of the version that is to be the default: the present default, the latest, or a new one."""
    base = base_version(wanted, template)
    if all(is_result(version, change, base) for version in versions_in_use(wanted, template)):
        return template.default.number
    # An interrupted run may have created the version already.
    return template.latest.number if is_result(template.latest, change, base) else KNOWN_AFTER_APPLY


def _view_before(wanted: PublishOptions, there: TargetSeen) -> dict[str, Any]:
    parameter = there.parameter
    view = None
    if parameter is not None:
        latest = parameter.latest
        view = _parameter_view(wanted.parameter, latest.value, latest.labels, latest.tier, parameter.tags)
    templates = {
        name: _template_view(template.default.number, template.default.image_id, template.latest)
        for name, template in there.templates.items()
    }
    return {"launch_templates": templates, "parameter": view}


def _view_after(wanted: PublishOptions, seen: PublishSeen, there: TargetSeen, label: str) -> dict[str, Any]:
    image_id = there.image_id or KNOWN_AFTER_APPLY
    parameter = there.parameter
    latest = parameter.latest if parameter else None
    tags = {**(parameter.tags if parameter else {}), **wanted.parameter_tags}
    if latest is None or needs_version(wanted, parameter, there.image_id):
        tier = new_tier(wanted, latest) or (latest.tier if latest else None)
        view = _parameter_view(wanted.parameter, image_id, frozenset({label}), tier, tags)
    else:
        view = _parameter_view(wanted.parameter, latest.value, latest.labels | {label}, latest.tier, tags)
    templates = {
        name: _template_after(wanted, seen, there, template) for name, template in there.templates.items()
    }
    return {"launch_templates": templates, "parameter": view}


def _template_after(
    wanted: PublishOptions, seen: PublishSeen, there: TargetSeen, template: LaunchTemplate
) -> dict[str, Any]:
    change = change_for(wanted, seen, there, base_version(wanted, template))
    number = _new_default(wanted, template, change)
    return _template_view(number, change.name, template.latest if number != KNOWN_AFTER_APPLY else None)


def _template_view(number: int | str, image_id: str | None, latest: TemplateVersion | None) -> dict[str, Any]:
    """A template with the default version ``number``; ``latest`` is None if that is a new version."""
    return {
        "default_version": number,
        "image_id": image_id,
        "latest_image_id": latest.image_id if latest else image_id,
        "latest_version": latest.number if latest else number,
    }


def _parameter_view(
    name: str, value: str, labels: frozenset[str], tier: str | None, tags: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "labels": sorted(labels),
        "name": name,
        "tags": dict(sorted(tags.items())),
        "tier": tier,
        "value": value,
    }


def _warnings(wanted: PublishOptions, there: TargetSeen, target: Target, label: str) -> Iterator[str]:
    parameter = there.parameter
    dropped: list[str] = []
    if parameter and may_name(wanted, parameter, there.image_id, label):
        if label not in parameter.latest.labels:
            yield from (f"{one.message} {one.remedy}" for one in checks.full(wanted.parameter, parameter))
    elif parameter and needs_version(wanted, parameter, there.image_id):
        dropped = [one.removeprefix(LABEL_PREFIX) for one in _labels_in_the_way(parameter) if one != label]
    if dropped:
        yield (
            f"{wanted.parameter} has {MAX_VERSIONS} versions: the oldest is deleted. This prevents a "
            f"rollback to {', '.join(dropped)}."
        )
    if there.image_id is not None and there.image is None and wanted.as_if_shared:
        yield (
            f"{there.image_id} is not visible in account {target.account_id} yet. "
            "Check mode assumes that it will be."
        )


def _template_warnings(
    wanted: PublishOptions, seen: PublishSeen, there: TargetSeen, name: str, template: LaunchTemplate
) -> Iterator[str]:
    default, latest = template.default, template.latest
    base = base_version(wanted, template)
    change = change_for(wanted, seen, there, base)
    if base.image_id == change.name and not change.previous_id and not is_result(base, change, base):
        yield (
            f"Version {base.number} of {name} has the snapshot of another image on the root device: EC2 does "
            "not launch it. The new version omits the snapshot."
        )
    if kept := list(doubtful_snapshots(base, change)):
        yield (
            f"{name} keeps {', '.join(kept)}: whether {change.previous_id} had this snapshot is not known, "
            "because the image is not visible. If so, remove the snapshot from the template."
        )
    is_done = is_result(default, change, base)
    if is_done and latest.image_id != change.name and not follows(latest, wanted.parameter):
        fate = (
            "It is not changed, because of launch_template_base_version: default."
            if wanted.launch_template_base_version == DEFAULT
            else "The new version replaces it."
        )
        yield (
            f"The default version of {name}, {default.number}, launches {change.name}; its latest version, "
            f"{latest.number}, launches {latest.image_id or 'no image'}. {fate}"
        )


def _launch_warnings(
    wanted: PublishOptions, seen: PublishSeen, there: TargetSeen, name: str, template: LaunchTemplate
) -> Iterator[str]:
    for version in versions_to_launch(wanted, template):
        change = change_for(wanted, seen, there, version)
        if change.image is None or launches_image(wanted, there, version):
            continue
        for doubt in doubts(version, change.image, there.types):
            yield f"Version {version.number} of {name} {doubt}."
        for uncertainty in uncertainties(version, change, there):
            yield f"Version {version.number} of {name} {uncertainty}."
        if requires_tokens(version, change.image, change.previous):
            yield (
                f"{change.image.image_id} makes instances that {name} launches require IMDSv2 by default, "
                f"unlike {change.previous_id}: version {version.number} does not set HttpTokens."
            )


def _age_warnings(wanted: PublishOptions, seen: PublishSeen, target: Target) -> Iterator[str]:
    found = compare(wanted, seen, target)
    if found is not None and found.is_older is None:
        yield (
            f"Whether {found.new} is older than {found.published}, which {wanted.parameter} has, is not "
            f"known: {ended(found.problem)}"
        )
