# SPDX-License-Identifier: GPL-3.0-or-later

"""What a large result keeps, and that its file has the rest."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.golden.images.plugins.filter.whole_result import FilterModule
from ansible_collections.golden.images.plugins.plugin_utils._large_results import (
    LARGEST,
    UnreadableResultError,
    limit_result,
    read_whole,
    read_whole_options,
)

REGIONS = [f"eu-west-{number}" for number in range(20)]
ACCOUNTS = [f"2{number:011d}" for number in range(1_000)]
COPIES = [{"account_id": account, "region": region} for account in ACCOUNTS for region in REGIONS]
SMALL = {
    "changed": True,
    "failed_regions": REGIONS,
    "images": dict.fromkeys(REGIONS, "ami-1"),
    "failures": [],
}
LARGE = {**SMALL, "results": COPIES}


def failure(account: str, region: str, code: str = "Denied") -> dict[str, str]:
    return {
        "account_id": account,
        "action": "CopyImage",
        "error_code": code,
        "region": region,
        "message": "No.",
    }


@pytest.fixture(autouse=True)
def _folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_the_results_of_a_loop_are_small_together() -> None:
    number = 20
    whole = {**SMALL, "failures": [failure(account, "r") for account in ACCOUNTS], "results": COPIES[:1_000]}
    assert len(json.dumps(whole)) < LARGEST
    results = [limit_result({**whole, "images": {"r": f"ami-{item}"}}, number) for item in range(number)]
    assert len(json.dumps(results)) < LARGEST * 1.2
    for item, result in enumerate(results):
        assert result["failures"]
        assert read_whole(result) == {**whole, "images": {"r": f"ami-{item}"}}


def test_a_small_result_stays_complete(tmp_path: Path) -> None:
    assert limit_result(SMALL) == SMALL
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("result", "omitted"),
    [
        pytest.param(LARGE, ["results"], id="a list"),
        pytest.param(
            {**SMALL, "diff": {"prepared": "+ 1", "state_after": {"copies": COPIES}}},
            ["diff.state_after"],
            id="a mapping in a mapping",
        ),
        pytest.param(
            {**SMALL, "report": {"status": "verified", "results": COPIES, "regions": REGIONS}},
            ["report.results"],
            id="a list in a mapping",
        ),
        pytest.param({**LARGE, "images": COPIES}, ["images", "results"], id="two"),
    ],
)
def test_the_largest_parts_are_omitted_and_in_the_file(result: dict[str, Any], omitted: list[str]) -> None:
    short = limit_result(result)
    assert len(json.dumps(short)) <= LARGEST
    assert short["omitted"] == omitted
    for name in omitted:
        outer, _dot, inner = name.partition(".")
        assert (short[outer][inner] if inner else short[outer]) is None
    assert short["failed_regions"] == REGIONS
    path = Path(short["result_path"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text(encoding="utf-8")) == {**result, "large_result_form": 1}
    assert read_whole(short) == result


def test_failures_of_each_kind_stay() -> None:
    denied = [failure(account, region) for account in ACCOUNTS for region in REGIONS[:19]]
    late = failure(ACCOUNTS[0], REGIONS[19], "Throttled")
    short = limit_result({**SMALL, "failures": [*denied, late]})
    assert len(short["failures"]) == 100
    assert {item["region"] for item in short["failures"]} == set(REGIONS)
    assert short["failures"][-1] == late
    assert len(read_whole(short)["failures"]) == 19_001


def test_what_a_task_adds_to_a_result_counts() -> None:
    registered = {**limit_result(LARGE), "changed": False, "failed": False}
    assert read_whole(registered) == {**LARGE, "changed": False, "failed": False}


def test_the_options_of_the_task_are_left_out() -> None:
    """Ansible does not register them."""
    short = limit_result({**LARGE, "invocation": {"module_args": {"images": COPIES}}})
    assert "invocation" not in short
    assert (short["omitted"], read_whole(short)) == (["results"], LARGE)
    assert limit_result({**SMALL, "invocation": {"module_args": {"images": COPIES}}}) == SMALL


def test_what_ansible_reads_stays() -> None:
    """Small parts stay as well, even if the result is large without them: templates read them."""
    warnings = ["x" * 1_000] * 300
    short = limit_result({**SMALL, "results": COPIES, "warnings": warnings})
    assert short == {
        **SMALL,
        "omitted": ["results"],
        "result_path": short["result_path"],
        "results": None,
        "warnings": warnings,
    }


def test_a_result_from_another_host_names_no_file() -> None:
    assert limit_result({**SMALL, "result_path": "/etc/hosts", "omitted": ["results"]}) == SMALL


def test_a_result_without_room_for_its_file_stays_complete(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    result = limit_result({**LARGE, "warnings": ["First."]})
    first, second = result["warnings"]
    assert first == "First."
    assert second.startswith("The result has 1,")
    assert "no file for it can be written" in second
    assert result["results"] == COPIES


def test_options_are_read_as_a_whole() -> None:
    short = limit_result(LARGE)
    options = {"copy_result": short, "grant_results": [short, SMALL], "regions": REGIONS, "name": None}
    assert read_whole_options(options) == {
        "copy_result": LARGE,
        "grant_results": [LARGE, SMALL],
        "regions": REGIONS,
        "name": None,
    }


def test_only_options_for_results_are_read() -> None:
    """Anything else can come from a survey, and is left to the validation of its option."""
    short = limit_result(LARGE)
    options = {"images": short, "audit": [short], "result": short, "kept_back": short}
    assert read_whole_options(options) == options


def test_a_file_that_is_gone_is_named_with_its_option() -> None:
    short = limit_result(LARGE)
    Path(short["result_path"]).unlink()
    with pytest.raises(UnreadableResultError, match=r"^copy_result: the result is large, but /"):
        read_whole_options({"copy_result": short})
    with pytest.raises(AnsibleFilterError, match=r"^whole_result: the result is large"):
        FilterModule().filters()["whole_result"](short)


FORM = '"large_result_form": 1'
SECRET = '{"AWS_SECRET_ACCESS_KEY": "of the job", "results": "of the job"'


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", f'{{{FORM}, "results": 1', f"{{{FORM}}}", f"[{FORM[:-3]}]", SECRET + "}"],
)
def test_another_text_is_not_the_rest(text: str) -> None:
    short = limit_result(LARGE)
    Path(short["result_path"]).write_text(text, encoding="utf-8")
    assert_refused(short)


def assert_refused(short: dict[str, Any]) -> None:
    """Nothing is said of a file that is not the rest, but its path."""
    with pytest.raises(UnreadableResultError) as refused:
        read_whole(short)
    assert str(refused.value) == (
        f"the result is large, but {short['result_path']} is not the file with the rest of it. Pass the "
        "result in the same job that made it, on the same controller, before the file is deleted."
    )


def other_name(path: Path) -> Path:
    return path.rename(path.with_name("envvars.json"))


def other_ending(path: Path) -> Path:
    return path.rename(path.with_suffix(".progress"))


def folder_below(path: Path) -> Path:
    below = path.with_name("below")
    below.mkdir()
    return path.rename(below / path.name)


def detour(path: Path) -> Path:
    path.with_name("golden.images-x").mkdir()
    return Path(f"{path.parent}/golden.images-x/../{path.name}")


def link(path: Path) -> Path:
    """Its target would be the rest."""
    made = path.with_name("golden.images-link.json")
    made.symlink_to(path)
    return made


def pipe(path: Path) -> Path:
    """Without a writer, reading it would not end."""
    path.unlink()
    os.mkfifo(path, 0o600)
    return path


def folder(path: Path) -> Path:
    path.unlink()
    path.mkdir(0o600)
    return path


def readable_by_others(path: Path) -> Path:
    path.chmod(0o640)
    return path


@pytest.mark.parametrize(
    "change", [other_name, other_ending, folder_below, detour, link, pipe, folder, readable_by_others]
)
def test_another_file_is_not_read(change: Callable[[Path], Path]) -> None:
    short = limit_result(LARGE)
    assert_refused({**short, "result_path": str(change(Path(short["result_path"])))})


def test_a_file_of_another_user_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    short = limit_result(LARGE)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert_refused(short)


@pytest.mark.parametrize("omitted", [None, 1, ["results", "gone"], [{}], "results"])
def test_names_of_parts_that_the_file_lacks_are_refused(omitted: Any) -> None:
    assert_refused({**limit_result(LARGE), "omitted": omitted})


@pytest.mark.parametrize("value", [None, "text", [], {}, SMALL])
def test_the_filter_returns_other_values_as_they_are(value: Any) -> None:
    assert FilterModule().filters()["whole_result"](value) == value
