# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of a report in a real browser: what it shows, hides, prints and blocks."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.golden.images.plugins.module_utils._reports.command import render_playbook_command
from ansible_collections.golden.images.plugins.module_utils._reports.document import (
    SEVERITIES,
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
)
from ansible_collections.golden.images.plugins.module_utils._reports.html.render import render_html

from tests.unit.reports.examples import BATCH, EMOJI, NAMES, PAGE_FILES, SCRIPT, STRANGER, TEMPLATE, document

from .browser import PROGRAM, Browser

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium: install Debian's package chromium"),
]
NOW, BEFORE = "2026-11-24T12:00:00+00:00", "2026-11-23T12:00:00+00:00"
_SHOWN = """
[...document.querySelectorAll('#%s tbody tr')].filter((row) => !row.closest('[hidden]'))
  .map((row) => row.textContent)
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a document whose names mean harm."""
    changes = Changes(BEFORE, (f"{SCRIPT} is shared.",), (f"{TEMPLATE} was public.",))
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_html(replace(document(), changes=changes), NOW, PAGE_FILES), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def shown(browser: Browser, section: str) -> list[str]:
    """The texts of the rows that no filter hides, also of those in parts that are closed."""
    rows: list[str] = browser.run(_SHOWN % section)
    return rows


def images(browser: Browser, section: str) -> list[str]:
    """The images of the rows that no filter hides, in the order of their IDs."""
    return sorted(match[0] for row in shown(browser, section) if (match := re.search(r"ami-\d", row)))


def status(browser: Browser) -> str:
    text: str = browser.run("document.getElementById('status').textContent")
    return text


def go(browser: Browser, fragment: str) -> None:
    """Follow a link within the page, and wait until the page has followed."""
    followed = "new Promise((done) => { addEventListener('hashchange', () => setTimeout(done), {once: true});"
    browser.run(f"{followed} location.hash = {json.dumps(fragment)}; }})")


def test_names_are_text_and_no_request_is_sent(browser: Browser, address: str) -> None:
    browser.open(address)
    assert browser.run("document.title") == document().title
    assert browser.run("document.scripts.length") == 1
    assert browser.run("document.images.length") == 0
    assert images(browser, "matrix") == [f"ami-{place}" for place in range(len(NAMES))]
    text = browser.run("document.body.textContent")
    for name in (SCRIPT, TEMPLATE, EMOJI, "golden-\u27e8U+202E\u27e9gnp.exe"):
        assert name in text

    # What got in all the same could neither run nor load anything.
    browser.complaints.clear()
    browser.run(
        """(() => {
          const script = document.createElement('script');
          script.textContent = "document.title = 'taken over'";
          document.body.append(script);
          const image = new Image();
          image.src = 'http://127.0.0.1:9/pixel.png';
          document.body.append(image);
        })()"""
    )
    refused = browser.run("fetch('http://127.0.0.1:9/data').then(() => 'answered', (error) => error.name)")
    assert refused == "TypeError"
    assert browser.run("document.title") == document().title
    complaints = " ".join(browser.complaints)
    assert "Executing inline script violates" in complaints
    assert complaints.count("violates the document's Content Security Policy") >= 1
    assert len(browser.complaints) >= 3
    # The browser itself blocked the attempts: no request was sent that failed for lack of a server.
    assert {one for one in browser.requests if not one.startswith("http://127.0.0.1:9/")} == {address}
    assert "ERR_CONNECTION_REFUSED" not in complaints


