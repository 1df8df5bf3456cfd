# SPDX-License-Identifier: GPL-3.0-or-later

"""The rooms of plugins/ and what may stand in each, read from the source and never by importing it."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

UTILS = "plugins.module_utils"
COLLECTION = "ansible_collections.golden.images."
# Everything below module_utils is pure (the same answer for the same arguments, whenever and wherever),
# unless the name of the file or of its room says that it touches the world: AWS, the clock, threads, the
# disk, Ansible.
IMPURE_FILE = re.compile(r"(flow|read|write|apply|wait|inspect)(_\w+)?")
IMPURE_ROOMS = tuple(f"{UTILS}.{room}" for room in ("aws", "fanout", "progress", "runner"))
# What every capability may use, and which knows none of them: files, and rooms.
GROUND = (
    "arguments",
    "failures",
    "fanout",
    "finding",
    "model",
    "plan",
    "progress",
    "regions",
    "runner",
    "tags",
)
SHARED_ROOMS = ("aws", "keys", "reports")
# Which other capabilities a capability may use.
MAY_USE = {
    "distribution": {"diagnose", "kms_grant", "launch_probe", "publish", "share"},
    "remediation": {"audit"},
    "restore": {"cleanup", "share"},
    "verification": {"diagnose"},
}
# Parts of the standard library whose answer depends on the moment or the machine, or that change either.
WORLD = frozenset(
    {
        "asyncio",
        "concurrent",
        "ctypes",
        "getpass",
        "glob",
        "http",
        "importlib",
        "io",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "platform",
        "queue",
        "random",
        "sched",
        "secrets",
        "select",
        "selectors",
        "shutil",
        "signal",
        "socket",
        "socketserver",
        "ssl",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "urllib",
        "uuid",
    }
)
# Fills in templates: the same text for the same values.
TEMPLATES = (f"{UTILS}.reports.html.render", "jinja2")
THREADS = frozenset({"_thread", "asyncio", "concurrent", "multiprocessing", "queue", "threading"})
AWS_SDK = frozenset({"boto3", "botocore", "s3transfer"})


@dataclass(frozen=True)
class Source:
    """One Python file. ``module`` is its dotted name from the collection's root."""

    module: str
    text: str
    tree: ast.Module
    imports: tuple[str, ...]

    @property
    def is_in_utils(self) -> bool:
        return is_in(self.module, UTILS)

    @property
    def is_action(self) -> bool:
        return is_in(self.module, "plugins.action")

    @property
    def is_runner(self) -> bool:
        return self.module == f"{UTILS}.runner"

    @property
    def is_pure(self) -> bool:
        return is_pure(self.module)

    @property
    def room(self) -> str:
        """The room below module_utils that the file stands in; "" for files on the ground."""
        return room_of(self.module)

    def nodes(self) -> Iterator[ast.AST]:
        return ast.walk(self.tree)


def is_in(module: str, room: str) -> bool:
    """Whether ``module`` is ``room`` or below it."""
    return module == room or module.startswith(f"{room}.")


def is_pure(module: str) -> bool:
    """Whether the name ``module`` promises that the file does not touch the world."""
    if not is_in(module, UTILS) or any(is_in(module, room) for room in IMPURE_ROOMS):
        return False
    return not IMPURE_FILE.fullmatch(module.rpartition(".")[2])


def room_of(module: str) -> str:
    """The room below module_utils that holds ``module``; "" for the ground, and for what is elsewhere."""
    first = module.removeprefix(f"{UTILS}.").partition(".")[0]
    return first if module.startswith(f"{UTILS}.") and first not in GROUND else ""


def top(module: str) -> str:
    return module.partition(".")[0]


def read(root: Path) -> list[Source]:
    """Every Python file below ``root``/plugins.

    Raises:
        AssertionError: there is none, so that whatever is said of all of them would be true.
    """
    paths = sorted((root / "plugins").rglob("*.py"))
    files = {_module(path, root) for path in paths if path.stem != "__init__"}
    sources = [_source(path, root, files) for path in paths]
    assert sources, f"no Python below {root / 'plugins'}"
    return sources


def _module(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _source(path: Path, root: Path, files: Collection[str]) -> Source:
    module = _module(path, root)
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text, filename=str(path))
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    return Source(module, text, tree, tuple(_imports(tree, package, files)))


