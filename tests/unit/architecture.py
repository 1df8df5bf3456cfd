# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules for the rooms of plugins/, checked by parsing the sources without importing them."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

UTILS = "plugins.module_utils"
COLLECTION = "ansible_collections.golden.images."
# Every file below module_utils is pure (the same result for the same arguments), unless its name or its room
# is one of these, which may use AWS, the clock, threads, the disk or Ansible.
IMPURE_FILE = re.compile(r"(flow|read|write|apply|wait|inspect)(_\w+)?")
IMPURE_ROOMS = tuple(f"{UTILS}.{room}" for room in ("aws", "fanout", "progress", "runner"))
# Files and rooms that every capability may use, and that use no capability.
GROUND = (
    "arguments",
    "arns",
    "changes",
    "denial",
    "failures",
    "fanout",
    "finding",
    "handed_over",
    "listing",
    "model",
    "parameter_names",
    "plan",
    "progress",
    "read_yaml",
    "regions",
    "runner",
    "structure",
    "tags",
    "variables",
    "wording",
)
SHARED_ROOMS = ("aws", "keys", "reports")
# Names of files that mean the same in every room; CONTRIBUTING.md says what. The first can have a suffix.
KINDS_WITH_SUFFIX = ("flow", "inspect", "read", "screen", "write")
KINDS = (
    "apply",
    "checks",
    "content",
    "document",
    "findings",
    "options",
    "plan",
    "report",
    "request",
    "result",
    "state",
    "structure",
    "wait",
)
# All other files, by the folder below module_utils: each is named after its subject. A folder that is not
# listed here does not exist.
SUBJECTS: dict[str, tuple[str, ...]] = {
    "": GROUND,
    "audit": ("images", "keys"),
    "audit.report": ("causes", "changes", "principals"),
    "aws": (
        "accounts",
        "answers",
        "assumed_roles",
        "attempts",
        "caller",
        "clients",
        "consumer_resources",
        "dry_run",
        "errors",
        "lost_answers",
        "managed_resources",
        "operations",
        "pace",
        "parameters",
        "sdk",
        "web_pages",
    ),
    "cleanup": (
        "actions",
        "changes",
        "confirmation",
        "decisions",
        "deletions",
        "dependencies",
        "families",
        "grants",
        "image_builder",
        "managed",
        "next_reads",
        "rules",
        "sharing",
        "snapshots",
        "stages",
        "tombstone",
        "unread",
        "usage",
    ),
    "cleanup.report": ("actions", "items", "outcome", "pictures", "prices", "rows", "totals", "wording"),
    "copy": ("access", "next_reads", "progress_line", "run"),
    "diagnose": ("allowed_images", "consumer", "keys", "owner", "subnets"),
    "distribution": ("output", "packer", "parameters", "sources", "unfinished"),
    "image_search": ("choose",),
    "keys": (
        "access",
        "encryption",
        "grants",
        "needed",
        "policy_audience",
        "policy_evaluation",
        "policy_statements",
        "simulation",
    ),
    "kms_grant": ("losses", "policy", "rejection"),
    "launch_probe": (),
    "monitoring": ("causes", "endpoints"),
    "monitoring.verify": ("differences", "selectors", "trails"),
    "organization": ("inventory",),
    "publish": ("instance_types", "launch_data", "launch_options", "origins"),
    "remediation": ("consequences", "kept", "scope", "tasks"),
    "reports": (
        "as_csv",
        "as_sarif",
        "codes_page",
        "drift",
        "formats",
        "groups",
        "naming",
        "steps",
        "uploaded",
        "values",
    ),
    "reports.html": ("drawing", "paper", "render", "script", "style", "template", "view"),
    "restore": (),
    "share": ("public",),
    "shared_info": ("evaluate",),
    "upload": ("location",),
    "verification": ("key_use",),
}
# The other capabilities that a capability may use.
MAY_USE = {
    "distribution": {"copy", "diagnose", "kms_grant", "launch_probe", "publish", "share", "verification"},
    "remediation": {"audit"},
    "restore": {"cleanup", "share"},
    "verification": {"diagnose", "launch_probe"},
}
# The modules of the standard library that pure files may import. They only compute: their results do not
# depend on the machine, and they have no side effects. (``clocks`` covers the clock of datetime.) These are
# the allowed ones, because a list of the refused ones lets through every module that it lacks.
HARMLESS = (
    "__future__",
    "base64",
    "collections",
    "contextlib",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "enum",
    "fnmatch",
    "functools",
    "hashlib",
    "itertools",
    "json",
    "math",
    "re",
    "shlex",
    "textwrap",
    "typing",
    "unicodedata",
    "urllib.parse",
)
# Builtins that need no import.
IMPURE_BUILTINS = frozenset({"breakpoint", "eval", "exec", "input", "open", "print"})
# Jinja2 renders the same text for the same values; MarkupSafe escapes for it.
TEMPLATES = (f"{UTILS}.reports.html.render", frozenset({"jinja2", "markupsafe"}))
THREADS = frozenset({"_thread", "asyncio", "concurrent", "multiprocessing", "queue", "threading"})
# The threads of fanout share what these files hold: a lock starts no thread.
LOCKS = (f"{UTILS}.aws.pace", frozenset({"threading", "threading.Lock"}))
# It says whether a module exists, and imports nothing.
SPECS = ("plugins.plugin_utils.runs_here", frozenset({"importlib.util", "importlib.util.find_spec"}))
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
    def is_on_controller(self) -> bool:
        """Whether it is an action, or a part of some: Ansible's task is theirs to read."""
        return self.is_action or is_in(self.module, "plugins.plugin_utils")

    @property
    def is_runner(self) -> bool:
        return self.module == f"{UTILS}.runner"

    @property
    def is_pure(self) -> bool:
        return is_pure(self.module)

    @property
    def room(self) -> str:
        """The room below module_utils that contains the file; "" for files directly in it."""
        return room_of(self.module)

    def nodes(self) -> Iterator[ast.AST]:
        return ast.walk(self.tree)