def test_filters_and_search_hide_other_rows(browser: Browser, address: str) -> None:
    browser.complaints.clear()
    browser.requests.clear()
    browser.open("about:blank")
    browser.open(f"{address}#severity=high&q=ami-2")
    assert browser.run("document.querySelector('[name=q]').value") == "ami-2"
    assert browser.run("document.querySelector('[name=severity]').value") == "high"
    assert images(browser, "findings") == images(browser, "matrix") == images(browser, "table-2") == ["ami-2"]
    assert "Who can use which image: 1 of 8" in status(browser)
    assert "Findings by cause: 1 of 4" in status(browser)
    # The parts with the rows that are left are opened.
    assert browser.run("document.querySelector('#table-2 tbody tr:not([hidden])').checkVisibility()") is True

    go(browser, "#region=us-east-1")
    assert images(browser, "matrix") == ["ami-1", "ami-3", "ami-5", "ami-7"]
    assert images(browser, "findings") == ["ami-7"]
    go(browser, "#code=grant_without_share")
    assert len(shown(browser, "findings")) == 1
    assert images(browser, "matrix") == []
    assert browser.run("document.querySelector('#matrix .none').hidden") is False

    # Whose account it is finds the images that are marked for it, and its column.
    go(browser, f"#q={STRANGER}")
    assert images(browser, "matrix") == ["ami-0"]
    widths = browser.run(
        "[...document.querySelectorAll('#matrix thead th')].slice(1)"
        ".map((cell) => [cell.title, cell.getBoundingClientRect().width > 0])"
    )
    assert [title for title, visible in widths if visible] == [STRANGER]
    # Chromium draws the text of a column that it has collapsed.
    assert browser.run(_GHOSTS) == []

    # A filter that cannot be, a link to a place on the page, and no filter.
    go(browser, "#severity=worse&region=%3Cscript%3E")
    assert status(browser) == ""
    # As at first: the few changes, and the small matrix.
    assert browser.run("[...document.querySelectorAll('details[open]')].map((one) => one.id)") == [
        "changes",
        "matrix",
    ]
    go(browser, f"#q={BATCH}")
    some = images(browser, "matrix")
    go(browser, "#findings")
    assert images(browser, "matrix") == some
    go(browser, "#=")
    assert len(images(browser, "matrix")) == len(NAMES)

    # The same as user input.
    browser.run("document.querySelector('[name=q]').focus()")
    browser.call("Input.insertText", text="SCRIPT")
    wait_for(browser, "location.hash === '#q=SCRIPT'")
    assert images(browser, "matrix") == ["ami-0"]
    browser.run("document.querySelector('#filter button').click()")
    wait_for(browser, "location.hash === '#='")
    assert len(images(browser, "matrix")) == len(NAMES)
    assert (browser.complaints, {*browser.requests} - {"about:blank"}) == ([], {f"{address}"})


def test_a_button_copies_the_command(browser: Browser, tmp_path: Path) -> None:
    command = render_playbook_command("share_ami", {"share_account_ids": [STRANGER]}, "--check")
    group = Group("high", "high", "It is <b>public</b>.", 1, command=command, command_note="It shows.")
    path = tmp_path / "command.html"
    report = replace(document(), groups=(group,), account_names={STRANGER: "stranger"})
    path.write_text(render_html(report, NOW, PAGE_FILES), encoding="utf-8")
    browser.complaints.clear()
    browser.call("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    browser.resize(400, 800)
    browser.open(path.as_uri())
    browser.run("document.querySelector('.group').open = true; scrollTo(0, 0)")
    assert browser.run("document.documentElement.scrollWidth - innerWidth") == 0
    place = browser.run(_MIDDLE_OF_BUTTON)
    for kind in ("mousePressed", "mouseReleased"):
        browser.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)
    wait_for(browser, "document.querySelector('button.copy').textContent === 'Copied'")
    assert browser.run("navigator.clipboard.readText()") == command
    assert browser.complaints == []
    browser.resize(1400, 1000)


_MIDDLE_OF_BUTTON = """(() => {
  const place = document.querySelector('button.copy').getBoundingClientRect();
  return {x: place.x + place.width / 2, y: place.y + place.height / 2};
})()"""

_GHOSTS = """
[...document.querySelectorAll('#matrix thead th')]
  .filter((cell) => !cell.getBoundingClientRect().width && getComputedStyle(cell).visibility === 'visible')
  .map((cell) => cell.title)
"""

_TOOLTIP = """(() => {
  const mark = [...document.querySelectorAll('#matrix tr:not([hidden]) td.full')].pop();
  mark.dispatchEvent(new MouseEvent('mouseover', {bubbles: true}));
  return mark.title;
})()"""


def test_marks_after_empty_cells_belong_to_their_columns(browser: Browser, tmp_path: Path) -> None:
    accounts = tuple(f"{number:012}" for number in range(20))
    rows = tuple(
        MatrixRow({"name": f"golden-{number}"}, dict.fromkeys((accounts[0], accounts[number]), Mark.FULL))
        for number in range(1, 20)
    )
    matrix = Matrix("Who", {Mark.FULL: "May."}, (Column("name", "Name"),), accounts, rows)
    path = tmp_path / "matrix.html"
    path.write_text(render_html(replace(document(), matrix=matrix), NOW, PAGE_FILES), encoding="utf-8")
    browser.open(f"{path.as_uri()}#q={accounts[12]}")
    assert shown(browser, "matrix") == ["golden-12\u2713\u2713"]
    assert browser.run(_TOOLTIP) == f"golden-12\n{accounts[12]}: May."


