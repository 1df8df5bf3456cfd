# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of the benchmark in Markdown, from the results: one for users, one with all details; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from . import text
from .drawings import Drawing
from .goals import Outcome, met
from .results import Part, Results, Series

PICTURES = "pictures/benchmark-"
"""How the paths of the pictures begin, from the directory of the details on."""
PICTURE = "distribute-first-run"
"""The drawing that the page for users shows."""
PICTURE_OF_PAGE = f"images/benchmark-{PICTURE}.svg"
"""Its path from that page's directory on."""
_HEAD = """\
# Benchmarks

What a distribution, a recall, an audit and others take, measured against what one would run without this
collection, where there is something. All tools of one comparison run in one go on one machine against the
same [simulated AWS](simulated-aws.md), which is a process of its own on that machine and not counted. On AWS,
a copy takes minutes instead of 20 s: the times beyond the copies are what differs between the tools. Compare
within a part: the parts ran at different times, and this virtual machine is twice as fast at some as at
others."""
_HEAD_OF_DETAILS = """\
# Benchmarks, with all details

`make bench` measures and writes this page and [the one for users](../../docs/benchmarks.md), which says
what the tools are that this collection is compared with; see [contributing](../../CONTRIBUTING.md)."""
_COLUMNS = """\
`8 × 50` are regions and accounts. Time is that of the whole command, from its start to its end; CPU and
memory are those of all its processes, and API calls include refused ones. Wrong is what an audit missed, a
cleanup deleted, or a recall did not move. Numbers are medians."""
_REPEAT = """\
## Measure it yourself

In a checkout, on Linux, on a machine that does nothing else; it takes some 50 minutes, and writes
this page:

```console
$ make bench
```

[Contributing](../CONTRIBUTING.md) says how to measure a part. All cases, with the spread of the runs, API
calls by action, growth, goals and versions, are in `tests/benchmark/README.md` of the repository.
[Scale](scale.md) says how much one process can do."""
_TERMS = """\
## What is measured

- **Wall time** of the whole command, from its start to its end.
- **CPU** of all its processes, background ones included.
- **Memory** of all its processes at the same time, as proportional set size: a page that several processes
  share counts once. The largest process is its resident set.
- **API calls** as the simulated AWS recorded them, refused ones included.
- Medians; in parentheses the least and the most of the runs. Runs of more than 2 minutes are measured once,
  growth too where it takes that long; tables say how many runs there were.
- **Floor** of a distribution: {trips} round trips that each need the answer of the one before, plus the
  slowest copy or what KMS's rates force for the grants, whichever is longer. Ansible's own start is not in
  it.
- **Forced** by rates: for each API in each region, (calls − size of the full token bucket) / tokens a
  second, of which the longest counts. At several rates, a cleanup's is that of the calls before the first
  deregistration and that of the others, added: it changes nothing before all images are read."""