def _imports(tree: ast.Module, package: str, files: Collection[str]) -> Iterator[str]:
    """What the file imports, by full names.

    ``from a import b`` gives ``a``, and unless ``a`` is one of the ``files``, ``a.b``, which may be one.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            names = [base]
            if base.removeprefix(COLLECTION) not in files:
                names += [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.removeprefix(COLLECTION) for name in names)


def impure_imports(source: Source) -> Iterator[str]:
    if not source.is_pure:
        return
    for name in source.imports:
        is_own = is_in(name, UTILS) and is_pure(name)
        is_harmless = top(name) in sys.stdlib_module_names - WORLD or (source.module, name) == TEMPLATES
        if not (is_own or is_harmless):
            yield f"imports {name}"


def clocks(source: Source) -> Iterator[str]:
    if not source.is_pure:
        return
    for node in source.nodes():
        # A field may well be called "now": it's the asking that is refused.
        asked = node.func if isinstance(node, ast.Call) else None
        if isinstance(asked, ast.Attribute) and asked.attr in {"now", "utcnow", "today"}:
            yield f"asks for .{asked.attr} in line {asked.lineno}"


def aws_sdk(source: Source) -> Iterator[str]:
    if not is_in(source.module, f"{UTILS}.aws"):
        yield from (f"imports {name}" for name in source.imports if top(name) in AWS_SDK)


def threads(source: Source) -> Iterator[str]:
    if source.module != f"{UTILS}.fanout" and not source.is_action:
        yield from (f"imports {name}" for name in source.imports if top(name) in THREADS)


def module_object(source: Source) -> Iterator[str]:
    if source.is_runner or source.is_action:
        return
    for node in source.nodes():
        if isinstance(node, ast.Attribute) and (
            node.attr in {"check_mode", "_diff"} or node.attr.startswith(("fail_json", "exit_json"))
        ):
            yield f"uses .{node.attr} in line {node.lineno}"


def ansible_below_runner(source: Source) -> Iterator[str]:
    if source.is_in_utils and not source.is_runner:
        yield from (
            f"imports {name}" for name in source.imports if top(name) in {"ansible", "ansible_collections"}
        )


def upwards(source: Source) -> Iterator[str]:
    """Plugins use module_utils, the runner uses what it runs, flows use the runner: never the other way."""
    if not source.is_in_utils:
        return
    upper = [f"plugins.{kind}" for kind in ("action", "inventory", "modules")]
    if source.room in ("", "aws", "keys") and not source.is_runner:
        upper.append(f"{UTILS}.runner")
    for name in source.imports:
        if any(is_in(name, room) for room in upper):
            yield f"imports {name}"


def between_capabilities(source: Source) -> Iterator[str]:
    if not source.room or source.room in SHARED_ROOMS:
        return
    allowed = {source.room, *SHARED_ROOMS, *MAY_USE.get(source.room, ())}
    yield from _imports_of_rooms(source, allowed)


def shared_knows_no_capability(source: Source) -> Iterator[str]:
    if source.is_in_utils and (not source.room or source.room in SHARED_ROOMS):
        yield from _imports_of_rooms(source, set(SHARED_ROOMS))


def _imports_of_rooms(source: Source, allowed: Collection[str]) -> Iterator[str]:
    """Imports from folders below module_utils that are not among the ``allowed``."""
    for name in source.imports:
        if is_in(name, UTILS) and (room := room_of(name)) and room not in allowed:
            yield f"imports {name}"


def logic_in_modules(source: Source) -> Iterator[str]:
    if is_in(source.module, "plugins.modules"):
        yield from (
            f"imports {name}"
            for name in source.imports
            if name != "__future__.annotations" and name != "__future__" and top(name) != "plugins"
        )


def absolute_imports(source: Source) -> Iterator[str]:
    if source.is_in_utils:
        yield from (
            f"imports {node.module}"
            for node in source.nodes()
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(COLLECTION)
        )


def hidden_imports(source: Source) -> Iterator[str]:
    for node in source.nodes():
        if isinstance(node, ast.Name) and node.id == "__import__":
            yield f"calls __import__ in line {node.lineno}"
    yield from (f"imports {name}" for name in source.imports if top(name) == "importlib")


def emulators(source: Source) -> Iterator[str]:
    pattern = r"\b(moto|simulated|localstack|ministack)|https?://(localhost|127\.|\[::1\])"
    for found in re.finditer(pattern, source.text, flags=re.IGNORECASE):
        yield f"mentions {found.group()}"


Rule = Callable[[Source], Iterable[str]]
RULES: dict[str, Rule] = {
    "pure files need only the standard library's harmless parts and each other": impure_imports,
    "pure files are told the time": clocks,
    "only aws talks to AWS": aws_sdk,
    "only fanout starts threads, a progress tail apart": threads,
    "only runner touches the module object": module_object,
    "nothing below runner knows Ansible": ansible_below_runner,
    "imports lead downwards": upwards,
    "a capability uses only those that the table names": between_capabilities,
    "what is shared knows no capability": shared_knows_no_capability,
    "modules hold no logic": logic_in_modules,
    "module_utils import each other relatively": absolute_imports,
    "imports are written as imports": hidden_imports,
    "no code is for an emulator": emulators,
}


def violations(rule: Rule, sources: Iterable[Source]) -> list[str]:
    """Each breach of ``rule``, as "<module> <what it does>"."""
    return [f"{source.module} {what}" for source in sources for what in rule(source)]
