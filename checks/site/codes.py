# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of all codes of findings and failures, with cause and cure, read from the source of plugins/."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_UTILS = "plugins/module_utils"
_HEAD = """\
The codes of findings and failures are stable: scripts can match on them. Each finding and failure has a
`remedy` with the names of the case at hand; here, `…` stands for them."""
# Positions of message, remedy and code in calls that make a failure (failures.Failure, failures.Failure.at).
_CALLS = {"Failure": (0, 1, 2), "Failure.at": (3, 4, 2)}


@dataclass(frozen=True, order=True)
class Own:
    """A failure that this collection itself makes; ``…`` stands for what differs between runs."""

    code: str
    message: str
    remedy: str


def page(root: Path) -> str:
    """The page in Markdown."""
    audit = _constants(root / _UTILS / "audit" / "findings.py")
    diagnosis = _constants(root / _UTILS / "diagnose" / "findings.py")
    severities = {
        ast.literal_eval(key): ast.unparse(value).rpartition(".")[2].lower()
        for key, value in zip(audit["CODES"].keys, audit["CODES"].values, strict=True)
    }
    parts = [
        "# Codes",
        _HEAD,
        "## Findings of an audit",
        "What to do about them: [auditing](auditing.md), [remediating](remediating.md).",
        _table(
            ("Code", "Severity", "Cause"),
            [(f"`{c}`", severities[c], text) for c, text in _texts(audit["MEANINGS"]).items()],
        ),
        "## Findings of a diagnosis",
        "Whether each keeps an account from a launch, and what to do: [diagnosing](diagnosing.md).",
        _table(("Code", "Cause"), [(f"`{c}`", text) for c, text in _texts(diagnosis["MEANINGS"]).items()]),
        "## Failures that the collection finds",
        _table(
            ("Code", "Message", "Remedy"),
            [(f"`{one.code}`", one.message, one.remedy) for one in own_failures(root)],
        ),
        "## AWS's error codes",
        "Any code of AWS can be in `error_code`; for these, the remedy says more than AWS's message.",
        _table(("Code", "Remedy"), [(f"`{c}`", text) for c, text in _remedies(root).items()]),
    ]
    return "\n\n".join(parts) + "\n"


def own_failures(root: Path) -> list[Own]:
    """Every failure with a code that the source spells out, once."""
    found = set()
    for path in sorted((root / _UTILS).rglob("*.py")):
        names = _constants(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (one := _own(node, names)):
                found.add(one)
    return sorted(found)


def _own(call: ast.Call, names: Mapping[str, Any]) -> Own | None:
    positions = _CALLS.get(ast.unparse(call.func))
    if positions is None:
        return None
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    fields = [
        keywords.get(name) or (call.args[position] if position < len(call.args) else None)
        for name, position in zip(("message", "remedy", "error_code"), positions, strict=True)
    ]
    message, remedy, code = ("" if field is None else _text(field, names) for field in fields)
    return None if "…" in code or not code else Own(code, message, remedy)


def _remedies(root: Path) -> dict[str, str]:
    names = _constants(root / _UTILS / "aws" / "errors.py")
    return dict(sorted(_texts(names["REMEDIES"], names).items()))


def _texts(value: ast.Dict, names: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The entries of a dictionary with a text each; those that ``dict.fromkeys`` makes are left out."""
    return {
        ast.literal_eval(key): _text(item, names or {})
        for key, item in zip(value.keys, value.values, strict=True)
        if key is not None
    }


def _constants(path: Path) -> dict[str, Any]:
    """The value of each name that a file assigns at its top level."""
    return {
        ast.unparse(target): node.value
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    }


def _text(value: ast.expr, names: Mapping[str, Any]) -> str:
    """The text of an expression, with ``…`` for what is only known in a run."""
    if isinstance(value, ast.Constant):
        return str(value.value)
    if isinstance(value, ast.JoinedStr):
        return "".join(_text(part, names) for part in value.values)
    if isinstance(value, ast.FormattedValue):
        return _text(value.value, names)
    if isinstance(value, ast.Name) and value.id in names:
        return _text(names[value.id], names)
    return "…"


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
