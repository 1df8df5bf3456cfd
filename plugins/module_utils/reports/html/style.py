# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's style sheet: light and dark for screens, and for print.

The colors of marks and severities are those of Okabe and Ito ("Color Universal Design", 2008), which people
with any kind of color vision can tell apart. Black is readable on each of them.
"""

from __future__ import annotations

from collections.abc import Mapping

_STYLE = """
:root {
  color-scheme: light dark;
  --paper: #f4f6f8; --card: #ffffff; --ink: #16202a; --soft: #55616d; --line: #d9dfe5; --head: #eef2f5;
  --link: #005a8e; --hover: #e8f1f8;
  --green: #009e73; --sky: #56b4e9; --yellow: #f0e442; --orange: #e69f00; --vermillion: #d55e00;
  --purple: #cc79a7; --grey: #b8bfc6;
  --first: min(22rem, 45vw); --shade: rgb(0 0 0 / .3);
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #10161c; --card: #182129; --ink: #e6ebf0; --soft: #9fabb7; --line: #2f3b46; --head: #202b35;
    --link: #7cc4f0; --hover: #22313d; --shade: rgb(255 255 255 / .3);
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { scroll-padding-top: 5.5rem; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
a { color: var(--link); }
summary:focus-visible, a:focus-visible, button:focus-visible, input:focus-visible,
select:focus-visible, .scroll:focus-visible {
  outline: 3px solid var(--sky); outline-offset: 1px;
}
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; z-index: 9; }
header.top, main, footer { max-width: 110rem; margin: 0 auto; padding: 0 1.5rem; }
header.top { padding-top: 1.75rem; }
h1 { margin: .15rem 0 .4rem; font-size: 1.8rem; line-height: 1.2; letter-spacing: -.01em; }
h2 { margin: 0; font-size: 1.15rem; line-height: 1.3; }
.headline { margin: 0; max-width: 70rem; font-size: 1.08rem; }
.status {
  display: inline-block; margin-right: .5rem; padding: .05rem .7rem; border-radius: 1rem;
  background: var(--grey); color: #000; font-weight: 600;
}
.status.high { background: var(--vermillion); }
.status.medium { background: var(--orange); }
.status.low { background: var(--sky); }
.status.good { background: var(--green); }
.facts { display: flex; flex-wrap: wrap; gap: .4rem 2rem; margin: .75rem 0 0; align-items: end; }
.facts dt { color: var(--soft); font-size: .85rem; }
.facts dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.facts a { text-decoration: none; }
.tools {
  position: sticky; top: 0; z-index: 5; margin: 1.25rem 0 0; border-block: 1px solid var(--line);
  background: var(--card);
}
.tools form {
  display: flex; flex-wrap: wrap; align-items: end; gap: .5rem .9rem; max-width: 110rem; margin: 0 auto;
  padding: .6rem 1.5rem;
}
.tools label { display: grid; color: var(--soft); font-size: .85rem; }
.tools label.q { flex: 1 1 16rem; max-width: 32rem; }
.tools input, .tools select, .tools button {
  min-height: 2.1rem; padding: .25rem .6rem; border: 1px solid var(--soft); border-radius: .35rem;
  background: var(--card); color: var(--ink); font: inherit; font-size: .95rem;
}
.tools input::placeholder { color: var(--soft); opacity: 1; }
.tools select { max-width: 16rem; }
.tools button { cursor: pointer; }
.tools output { flex-basis: 100%; color: var(--soft); font-size: .85rem; }
section, .part {
  margin: 1rem 0; padding: 1rem 1.25rem 1.25rem; border: 1px solid var(--line); border-radius: .6rem;
  background: var(--card);
}
summary { cursor: pointer; }
.part > summary { margin: -1rem -1.25rem -1.25rem; padding: .8rem 1.25rem; }
.part[open] > summary { margin-bottom: 0; }
.part > summary h2 { display: inline; }
.groups .group { border-top: 1px solid var(--line); }
.groups h2 { margin-bottom: .5rem; }
.group > summary { padding: .55rem 0; }
.group > summary:hover, .part > summary:hover { background: var(--hover); }
.group[open] { padding-bottom: .9rem; }
.sentence { font-weight: 600; overflow-wrap: anywhere; }
.group dl { margin: .25rem 0 0; max-width: 80rem; }
.group dl div { display: grid; grid-template-columns: 6rem 1fr; gap: .5rem; margin-bottom: .25rem; }
.group dt { color: var(--soft); }
.group dd { margin: 0; overflow-wrap: anywhere; }
.picture .scroll { border: 0; }
svg { display: block; }
svg text { fill: var(--ink); font-size: 13px; }
svg .strong { font-weight: 600; }
svg .small { font-size: 12px; }
svg .head { font-weight: 600; font-size: 12.5px; }
svg .middle { text-anchor: middle; }
svg .end { text-anchor: end; }
svg .on { fill: #000; pointer-events: none; }
svg .axis { stroke: var(--line); }
svg .curve { stroke-width: 2.5; }
svg .box { stroke: var(--card); rx: 3px; }
svg .dim { opacity: .2; }
svg .full { fill: var(--green); }
svg .partial { fill: var(--sky); }
svg .slight { fill: var(--yellow); }
svg .broken { fill: var(--orange); }
svg .foreign, svg .high { fill: var(--vermillion); }
svg .public { fill: var(--purple); }
svg .unreadable { fill: var(--grey); }
svg .medium { fill: var(--orange); }
svg .low { fill: var(--sky); }
svg .high.curve { stroke: var(--vermillion); }
svg .medium.curve { stroke: var(--orange); }
svg .low.curve { stroke: var(--sky); }
.no-changes { color: var(--soft); }
.count { margin-left: .5rem; color: var(--soft); font-size: .9rem; font-weight: 400; }
.note { margin: .25rem 0 0; color: var(--soft); font-size: .9rem; }
.left-out {
  margin: .5rem 0 0; padding: .3rem .75rem; border-left: .3rem solid var(--orange);
  background: var(--head);
}
.on-paper, .more { display: none; }
.none { margin: .75rem 0 0; color: var(--soft); }
.scroll {
  width: fit-content; max-width: 100%; max-height: 85vh; margin-top: .75rem; overflow: auto;
  border: 1px solid var(--line); border-radius: .4rem;
}
/* Longer bars are not easier to compare. */
.scroll.fluid { width: auto; max-width: 790px; }
/* A shadow where a picture or a matrix goes on. */
.picture .scroll, .scroll:has(> .matrix) {
  background:
    linear-gradient(to right, var(--card) 50%, transparent) 0 0 / 2.5rem 100% no-repeat local,
    linear-gradient(to left, var(--card) 50%, transparent) 100% 0 / 2.5rem 100% no-repeat local,
    linear-gradient(to right, var(--shade), transparent) 0 0 / .9rem 100% no-repeat scroll,
    linear-gradient(to left, var(--shade), transparent) 100% 0 / .9rem 100% no-repeat scroll;
}
table { border-collapse: separate; border-spacing: 0; font-size: .9rem; }
.scroll:has(> .wide) { width: auto; }
.wide { width: 100%; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td {
  padding: .4rem .65rem; border-bottom: 1px solid var(--line); text-align: start;
  vertical-align: top; unicode-bidi: isolate;
}
td { white-space: pre-line; }
td.whole, tbody th { white-space: nowrap; }
td.broken-up, td.prose { min-width: 14rem; }
td.broken-up { overflow-wrap: anywhere; }
tbody tr:last-child > * { border-bottom: 0; }
tbody tr:hover > * { background: var(--hover); }
thead th {
  position: sticky; top: 0; z-index: 2; background: var(--head); font-size: .85rem; white-space: nowrap;
}
.number { text-align: end; font-variant-numeric: tabular-nums; }
.id { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .85em; }
.soft { color: var(--soft); font-size: .85em; }
.badge {
  display: inline-block; padding: 0 .55rem; border-radius: .3rem; background: var(--grey); color: #000;
  font-size: .85rem; font-weight: 600; white-space: nowrap;
}
.badge.high { background: var(--vermillion); }
.badge.medium { background: var(--orange); }
.badge.low { background: var(--sky); }
.finding { min-width: 16rem; overflow-wrap: anywhere; }
.changes { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: .5rem 2rem; }
.changes h3 { margin: .75rem 0 .25rem; font-size: .95rem; }
.changes ul { margin: 0; padding-left: 1.4rem; }
.changes .added li::marker { content: "+\\2002"; font-weight: 700; }
.changes .removed li::marker { content: "\\2212\\2002"; font-weight: 700; }
.legend {
  display: flex; flex-wrap: wrap; gap: .35rem 1.3rem; margin: .75rem 0 0; padding: 0;
  list-style: none; font-size: .9rem;
}
.legend li { display: flex; gap: .45rem; }
.legend b, .matrix td b {
  display: inline-block; width: 1.45rem; border-radius: .25rem; color: #000; font-weight: 700;
  line-height: 1.45rem; text-align: center;
}
.legend b { flex: none; height: 1.45rem; }
.matrix { table-layout: fixed; }
.matrix col { width: 1.7rem; }
.matrix col:first-child { width: var(--first); }
.matrix td { padding: .1rem .12rem; vertical-align: middle; white-space: normal; }
.matrix td b { display: block; margin: auto; }
.matrix thead th + th { padding: .5rem .1rem; vertical-align: bottom; text-align: center; }
.matrix thead th + th span {
  display: inline-block; max-height: 18rem; overflow: hidden; writing-mode: vertical-rl; rotate: 180deg;
  text-align: start; font-weight: 500; font-variant-numeric: tabular-nums;
}
.matrix th:first-child {
  position: sticky; left: 0; z-index: 1; padding: .25rem .65rem; background: var(--card);
  border-right: 1px solid var(--line); font-weight: 600; overflow-wrap: anywhere; white-space: normal;
}
.matrix thead th:first-child {
  z-index: 3; padding: .5rem .65rem; background: var(--head); vertical-align: bottom;
}
.matrix th .soft { display: block; font-weight: 400; }
.full b { background: var(--green); }
.partial b { background: var(--sky); }
.slight b { background: var(--yellow); }
.broken b { background: var(--orange); }
.foreign b { background: var(--vermillion); }
.public b { background: var(--purple); }
.unreadable b { background: var(--grey); }
footer { padding-block: .5rem 2rem; color: var(--soft); font-size: .85rem; }
@media (max-width: 50rem) {
  .tools { position: static; }
  header.top, main, footer { padding: 0 .75rem; }
  section, .part { padding: .75rem .75rem 1rem; }
  .part > summary { margin: -.75rem -.75rem -1rem; padding: .75rem; }
  .tools form { gap: .4rem; padding: .5rem .75rem; }
  .tools label.q { flex-basis: 100%; }
  .tools label { flex: 1 1 5rem; min-width: 0; }
  .tools select { width: 100%; }
  .group dl div { grid-template-columns: 1fr; gap: 0; }
}
@media print {
  @page { size: A4 landscape; margin: 12mm; }
  :root {
    color-scheme: light;
    --paper: #ffffff; --card: #ffffff; --ink: #000000; --soft: #444444; --line: #bbbbbb; --head: #eeeeee;
    --link: #000000; --hover: transparent;
  }
  /* So that some forty columns fit on a page. */
  html { font-size: 11px; }
  body { font-size: 9pt; line-height: 1.3; }
  .on-paper { display: block; }
  header.top, main, footer { max-width: none; padding: 0; }
  .skip, .tools label, .tools button, footer { display: none; }
  .tools { position: static; border: 0; }
  .tools form { padding: 0; }
  a { text-decoration: none; }
  section, .part { margin: .5rem 0; padding: 0; border: 0; }
  .part > summary { margin: 0; padding: 0; }
  .part:not([open]) { display: inline-block; margin-right: 2rem; }
  .group > summary { padding: .15rem 0; }
  .left-out { margin-top: .2rem; padding-block: 0; }
  .picture, .group > summary { break-inside: avoid; }
  .picture .scroll { zoom: .65; margin: .4rem 0; }
  .legend { margin-top: .3rem; }
  .picture svg[viewBox] { max-width: 100%; height: auto; }
  body:not(.all) .picture:has(svg.on-paper) svg:not(.on-paper), .all svg.on-paper { display: none; }
  /* The trend is for the screen: on paper, the report is at most two sheets. */
  body:not(.all) .picture:has(.curve) { display: none; }
  h2, h3 { break-after: avoid; }
  .scroll, .picture .scroll, .scroll:has(> .matrix) {
    max-height: none; overflow: visible; border: 0; background: none;
  }
  thead { display: table-header-group; }
  thead th, .matrix th:first-child { position: static; }
  tr { break-inside: avoid; }
  th, td { padding: .2rem .4rem; }
  td.whole, tbody th { white-space: normal; }
  td.broken-up, td.prose, .finding { min-width: 9rem; }
  .status, .badge, b, thead th, svg { print-color-adjust: exact; }
}
"""


# The first elements of each selector are printed, unless everything is.
_PRINTED = """@supports selector(:nth-child(1 of p)) { @media print {
  FURTHER { display: none; }
  body:not(.all) .more { display: block; }
} }
"""


def style(columns: int, on_paper: Mapping[str, int]) -> str:
    """The style sheet of a page whose matrix has this number of columns.

    A fixed width halves the layout time of a large matrix, because the browser need not measure each cell.
    ``on_paper`` is how many elements of each selector are printed, of those that no filter hides. A browser
    that cannot count these prints all.
    """
    further = ", ".join(
        f"body:not(.all) {selector}:nth-child(n+{number + 1} of {selector.split()[-1]}:not([hidden]))"
        for selector, number in on_paper.items()
    )
    width = f".matrix {{ width: calc(var(--first) + {columns} * 1.7rem); }}"
    return f"{_STYLE}{_PRINTED.replace('FURTHER', further)}{width}\n"
