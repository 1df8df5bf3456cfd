# SPDX-License-Identifier: GPL-3.0-or-later

"""Every module, with values that no option expects in every place of its options.

Each input is run through the module's real argument spec, runner and flow, against an AWS account without
resources, or one that denies every call. The result is a clear error or a harmless success: never an
exception, a call that changes something, or Python's words.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from traceback import extract_tb
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import read_visible
from ansible_collections.golden.images.plugins.module_utils._distribution.read_steps import OWN_NAMES
from ansible_collections.golden.images.plugins.module_utils._launch_probe import apply as launch_probe
from ansible_collections.golden.images.plugins.module_utils._variables import options_within

from tests.unit.hostile import VALUES, paths, removed, replaced, valid
from tests.unit.in_process import Modules, Ran

pytestmark = pytest.mark.exhaustive

INPUTS = 200
"""For each module."""
_LONGEST = 800
_MOST_LINES = 53
_PYTHON = (
    *("Traceback", "' object", "NoneType", "unhashable", "<class", "KeyError", "TypeError", "ValueError"),
    *("has no attribute", "not subscriptable", "not iterable", "Invalid endpoint", "Errno"),
)
MODULES = Modules()
OPTIONS = valid()


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no image: the account has none, and never sees one."""
    for module in (read_visible, launch_probe):
        monkeypatch.setattr(module, "VISIBLE_WITHIN", 0)


def inputs(name: str, folder: Path) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Options of a module with one or two hostile values, and the place of one of them."""
    random = Random(name)
    bases = [_in_folder(options, folder) for options in OPTIONS[name]]
    (folder / "tombstones.jsonl").touch()
    for number in range(INPUTS):
        options = random.choice(bases)
        # Each option as a whole, and each value within the options.
        listed = list(paths(options)) if number % 2 else [(option,) for option in options]
        path = random.choice(listed)
        if number % 11 == 0:
            yield path, removed(options, path)
            continue
        options = replaced(options, path, random.choice(VALUES))
        if number % 5 == 0:
            path = (random.choice(list(options)),)
            options = replaced(options, path, random.choice(VALUES))
        yield path, options


def _in_folder(value: Any, folder: Path) -> Any:
    if isinstance(value, dict):
        return {key: _in_folder(item, folder) for key, item in value.items()}
    return value.replace("{tmp}", str(folder)) if isinstance(value, str) else value


def complaints(name: str, ran: Ran) -> Iterator[str]:
    """What is wrong with the result of a module."""
    # Its report is uploaded.
    reports = ("ami_share_audit", "ami_verify", "distribution_report")
    changes = {*ran.changes} - ({"PutObject"} if name in reports else set())
    if changes:
        yield f"changes {changes}"
    if not ran.failed:
        return
    message = str(ran.result["msg"])
    if "Traceback" in message or len(message.splitlines()) > _MOST_LINES:
        yield f"{len(message.splitlines())} lines: {message}"
    # Ansible's own checks of the argument spec return no failures. Their words are Ansible's.
    for failure in ran.result.get("failures", ()):
        yield from _complaints_about(name, failure)


def complaints_in(text: str) -> Iterator[str]:
    """What is wrong with the text of a failure."""
    if len(text) > _LONGEST:
        yield f"{len(text)} characters: {text}"
    for word in _PYTHON:
        if word in text:
            yield f"{word}: {text}"


def _names(argument_spec: Mapping[str, Any]) -> Iterator[str]:
    """The options of a module, and those of other modules that it takes, with the names in its messages."""
    for option, fields in argument_spec.items():
        yield option
        yield from _names(options_within(fields))
        yield from OWN_NAMES.get(option, {}).values()


def _complaints_about(name: str, failure: dict[str, Any]) -> Iterator[str]:
    text = f"{failure['message']} {failure['remedy']}"
    yield from complaints_in(text)
    module = importlib.import_module(f"ansible_collections.golden.images.plugins.modules.{name}")
    option = failure["action"].partition("[")[0]
    if failure["error_code"] == "invalid_option" and not (
        option in {*_names(module.FLOW.options.argument_spec()), "region"} and text.startswith(option)
    ):
        yield f"does not name the option: {failure}"


@pytest.mark.parametrize("name", OPTIONS)
def test_hostile_options_have_a_clear_error(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found: list[str] = []
    tried = 0
    for number, (path, options) in enumerate(inputs(name, tmp_path)):
        tried += 1
        place = ".".join(map(str, path))
        try:
            ran = MODULES.run(name, options, check_mode=number % 4 == 0, denies=number % 3 == 0)
        except Exception as exception:  # noqa: BLE001
            last = extract_tb(exception.__traceback__)[-1]
            found.append(f"{place}: {exception!r:.200} {last.filename}:{last.lineno}")
            continue
        found += [f"{place}: {complaint:.600}" for complaint in complaints(name, ran)]
    assert found == []
    assert tried == INPUTS


def test_every_module_is_tried() -> None:
    modules = Path(__file__).resolve().parents[2] / "plugins" / "modules"
    # Those without code are the documentation of actions: see tests/unit/action/test_hostile_options.py.
    written = [file for file in modules.glob("*.py") if "def main" in file.read_text(encoding="utf-8")]
    assert sorted(OPTIONS) == sorted(file.stem for file in written)


@pytest.mark.parametrize("name", OPTIONS)
def test_the_options_are_accepted_without_hostile_values(name: str, tmp_path: Path) -> None:
    """Otherwise the hostile values would not be what a module refuses."""
    (tmp_path / "tombstones.jsonl").touch()
    for options in OPTIONS[name]:
        ran = MODULES.run(name, _in_folder(options, tmp_path))
        assert "failures" in ran.result, ran.result["msg"]
        # The account has no images.
        refused = [one for one in ran.result["failures"] if one["error_code"] == "invalid_option"]
        assert [one for one in refused if one["action"] not in ("source_filters", "source_image_id")] == []