def is_in(module: str, room: str) -> bool:
    """Whether ``module`` is ``room`` or below it."""
    return module == room or module.startswith(f"{room}.")


def is_pure(module: str) -> bool:
    """Whether the file ``module`` must be pure according to its name."""
    if not is_in(module, UTILS) or any(is_in(module, room) for room in IMPURE_ROOMS):
        return False
    return not IMPURE_FILE.fullmatch(module.rpartition(".")[2])


def is_kind(name: str) -> bool:
    """Whether a file's name means the same in every room."""
    return name in KINDS or any(name == kind or name.startswith(f"{kind}_") for kind in KINDS_WITH_SUFFIX)


def room_of(module: str) -> str:
    """The room below module_utils that contains ``module``; "" for files directly in it and elsewhere."""
    first = module.removeprefix(f"{UTILS}.").partition(".")[0]
    return first if module.startswith(f"{UTILS}.") and first not in GROUND else ""


def top(module: str) -> str:
    return module.partition(".")[0]


def read(root: Path) -> list[Source]:
    """Every Python file below ``root``/plugins.

    Raises:
        AssertionError: there are none, so that every rule would pass.
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
    """The imports of the file, as full names.

    ``from a import b`` yields ``a`` and, unless ``a`` is in ``files``, also ``a.b``, which may be a file.
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


def file_names(source: Source) -> Iterator[str]:
    if not source.is_in_utils or source.module == UTILS:
        return
    below = source.module.removeprefix(f"{UTILS}.")
    folder, _dot, name = below.rpartition(".")
    if folder not in SUBJECTS:
        yield f"is in the folder {folder}, which SUBJECTS lacks"
    elif not (name in SUBJECTS[folder] or below in SUBJECTS or (folder and is_kind(name))):
        yield f"is named {name}, which is neither in KINDS nor among the SUBJECTS of its folder"


