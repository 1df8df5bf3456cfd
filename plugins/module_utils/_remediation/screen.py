# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the roles ``remediate`` and ``unshare`` display and pass to the next job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._listing import count, join_texts
from .._reports.document import Column
from .._reports.screen import (
    MOST_FAILURES,
    MOST_ROWS,
    Line,
    Row,
    Screen,
    Tone,
    format_failure_message,
    format_failures,
    format_further,
    format_table,
    limit_artifacts,
    name_principal,
    name_resource,
    read_module_message,
    wrap_text,
)

_COLUMNS = (
    Column("region", "region"),
    Column("resource", "resource"),
    Column("principal", "principal"),
    Column("outcome", "outcome"),
    Column("codes", "findings"),
)
_RERUN = "Rerun to complete the remaining removals."
_UNSHARE = "unshare"
# So many principals are named in a line.
_NAMES = 3
_WITHOUT_KEYS = (
    "Without access to a key, an account cannot launch encrypted images again, or start stopped instances "
    "with volumes under it. Instances that run go on."
)

Removal = Mapping[str, Any]
Access = tuple[str, str, str]
"""The region, the resource and the principal."""


@dataclass(frozen=True)
class _Run:
    """The removals of a remediation; it is not confirmed that ``remaining`` access is removed.

    ``is_incomplete`` says whether something could not be read.
    """

    removals: Sequence[Removal]
    remaining: frozenset[Access]
    kept: frozenset[Access]
    is_plan: bool
    role: str
    is_incomplete: bool

    def outcome(self, removal: Removal) -> str:
        access = _access(removal)
        if access in self.kept:
            return "kept"
        if self.is_plan:
            return "planned"
        return "not confirmed" if access in self.remaining else "removed"


def screen(result: Mapping[str, Any], context: Mapping[str, Any], report_path: str | None) -> Screen:
    """Return the removals, those that are not confirmed first, the key access that is kept, and what failed.

    ``result`` has ``removals``, ``remaining``, ``kept_access``, ``dependents`` and ``unseen_accounts``, as
    ``remediation_plan`` returns them, the results of the tasks that ``failed``, and ``unreadable``, texts
    about what the audit could not read. That of ``unshare`` also has ``other_access``. ``context`` has
    ``check_mode`` and the ``role``.
    """
    run = _Run(
        result["removals"],
        frozenset(map(_access, result["remaining"])),
        frozenset(map(_access, result["kept_access"])),
        context["check_mode"],
        context["role"],
        bool(result["unreadable"]),
    )
    problems = [
        *_list_failures(result["failed"]),
        *({"message": text} for text in result["unreadable"]),
        *(() if run.is_plan else _list_unconfirmed(result["remaining"])),
    ]
    # Where the problems are that are not shown: the role has no report.
    rest = report_path or f"the fact {run.role}_remaining and the output of -vvv"
    failure = format_failure_message("", problems, rest)
    lines = (
        *_headline(run),
        *format_table(_columns(run), tuple(_rows(run))),
        *(wrap_text(_WITHOUT_KEYS, Tone.WARNING) if _takes_keys(run) else ()),
        *_notes(result["kept_access"], f"{run.role}_kept_access"),
        *(
            wrap_text(f"To revoke kept access: {run.role}_revoke_in_use: true.")
            if result["kept_access"]
            else ()
        ),
        *_notes(result.get("other_access", ()), f"{run.role}_other_access"),
        *_notes(result["dependents"] or (), f"{run.role}_dependents"),
        *_notes(result["unseen_accounts"] or (), f"{run.role}_unseen_accounts"),
        *format_failures(problems, rest, failure),
    )
    return Screen(
        lines, limit_artifacts(_artifacts(run, problems)), f"{failure}\n{_RERUN}" if problems else ""
    )


def _columns(run: _Run) -> tuple[Column, ...]:
    """Return the columns. Who is unshared has no findings."""
    return _COLUMNS[:-1] if run.role == _UNSHARE else _COLUMNS


def _takes_keys(run: _Run) -> bool:
    """Whether accounts that were named lose a key."""
    lost = (removal for removal in run.removals if run.outcome(removal) != "kept")
    return run.role == _UNSHARE and any(removal["resource"].startswith("arn:") for removal in lost)


