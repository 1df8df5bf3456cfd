# SPDX-License-Identifier: GPL-3.0-or-later
"""The functions below plugins/: the operations that each calls, and the functions that each refers to."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from checks.responses.models import OF_ACTIONS, SERVICES, Models, Operation

PLUGINS = Path("plugins")
_UTILS = ("plugins", "module_utils")
# What calls an operation out of sight: botocore's fetcher of the credentials of a role.
_HIDDEN = {"AssumeRoleCredentialFetcher": "AssumeRole"}
_BODY = "<module>"

# The path of a file from the checkout's root, and the name of a function in it.
Key = tuple[str, str]


@dataclass
class Function:
    """A function of a file, or a method (``Class.method``), or the rest of the file.

    ``operations`` are those that it calls, ``planned`` those of the actions that it plans. ``unclear`` are
    the lines that call an operation of a client whose service is not evident. ``clients`` are its parameters
    that are clients, with their services.
    """

    file: str
    name: str
    nodes: tuple[ast.AST, ...]
    operations: set[Operation] = field(default_factory=set)
    planned: set[Operation] = field(default_factory=set)
    references: set[Key] = field(default_factory=set)
    unclear: list[int] = field(default_factory=list)
    clients: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return self.file, self.name

    @property
    def package(self) -> str:
        """The directory below module_utils or plugins; a file's name if it is in none of them."""
        parts = Path(self.file).parts
        below = parts[2:] if parts[:2] == _UTILS else parts[1:]
        return Path(below[0]).stem.removeprefix("_")

    @cached_property
    def all_nodes(self) -> tuple[ast.AST, ...]:
        """The nodes and all below them."""
        return tuple(below for node in self.nodes for below in ast.walk(node))

    def service_of(self, client: ast.expr) -> str | None:
        """The service of a client: by its name, its annotation, or the call that returns it."""
        if isinstance(client, ast.Name):
            return client.id if client.id in SERVICES else self.clients.get(client.id)
        if isinstance(client, ast.Attribute):
            return client.attr if client.attr in SERVICES else None
        if isinstance(client, ast.Call) and isinstance(client.func, ast.Attribute):
            if client.func.attr in SERVICES:
                return client.func.attr
            if client.func.attr == "client" and client.args and isinstance(client.args[0], ast.Constant):
                return str(client.args[0].value)
        return None

    def operation_of(self, models: Models, node: ast.AST) -> Operation | None:
        """The operation that an expression calls or refers to: a method, a paginator or a waiter."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            service = self.service_of(node.func.value)
            argument = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
            if service in SERVICES and isinstance(argument, str):
                if node.func.attr == "get_paginator":
                    return models.of_method(service, argument)
                if node.func.attr == "get_waiter":
                    return models.of_waiter(service, argument)
            return self.operation_of(models, node.func)
        if isinstance(node, ast.Attribute):
            service = self.service_of(node.value)
            return models.of_method(service, node.attr) if service in SERVICES else None
        return None


@dataclass
class Sources:
    """All functions below plugins/."""

    functions: dict[Key, Function]

    @cached_property
    def callers(self) -> Mapping[Key, set[Key]]:
        """The functions that refer to each function."""
        found: dict[Key, set[Key]] = {key: set() for key in self.functions}
        for function in self.functions.values():
            for key in function.references:
                found[key].add(function.key)
        return found

    def operations_of_callers(self, function: Function) -> set[Operation]:
        """The operations of the closest callers of a function that call any."""
        found: set[Operation] = set()
        known, level = {function.key}, self.callers[function.key]
        while level:
            known |= level
            following: set[Key] = set()
            for key in level:
                operations = self.functions[key].operations
                found |= operations
                following |= set() if operations else self.callers[key]
            level = following - known
        return found

    @cached_property
    def operations_in(self) -> Mapping[str, set[Operation]]:
        """The operations that the files of each package call and plan."""
        found: dict[str, set[Operation]] = {}
        for function in self.functions.values():
            found.setdefault(function.package, set()).update(function.operations, function.planned)
        return found

    def operations_for(self, package: str) -> set[Operation]:
        """The operations that a package needs: its own, and those of the functions that it uses elsewhere."""
        known: set[Key] = set()
        level = {key for key, function in self.functions.items() if function.package == package}
        while level:
            known |= level
            level = {key for one in level for key in self.functions[one].references} - known
        return {
            operation
            for key in known
            for operation in (*self.functions[key].operations, *self.functions[key].planned)
        }

    @property
    def packages(self) -> list[str]:
        """All packages."""
        return sorted(self.operations_in)


def read(root: Path, models: Models) -> Sources:
    """Parse the files below plugins/.

    Raises:
        AssertionError: there are none.
    """
    files = sorted(str(path.relative_to(root)) for path in (root / PLUGINS).rglob("*.py"))
    assert files, f"no Python below {root / PLUGINS}"
    trees = {file: ast.parse((root / file).read_text(encoding="utf-8")) for file in files}
    functions = {
        function.key: function for file, tree in trees.items() for function in _functions(file, tree)
    }
    # A class stands for its methods.
    known: dict[Key, list[Key]] = {key: [key] for key in functions}
    for file, name in functions:
        known.setdefault((file, name.partition(".")[0]), []).append((file, name))
    for file, tree in trees.items():
        imports = dict(_imports(file, tree, trees))
        for function in (one for one in functions.values() if one.file == file):
            _read_operations(function, models)
            function.references = {
                key for key in _references(function, imports, known) if key != function.key
            }
    return Sources(functions)


def _functions(file: str, tree: ast.Module) -> Iterator[Function]:
    rest: list[ast.AST] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield Function(file, node.name, (node,))
        elif isinstance(node, ast.ClassDef):
            methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
            yield from (Function(file, f"{node.name}.{item.name}", (item,)) for item in methods)
            rest += [item for item in node.body if item not in methods]
        else:
            rest.append(node)
    yield Function(file, _BODY, tuple(rest))


def _imports(file: str, tree: ast.Module, files: Mapping[str, object]) -> Iterator[tuple[str, Key]]:
    """Each imported name with the file, and the function or class in it; "" for the file itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                folder = Path(file).parent.parts
                parts = folder[: len(folder) - node.level + 1]
                base = Path(*parts, *(node.module or "").split("."))
            else:
                base = Path(
                    *(node.module or "").removeprefix("ansible_collections.golden.images.").split(".")
                )
            for alias in node.names:
                name = alias.asname or alias.name
                if (inside := str(base / f"{alias.name}.py")) in files:
                    yield name, (inside, "")
                elif (module := f"{base}.py") in files:
                    yield name, (module, alias.name)