_SENTENCES = """
[...document.querySelectorAll('#changes li')].filter((one) => one.checkVisibility())
  .map((one) => one.textContent)
"""


def test_filters_hide_other_changes(browser: Browser, tmp_path: Path) -> None:
    eu, us = "eu-west-1: ami-0 is public. (public)", "us-east-1: ami-1 is now shared with B."
    gone = "eu-west-1: ami-9 was shared. (grant_without_share)"
    everywhere = "The last report was about another account."
    changes = Changes(BEFORE, (eu, us, everywhere), (gone,))
    path = tmp_path / "changes.html"
    path.write_text(render_html(replace(document(), changes=changes), NOW, PAGE_FILES), encoding="utf-8")
    browser.open(f"{path.as_uri()}#region=us-east-1")
    assert browser.run(_SENTENCES) == [us, everywhere]
    assert "Changes: 2 of 4" in status(browser)
    # A kind of changes that is empty has no title.
    assert browser.run("document.querySelector('#changes .removed').checkVisibility()") is False
    for fragment, expected in (
        ("#severity=high", [eu]),
        ("#severity=medium", [gone]),
        ("#code=public", [eu]),
        ("#q=shared", [us, gone]),
        ("#q=nothing", []),
        ("#=", [eu, us, everywhere, gone]),
    ):
        go(browser, fragment)
        assert browser.run(_SENTENCES) == expected, fragment
        hidden = browser.run("document.querySelector('#changes .none').hidden")
        assert hidden is bool(expected)


_DIMMED = """
[...document.querySelectorAll('.picture')].map((picture) => [...picture.querySelectorAll('.dim title')]
  .map((title) => title.textContent.split(': ')[0]))
"""


_OUTSIDE = """
(() => {
  const picture = document.querySelector('.picture svg'), {left, right} = picture.getBoundingClientRect();
  const parts = [...picture.querySelectorAll('text, rect')].map((part) => part.getBoundingClientRect());
  return parts.filter((part) => part.left < left - 1 || part.right > right + 1).length;
})()
"""
# The total of each label, which follows it, and the amount of each part, which follows its box.
_OVERLAPS = """
(() => {
  const picture = document.querySelector('.picture svg');
  const place = (part) => part.getBoundingClientRect();
  const totals = [...picture.querySelectorAll('text.end')];
  const amounts = [...picture.querySelectorAll('text.on')];
  const isOut = (inner, outer) => inner.left < outer.left || inner.right > outer.right;
  return {
    totals: totals.length,
    amounts: amounts.length,
    overlaps: totals.filter((one) => place(one.previousElementSibling).right > place(one).left).length
      + amounts.filter((one) => isOut(place(one), place(one.previousElementSibling))).length,
  };
})()
"""


def test_filters_dim_boxes_only_in_pictures_that_they_are_about(browser: Browser, tmp_path: Path) -> None:
    marks = {Mark.FULL: "Now.", Mark.PARTIAL: "Later."}
    cells = (Cell("1.0", Mark.FULL, "One."), Cell("2.0", Mark.PARTIAL, "Two."))
    costs = (("golden-eu-west-1", {Mark.FULL: 2.0}), ("golden-db", {Mark.FULL: 1.0}))
    pictures = (
        Grid("Newest version", ("eu-west-1", "us-east-1"), (("golden-web", cells),), marks),
        Grid("Steps by region", ("copied", "shared"), (("eu-west-1", cells), ("us-east-1", cells)), marks),
        Grid("What happens when", ("2026-12-01", "2026-12-02"), (("deregister", cells),), marks),
        Bars("Cost", costs, marks, "EUR"),
    )
    path = tmp_path / "pictures.html"
    path.write_text(render_html(replace(document(), pictures=pictures), NOW, PAGE_FILES), encoding="utf-8")
    browser.open(f"{path.as_uri()}#region=eu-west-1")
    of_us = [["golden-web, us-east-1"], ["us-east-1, copied", "us-east-1, shared"], [], []]
    assert browser.run(_DIMMED) == of_us
    for fragment, dimmed in (
        (
            "#region=us-east-1&q=golden-web",
            [["golden-web, eu-west-1"], [f"eu-west-1, {step}" for step in ("copied", "shared")], [], []],
        ),
        ("#q=shared", [[], ["eu-west-1, copied", "us-east-1, copied"], [], []]),
        ("#q=GOLDEN-DB", [[], [], [], ["golden-eu-west-1, Now."]]),
        (f"#q={STRANGER}", [[], [], [], []]),
        ("#severity=high", [[], [], [], []]),
        ("#=", [[], [], [], []]),
    ):
        go(browser, fragment)
        assert browser.run(_DIMMED) == dimmed, fragment


