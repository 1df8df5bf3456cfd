# SPDX-License-Identifier: GPL-3.0-or-later
"""The mutants of a source file: one of its functions does nothing, or returns its input.

The main functions of a file are its public functions; without any, the public methods and properties of its
public classes; and without these, its private functions.
"""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType


@dataclass(frozen=True)
class Mutant:
    """A function with another body.

    ``function`` is its name in the module (``plan``, ``Failure.at``), ``parameters`` its parameters as they
    are written, without annotations and defaults, ``body`` the one statement that it runs instead.
    """

    function: str
    parameters: str
    body: str

    def __str__(self) -> str:
        return f"{self.function}: {self.body}"

    def install(self, module: ModuleType) -> None:
        """Give the function its other body, for every caller in this process.

        The function object keeps its identity and gets other code, so that all references to it are affected.
        Values that a module computed with it at import time are not.
        """
        owner, _, name = self.function.rpartition(".")
        holder = vars(module)[owner] if owner else module
        function = _plain(vars(holder)[name])
        function.__code__ = self._code(function.__code__.co_freevars)

    def _code(self, free: tuple[str, ...]) -> CodeType:
        """The other body, compiled with the ``free`` variables of the original, which Python requires."""
        name = self.function.rpartition(".")[2]
        lines = [
            "def closure():",
            *(f"    {variable} = None" for variable in free),
            f"    def {name}({self.parameters}):",
            f"        {self.body}",
            *(f"        {variable}" for variable in free),
        ]
        outer = compile("\n".join(lines), f"<{self}>", "exec")
        return _inner(_inner(outer))


def mutants_of(source: str) -> list[Mutant]:
    """The mutants of the file whose text is ``source``; none where it defines only constants and fields."""
    module = ast.parse(source)
    functions = _functions(module)
    public = [node for node in functions if not node.name.startswith("_")]
    if public:
        return [mutant for node in public for mutant in _of_function(node)]
    methods = [
        mutant
        for owner in module.body
        if isinstance(owner, ast.ClassDef) and not owner.name.startswith("_")
        for node in _functions(owner)
        if not node.name.startswith("_")
        for mutant in _of_method(owner, node)
    ]
    return methods or [mutant for node in functions for mutant in _of_function(node)]


def _functions(holder: ast.Module | ast.ClassDef) -> list[ast.FunctionDef]:
    return [node for node in holder.body if isinstance(node, ast.FunctionDef)]


def _of_function(node: ast.FunctionDef) -> Iterator[Mutant]:
    parameters = _parameters(node)
    bodies = [_returning(node, None)]
    if names := _names(node.args):
        bodies.append(_returning(node, names[0]))
    for body in bodies:
        if not _is_original(node, body):
            yield Mutant(node.name, parameters, body)


def _of_method(owner: ast.ClassDef, node: ast.FunctionDef) -> Iterator[Mutant]:
    body = _returning(node, None)
    if not _is_original(node, body):
        yield Mutant(f"{owner.name}.{node.name}", _parameters(node), body)


def _returning(node: ast.FunctionDef, what: str | None) -> str:
    """The statement that returns ``what`` from a function of the same kind; None is nothing."""
    if _is_context_manager(node):
        return f"yield {what}"
    if any(isinstance(item, ast.Yield | ast.YieldFrom) for item in _own_nodes(node)):
        return f"yield from {what or ()}"
    return f"return {what}"


def _is_context_manager(node: ast.FunctionDef) -> bool:
    return any(ast.unparse(item).endswith("contextmanager") for item in node.decorator_list)


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes below ``node`` except those in nested functions."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield child
            yield from _own_nodes(child)


def _names(arguments: ast.arguments) -> list[str]:
    return [item.arg for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def _parameters(node: ast.FunctionDef) -> str:
    """The parameters without annotations and defaults, which belong to the function object, not its code."""
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    for item in (*every, arguments.vararg, arguments.kwarg):
        if item is not None:
            item.annotation = None
    arguments.defaults = []
    arguments.kw_defaults = [None] * len(arguments.kwonlyargs)
    return ast.unparse(arguments)


def _is_original(node: ast.FunctionDef, body: str) -> bool:
    """Whether the function has this body already, or none, such as ``...`` in a protocol."""
    statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return "\n".join(map(ast.unparse, statements)) in ("", "...", "pass", body)


def _plain(attribute: object) -> FunctionType:
    """The function of the ``def`` statement, without its decorators, whose caches are cleared."""
    if isinstance(attribute, property):
        attribute = attribute.fget
    elif isinstance(attribute, functools.cached_property):
        attribute = attribute.func
    elif isinstance(attribute, classmethod | staticmethod):
        attribute = attribute.__func__
    if hasattr(attribute, "cache_clear"):
        attribute.cache_clear()
    function = inspect.unwrap(attribute) if callable(attribute) else attribute
    if not isinstance(function, FunctionType):
        raise TypeError(f"no function can be found below {attribute!r}")
    return function


def _inner(code: CodeType) -> CodeType:
    return next(constant for constant in code.co_consts if isinstance(constant, CodeType))
