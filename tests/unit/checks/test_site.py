# SPDX-License-Identifier: GPL-3.0-or-later

"""Each guide is a page of the site, and each code of the source is on the page of codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.commands import CheckError
from checks.site import CHAPTERS, GENERATED, conf, guides, index, without_contents
from checks.site.codes import Own, own_failures, page

CHECKOUT = Path(__file__).resolve().parents[3]


def test_every_guide_of_a_chapter_exists():
    pages = guides(CHECKOUT)
    assert {"README", "docs/cleanup", "docs/iam/README"} <= set(pages)
    assert not set(GENERATED) & set(pages)


def test_a_chapter_with_a_page_that_does_not_exist_is_an_error(tmp_path: Path):
    with pytest.raises(CheckError, match="docs/cleanup"):
        guides(tmp_path)


def test_the_index_lists_each_page_once():
    text = index(CHAPTERS, ("docs/new",))
    for listed in (*(one for pages in CHAPTERS.values() for one in pages), "docs/new"):
        assert text.count(f"\n/{listed}\n") + text.count(f" </{listed}>\n") == 1
    assert "More" not in index(CHAPTERS, ())


def test_a_page_has_no_contents_of_its_own():
    text = "Title\n\n.. contents::\n   :local:\n   :depth: 1\n\nText\n"
    assert without_contents(text) == "Title\n\n\nText\n"


def test_the_page_of_codes_has_those_of_findings_failures_and_aws():
    text = page(CHECKOUT)
    for row in (
        "| `public` | high | Every AWS account can launch the image. |",
        "| `key_not_enabled` | The key is disabled or pending deletion. |",
        "| `TagLimitExceeded` | A resource can have 50 tags: set fewer. |",
    ):
        assert row in text


def test_failures_are_read_from_the_source(tmp_path: Path):
    folder = tmp_path / "plugins" / "module_utils" / "copy"
    folder.mkdir(parents=True)
    (folder / "checks.py").write_text(
        'FIX = "Fix it."\n'
        'def f(x): return Failure(f"{x} is bad.", FIX, "bad_option", "name")\n'
        'def g(t): return Failure.at(t, "CopyImage", error_code="late", message="Late.", remedy="Rerun.")\n'
        "def h(x): return Failure(x, x, x, x)\n",
        encoding="utf-8",
    )
    assert own_failures(tmp_path) == [
        Own("bad_option", "… is bad.", "Fix it."),
        Own("late", "Late.", "Rerun."),
    ]


@pytest.mark.parametrize(
    ("label", "end"),
    [
        (
            "ansible_collections.amazon.aws.ec2_ami_info_module",
            "/collections/amazon/aws/ec2_ami_info_module.html",
        ),
        ("common_return_values", "/reference_appendices/common_return_values.html"),
    ],
)
def test_labels_of_other_documentation_lead_there(label: str, end: str):
    assert (conf.external(label) or "").endswith(end)


@pytest.mark.parametrize("label", ["ansible_collections.golden.images.no_module", "no_label"])
def test_an_unknown_label_stays_an_error(label: str):
    assert conf.external(label) is None