def _list_failures(results: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the failures of results. A module that ends with an exception returns only a message."""
    for result in results:
        yield from result.get("failures") or ({"message": read_module_message(result)},)


def _list_unconfirmed(remaining: Iterable[Removal]) -> Iterator[Mapping[str, str]]:
    """Yield a problem for each image, snapshot or key that principals may still have access to."""
    by_resource: dict[tuple[str, str], list[Removal]] = {}
    for removal in remaining:
        by_resource.setdefault((removal["region"], removal["resource"]), []).append(removal)
    for (region, resource), removals in by_resource.items():
        if len(removals) == 1:
            text = removals[0]["message"]
        else:
            names = join_texts([name_principal(removal["principal"]) for removal in removals], _NAMES)
            text = f"{region}: remove the access of {len(removals):,} principals to {resource}: {names}."
        yield {"message": f"Not confirmed: {text}"}


def _headline(run: _Run) -> Iterator[Line]:
    number = count(len(run.removals), "permission")
    open_ones = sum(run.outcome(removal) == "not confirmed" for removal in run.removals)
    if not run.removals and run.is_incomplete:
        yield from wrap_text("No access was found to remove in what could be read.", Tone.BAD)
    elif run.kept and all(run.outcome(removal) == "kept" for removal in run.removals):
        are = "is" if len(run.kept) == 1 else "are"
        yield from wrap_text(
            f"No access is removed: {count(len(run.kept), 'permission')} {are} kept.", Tone.WARNING
        )
    elif not run.removals:
        yield from wrap_text("No access to remove.", Tone.GOOD)
    elif run.is_plan:
        yield from wrap_text(f"Check mode: {number} would be removed.", Tone.WARNING)
    elif open_ones:
        yield from wrap_text(f"{open_ones} of {number} are not confirmed as removed.", Tone.BAD)
    else:
        removed = sum(run.outcome(removal) == "removed" for removal in run.removals)
        yield from wrap_text(f"Removed {removed} of {number}.", Tone.GOOD)


def _rows(run: _Run) -> Iterator[Row]:
    """Yield a row for each removal; if they are many, one for each image, snapshot or key."""
    order = ("not confirmed", "kept", "planned", "removed")
    ranked = sorted(run.removals, key=lambda removal: order.index(run.outcome(removal)))
    rows: dict[tuple[Any, ...], list[Removal]] = {}
    for removal in ranked:
        principal = removal["principal"] if len(ranked) <= MOST_ROWS else ""
        codes = tuple(removal["finding_codes"])
        same = removal["region"], removal["resource"], run.outcome(removal), codes, principal
        rows.setdefault(same, []).append(removal)
    for (region, resource, outcome, codes, _principal), removals in list(rows.items())[:MOST_ROWS]:
        number = len(removals)
        cells = {
            "region": region,
            "resource": name_resource(str(resource)),
            "principal": name_principal(removals[0]["principal"])
            if number == 1
            else f"{number:,} principals",
            "outcome": outcome,
            "codes": codes,
        }
        yield Row(cells, Tone.BAD if outcome == "not confirmed" else Tone.PLAIN)
    if len(rows) > MOST_ROWS:
        left = sum(len(removals) for removals in list(rows.values())[MOST_ROWS:])
        fact = f"{run.role}_removals"
        yield Row({"region": f"{left:,} more in", "resource": fact, "outcome": run.outcome(ranked[-1])})


def _access(removal: Mapping[str, Any]) -> Access:
    return removal["region"], removal["resource"], removal["principal"]


def _notes(notes: Sequence[Mapping[str, Any]], fact: str) -> Iterator[Line]:
    """Yield each note. What differs only in the principal is displayed once, with the other principals."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for note in notes:
        message, principal = note["message"], note.get("principal") or note.get("account_id") or ""
        groups.setdefault(message.replace(principal, ""), []).append((message, principal))
    displayed = [*groups.values()][:MOST_FAILURES]
    for (message, first), *others in displayed:
        further = list(dict.fromkeys(principal for _message, principal in others if principal != first))
        rest = f" (the fact {fact})" if len(further) > _NAMES else ""
        same = f" The same for {join_texts(further, _NAMES)}{rest}." if further else ""
        yield from wrap_text(f"- {message}{same}", Tone.WARNING)
    yield from format_further(len(notes) - sum(map(len, displayed)), f"the fact {fact}", Tone.WARNING)


def _artifacts(run: _Run, problems: Sequence[Any]) -> dict[str, Any]:
    open_regions = {region for region, _resource, _principal in run.remaining if not run.is_plan}
    done = "planned" if run.is_plan else "unshared" if run.role == _UNSHARE else "remediated"
    return {
        "failed_regions": sorted(open_regions),
        "kept": len(run.kept),
        "remaining": len(run.remaining),
        "removals": len(run.removals),
        "report_path": None,
        "status": "incomplete" if problems else done if run.removals else "clean",
    }