_SCROLLED = (
    "[...document.querySelectorAll('.picture .scroll')].map((one) => one.scrollWidth > one.clientWidth)"
)


def test_bars_fit_into_a_narrow_window(browser: Browser, tmp_path: Path) -> None:
    marks = {Mark.FULL: "Now.", Mark.PARTIAL: "Later."}
    cells = (Cell("1.0", Mark.FULL, "One."),) * 8
    costs = (
        ("golden-web-x86_64-hardened-" + "a" * 40, {Mark.FULL: 9_000.0, Mark.PARTIAL: 3_345.67}),
        ("db", {Mark.FULL: 1.0}),
    )
    pictures = (
        Bars("Cost", costs, marks, "EUR a month", 2),
        Grid("Newest version", tuple(f"region-{one}" for one in range(8)), (("web", cells),), marks),
    )
    path = tmp_path / "narrow.html"
    path.write_text(render_html(replace(document(), pictures=pictures), NOW, PAGE_FILES), encoding="utf-8")
    browser.resize(400, 800)
    try:
        browser.open(path.as_uri())
        assert browser.run(_SCROLLED) == [False, True]
        assert browser.run(_OUTSIDE) == 0
        assert browser.run(_OVERLAPS) == {"totals": 2, "amounts": 2, "overlaps": 0}
    finally:
        browser.call("Emulation.clearDeviceMetricsOverride")


def wait_for(browser: Browser, condition: str) -> None:
    browser.run(
        f"new Promise((done) => {{ const look = () => {condition} ? done() : setTimeout(look, 9); look(); }})"
    )


def test_the_page_is_displayed_and_printed(browser: Browser, address: str, tmp_path: Path) -> None:
    browser.open("about:blank")
    browser.open(address)
    browser.run("document.querySelector('#unfold').click()")
    assert browser.run("document.querySelectorAll('details:not([open])').length") == 0
    picture = browser.screenshot(10_000)
    (tmp_path / "report.png").write_bytes(picture)
    colors = colors_of(browser, picture)
    # The marks, in the colors of Okabe and Ito, and more than that.
    for color in ("009e73", "56b4e9", "f0e442", "e69f00", "d55e00", "cc79a7"):
        assert colors.get(color, 0) > 100, color
    assert len(colors) > 50

    browser.open(address)
    printed = browser.pdf()
    assert printed.startswith(b"%PDF-")
    assert len(printed) > 20_000
    assert b"/MediaBox [0 0 841" in printed or b"/MediaBox [0 0 842" in printed
    browser.call("Emulation.setEmulatedMedia", media="print")
    assert browser.run("document.querySelector('.tools input').checkVisibility()") is False
    assert browser.run("document.querySelector('#table-1 table').checkVisibility()") is False
    browser.call("Emulation.setEmulatedMedia", media="")


_SHEET = re.compile(rb"/Type\s*/Page\b")


