# SPDX-License-Identifier: GPL-3.0-or-later

"""What the contracts of import-linter in pyproject.toml cannot say: all that is not listed is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
UTILS = "plugins.module_utils."
# A file below module_utils is pure, the same result for the same arguments, unless its name or its package is
# one of these. pyproject.toml names them again, for what ruff refuses in pure files.
IMPURE_FILE = re.compile(r"(apply|flow|inspect|read|wait|write)(_\w+)?")
IMPURE = ("_aws", "_fanout", "_processes", "_progress", "_read_yaml", "_runner")
# The modules of the standard library that pure files may import. They only compute: their results do not
# depend on the machine, and they have no side effects.
HARMLESS = frozenset(
    {
        "__future__",
        "base64",
        "bisect",
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
        "types",
        "typing",
        "unicodedata",
        "urllib",
    }
)
# Jinja2 renders the same text for the same values; MarkupSafe escapes for it.
TEMPLATES = {("plugins.module_utils._reports.html.render", name) for name in ("jinja2", "markupsafe")}
# The module object belongs to the runner and to what runs on the controller; options have a check_mode, too.
MODULE_OBJECT = re.compile(r"\b(module\.check_mode|__import__)\b|\.(_diff|(fail|exit)_json\w*)\b")
USES_MODULE_OBJECT = ("action/*", "plugin_utils/*", "module_utils/_runner.py")
EMULATOR = re.compile(
    r"\b(moto|simulated|localstack|ministack)|https?://(localhost|127\.|\[::1\])", re.IGNORECASE
)


def is_pure(module: str) -> bool:
    """Whether a file must be pure according to its name."""
    below = module.removeprefix(UTILS).split(".")
    return module.startswith(UTILS) and below[0] not in IMPURE and not IMPURE_FILE.fullmatch(below[-1])


def impure_imports(graph: grimp.ImportGraph) -> Iterator[tuple[str, str]]:
    """Each pure file with an import of its own that is neither pure nor harmless."""
    for module in filter(is_pure, sorted(graph.modules)):
        for imported in sorted(graph.find_modules_directly_imported_by(module) - HARMLESS):
            if not is_pure(imported) and (module, imported) not in TEMPLATES:
                yield module, imported


def logic_in_modules(graph: grimp.ImportGraph) -> Iterator[tuple[str, str]]:
    """Each file of plugins/modules with an import of something else than the collection."""
    allowed = {"__future__", "ansible_collections"}
    for module in graph.find_descendants("plugins.modules"):
        for imported in graph.find_modules_directly_imported_by(module) - allowed:
            yield module, imported


def places(pattern: re.Pattern[str], root: Path, *allowed: str) -> Iterator[str]:
    """Each place in the sources that matches, except in the allowed files."""
    paths = sorted(root.rglob("*.py"))
    assert paths, f"no Python below {root}"
    for path in paths:
        name = path.relative_to(root)
        if not any(name.match(one) for one in allowed):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                yield from (f"{name}:{number} {found.group()}" for found in pattern.finditer(line))


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("plugins", include_external_packages=True, cache_dir=None)


def test_pure_files_import_only_pure_files_and_harmless_modules(graph):
    assert list(impure_imports(graph)) == []


def test_modules_contain_no_logic(graph):
    assert list(logic_in_modules(graph)) == []


def test_only_the_runner_uses_the_module_object():
    assert list(places(MODULE_OBJECT, PLUGINS, *USES_MODULE_OBJECT)) == []


def test_no_code_is_specific_to_an_emulator():
    assert list(places(EMULATOR, PLUGINS)) == []


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("plugins.module_utils._model", "sqlite3"),
        ("plugins.module_utils._copy.plan", "plugins.module_utils._aws.read"),
        ("plugins.module_utils._copy.plan", "plugins.module_utils._copy.apply"),
        ("plugins.module_utils._copy.plan", "plugins.module_utils._fanout"),
        ("plugins.module_utils._copy", "threading"),
        ("plugins.module_utils._reports.values", "jinja2"),
        # A new file or package is pure unless its name is that of an impure one.
        ("plugins.module_utils.new.decisions", "boto3"),
        ("plugins.module_utils.new", "os"),
    ],
)
def test_an_impure_import_is_found(module, imported):
    graph = grimp.ImportGraph()
    graph.add_import(importer=module, imported=imported)
    graph.add_import(importer=module, imported="re")
    graph.add_import(importer="plugins.module_utils._copy.read_source", imported=imported)
    assert list(impure_imports(graph)) == [(module, imported)]


def test_logic_in_a_module_is_found():
    graph = grimp.ImportGraph()
    graph.add_module("plugins.modules")
    graph.add_import(importer="plugins.modules.ami_share", imported="re")
    graph.add_import(importer="plugins.modules.ami_share", imported="ansible_collections")
    assert list(logic_in_modules(graph)) == [("plugins.modules.ami_share", "re")]


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        (MODULE_OBJECT, "module.fail_json_aws(error)"),
        (MODULE_OBJECT, "return module.check_mode"),
        (MODULE_OBJECT, "__import__('boto3')"),
        (EMULATOR, "URL = 'http://localhost:5000'"),
        (EMULATOR, "# Moto answers otherwise"),
    ],
)
def test_a_place_is_found_except_where_it_is_allowed(pattern, code, tmp_path):
    for name in ("plan.py", "allowed.py"):
        (tmp_path / name).write_text(f"import re\n{code}\n", encoding="utf-8")
    (place,) = places(pattern, tmp_path, "allowed.py")
    assert place.startswith("plan.py:2 ")