_RIVALS = """\
## Compared with

- **amazon.aws**: a playbook of `community.aws.ec2_ami_copy`, `amazon.aws.kms_key`, `ec2_ami` and
  `ec2_snapshot` alone, one region after another, and in parallel with `async`. Access is granted by key
  policies, one call a key.
- **boto3 script**: 120 lines with a thread for each region: copy, wait, grant, share. It can be run again,
  and checks, reports and removes nothing.
- **Cloud Custodian**: policies with the filters `cross-account` for images and snapshots, and `image-age`
  and `unused` for cleanups.
- **awspub**: copies the snapshot of its own image, one disk and unencrypted, registers it in each region and
  shares it. It waits in steps of 30 s and 15 s. Its file is in S3 already, which moto plays without latency.

They are in `tests/benchmark/rivals` and `tests/benchmark/{audit,cleanup}.py`."""
_PROFILE = """\
Samples of all processes by py-spy, 200 a second, of threads that it takes for working; it stops a process
for each. The stacks are in `.cache/benchmark`, for flame graphs. On November 26, 2026, Ansible took 17 %
of the start of a module, and of a repeat, to build and compile modules; botocore's clients took 11 % of a
repeat, and templates 11 % of an audit. Since then, modules run in Ansible's own process where the result
is the same, a client has no methods but those that are called, and the audit's result is not evaluated as
an option of its report."""
_FIXED_WORK = (
    "Fixed work is the CPU time of the same piece of work right before each part and right after it. Where "
    "that is longer, the machine was slower."
)
_SLOWNESS = (
    "Seconds depend on the machine. Here the sequential amazon.aws playbook takes {:.2f} times the CPU time "
    "that it took where the goals were set, and the limits in seconds are as many times as large."
)
_FACTS = {
    "refused": "refused as too many",
    "floor": "floor (s)",
    "forced": "forced by rates (s)",
    "changed": "changed tasks",
    "polls_in_a_region": "polls in a region",
    "calls_in_a_region": "EC2 and KMS calls in a region",
    "unshared_regions": "regions not shared exactly",
    "kinds_found": "kinds of exposure found",
    "kinds": "kinds of exposure",
    "exposures": "exposures",
    "missed": "missed",
    "false_alarms": "false alarms",
    "failures": "unreadable",
    "deleted": "deleted",
    "calls_an_image": "calls an image",
    "deleted_unused": "unused ones deleted",
    "unused": "unused",
    "deleted_in_use": "ones in use deleted",
    "in_use": "in use",
    "times_caller_info": "× aws_caller_info",
    "requests_a_second": "requests a second",
    "calls_a_target": "calls an account and region",
    "processes": "processes at the same time",
    "parameters": "parameters",
    "wrong_parameters": "wrong parameters",
    "instances": "instances",
    "misjudged_instances": "misjudged instances",
    "uses": "uses",
    "misjudged_uses": "misjudged uses",
    "findings": "findings",
    "whole_cpu_seconds": "CPU with reading the result (s)",
}
# The parts of the page for users, by what their cases are called there.
_SHOWN = {
    "distribute": "Distribution",
    "distribute-plain": "Distribution",
    "distribute-large": "Distribution",
    "publish-share": "Publication",
    "recall": "Recall",
    "recall-in-accounts": "Recall",
    "adoption": "Adoption",
    "audit": "Audit",
    "audit-kinds": "Audit",
    "cleanup": "Cleanup",
    "cleanup-in-use": "Cleanup",
}
# What a tool got wrong: the number, of how many, and the words.
_ERRORS = (
    ("missed", "exposures", "missed {} of {} exposures"),
    ("deleted_in_use", "in_use", "deleted {} of {} images in use"),
    ("wrong_parameters", "parameters", "{} of {} parameters wrong"),
    ("misjudged_instances", "instances", "misjudged {} of {} instances"),
)
# Seconds of a whole run; a busy machine makes them longer, and calls and CPU not much.
_TIMED = ("wall", "times_caller_info", "requests_a_second")


def page(results: Results, drawings: Iterable[Drawing]) -> str:
    """Return the page for users: a picture, a table, and how to measure again."""
    pictures = [
        f"![{one.text}]({PICTURE_OF_PAGE})\n\n{one.text} {results['distribute'].conditions}"
        for one in drawings
        if one.name == PICTURE
    ]
    rows = [
        row for name, what in _SHOWN.items() if name in results for row in _short_rows(what, results[name])
    ]
    table = _table(("What", "Tool", "Time", "CPU", "Memory", "API calls", "Wrong"), rows)
    return "\n\n".join([_HEAD, *pictures, table, _COLUMNS, _RIVALS, _REPEAT]) + "\n"


def _short_rows(what: str, part: Part) -> Iterator[Sequence[str]]:
    for one in part.series:
        cells = [
            f"{text.number(one.spread(value).median)} {unit}".rstrip()
            for name, value, unit in text.VALUES
            if name != "largest process"
        ]
        if not part.is_quiet:
            cells[0] = ""
        yield f"{what}: {one.case}", one.contender, *cells, _errors(one)


def _errors(one: Series) -> str:
    facts = one.samples[0].facts
    return ", ".join(
        words.format(text.number(one.fact(name)), text.number(one.fact(total)))
        for name, total, words in _ERRORS
        if facts.get(name)
    )


def details(
    results: Results, goals: Sequence[Outcome], drawings: Sequence[Drawing], trips: int, slowness: float
) -> str:
    """Return the page with goals, all measurements and versions."""
    pictures = {one.name: one for one in drawings}
    parts = [_HEAD_OF_DETAILS, _goals(goals, slowness), _TERMS.replace("{trips}", str(trips))]
    parts += [block for name, part in results.items() for block in _part(name, part, pictures)]
    return "\n\n".join([*parts, _machines(results)]) + "\n"


