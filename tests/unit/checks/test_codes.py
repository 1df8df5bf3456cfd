# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of codes: each code once, with cause and remedy from the source, and no remedy without a code."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from ansible_collections.golden.images.plugins.module_utils._adoption import causes as adoption
from ansible_collections.golden.images.plugins.module_utils._audit import causes as audit
from ansible_collections.golden.images.plugins.module_utils._cleanup.report import items as cleanup
from ansible_collections.golden.images.plugins.module_utils._remediation.plan import REPAIRABLE
from ansible_collections.golden.images.plugins.module_utils._verification import document as verification

from checks import codes
from checks.codes import Entry, diagnosis, entries, page
from checks.commands import CheckError

CHECKOUT = Path(__file__).resolve().parents[3]
_READ = (
    "docs/adoption.md",
    "docs/auditing.md",
    "docs/diagnosing.md",
    "docs/remediating.md",
    "plugins/module_utils/_aws/errors.py",
    "plugins/module_utils/_cleanup/report/items.py",
    "plugins/module_utils/_failures.py",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with what the page is written from."""
    for name in _READ:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, tmp_path / name)
    return tmp_path


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_code_has_a_cause_and_a_remedy_in_each_place_where_it_is_found():
    found = {(entry.code, entry.kind): entry for entry in entries(CHECKOUT)}
    assert found["public", "Finding of an audit, high"].cause == "Every AWS account can launch the image."
    assert found["key_not_enabled", "Finding of a diagnosis, blocking"] == Entry(
        "key_not_enabled",
        "Finding of a diagnosis, blocking",
        "The key is disabled, pending deletion, or in another state that permits no use.",
        "Enable the key (EnableKey, after CancelKeyDeletion if it is pending deletion)",
    )
    assert {kind for code, kind in found if code == "default_key"} == {
        "Failure",
        "Finding of a diagnosis, blocking",
        "Finding of an audit, low",
    }
    assert found["not_visible", "Finding of a launch probe, blocking"].cause == (
        "The account cannot see the image."
    )
    assert ("cleanup_blocked", "Finding of a cleanup") in found
    assert all(entry.cause and entry.remedy for entry in found.values())


def test_each_code_is_one_heading():
    text = page(CHECKOUT)
    headings = [line for line in text.splitlines() if line.startswith("### ")]
    assert headings == sorted({f"### {entry.code}" for entry in entries(CHECKOUT)})


@pytest.mark.parametrize(
    "explained", [adoption.MEANINGS, audit.MEANINGS, cleanup.MEANINGS, verification.MEANINGS]
)
def test_each_code_that_a_report_links_to_is_a_heading(explained: dict[str, str]):
    assert {*explained} <= {entry.code for entry in entries(CHECKOUT)}


@pytest.mark.parametrize(
    "row",
    [
        "| `TagLimitExceeded` | A resource can have 50 tags: set fewer. |",
        "| `502` | Rerun later. |",
        "| `SlowDown` | Rerun later. |",
        "| `AccessDenied` | Allow … in the IAM policy of the credentials used. |",
        "| `TooManyUpdates` | Another process is updating the parameter: rerun. |",
        "| `RunInstances` | `UnsupportedOperation` | Set an instance_type that the image supports. |",
    ],
)
def test_codes_of_aws_have_the_remedies_of_failures(row: str):
    assert row in page(CHECKOUT).splitlines()


@pytest.mark.parametrize(
    ("new", "missing"),
    [('"new_code": "It is new.",\n    "unreadable"', "new_code"), ('"unread"', "unread, unreadable")],
)
def test_a_cause_of_a_cleanup_and_its_remedy_need_each_other(root: Path, new: str, missing: str):
    assert page(root) == page(CHECKOUT)
    _replace(root / "plugins/module_utils/_cleanup/report/items.py", '"unreadable": "', f'{new}: "')
    with pytest.raises(CheckError, match=f"not both: {missing}"):
        page(root)


def test_the_page_about_diagnoses_has_each_code_in_one_table(root: Path):
    rows = re.findall(r"^\| `(\w+)` \| (\w+(?: \(\w+\))?) \|", diagnosis(root), re.MULTILINE)
    found = {
        entry.code: entry.kind for entry in entries(root) if entry.kind.startswith("Finding of a diagnosis")
    }
    assert {code: f"Finding of a diagnosis, {effect}" for code, effect in rows} == found
    assert len(rows) == len(found)


def test_a_table_of_the_page_about_diagnoses_without_a_cause_is_an_error(root: Path):
    _replace(root / codes.DIAGNOSIS, "### Sharing\n", "### Splitting\n")
    with pytest.raises(CheckError, match="Sharing, Splitting"):
        diagnosis(root)


def test_a_page_that_differs_is_an_error_until_it_is_written(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(codes, "CHECKOUT", root)
    codes.write()
    codes.check()
    for page_name, text in (
        (codes.PAGE, "### public\n"),
        ("docs/auditing.md", "| `public` | high |"),
        ("docs/remediating.md", "| `public` | the image"),
        ("docs/remediating.md", "| `key_public` | Change"),
        ("docs/diagnosing.md", "| `public` | harmless |"),
    ):
        _replace(root / page_name, text, "| `open` |")
        with pytest.raises(CheckError, match=rf"{page_name} differs .* run make format"):
            codes.check()
        codes.write()
        codes.check()


def test_a_guide_without_its_table_is_an_error(root: Path):
    _replace(root / "docs" / "auditing.md", "| Code | Severity | Meaning |", "| Code | Meaning |")
    with pytest.raises(CheckError, match=r"docs/auditing\.md needs a table of Code, Severity, Meaning"):
        codes.pages(root)


def test_a_guide_has_the_codes_that_are_fixed_without_being_selected_first(root: Path):
    text = codes.pages(root)["docs/remediating.md"]
    fixed, left = re.findall(r"(?:^\| `\w+` \| .*\n)+", text, re.MULTILINE)
    named = re.findall(r"^\| `(\w+)`", fixed, re.MULTILINE)
    assert (tuple(named[:6]), sorted(named)) == (audit.NOT_ALLOWED, sorted(REPAIRABLE))
    others = {code for code in audit.CAUSES if not code.endswith("_unreadable")} - {*named}
    assert sorted(re.findall(r"^\| `(\w+)`", left, re.MULTILINE)) == sorted(others)
