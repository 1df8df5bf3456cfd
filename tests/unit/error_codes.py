# SPDX-License-Identifier: GPL-3.0-or-later

"""The error codes of failures, read from the source of plugins/ and never by importing it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FIELDS = ("message", "remedy", "error_code", "action", "region", "account_id", "request_id", "source")
# Parameters and fields that hold an error code.
NAMES = ("error_code", "code")


@dataclass(frozen=True)
class Source:
    """One Python file; ``module`` is its dotted name from the collection's root."""

    module: str
    tree: ast.Module

    def nodes(self) -> Iterator[ast.AST]:
        return ast.walk(self.tree)


@dataclass(frozen=True)
class Code:
    """The code of one failure: a literal, or None if it is computed (``expression`` shows how)."""

    module: str
    line: int
    literal: str | None
    expression: str


def read(root: Path) -> list[Source]:
    """Return every Python file below ``root``/plugins."""
    paths = sorted((root / "plugins").rglob("*.py"))
    names = [".".join(path.relative_to(root).with_suffix("").parts) for path in paths]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    return [Source(name, tree) for name, tree in zip(names, trees, strict=True)]


def own_codes(sources: Iterable[Source]) -> list[Code]:
    """The code of every failure that the sources make, except those with a ``source`` of their own."""
    given = list(sources)
    constants = {name: value for source in given for name, value in _assigned(source.tree.body).items()}
    return [code for source in given for code in _codes(source, {**constants, **_assigned(source.nodes())})]


def _assigned(nodes: Iterable[ast.AST]) -> dict[str, ast.expr]:
    """The value of each name that the nodes assign."""
    return {
        target.id: node.value
        for node in nodes
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _codes(source: Source, values: Mapping[str, ast.expr]) -> Iterator[Code]:
    positions = {"Failure": FIELDS.index("error_code"), "Failure.at": 2, **_makers(source.tree)}
    for node in source.nodes():
        if isinstance(node, ast.Dict):
            yield from _in_literal(source, node, values)
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        if called == "replace" and "error_code" in keywords:
            yield from _literals(source, keywords["error_code"], values)
        elif called in positions and "source" not in keywords:
            given = next((keywords[name] for name in NAMES if name in keywords), None)
            if given is None:
                given = node.args[positions[called]]
            yield from _literals(source, given, values)


def _in_literal(source: Source, node: ast.Dict, values: Mapping[str, ast.expr]) -> Iterator[Code]:
    """The code of a failure that is written as a mapping with a constant. Others pass a code on."""
    for key, value in zip(node.keys, node.values, strict=True):
        is_code = isinstance(key, ast.Constant) and key.value == "error_code" and isinstance(value, ast.Name)
        if is_code and isinstance(values.get(ast.unparse(value)), ast.Constant):
            yield from _literals(source, value, values)


def _makers(tree: ast.Module) -> dict[str, int]:
    """The module's functions and classes that take a failure's code, with the position at which they do."""
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in node.args.args]
            makes = node.returns is not None and ast.unparse(node.returns) == "Failure"
        elif isinstance(node, ast.ClassDef) and node.name != "Failure":
            names = [ast.unparse(item.target) for item in node.body if isinstance(item, ast.AnnAssign)]
            makes = "error_code" in names
        else:
            continue
        for name in NAMES if makes else ():
            if name in names:
                found[node.name] = names.index(name)
    return found


def _literals(source: Source, value: ast.expr, values: Mapping[str, ast.expr]) -> Iterator[Code]:
    if isinstance(value, ast.IfExp):
        yield from _literals(source, value.body, values)
        yield from _literals(source, value.orelse, values)
    elif isinstance(value, ast.BoolOp):
        for operand in value.values:
            yield from _literals(source, operand, values)
    elif isinstance(value, ast.Constant):
        yield Code(source.module, value.lineno, str(value.value), ast.unparse(value))
    elif isinstance(value, ast.Name) and value.id in values:
        yield from _literals(source, values[value.id], values)
    else:
        yield Code(source.module, value.lineno, None, ast.unparse(value))
