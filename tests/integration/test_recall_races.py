# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_recall`` beside other clients: what they change after it has read stays, and is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._recall import flow as recall_flow

from simulated_aws.client import SimulatedAws

from . import publishing, recalling
from .fixture import HOME, OWNER, Fixture
from .in_process import Modules
from .publishing import PARAMETER, REGIONS, TEMPLATE
from .recalling import codes, everywhere, launch_images, recall_tags, release

IMAGE = {"DataType": "aws:ec2:image", "Type": "String", "Overwrite": True}


class Recall(recalling.Recall):
    """Three releases, of which two are published, and a recall of the second one by the module alone."""

    def __init__(self, aws: SimulatedAws, fixture: Fixture, modules: Modules, folder: Path) -> None:
        self.aws = aws
        publishing.with_role(fixture)
        names = ("2026.10", "2026.11", "2026.12")
        self.first, self.second, self.fix = (release(aws, fixture, name) for name in names)
        publishing.add_templates(aws, self.first)
        templates = {"launch_templates": [TEMPLATE]}
        recalling.publish_both(aws, fixture, modules, (self.first, self.second), **templates)
        aws.client("s3", OWNER, HOME).create_bucket(Bucket="recalls")
        super().__init__(
            modules,
            self.second,
            parameter=PARAMETER,
            tombstone_path=str(folder / "recalls.jsonl"),
            **templates,
            **publishing.in_consumers(fixture),
        )

    def publish_fix(self) -> None:
        """Publish a fix at home, in the parameter alone."""
        ssm = self.aws.client("ssm", OWNER, HOME)
        ssm.put_parameter(Name=PARAMETER, Value=self.fix[HOME], **IMAGE)

    def launch_fix(self) -> None:
        """Make a version of the template at home with a fix the default one."""
        publishing.add_version(self.aws, HOME, self.fix[HOME])
        ec2 = self.aws.client("ec2", OWNER, HOME)
        (template,) = ec2.describe_launch_templates(LaunchTemplateNames=[TEMPLATE])["LaunchTemplates"]
        latest = str(template["LatestVersionNumber"])
        ec2.modify_launch_template(LaunchTemplateName=TEMPLATE, DefaultVersion=latest)


@pytest.fixture
def recall(aws: SimulatedAws, fixture: Fixture, modules: Modules, tmp_path: Path) -> Recall:
    return Recall(aws, fixture, modules, tmp_path)


def before_changes(monkeypatch: pytest.MonkeyPatch, change: Callable[[], Any]) -> None:
    """Change something once, between the reads of the next run and its changes."""
    apply = recall_flow._Work
    pending = [change]

    def work(*given: Any) -> Any:
        while pending:
            pending.pop()()
        return apply(*given)

    monkeypatch.setattr(recall_flow, "_Work", work)


def test_a_fix_in_a_parameter_is_not_replaced(recall: Recall, monkeypatch: pytest.MonkeyPatch) -> None:
    before_changes(monkeypatch, recall.publish_fix)
    done = recall()
    assert (codes(done), recall.fix[HOME] in done["failures"][0]["message"]) == (["concurrent_change"], True)
    values = everywhere(recall.first)
    assert publishing.values(recall.aws) == [recall.fix[HOME], *values[1:]]
    assert launch_images(recall.aws) == values
    # A rerun has nothing to do, and an undo leaves the fix.
    done = recall()
    assert ("msg" in done, done["changed"]) == (False, False)
    assert "msg" not in recall(state="absent")
    assert publishing.values(recall.aws) == [recall.fix[HOME], *everywhere(recall.second)[1:]]


def test_a_fix_in_a_launch_template_is_not_replaced(recall: Recall, monkeypatch: pytest.MonkeyPatch) -> None:
    before_changes(monkeypatch, recall.launch_fix)
    assert codes(recall()) == ["concurrent_change"]
    assert launch_images(recall.aws) == [recall.fix[HOME], *everywhere(recall.first)[1:]]
    assert publishing.values(recall.aws) == everywhere(recall.first)


def test_an_undo_does_not_replace_a_fix(recall: Recall, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "msg" not in recall()
    before_changes(monkeypatch, recall.publish_fix)
    assert codes(recall(state="absent")) == ["concurrent_change"]
    assert publishing.values(recall.aws) == [recall.fix[HOME], *everywhere(recall.second)[1:]]
    # Its region keeps the tag, until a rerun has seen that the fix is to stay.
    assert [bool(tag) for tag in recall_tags(recall.aws, recall.second)] == [
        region == HOME for region in recall.second
    ]
    done = recall(state="absent")
    assert ("msg" in done, recall_tags(recall.aws, recall.second)) == (False, [None, None])


@pytest.mark.parametrize("in_s3", [True, False])
def test_of_two_recalls_at_once_the_record_of_the_first_one_stays(
    recall: Recall, monkeypatch: pytest.MonkeyPatch, in_s3: bool
) -> None:
    place = {"tombstone_path": None, "tombstone_s3_uri": "s3://recalls/golden"} if in_s3 else {}

    def recall_first() -> None:
        assert "msg" not in recall(**place)

    before_changes(monkeypatch, recall_first)
    done = recall(**place)
    assert (codes(done), done["changed"]) == (["concurrent_change"], False)
    assert publishing.values(recall.aws) == launch_images(recall.aws) == everywhere(recall.first)
    assert "msg" not in recall(**place, state="absent")
    assert publishing.values(recall.aws) == launch_images(recall.aws) == everywhere(recall.second)


def test_an_image_that_was_deregistered_first_is_still_recalled(recall: Recall) -> None:
    for region in REGIONS:
        publishing.deregister(recall.aws, region, recall.second[region])
    assert "msg" not in recall(launch_templates=[])
    assert publishing.values(recall.aws) == everywhere(recall.first)


def test_a_recall_that_has_only_tagged_is_taken_back(recall: Recall) -> None:
    nothing = {"parameter": "", "launch_templates": [], "account_ids": []}
    assert "msg" not in recall(**nothing)
    assert None not in recall_tags(recall.aws, recall.second)
    assert "msg" not in recall(**nothing, state="absent")
    assert recall_tags(recall.aws, recall.second) == [None, None]
