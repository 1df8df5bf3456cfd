# SPDX-License-Identifier: GPL-3.0-or-later

"""The page: for any names, it has only its own elements and loads nothing."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._reports import codes_page
from ansible_collections.golden.images.plugins.module_utils._reports.document import (
    Bars,
    Cell,
    Changes,
    Column,
    Document,
    Grid,
    Group,
    Item,
    Mark,
    Matrix,
    MatrixRow,
    Table,
)
from ansible_collections.golden.images.plugins.module_utils._reports.html.render import render_html
from hypothesis import given
from hypothesis import strategies as st

from ..examples import EU, NAMES, OWNER, PAGE_FILES, REVERSED, US, document

CODES = "https://git.example.net/golden/images/-/blob/v1.0.0/docs/codes.md"
NOW, BEFORE = "2026-11-24T12:00:00+00:00", "2026-11-23T12:00:00+00:00"
# Attributes that load or submit something.
_LOADING = frozenset(
    {"action", "background", "data", "formaction", "ping", "poster", "src", "srcdoc", "srcset"}
)


class Page(HTMLParser):
    """The elements of a page and what is in them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"col", "input", "meta"}:
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.inside.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.inside[-1] if self.inside else "", data))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, *tags: str) -> str:
        return "".join(text for tag, text in self.texts if not tags or tag in tags)


def page(report: Document | None = None) -> Page:
    return Page(render_html(document() if report is None else report, NOW, PAGE_FILES))


def test_every_name_is_text_on_the_page() -> None:
    text = page().text("td", "th", "span")
    for name in NAMES:
        assert (name if name != REVERSED else "golden-\u27e8U+202E\u27e9gnp.exe") in text
    assert "49" not in page().text("td")


@pytest.mark.parametrize("codes", ["", CODES])
def test_the_page_loads_nothing_and_links_to_codes_only(codes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes_page, "PAGE", codes)
    found = page()
    assert not {tag for tag, _attributes in found.elements} & {
        "base",
        "embed",
        "iframe",
        "img",
        "link",
        "object",
    }
    for tag, attributes in found.elements:
        assert not attributes.keys() & _LOADING, tag
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        assert (attributes.get("href") or "#").startswith(("#", f"{codes}#"))
    assert len(found.of("script")) == len(found.of("style")) == 1
    assert found.inside == []
    style = found.text("style")
    assert "url(" not in style
    assert "@import" not in style


def test_a_code_of_the_collection_links_to_its_cause_and_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes_page, "PAGE", CODES)
    of_aws = Item("AccessDenied", "high", "AWS denied it.", "Allow it.", OWNER, EU, None)
    found = page(replace(document(), items=(*document().items, of_aws)))
    links = [one for one in found.of("a") if not str(one["href"]).startswith("#")]
    assert [one["href"] for one in links] == [
        f"{CODES}#{code}" for code in ("public", "unknown_account", "grant_without_share", "stale_principal")
    ]
    assert {one["rel"] for one in links} == {"noreferrer"}
    assert "AccessDenied" in found.text("dd")


