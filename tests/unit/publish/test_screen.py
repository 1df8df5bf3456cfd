# SPDX-License-Identifier: GPL-3.0-or-later

"""What the roles publish and rollback display at their end and pass to the next job."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import Failure, summary
from ansible_collections.golden.images.plugins.module_utils._model import Target
from ansible_collections.golden.images.plugins.module_utils._publish.screen import screen
from ansible_collections.golden.images.plugins.module_utils._reports.screen import (
    WIDTH,
    Screen,
    count_columns,
)

EU, US = "eu-west-1", "us-east-1"
OWNER, OTHER = "111111111111", "222222222222"
REFUSED = {"account_id": OTHER, "message": "No.", "region": US, "remedy": "Ask."}


def published(region: str = EU, account_id: str = OWNER, **changes: Any) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "changed": True,
        "image_id": f"ami-{region}",
        "label": "v4",
        "launch_templates": {"web": 3},
        "parameter": "/golden/web",
        "parameter_version": 4,
        "region": region,
        **changes,
    }


def shown(*results: dict[str, Any], status: str = "published", role: str = "publish", **more: Any) -> Screen:
    given = {"check_mode": status == "planned", "parameter": "/golden/web", "role": role}
    failed = {"msg": "It failed."} if status in ("failed", "incomplete") else {}
    found = screen({"results": list(results), "failures": [], **failed, **more}, given, None)
    assert found.artifacts["status"] == status
    assert all(count_columns(line.text) <= WIDTH for line in found.lines), found.text
    return found


def test_images_are_published() -> None:
    found = shown(published(), published(US, launch_templates={}, changed=False))
    assert found.text.splitlines() == [
        "Published /golden/web in 2 regions.",
        "region     account       image          version  templates  outcome",
        "eu-west-1  111111111111  ami-eu-west-1        4  web:3      changed",
        "us-east-1  111111111111  ami-us-east-1        4             unchanged",
        "Label: v4.",
    ]
    assert found.artifacts == {
        "failed_regions": [],
        "images": {EU: f"ami-{EU}", US: f"ami-{US}"},
        "parameter": "/golden/web",
        "report_path": None,
        "status": "published",
    }


def test_a_parameter_is_shared() -> None:
    found = shown(published(shared_with=["333333333333"]), published(US, shared_with=["333333333333", "o"]))
    assert found.text.splitlines()[-1] == "Shared through AWS RAM with 2 consumers."
    for changed, start in ((True, "It would be shared"), (False, "Shared")):
        planned = shown(published(changed=changed, shared_with=["333333333333"]), status="planned")
        assert planned.text.splitlines()[-1] == f"{start} through AWS RAM with 1 consumer."


def test_labels_of_several_sources() -> None:
    found = shown(*(published(label=f"v{number}") for number in range(6)))
    assert found.text.splitlines()[-1] == "Labels: v0, v1, v2, v3 and 2 more."


def test_only_a_regions_one_image_is_passed() -> None:
    found = shown(published(), published(account_id=OTHER, image_id="ami-own"), published(US, image_id=None))
    assert found.artifacts["images"] == {}


def test_a_rollback() -> None:
    found = shown(published(), status="rolled_back", role="rollback")
    assert found.text.splitlines()[0] == "Rolled back /golden/web in 1 region."


def test_a_region_that_failed() -> None:
    found = shown(published(), status="incomplete", failures=[REFUSED])
    assert found.text.splitlines()[0] == "Incomplete: /golden/web published in 1 region."
    assert found.text.splitlines()[2].split() == [US, OTHER, "failed"]
    assert found.artifacts["failed_regions"] == [US]


def test_check_mode() -> None:
    found = shown(
        published(image_id=None, parameter_version=None, launch_templates={"web": None}), status="planned"
    )
    assert found.text.splitlines()[0] == "Check mode: /golden/web would be published in 1 region."
    assert found.text.splitlines()[2].split() == [EU, OWNER, "(new)", "web", "planned"]


@pytest.mark.parametrize("number", [20, 100])
def test_many_regions(number: int) -> None:
    found = shown(*(published(f"eu-west-{one}") for one in range(number)))
    assert (f"100 regions  {OWNER}  100 images" in found.text) == (number == 100)


@pytest.mark.parametrize("role", ["publish", "rollback"])
def test_where_the_failures_are_that_are_not_shown(role: str) -> None:
    many = [Failure.at(Target("eu-1", None), "X", "bad", f"{number} is bad.", "") for number in range(9)]
    failures = [one.to_dict() for one in many]
    found = shown(status="failed", role=role, failures=failures, msg=summary(many))
    rest = f"4 more in the fact {role}_failures."
    assert [found.lines[-1].text.strip(), found.failure.splitlines()[-1]] == [rest, rest]


@pytest.mark.parametrize(
    ("status", "role", "word"),
    [
        ("planned", "publish", "published"),
        ("published", "publish", "published"),
        ("rolled_back", "rollback", "rolled back"),
    ],
)
def test_what_is_published_already_is_not_called_a_change(status: str, role: str, word: str) -> None:
    found = shown(published(changed=False), status=status, role=role)
    assert found.text.splitlines()[0] == f"Nothing to change: /golden/web is {word} in 1 region already."
    one = shown(published(changed=False), published(US), status=status, role=role)
    assert "Nothing to change" not in one.text
