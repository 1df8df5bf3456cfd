# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever is there: a run leaves what its plan said it would, and nothing more to do."""

from __future__ import annotations

from typing import Any

from ansible_collections.golden.images.plugins.module_utils._plan import KNOWN_AFTER_APPLY as UNKNOWN
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.examples import volumes
from tests.unit.publish.account import (
    LABEL,
    NAME,
    NEW,
    OLD,
    TEMPLATE,
    Parameter,
    Template,
    account,
    codes,
    image,
    options,
    plan_of,
    run_on,
    version,
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
        version(number + 1, value, *(one for one in LABELS if where[one] == number), tier=tier)
        for number, value in enumerate(values)
    )
    tags = draw(st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy")))
    return Parameter(versions, tags) if versions else None


@st.composite
def templates(draw: st.DrawFn) -> Template:
    """A template that names an image, none, or the parameter; its latest version may not be the default."""
    names = st.sampled_from([{"ImageId": one} for one in (NEW, OLD, f"resolve:ssm:{NAME}")] + [{}])
    snapshots = st.sampled_from([None, "snap-old", "snap-new", "snap-own"])
    mapped = draw(st.dictionaries(st.sampled_from(["/dev/sda", "/dev/sdx"]), snapshots))
    disks = [
        {"DeviceName": name, "Ebs": {"VolumeSize": 9, **({"SnapshotId": one} if one else {})}}
        for name, one in mapped.items()
    ]
    data = {"InstanceType": "t3.micro", **({"BlockDeviceMappings": disks} if disks else {})}
    default = {1: {**data, **draw(names)}}
    latest = {**data, **draw(names), "InstanceType": draw(st.sampled_from(["t3.micro", "m5.large"]))}
    return draw(st.sampled_from([default, {**default, 2: latest}]))


WANTED = st.fixed_dictionaries(
    {
        "tier": st.sampled_from([None, "Advanced", "Intelligent-Tiering"]),
        "parameter_tags": st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy"), min_size=1),
        "launch_templates": st.sampled_from([[], [TEMPLATE]]),
        "launch_template_base_version": st.sampled_from([None, "default", "latest"]),
    }
)
# Refused before anything changes.
REFUSED = (["launch_template_device_missing"], ["launch_template_versions_differ"])


@given(WANTED, parameters(), templates())
def test_a_second_run_has_nothing_to_do(
    want: dict[str, Any], parameter: Parameter | None, template: Template
) -> None:
    there = account(
        image=IMAGE, parameter=parameter, templates={TEMPLATE: template}, named={NEW: IMAGE, OLD: BEFORE}
    )
    run = run_on(options(**want), there, check_mode=False)
    (target,) = run.plan.targets
    if codes([target]) in REFUSED:
        return
    assert run.outcome.failures == ()
    assert [one.operation for one in run.outcome.performed] == [one.operation for one in target.actions]
    again = plan_of(options(**want), there)
    assert (again.actions, again.refusals) == ((), ())
    assert _known_before(again.before, target.after) == _known_before(target.after, target.after)
    if want["launch_templates"]:
        _check(there.templates[TEMPLATE], want["launch_template_base_version"])


def _check(versions: Template, selected: str | None) -> None:
    default, latest = next(iter(versions.values())), versions[max(versions)]
    if selected is None:
        assert default["InstanceType"] == latest["InstanceType"] == "t3.micro"
        assert {default["ImageId"], latest["ImageId"]} <= {NEW, f"resolve:ssm:{NAME}"}
    for one in (default,) if selected else (default, latest):
        for disk in one.get("BlockDeviceMappings", ()):
            assert disk["DeviceName"] != "/dev/sda" or disk["Ebs"].get("SnapshotId") in (None, "snap-new")


def _known_before(view: Any, planned: Any) -> Any:
    """Without the account's default tier, and the numbers of versions that are known only afterwards."""
    templates = {
        name: {key: value for key, value in one.items() if planned["launch_templates"][name][key] != UNKNOWN}
        for name, one in view["launch_templates"].items()
    }
    return {"launch_templates": templates, "parameter": {**view["parameter"], "tier": None}}