@pytest.mark.parametrize("kind", ["audit", "cleanup"])
def test_a_large_report_prints_on_two_sheets_unless_all_is_asked_for(
    browser: Browser, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "large.html"
    path.write_text(render_html(large(kind), NOW, PAGE_FILES), encoding="utf-8")
    browser.open(path.as_uri())
    assert len(_SHEET.findall(browser.pdf())) == 2
    more = "document.querySelector('#findings > .more')"
    assert browser.run(f"{more}.checkVisibility()") is False
    browser.call("Emulation.setEmulatedMedia", media="print")
    printed = browser.run(
        "[...document.querySelectorAll('#findings > .group')].filter((one) => one.checkVisibility()).length"
    )
    assert printed == (8 if kind == "audit" else 4)
    assert browser.run(f"{more}.textContent") == (
        f"Not printed: {60 - printed} more. To print them, press \u201cOpen all\u201d first."
    )
    # Those that a filter hides are not missing.
    go(browser, "#severity=high")
    assert browser.run(f"{more}.firstElementChild.textContent") == str(20 - printed)
    go(browser, "#q=number%2012%20")
    assert browser.run(f"{more}.checkVisibility()") is False
    go(browser, "#=")
    browser.run("document.querySelector('#unfold').click()")
    assert browser.run(f"{more}.checkVisibility()") is False
    browser.call("Emulation.setEmulatedMedia", media="")
    assert len(_SHEET.findall(browser.pdf())) > 5


def large(kind: str) -> Document:
    """A report with more of everything than two sheets can hold."""
    regions = [f"eu-west-{number}" for number in range(1, 9)]
    marks = {Mark.FULL: "Done.", Mark.BROKEN: "Not done."}
    cells = tuple(Cell("2026.11.1", Mark.FULL, "Good.", "3 days") for _region in regions)
    stages = tuple((stage, cells) for stage in ("deprecate", "disable", "deregister"))
    families = tuple((f"golden-family-{number}", cells) for number in range(30))
    costs = tuple((f"golden-family-{number}", {Mark.FULL: number + 1.0}) for number in range(40))
    drift = Grid("Versions", tuple(regions), families, marks)
    found = replace(
        document(),
        items=tuple(
            Item(
                f"code_{number}",
                SEVERITIES[number % 3],
                f"A snapshot that has {'quite a long name and ' * 6} number {number} is shared.",
                "Unshare it.",
                None,
                regions[number % 8],
                f"ami-{number}",
                f"ami-{number}",
            )
            for number in range(60)
        ),
        changes=Changes(
            BEFORE,
            tuple(f"eu-west-1: ami-{number} {'is new and ' * 12}" for number in range(6)),
            tuple(f"eu-west-1: ami-{number} {'is gone and ' * 12}" for number in range(6)),
        ),
        pictures=(drift,),
    )
    if kind == "audit":
        assert found.matrix is not None
        accounts = tuple(f"{number:012}" for number in range(40))
        rows = tuple(
            MatrixRow(
                {"region": regions[number % 8], "name": f"golden-{number}", "image_id": f"ami-{number}"},
                dict.fromkeys(accounts, Mark.FULL),
            )
            for number in range(24)
        )
        return replace(found, matrix=replace(found.matrix, columns=accounts, rows=rows))
    return replace(
        found,
        matrix=None,
        actions=tuple(
            Group("deregister", "neutral", f"{number} images are deregistered.", number)
            for number in range(50)
        ),
        actions_title="What is done",
        pictures=(
            Grid("What happens when", tuple(regions), stages, marks),
            Bars("Costs", costs, marks, "EUR a month", 2, "Upper bound."),
            drift,
        ),
    )


def test_the_page_without_javascript(browser: Browser, address: str) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open("about:blank")
    browser.open(f"{address}#severity=low")
    # What the protocol runs itself still runs.
    assert len(images(browser, "matrix")) == len(NAMES)
    assert len(shown(browser, "findings")) == len(document().items)
    assert browser.run("document.querySelector('.tools').checkVisibility()") is False
    browser.call("Emulation.setScriptExecutionDisabled", value=False)


_COLORS = """
(async () => {
  const bytes = Uint8Array.from(atob('PICTURE'), (one) => one.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], {type: 'image/png'}));
  const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  const counts = new Map();
  const pixels = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) || 0) + 1);
  const parts = (pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
  const hex = (pixel) => parts(pixel).map((part) => part.toString(16).padStart(2, '0')).join('');
  return Object.fromEntries([...counts].map(([pixel, count]) => [hex(pixel), count]));
})()
"""


def colors_of(browser: Browser, picture: bytes) -> dict[str, int]:
    """How many pixels of a picture have each color: the browser can tell, and faster than Python."""
    browser.open("about:blank")
    counts: dict[str, int] = browser.run(_COLORS.replace("PICTURE", base64.b64encode(picture).decode()))
    return counts