def _read_operations(function: Function, models: Models) -> None:
    function.clients.update(_annotated_clients(function))
    for node in function.all_nodes:
        operation = function.operation_of(models, node)
        if operation is not None:
            function.operations.add(operation)
        elif isinstance(node, ast.Call):
            if _looks_like_operation(models, node.func):
                function.unclear.append(node.lineno)
            function.planned.update(_planned(models, node))
        elif isinstance(node, ast.Name) and node.id in _HIDDEN:
            function.operations.update(models.named(_HIDDEN[node.id]))


def _annotated_clients(function: Function) -> Iterator[tuple[str, str]]:
    """The parameters whose type is a client, such as ``EC2Client``, with the service."""
    for node in function.all_nodes:
        if isinstance(node, ast.arg) and node.annotation is not None:
            kind = ast.unparse(node.annotation)
            if kind.endswith("Client"):
                yield node.arg, kind.removesuffix("Client").lower()


def _looks_like_operation(models: Models, called: ast.expr) -> bool:
    if not isinstance(called, ast.Attribute) or _is_module(called.value):
        return False
    return called.attr in ("get_paginator", "get_waiter") or models.is_method(called.attr)


def _planned(models: Models, node: ast.Call) -> list[Operation]:
    """The operations that an action names, which is one of EC2 unless it names a service."""
    if not ast.unparse(node.func).lower().endswith("action"):
        return []
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    texts = [item.value for item in given if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    found = [operation for text in texts for operation in models.named(text)]
    named = [operation for operation in found if operation.service in OF_ACTIONS]
    service = next((text for text in texts if text in SERVICES), "ec2")
    return [one for one in named if one.service == service] or named


def _is_module(node: ast.expr) -> bool:
    """Whether it is a file of this collection, or a session, whose functions are not operations."""
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name == "read" or name.endswith("session")


def _references(
    function: Function, imports: Mapping[str, Key], known: Mapping[Key, list[Key]]
) -> Iterator[Key]:
    bound = {
        node.id if isinstance(node, ast.Name) else node.arg
        for node in function.all_nodes
        if isinstance(node, ast.arg) or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    }
    for node in function.all_nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            file, inside = imports.get(node.value.id, (function.file, node.value.id))
            yield from known.get((file, node.attr if not inside else f"{inside}.{node.attr}"), ())
        elif isinstance(node, ast.Name) and node.id not in bound:
            yield from known.get(imports.get(node.id, (function.file, node.id)), ())
