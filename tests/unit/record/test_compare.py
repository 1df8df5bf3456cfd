# SPDX-License-Identifier: GPL-3.0-or-later

"""Every difference between two records is found, and says what it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.record.compare import Difference, Kind, differences
from tests.record.recorder import KILLED

from .examples import PLACE, STEP, TEST, record

(RESOURCE,) = STEP["calls"]


def result(step: dict[str, Any]) -> dict[str, Any]:
    """The result of the step's only task."""
    found: dict[str, Any] = step["playbooks"][0]["tasks"][0]["result"]
    return found


def rename_key(step: dict[str, Any]) -> None:
    result(step)["amis"] = result(step).pop("images")


def longer(step: dict[str, Any]) -> None:
    step["playbooks"][0]["screen"][3:] = ["2 images are", "shared."]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda step: step["processes"][0].update(code=2), [(Kind.CODES, "another exit code", "[0]", "[2]")]),
        (
            lambda step: step["calls"][RESOURCE][1]["parameters"].update(Add="3"),
            [(Kind.CALLS, "ModifyImageAttribute: another Add", '"2"', '"3"')],
        ),
        (
            lambda step: step["calls"][RESOURCE][1]["parameters"].update(New="3"),
            [(Kind.CALLS, "ModifyImageAttribute: new New", "", '"3"')],
        ),
        (
            lambda step: step["calls"][RESOURCE][1]["parameters"].pop("Add"),
            [(Kind.CALLS, "ModifyImageAttribute: no Add any more", '"2"', "")],
        ),
        (
            lambda step: step["calls"][RESOURCE][1].update(error="AuthFailure"),
            [(Kind.CALLS, "ModifyImageAttribute: another answer", "success", "AuthFailure")],
        ),
        (
            lambda step: step["calls"][RESOURCE].reverse(),
            [
                (
                    Kind.CALLS,
                    "another order of the calls on a resource",
                    f"{RESOURCE}: DescribeImages, ModifyImageAttribute",
                    f"{RESOURCE}: ModifyImageAttribute, DescribeImages",
                )
            ],
        ),
        (
            lambda step: step["calls"][RESOURCE].pop(0),
            [
                (
                    Kind.CALLS,
                    "DescribeImages is not called any more",
                    '1 us-east-1 ec2 {"ImageId.1": "<ami>"}',
                    "",
                )
            ],
        ),
        (
            lambda step: step["calls"].update(
                {"1 us-east-1 sts any resource": [{"action": "A", "parameters": {}}]}
            ),
            [(Kind.CALLS, "A is called in addition", "", "1 us-east-1 sts {}")],
        ),
        (
            rename_key,
            [
                (
                    Kind.RESULTS,
                    "new key amis in the result of golden.images.ami_share",
                    "",
                    '{"us-east-1": "<ami>"}',
                ),
                (
                    Kind.RESULTS,
                    "key images vanished from the result of golden.images.ami_share",
                    '{"us-east-1": "<ami>"}',
                    "",
                ),
            ],
        ),
        (
            lambda step: result(step)["images"].update({"us-east-1": "<other>"}),
            [
                (
                    Kind.RESULTS,
                    "another images.* in the result of golden.images.ami_share",
                    '"<ami>"',
                    '"<other>"',
                )
            ],
        ),
        (
            lambda step: result(step)["results"].append({"region": "b"}),
            [
                (
                    Kind.RESULTS,
                    "one results[] more in the result of golden.images.ami_share",
                    "",
                    '{"region": "b"}',
                )
            ],
        ),
        (lambda step: result(step)["actions"].reverse(), []),
        (
            lambda step: result(step)["results"].reverse(),
            [
                (
                    Kind.RESULTS,
                    "another order of results[] in the result of golden.images.ami_share",
                    '[{"region": "a"}, {"region": "z"}]',
                    '[{"region": "z"}, {"region": "a"}]',
                )
            ],
        ),
        (
            lambda step: result(step)["results"][0].update(region="b"),
            [
                (
                    Kind.RESULTS,
                    "another results[].region in the result of golden.images.ami_share",
                    '"a"',
                    '"b"',
                )
            ],
        ),
        (
            lambda step: step["playbooks"][0]["tasks"][0].update(status="failed"),
            [(Kind.RESULTS, "another status of golden.images.ami_share", "ok", "failed")],
        ),
        (
            lambda step: step["playbooks"][0]["tasks"].clear(),
            [(Kind.RESULTS, "task 'Share' is not run any more", "", "")],
        ),
        (
            lambda step: step["playbooks"][0]["screen"].__setitem__(3, "3 images are shared."),
            [(Kind.SCREENS, '"2" became "3"', "2 images are shared.", "3 images are shared.")],
        ),
        (
            longer,
            [
                (
                    Kind.SCREENS,
                    "the same words, laid out differently",
                    "2 images are shared.",
                    "2 images are\nshared.",
                )
            ],
        ),
        (
            lambda step: step["playbooks"][0]["screen"].append("Done."),
            [(Kind.SCREENS, "new line: Done.", "", "")],
        ),
        (
            lambda step: result(step)["text"]["lines"].append("It lacks a tag."),
            [(Kind.SCREENS, "text of golden.images.ami_share: new line: It lacks a tag.", "", "")],
        ),
        (lambda step: step["playbooks"][0]["screen"].__setitem__(0, "TASK [Share] ****"), []),
        (
            lambda step: step["processes"][0].update(stderr=["no"]),
            [(Kind.SCREENS, "stderr: new line: no", "", "")],
        ),
    ],
)
def test_a_change_is_found(change: Callable[[dict[str, Any]], Any], expected: list[tuple[Any, ...]]) -> None:
    found = [*differences(record(), record(change))]
    assert found == [Difference(kind, what, PLACE, old, new) for kind, what, old, new in expected]


def test_tests_of_one_record_only() -> None:
    (found,) = differences(record(), {})
    assert found == Difference(Kind.TESTS, "test only in OLD", TEST)
    (found,) = differences({}, record())
    assert found == Difference(Kind.TESTS, "test only in NEW", TEST)


def test_another_outcome_and_another_number_of_runs() -> None:
    other = record()
    other[TEST] = {**other[TEST], "outcome": "failed", "steps": [*other[TEST]["steps"], STEP]}
    assert [*differences(record(), other)] == [
        Difference(Kind.TESTS, "another outcome of the test", TEST, "test passed", "test failed"),
        Difference(Kind.TESTS, "another number of runs in a test", TEST, "1 runs", "2 runs"),
    ]


def test_of_a_run_that_was_killed_only_the_code_counts() -> None:
    def killed(step: dict[str, Any]) -> None:
        step["processes"][0]["code"] = KILLED

    def killed_later(step: dict[str, Any]) -> None:
        killed(step)
        step["calls"].clear()
        step["playbooks"].clear()

    assert [*differences(record(killed), record(killed_later))] == []
    assert [one.kind for one in differences(record(killed), record())] == [Kind.CODES]
