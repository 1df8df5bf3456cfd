# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_recall`` beside other clients: what they change after it has read stays, and is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils import _runner
from ansible_collections.golden.images.plugins.module_utils._publish.flow import FLOW as PUBLISH
from ansible_collections.golden.images.plugins.module_utils._recall import flow as recall_flow
from ansible_collections.golden.images.plugins.module_utils._recall.flow import FLOW

from simulated_aws.client import SimulatedAws

from . import publishing
from .fixture import HOME, OWNER, Fixture
from .publishing import PARAMETER, REGIONS, TEMPLATE
from .test_recall import everywhere, launch_images, recall_tags, release

IMAGE = {"DataType": "aws:ec2:image", "Type": "String", "Overwrite": True}


class Recall:
    """Three releases, of which two are published, and a recall of the second one in this process."""

    def __init__(self, aws: SimulatedAws, fixture: Fixture, folder: Path) -> None:
        self.aws, self._fixture, self._folder = aws, fixture, folder
        publishing.with_role(fixture)
        names = ("2026.10", "2026.11", "2026.12")
        self.first, self.second, self.fix = (release(aws, fixture, name) for name in names)
        publishing.add_templates(aws, self.first)
        for images in (self.first, self.second):
            published = {"images": images, "source_image_id": images[HOME], "launch_templates": [TEMPLATE]}
            done = self._run(PUBLISH, published)
            assert "msg" not in done, done
        aws.client("s3", OWNER, HOME).create_bucket(Bucket="recalls")

    def _run(self, flow: Any, given: dict[str, Any]) -> dict[str, Any]:
        options = {"parameter": PARAMETER, **publishing.in_consumers(self._fixture), **given}
        return _runner.run_here(flow, {**options, "_ansible_check_mode": False, "_ansible_diff": False})

    def __call__(self, **changes: Any) -> dict[str, Any]:
        options = {
            "source_image_id": self.second[HOME],
            "source_region": HOME,
            "regions": list(REGIONS),
            "launch_templates": [TEMPLATE],
            "tombstone_path": str(self._folder / "recalls.jsonl"),
        }
        return self._run(FLOW, {**options, **changes})

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
def recall(aws: SimulatedAws, fixture: Fixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recall:
    for name, value in aws.environment(OWNER).items():
        if name.startswith(("AWS_", "NO_PROXY", "no_proxy")):
            monkeypatch.setenv(name, value)
    return Recall(aws, fixture, tmp_path)


def before_changes(monkeypatch: pytest.MonkeyPatch, change: Callable[[], Any]) -> None:
    """Change something once, between the reads of the next run and its changes."""
    apply = recall_flow._Work
    pending = [change]

    def work(*given: Any) -> Any:
        while pending:
            pending.pop()()
        return apply(*given)

    monkeypatch.setattr(recall_flow, "_Work", work)


def codes(done: dict[str, Any]) -> list[str]:
    """The codes of the failures."""
    return [failure["error_code"] for failure in done["failures"]]


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