def test_the_policy_allows_only_its_own_style_and_script() -> None:
    found = page()
    (policy,) = (one["content"] for one in found.of("meta") if "http-equiv" in one)
    allowed = dict(part.strip().split(" ", 1) for part in str(policy).split(";"))
    assert allowed == {
        "default-src": "'none'",
        "style-src": _source(found.text("style")),
        "script-src": _source(found.text("script")),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    # The policy applies to the elements after it.
    order = [tag for tag, _attributes in found.elements]
    assert order.index("meta") + 1 < order.index("style")


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@given(st.text(), st.text())
def test_no_text_becomes_markup(text: str, other: str) -> None:
    hostile = replace(
        document(),
        title=text,
        headline=other,
        facts=((text, other),),
        items=(Item(text, "high", text, other, text, other, text, other, text),),
        tables=(Table(text, (Column(other, text),), ({other: text, "region": other},), note=text),),
        matrix=Matrix(
            text,
            {Mark.FULL: other},
            (Column("a", text),),
            (text,),
            (MatrixRow({"a": text}, {text: Mark.FULL}),),
        ),
        changes=Changes(BEFORE, (text,), (other,)),
        explanations={text: other},
    )
    harmless = replace(
        document(),
        title="a",
        headline="b",
        facts=(("a", "b"),),
        items=(Item("a", "high", "a", "b", "a", "b", "a", "b", "a"),),
        tables=(Table("a", (Column("b", "a"),), ({"b": "a", "region": "b"},), note="a"),),
        matrix=Matrix(
            "a", {Mark.FULL: "b"}, (Column("a", "a"),), ("a",), (MatrixRow({"a": "a"}, {"a": Mark.FULL}),)
        ),
        changes=Changes(BEFORE, ("a",), ("b",)),
        explanations={"a": "b"},
    )
    assert {*_shape(hostile)} <= {*_shape(harmless)}


def _shape(report: Document) -> list[tuple[str, tuple[str, ...]]]:
    """Which elements there are, with which attributes."""
    return [(tag, tuple(sorted(attributes))) for tag, attributes in page(report).elements]


def test_every_row_is_visible_without_scripts() -> None:
    found = page()
    assert [
        one for tag, one in found.elements if tag in {"section", "table", "tr", "td"} and "hidden" in one
    ] == []
    assert ["hidden" in one for one in found.of("div") if one.get("class") == "tools"] == [True]


def test_rows_have_their_filter_values() -> None:
    rows = [one for one in page().of("tr") if one]
    assert {str(one.get("data-region")) for one in rows} == {EU, US}
    found = page()
    ami_0 = [tag for tag, one in found.elements if one.get("data-findings") == "high:unknown_account"]
    # The group of findings, the image in the matrix and the image among the records.
    assert ami_0 == ["details", "tr", "tr"]


def test_tables_are_accessible() -> None:
    found = page()
    tables = found.of("table")
    assert len(tables) == len(found.of("caption")) == len(found.of("thead")) == 8
    assert all(one.get("scope") in {"row", "col"} for one in found.of("th"))
    assert found.of("html") == [{"lang": "en"}]
    assert [one["aria-live"] for one in found.of("output")] == ["polite"]


def test_every_mark_has_a_symbol_and_a_meaning() -> None:
    found = page()
    legend = dict(
        zip((item["class"] for item in found.of("li") if item.get("class") in {*Mark}), Mark, strict=False)
    )
    assert set(legend) == {*Mark}
    titles = {one["class"]: one["title"] for one in found.of("td") if "title" in one}
    assert titles["foreign"] == "not allowed"
    symbols = [text for tag, text in found.texts if tag == "b" and not text.isdigit()]
    assert len(set(symbols)) == len(Mark)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (None, ""),
        (Changes(BEFORE), "No changes since 2026-11-23 12:00:00 UTC."),
        (Changes(BEFORE, added=("One.",)), "Changes since 2026-11-23 12:00:00 UTC: 1 new"),
        (Changes(BEFORE, removed=("One.", "Two.")), "Changes since 2026-11-23 12:00:00 UTC: 2 removed"),
        (Changes(BEFORE, ("One.",), ("Two.",)), "Changes since 2026-11-23 12:00:00 UTC: 1 new, 1 removed"),
    ],
)
def test_changes(changes: Changes | None, expected: str) -> None:
    text = page(replace(document(), changes=changes)).text()
    assert ("hanges since" in text) is (changes is not None)
    assert expected in text
    assert changes is None or all(sentence in text for sentence in (*changes.added, *changes.removed))


def test_the_page_of_an_empty_report() -> None:
    empty = Document(
        "audit", "Nothing", "clean", "There are no images.", Table("Images", (Column("name", "Name"),), ())
    )
    found = page(empty)
    assert found.of("section") == found.of("details") == found.of("table") == []
    assert "There are no images." in found.text()
    assert [one["class"] for one in found.of("span") if "status" in str(one.get("class"))] == ["status good"]


def test_a_report_that_checked_nothing_is_not_green() -> None:
    nothing = Document("audit", "Nothing", "empty", "No image.", Table("Images", (), ()), empty=True)
    assert [one["class"] for one in page(nothing).of("span")] == ["status "]


def test_actions_are_before_findings_even_if_something_failed() -> None:
    action = Group("deregister", "neutral", "One image would be deregistered.", 1)
    found = page(replace(document(), actions=(action,), actions_title="Plan", complete=False))
    sections = [one.get("id") for one in found.of("section")]
    assert sections.index("actions") < sections.index("findings")


@pytest.mark.parametrize(("number", "opened"), [(24, True), (25, False)])
def test_a_short_plan_is_open(number: int, opened: bool) -> None:
    rows = tuple({"image_id": f"ami-{one}"} for one in range(number))
    action = Group("deregister", "neutral", "Images go.", number, (Column("image_id", "Image"),), rows)
    found = page(replace(document(), actions=(action,), actions_title="Plan"))
    details = [one for one in found.of("details") if one.get("class") == "group"]
    assert ["open" in one for one in details] == [opened, *[False] * (len(details) - 1)]


def test_the_matrix_of_an_audit_is_before_its_pictures() -> None:
    grid = Grid("G", ("a",), (("x", (Cell("1", Mark.FULL, "One."),)),), {Mark.FULL: "full"})
    for first, expected in ((True, ["matrix", "picture-1"]), (False, ["picture-1", "matrix"])):
        found = page(replace(document(), pictures=(grid,), matrix_first=first))
        ids = [attributes.get("id") for _tag, attributes in found.elements]
        assert [one for one in ids if one in expected] == expected