def impure_imports(source: Source) -> Iterator[str]:
    if not source.is_pure:
        return
    for name in source.imports:
        is_own = is_in(name, UTILS) and is_pure(name)
        is_harmless = any(is_in(name, module) for module in HARMLESS) or (
            source.module == TEMPLATES[0] and top(name) in TEMPLATES[1]
        )
        if not (is_own or is_harmless):
            yield f"imports {name}"


def clocks(source: Source) -> Iterator[str]:
    if not source.is_pure:
        return
    called = {node.func for node in source.nodes() if isinstance(node, ast.Call)}
    for node in source.nodes():
        # A field can be named "now": without a call, only that of a class of datetime is a breach.
        if (
            isinstance(node, ast.Attribute)
            and node.attr in {"now", "utcnow", "today"}
            and (node in called or _last_name(node.value) in {"date", "datetime"})
        ):
            yield f"uses .{node.attr} in line {node.lineno}"


def _last_name(node: ast.expr) -> str:
    """The ``c`` of ``c`` and of ``a.b.c``; "" for other expressions."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def builtins(source: Source) -> Iterator[str]:
    if not source.is_pure:
        return
    for node in source.nodes():
        # Not only calls: ``opened = open`` is one step away from a call.
        if isinstance(node, ast.Name) and node.id in IMPURE_BUILTINS and isinstance(node.ctx, ast.Load):
            yield f"uses {node.id} in line {node.lineno}"


def aws_sdk(source: Source) -> Iterator[str]:
    if source.module != f"{UTILS}.aws.sdk":
        yield from (f"imports {name}" for name in source.imports if top(name) in AWS_SDK)


def threads(source: Source) -> Iterator[str]:
    if source.module != f"{UTILS}.fanout" and not source.is_action:
        yield from (
            f"imports {name}"
            for name in source.imports
            if top(name) in THREADS and not (source.module == LOCKS[0] and name in LOCKS[1])
        )


def module_object(source: Source) -> Iterator[str]:
    if source.is_runner or source.is_on_controller:
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
    """Plugins import module_utils, runner imports what it runs, and flows import runner, not vice versa."""
    if not source.is_in_utils:
        return
    upper = [f"plugins.{kind}" for kind in ("action", "inventory", "lookup", "modules", "plugin_utils")]
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
    """Imports from directories below module_utils that are not in ``allowed``."""
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
    yield from (
        f"imports {name}"
        for name in source.imports
        if top(name) == "importlib" and not (source.module == SPECS[0] and name in SPECS[1])
    )


def emulators(source: Source) -> Iterator[str]:
    pattern = r"\b(moto|simulated|localstack|ministack)|https?://(localhost|127\.|\[::1\])"
    for found in re.finditer(pattern, source.text, flags=re.IGNORECASE):
        yield f"mentions {found.group()}"


Rule = Callable[[Source], Iterable[str]]
RULES: dict[str, Rule] = {
    "files are named by the vocabulary": file_names,
    "pure files import only pure files and harmless modules of the standard library": impure_imports,
    "pure files get the time as an argument": clocks,
    "pure files use no builtin that reads, prints or runs text as code": builtins,
    "only aws/sdk imports the AWS SDK": aws_sdk,
    "only fanout and action plugins start threads": threads,
    "only runner uses the module object": module_object,
    "only runner imports Ansible": ansible_below_runner,
    "imports lead downwards": upwards,
    "a capability imports only those that MAY_USE names": between_capabilities,
    "shared files and rooms import no capability": shared_knows_no_capability,
    "modules contain no logic": logic_in_modules,
    "module_utils import each other relatively": absolute_imports,
    "imports are import statements": hidden_imports,
    "no code is specific to an emulator": emulators,
}


def violations(rule: Rule, sources: Iterable[Source]) -> list[str]:
    """The breaches of ``rule``, as "<module> <what it does>"."""
    return [f"{source.module} {what}" for source in sources for what in rule(source)]