def _goals(goals: Sequence[Outcome], slowness: float) -> str:
    rows = [
        (
            one.goal.name,
            f"{'≥' if one.goal.at_least else '≤'} {text.number(one.limit)} {one.goal.unit}".strip(),
            "" if one.value is None else f"{text.number(one.value)} {one.goal.unit}".strip(),
            f"**{one.verdict}**" if one.verdict == "not met" else one.verdict,
        )
        for one in goals
    ]
    known = sum(one.value is not None for one in goals)
    unknown = len(goals) - known
    head = (
        f"## Goals\n\n{met(goals)} of {known} measured goals are met; {unknown} have no usable measurement."
    )
    scaled = [_SLOWNESS.format(slowness)] if slowness != 1 else []
    table = _table(("Goal", "Limit", "Measured", ""), rows)
    return "\n\n".join([head, *scaled, table, *_obstacles(goals)])


def _obstacles(goals: Iterable[Outcome]) -> Iterator[str]:
    found = dict.fromkeys(
        one.goal.obstacle for one in goals if one.verdict == "not met" and one.goal.obstacle
    )
    if found:
        yield "What stands in the way:"
        yield "\n".join(f"- {text}" for text in found)


def _part(name: str, part: Part, pictures: dict[str, Drawing]) -> Iterator[str]:
    busy = (
        ""
        if part.is_quiet
        else f" Other programs used {part.busy:.0%} of the machine meanwhile: **times are left out**, "
        "and CPU is more than on a quiet machine."
    )
    yield f"## {part.title}"
    yield f"Measured on {part.measured}. {part.conditions}{busy}"
    for picture in (one for title, one in pictures.items() if title.startswith(name) and _is_of(title, name)):
        panels = ", ".join(panel.title for panel in picture.panels)
        yield f"![{part.title}: {panels}]({PICTURES}{picture.name}.svg)"
        if picture.axis:
            yield picture.text
    if part.series:
        yield _table(*_usage(part))
    if names := _fact_names(part):
        yield _table(*_columns(("Case", "Tool", *names), list(_fact_rows(part))))
    if calls := list(_call_rows(part)):
        listed = _table(("Case", "Tool", "Calls"), calls)
        yield f"<details><summary>API calls by action</summary>\n\n{listed}\n\n</details>"
    if part.profiles:
        yield _PROFILE
        yield _table(("Command", "What runs", "Share of the time"), list(_profile_rows(part)))


def _is_of(picture: str, part: str) -> bool:
    return picture == part or picture.removeprefix(f"{part}-") in ("first-run", "repeat")


def _usage(part: Part) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    columns = [one for one in text.VALUES if part.is_quiet or one[0] not in _TIMED]
    names = ("Case", "Tool", *(name for name, _value, _unit in columns), "Runs")
    rows = [
        (
            one.case,
            one.contender,
            *(text.spread(one.spread(value), unit) for _name, value, unit in columns),
            str(len(one.samples)),
        )
        for one in part.series
    ]
    return _columns(names, rows)


def _fact_names(part: Part) -> list[str]:
    return [_FACTS.get(name, name) for name in _fact_keys(part)]


def _fact_keys(part: Part) -> list[str]:
    names = dict.fromkeys(name for one in part.series for name in one.samples[0].facts)
    return [name for name in names if part.is_quiet or name not in _TIMED]


def _fact_rows(part: Part) -> Iterator[Sequence[str]]:
    for one in part.series:
        facts = one.samples[0].facts
        cells = [text.number(one.fact(name)) if name in facts else "" for name in _fact_keys(part)]
        yield (one.case, one.contender, *cells)


def _call_rows(part: Part) -> Iterator[Sequence[str]]:
    for one in part.series:
        if calls := one.samples[0].calls:
            yield one.case, one.contender, ", ".join(f"{action} {count}" for action, count in calls.items())


def _profile_rows(part: Part) -> Iterator[Sequence[str]]:
    for command, shares in part.profiles.items():
        yield from ((command, what, f"{share:.0%}") for what, share in shares.items())


def _machines(results: Results) -> str:
    rows = [
        (
            part.title,
            part.measured,
            part.machine,
            text.work_seconds(part),
            ", ".join(f"{name} {one}" for name, one in part.versions.items()),
        )
        for part in results.values()
    ]
    columns = ("Part", "Measured", "Machine", "Fixed work", "Versions")
    return f"## Machine and versions\n\n{_FIXED_WORK}\n\n{_table(*_columns(columns, rows))}"


def _columns(
    names: Sequence[str], rows: Sequence[Sequence[str]]
) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """Without the columns that no row has anything in."""
    kept = [number for number in range(len(names)) if any(row[number] for row in rows)]
    return [names[number] for number in kept], [[row[number] for number in kept] for row in rows]


def _table(names: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    heads = list(names)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