def test_the_head_names_the_account_and_the_caller() -> None:
    caller = f"arn:aws:sts::{OWNER}:assumed-role/auditor/one"
    writer = {"caller": caller, "collection": "1.0.0", "ansible_core": "2.19.1"}
    found = page(replace(document(), written_by=writer, account_names={OWNER: "images"}))
    facts = found.text("dd")
    assert f"images ({OWNER})" in facts
    assert caller in facts
    assert "Written by golden.images 1.0.0, ansible-core 2.19.1. " in found.text("footer")
    assert "By" not in page().text("dt")


def test_a_group_has_its_place_and_a_command_to_copy() -> None:
    group = Group(
        *("high", "high", "It is public.", 1),
        place="account 012345678901 \u00b7 eu-west-1",
        command='run \'{"id": ["012345678901"]}\'',
        command_note="It shows.",
    )
    found = page(replace(document(), groups=(group,), account_names={OWNER: "images"}))
    assert f"account images ({OWNER}) \u00b7 eu-west-1" in found.text("span")
    # Names of accounts would be in the variables.
    assert found.text("pre") == group.command
    (button,) = (one for one in found.of("button") if one.get("class") == "copy")
    # Without the script, the command is selected by hand.
    assert "hidden" in button
    assert "copy" not in [one.get("class") for one in page(replace(document(), groups=())).of("button")]


def test_times_are_readable_and_machine_readable() -> None:
    text = render_html(document(), NOW, PAGE_FILES)
    assert f'<time datetime="{NOW}">' in text
    assert "2026-11-24 12:00:00 UTC" in text


def test_a_severity_in_a_table_is_a_badge() -> None:
    table = Table(
        "T", (Column("severity", "S"), Column("n", "N", numeric=True)), ({"severity": "high", "n": 3},)
    )
    found = page(replace(document(), items=(), tables=(table,)))
    assert "badge high" in [one.get("class") for one in found.of("span")]


def rows_of(**changes: Any) -> int:
    return len(page(replace(document(), **changes)).of("tr"))


def test_an_empty_matrix_is_omitted() -> None:
    matrix = document().matrix
    assert matrix is not None
    assert rows_of() - rows_of(matrix=replace(matrix, rows=())) == len(NAMES) + 1
    assert rows_of(matrix=None) == rows_of(matrix=replace(matrix, rows=()))
    assert OWNER in page().text("dd")


def test_one_cell_spans_the_empty_cells_of_a_row() -> None:
    rows = tuple(
        MatrixRow({"a": text}, dict.fromkeys(text, Mark.FULL)) for text in ("c", "abd", "abcde", "af")
    )
    matrix = Matrix("M", {Mark.FULL: "full"}, (Column("a", "A"),), tuple("abcdef"), rows)
    cells = page(replace(document(), items=(), tables=(), records=Table("R", (), ()), matrix=matrix)).of("td")
    assert [one.get("class") or one.get("colspan", "1") for one in cells] == [
        *("2", "full", "3"),
        *("full", "full", "1", "full", "2"),
        *("full", "full", "full", "full", "full", "1"),
        *("full", "4", "full"),
    ]


def test_the_names_of_accounts_are_before_their_ids() -> None:
    report = replace(document(), account_names={OWNER: "images"})
    text = page(report).text("dd", "td", "th", "span")
    assert f"images ({OWNER})" in text
    assert "arn:aws:kms:eu-west-1:012345678901:key/../../1" in text
    assert f"images ({OWNER})" not in page().text()


def test_a_picture_has_a_name_and_its_shapes_have_tooltips() -> None:
    grid = Grid("G", ("a",), (("x", (Cell("<b>", Mark.FULL, "One."),)),), {Mark.FULL: "full"})
    found = page(replace(document(), pictures=(grid,)))
    (picture,) = found.of("svg")
    assert (picture["role"], picture["aria-label"]) == ("img", "G")
    assert "<b>" in found.text("text")
    assert "x, a: One." in found.text("title")


def test_bars_take_the_width_that_there_is() -> None:
    bars = Bars("B", (("x", {Mark.FULL: 1.0}), ("y", {Mark.FULL: 3.0})), {Mark.FULL: "full"}, "GiB")
    found = page(replace(document(), pictures=(bars,)))
    (picture,) = found.of("svg")
    assert (picture["width"], "viewbox" in {name.lower() for name in picture}) == ("100%", False)
    assert [(one["x"], one["width"]) for one in found.of("rect")] == [("0.0%", "33.3%"), ("0.0%", "100.0%")]
    assert "scroll fluid" in [one.get("class") for one in found.of("div")]
