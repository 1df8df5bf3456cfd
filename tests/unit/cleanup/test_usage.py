# SPDX-License-Identifier: GPL-3.0-or-later

"""What a region's bulk reads say of use."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import Evidence
from ansible_collections.golden.images.plugins.module_utils.cleanup.usage import (
    BulkReads,
    ImageTask,
    Instance,
    LaunchConfiguration,
    Launcher,
    Parameter,
    Pin,
    TemplateVersion,
    missing_pins,
    running_copies,
    selectors,
    snapshot_uses,
    unresolved,
    uses,
)

from tests.unit.cleanup.examples import own

AMI = "ami-0123456789abcdef0"
OLD = "ami-01234567"


@pytest.mark.parametrize(
    "state", ["pending", "running", "shutting-down", "stopping", "stopped", "terminated"]
)
def test_instances_count_in_every_state_but_terminated(state: str) -> None:
    found = uses(BulkReads(instances=(Instance("i-1", AMI, state),)))
    assert found == ({} if state == "terminated" else {AMI: (Evidence("instance", "i-1", state),)})


@pytest.mark.parametrize(
    ("bulk", "evidence"),
    [
        (
            BulkReads(templates=(TemplateVersion("lt-1", 1, AMI), TemplateVersion("lt-1", 7, AMI))),
            (
                Evidence("launch_template", "lt-1", "version 1"),
                Evidence("launch_template", "lt-1", "version 7"),
            ),
        ),
        (
            BulkReads(configurations=(LaunchConfiguration("lc", AMI, ("blue", "green")),)),
            (Evidence("launch_configuration", "lc", "blue, green"),),
        ),
        (
            BulkReads(configurations=(LaunchConfiguration("lc", AMI),)),
            (Evidence("launch_configuration", "lc", "no group"),),
        ),
        (
            BulkReads(launchers=(Launcher("fleet", "fleet-1", (AMI, AMI)),)),
            (Evidence("fleet", "fleet-1"),),
        ),
        (BulkReads(parameters=(Parameter("/web", AMI),)), (Evidence("parameter", "/web"),)),
        (
            BulkReads(parameters=(Parameter("/web", f'{{"a": "{AMI}", "b": "{AMI}"}}'),)),
            (Evidence("parameter", "/web"),),
        ),
    ],
)
def test_what_names_an_image(bulk: BulkReads, evidence: tuple[Evidence, ...]) -> None:
    assert uses(bulk) == {AMI: evidence}


def test_a_parameter_may_name_several_images_and_words_like_them() -> None:
    third = "ami-0fedcba9876543210"
    text = f"{AMI},{OLD} salami-01234567 ami-0123456789abcdef01 ami-xyz golden_{third}_web"
    assert set(uses(BulkReads(parameters=(Parameter("/web", text),)))) == {AMI, OLD, third}


@pytest.mark.parametrize(
    ("image", "known"),
    [
        (AMI, True),
        ("", True),
        ("resolve:ssm:/web", True),
        ("resolve:ssm:/web:3", False),
        ("resolve:ssm:/db", False),
        ("resolve:ssm:arn:aws:ssm:eu-west-1:111122223333:parameter/web", False),
    ],
)
def test_a_template_whose_parameter_was_not_read_may_mean_any_image(image: str, known: bool) -> None:
    bulk = BulkReads(templates=(TemplateVersion("lt-1", 2, image),), parameters=(Parameter("/web", AMI),))
    found = unresolved(bulk)
    assert [(one.kind, one.subject, one.firm) for one in found] == (
        [] if known else [("unreadable", "lt-1 version 2", False)]
    )


@pytest.mark.parametrize(
    ("parameter", "may"),
    [
        (Parameter("/web", AMI, 2, "aws:ec2:image"), True),
        (Parameter("/web", AMI, 2), True),
        (Parameter("/web", "", 2, "aws:ec2:image"), True),
        (Parameter("/web", AMI, 1, "aws:ec2:image"), False),
        (Parameter("/web", f"{AMI},{OLD}", 2), False),
    ],
)
def test_earlier_versions_of_an_image_may_have_labels(parameter: Parameter, may: bool) -> None:
    assert parameter.may_have_labels is may


def test_a_labeled_version_is_a_use_and_needs_no_other_read() -> None:
    labeled = Parameter("/web:prod", OLD, 1, "aws:ec2:image")
    bulk = BulkReads(templates=(TemplateVersion("lt-1", 1, "resolve:ssm:/web:prod"),), parameters=(labeled,))
    assert uses(bulk) == {OLD: (Evidence("parameter", "/web:prod"),)}
    assert (selectors(bulk), unresolved(bulk)) == ((), ())


def test_what_templates_select_of_parameters_is_asked_for_once() -> None:
    versions = tuple(
        TemplateVersion("lt-1", number, image)
        for number, image in enumerate((AMI, "resolve:ssm:/web", "resolve:ssm:/web:3", "resolve:ssm:/web:3"))
    )
    assert selectors(BulkReads(templates=versions, parameters=(Parameter("/web", AMI),))) == ("/web:3",)


def test_templates_use_snapshots_too() -> None:
    bulk = BulkReads(templates=(TemplateVersion("lt-1", 2, AMI, ("snap-1", "snap-2")),))
    assert snapshot_uses(bulk) == dict.fromkeys(("snap-1", "snap-2"), ("launch template lt-1 version 2",))


def test_so_do_launch_configurations() -> None:
    bulk = BulkReads(configurations=(LaunchConfiguration("web", AMI, (), ("snap-1",)),))
    assert snapshot_uses(bulk) == {"snap-1": ("launch configuration web",)}


@pytest.mark.parametrize(("state", "counts"), [("pending", True), ("available", False), ("failed", False)])
def test_a_copy_needs_its_source_while_it_is_being_made(state: str, counts: bool) -> None:
    copy = own("ami-2", state=state, source_image_id="ami-1", source_region="eu-west-1")
    found = running_copies([("us-east-1", copy), ("eu-west-1", own("ami-1"))])
    expected = {("eu-west-1", "ami-1"): (Evidence("running_copy", "ami-2", "us-east-1"),)}
    assert found == (expected if counts else {})


GROUP = Launcher(
    "auto_scaling_group", "web", ("resolve:ssm:/web:old",), (Pin("lt-1", 3), Pin("web", 2, False))
)


def test_what_a_group_resolves_has_to_be_read_too() -> None:
    bulk = BulkReads(launchers=(GROUP,), parameters=(Parameter("/web", AMI),))
    assert selectors(bulk) == ("/web:old",)
    (evidence,) = unresolved(bulk)
    assert (evidence.subject, evidence.kind) == ("auto_scaling_group web", "unreadable")
    read = BulkReads(launchers=(GROUP,), parameters=(Parameter("/web:old", AMI),))
    assert (unresolved(read), uses(read)) == ((), {AMI: (Evidence("parameter", "/web:old"),)})


def test_versions_that_are_pinned_and_not_read_yet() -> None:
    assert missing_pins((GROUP, GROUP), ()) == GROUP.pins
    latest = TemplateVersion("lt-1", 3, AMI, (), "web"), TemplateVersion("lt-1", 4, AMI, (), "web")
    assert missing_pins((GROUP,), latest) == (Pin("web", 2, False),)
    named = TemplateVersion("lt-9", 2, AMI, (), "web")
    assert missing_pins((GROUP,), (*latest, named)) == ()


def test_an_image_that_is_written_to_s3_is_used() -> None:
    bulk = BulkReads(tasks=(ImageTask("store_task", AMI, "archive/key"),))
    assert uses(bulk) == {AMI: (Evidence("store_task", "archive/key"),)}


def test_the_snapshots_of_a_fleet_are_used() -> None:
    fleet = Launcher("spot_fleet", "sfr-1", snapshot_ids=("snap-1",))
    assert snapshot_uses(BulkReads(launchers=(fleet,))) == {"snap-1": ("spot fleet sfr-1",)}
