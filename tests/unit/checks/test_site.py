# SPDX-License-Identifier: GPL-3.0-or-later

"""Each guide is a page of the site."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.commands import CheckError
from checks.site import CHAPTERS, GENERATED, conf, guides, index, without_contents

CHECKOUT = Path(__file__).resolve().parents[3]


def test_every_guide_of_a_chapter_exists():
    pages = guides(CHECKOUT)
    assert {"README", "docs/cleanup", "docs/iam/README"} <= set(pages)
    assert not set(GENERATED) & set(pages)


def test_the_changelog_is_a_page_once_there_is_one(tmp_path: Path):
    for page in {page for pages in CHAPTERS.values() for page in pages} - set(GENERATED):
        (tmp_path / page).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{page}.md").touch()
    assert "CHANGELOG" not in guides(tmp_path)
    (tmp_path / "CHANGELOG.md").touch()
    assert "CHANGELOG" in guides(tmp_path)


def test_a_chapter_with_a_page_that_does_not_exist_is_an_error(tmp_path: Path):
    with pytest.raises(CheckError, match="docs/cleanup"):
        guides(tmp_path)


def test_the_index_lists_each_page_once():
    text = index(CHAPTERS, ("docs/new",))
    for listed in (*(one for pages in CHAPTERS.values() for one in pages), "docs/new"):
        assert text.count(f"\n/{listed}\n") + text.count(f" </{listed}>\n") == 1
    assert "More" not in index(CHAPTERS, ())


def test_the_page_of_guides_has_a_link_to_each():
    folder = CHECKOUT / "docs"
    text = (folder / "README.md").read_text(encoding="utf-8")
    # The pages about other tools are linked from the page of their directory.
    listed = [
        path for path in folder.rglob("*.md") if path.name == "README.md" or path.parent.name != "moving"
    ]
    missing = [path.name for path in listed if f"({path.relative_to(folder).as_posix()})" not in text]
    assert missing == ["README.md"], "only the page itself"


def test_a_page_has_no_contents_of_its_own():
    text = "Title\n\n.. contents::\n   :local:\n   :depth: 1\n\nText\n"
    assert without_contents(text) == "Title\n\n\nText\n"


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
