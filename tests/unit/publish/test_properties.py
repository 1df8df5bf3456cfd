# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever is there: performing a plan leaves what it said it would, and nothing more to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils.plan import KNOWN_AFTER_APPLY as UNKNOWN
from ansible_collections.golden.images.plugins.module_utils.plan import Action
from ansible_collections.golden.images.plugins.module_utils.publish.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils.publish.state import (
    LaunchTemplate,
    Parameter,
    ParameterVersion,
    PublishWanted,
    TargetSeen,
    TemplateVersion,
)
from ansible_collections.golden.images.plugins.module_utils.tags import tag_map
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.examples import volumes
from tests.unit.publish.account import (
    LABEL,
    NAME,
    NEW,
    OLD,
    TEMPLATE,
    TEMPLATE_ID,
    image,
)
from tests.unit.publish.examples import (
    found,
    planned,
    seen,
    wanted,
)

IMAGE = image(devices=volumes("snap-new"), root_device="/dev/sda")
BEFORE = image(OLD, devices=volumes("snap-old"), root_device="/dev/sda")
LABELS = [LABEL, "source-ami-1", "source-ami-2"]


@st.composite
def parameters(draw: st.DrawFn) -> Parameter | None:
    """Any parameter that holds images, as many versions of it as there can be, each label on one of them."""
    count = draw(st.sampled_from([0, 1, 2, 3, 100]))
    where = {label: draw(st.integers(-1, max(count - 1, 0))) for label in LABELS}
    tier = draw(st.sampled_from(["Standard", "Advanced"]))
    values = draw(st.lists(st.sampled_from([NEW, OLD]), min_size=count, max_size=count))
    versions = tuple(
        ParameterVersion(
            number + 1, value, tier=tier, labels=frozenset(one for one in LABELS if where[one] == number)
        )
        for number, value in enumerate(values)
    )
    tags = draw(st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy")))
    return Parameter(versions, tags) if versions else None


@st.composite
def templates(draw: st.DrawFn) -> LaunchTemplate:
    """A template that names an image, none, or the parameter; its latest version may not be the default."""
    names = st.sampled_from([NEW, OLD, None, f"resolve:ssm:{NAME}"])
    named = draw(names)
    snapshots = st.sampled_from([None, "snap-old", "snap-new", "snap-own"])
    mapped = draw(st.dictionaries(st.sampled_from(["/dev/sda", "/dev/sdx"]), snapshots))
    disks = [
        {"DeviceName": name, "Ebs": {"VolumeSize": 9, **({"SnapshotId": one} if one else {})}}
        for name, one in mapped.items()
    ]
    data = {"InstanceType": "t3.micro", **({"BlockDeviceMappings": disks} if disks else {})}
    default = TemplateVersion(1, {"ImageId": named, **data})
    latest = TemplateVersion(
        2, {**data, "ImageId": draw(names), "InstanceType": draw(st.sampled_from(["t3.micro", "m5.large"]))}
    )
    return LaunchTemplate(TEMPLATE_ID, default, draw(st.sampled_from([default, latest])))


WANTED = st.builds(
    wanted,
    tier=st.sampled_from([None, "Advanced", "Intelligent-Tiering"]),
    parameter_tags=st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy")),
    launch_templates=st.sampled_from([(), (TEMPLATE,)]),
    launch_template_base_version=st.sampled_from([None, "default", "latest"]),
)
# Refused before anything changes.
REFUSED = (["launch_template_device_missing"], ["launch_template_versions_differ"])


@given(WANTED, parameters(), templates())
def test_a_second_run_has_nothing_to_do(
    want: PublishWanted, parameter: Parameter | None, template: LaunchTemplate
) -> None:
    names = {TEMPLATE: template} if want.launch_templates else {}
    there = found(image=IMAGE, parameter=parameter, templates=names, named={NEW: IMAGE, OLD: BEFORE})
    target = planned(want, there)
    if [one.error_code for one in target.refusals] in REFUSED:
        return
    assert target.refusals == ()
    for action in target.actions:
        there = performed(there, action)
    assert FLOW.plan(want, seen(there)).actions == ()
    again = planned(want, there)
    assert _known_before(again.before, target.after) == _known_before(target.after, target.after)
    for one in there.templates.values():
        if want.launch_template_base_version is None:
            assert one.default.data["InstanceType"] == one.latest.data["InstanceType"] == "t3.micro"
            assert {one.default.image_id, one.latest.image_id} <= {NEW, f"resolve:ssm:{NAME}"}


def _known_before(view: Any, planned: Any) -> Any:
    """Without the account's default tier, and the numbers of versions that are known only afterwards."""
    templates = {
        name: {key: value for key, value in one.items() if planned["launch_templates"][name][key] != UNKNOWN}
        for name, one in view["launch_templates"].items()
    }
    return {"launch_templates": templates, "parameter": {**view["parameter"], "tier": None}}


def performed(there: TargetSeen, action: Action) -> TargetSeen:
    """The target as AWS leaves it after the call."""
    given = action.parameters
    parameter, template = there.parameter, there.templates.get(TEMPLATE)
    if action.operation == "PutParameter":
        former = parameter.versions if parameter else ()
        assert len(former) < 100 or not former[0].labels
        assert (parameter is None) == ("Overwrite" not in given)
        tier = given.get("Tier", "Standard")
        new = ParameterVersion(
            former[-1].version + 1 if former else 1,
            given["Value"],
            tier="Advanced" if tier == "Advanced" else "Standard",
        )
        assert not former or former[-1].tier == "Standard" or new.tier == "Advanced"
        tags = parameter.tags if parameter else tag_map(given.get("Tags", ()))
        return replace(there, parameter=Parameter((*former, new)[-100:], tags))
    if template and action.operation == "CreateLaunchTemplateVersion":
        versions = {str(one.number): one for one in (template.default, template.latest)}
        base = versions[given["SourceVersion"]]
        # AWS inherits no snapshots (botocore shape CreateLaunchTemplateVersionRequest, SourceVersion).
        inherited = [
            {**one, "Ebs": {key: value for key, value in one["Ebs"].items() if key != "SnapshotId"}}
            for one in base.mappings
        ]
        disks = {"BlockDeviceMappings": inherited} if inherited else {}
        data = {**base.data, **disks, **given["LaunchTemplateData"]}
        for one in data.get("BlockDeviceMappings", ()):
            assert one["DeviceName"] != "/dev/sda" or one["Ebs"].get("SnapshotId") in (None, "snap-new")
        latest = TemplateVersion(template.latest.number + 1, data)
        return replace(there, templates={TEMPLATE: replace(template, latest=latest)})
    if template and action.operation == "ModifyLaunchTemplate":
        assert given["DefaultVersion"] in (UNKNOWN, str(template.latest.number))
        return replace(there, templates={TEMPLATE: replace(template, default=template.latest)})
    assert parameter is not None
    if action.operation == "AddTagsToResource":
        tags = {tag["Key"]: tag["Value"] for tag in given["Tags"]}
        return replace(there, parameter=replace(parameter, tags={**parameter.tags, **tags}))
    labels = frozenset(given["Labels"])
    number = given["ParameterVersion"]
    number = parameter.latest.version if not isinstance(number, int) else number
    added = labels if action.operation == "LabelParameterVersion" else frozenset()
    versions = tuple(
        replace(one, labels=(one.labels - labels) | (added if one.version == number else frozenset()))
        for one in parameter.versions
    )
    return replace(there, parameter=replace(parameter, versions=versions))
