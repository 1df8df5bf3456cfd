# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation as a site: guides, reference, policies; built strictly and without a network.

python -m checks.site DIRECTORY    build it into a directory, which is emptied first
python -m checks.site --links   request every external link, over a network

Guides keep the places that they have in the checkout, so that links between them work in both.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from checks.commands import CheckError, run
from checks.paths import CHECKOUT

# The tasks of users, with the pages for each; each page of PAGES is in one of these lists.
CHAPTERS: dict[str, tuple[str, ...]] = {
    "Start": ("README", "docs/README", "docs/first-day", "docs/comparison", "docs/versions", "SUPPORT"),
    "Move from another tool": (
        "docs/moving/README",
        "docs/moving/from-amazon-aws",
        "docs/moving/from-packer",
        "docs/moving/from-image-builder",
    ),
    "Distribute": (
        "docs/sources",
        "docs/encrypted-images",
        "docs/organizations",
        "docs/consumer-copies",
        "docs/results",
    ),
    "Verify, diagnose": ("docs/verifying", "docs/diagnosing"),
    "Publish, roll back": ("docs/publishing", "docs/recalling", "docs/refreshing"),
    "Audit, remediate, monitor": (
        "docs/auditing",
        "docs/adoption",
        "docs/remediating",
        "docs/monitoring",
        "docs/event-driven",
        "docs/reports",
    ),
    "Clean up, restore": ("docs/cleanup", "docs/restoring"),
    "AWX, pipelines, inventories": ("docs/awx", "examples/README", "docs/accounts-inventory"),
    "Look up": ("docs/troubleshooting", "docs/codes", "docs/iam/README", "reference/index"),
    "How it works": ("docs/how-it-works", "docs/benchmarks", "docs/scale"),
    "Without an AWS account": ("docs/simulated-aws", "simulated_aws/README"),
    "Contribute": ("CONTRIBUTING", "MAINTAINERS", "SECURITY", "CODE_OF_CONDUCT"),
}
# The site's own page; all other Markdown that is in the archive or for contributors is a guide. There is no
# CHANGELOG.md before the first release, so that no chapter can list it.
GENERATED = ("reference/index",)
_GUIDES = ("*.md", "docs/**/*.md", "examples/**/*.md", "simulated_aws/*.md")
# Pages whose own titles do not say what they are in a list.
TITLES = {
    "README": "Overview",
    "docs/README": "Guides by task",
    "CHANGELOG": "Changes",
    "docs/moving/README": "What is adopted, step by step",
    "reference/index": "Modules, roles, plugins",
}
# The theme shows a table of contents beside each page, and an error where a page has one of its own.
_CONTENTS = re.compile(r"^\.\. contents::\n(?:   :.*\n)*", re.MULTILINE)
_CONF = Path(__file__).parent / "conf.py"


def index(chapters: dict[str, tuple[str, ...]], others: tuple[str, ...]) -> str:
    """The first page: a list of the pages of each chapter. ``others`` are guides that no chapter has."""
    named = {**chapters, **({"More": others} if others else {})}
    parts = ["# golden.images", "Golden AMIs in every region and account that needs them."]
    for title, pages in named.items():
        lines = "\n".join(f"{TITLES[page]} </{page}>" if page in TITLES else f"/{page}" for page in pages)
        parts.append(f"```{{toctree}}\n:caption: {title}\n:maxdepth: 1\n\n{lines}\n```")
    return "\n\n".join(parts) + "\n"


def guides(root: Path) -> tuple[str, ...]:
    """The guides in a checkout, as names of pages.

    Raises:
        CheckError: a chapter has a page that does not exist.
    """
    found = {
        path.relative_to(root).with_suffix("").as_posix()
        for pattern in _GUIDES
        for path in root.glob(pattern)
    }
    listed = {page for pages in CHAPTERS.values() for page in pages} - set(GENERATED)
    if missing := sorted(listed - found):
        raise CheckError(f"CHAPTERS in checks/site has pages that do not exist: {', '.join(missing)}")
    return tuple(sorted(found))


def write_source(root: Path, source: Path) -> None:
    """Write what Sphinx reads: guides with the files that they link to, reference, index."""
    pages = guides(root)
    for page in pages:
        _copy(root, source, f"{page}.md")
    for pattern in (
        "docs/iam/*.json",
        "bootstrap/cloudformation/*.json",
        "docs/images/*",
        "docs/pictures/*",
        "LICENSE",
        "galaxy.yml",
    ):
        for path in root.glob(pattern):
            _copy(root, source, path.relative_to(root).as_posix())
    shutil.copy(_CONF, source / "conf.py")
    listed = {page for chapter in CHAPTERS.values() for page in chapter}
    others = tuple(page for page in pages if page not in listed)
    (source / "index.md").write_text(index(CHAPTERS, others), encoding="utf-8")
    reference = source / "reference"
    reference.mkdir()
    run(
        "antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error",
        "--dest-dir", reference, "golden.images",
        quiet=True,
    )  # fmt: skip
    for path in reference.glob("*.rst"):
        path.write_text(without_contents(path.read_text(encoding="utf-8")), encoding="utf-8")


def without_contents(text: str) -> str:
    """A page of the reference without a table of contents of its own."""
    return _CONTENTS.sub("", text)


def build(target: Path) -> None:
    """Build the site into a directory, which is emptied first.

    Raises:
        CheckError: a page or link is not right.
    """
    shutil.rmtree(target, ignore_errors=True)
    _sphinx("html", target)
    print(f"{len(list(target.rglob('*.html')))} pages: {target}/index.html")


def check_links() -> None:
    """Request the external links of all pages. Not one of the checks: a link can fail for reasons of others.

    Raises:
        CheckError: a link is broken.
    """
    with tempfile.TemporaryDirectory(prefix="golden-images-") as name:
        _sphinx("linkcheck", Path(name).resolve() / "links")


def check() -> None:
    """Build the site in a temporary directory.

    Raises:
        CheckError: a page or link is not right.
    """
    with tempfile.TemporaryDirectory(prefix="golden-images-") as name:
        build(Path(name).resolve() / "site")


def _sphinx(builder: str, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="golden-images-") as name:
        source = Path(name).resolve() / "source"
        source.mkdir()
        write_source(CHECKOUT, source)
        run(
            "sphinx-build", "--quiet", "--fail-on-warning", "--keep-going", "--jobs", "auto",
            "--doctree-dir", source.parent / "doctrees", "--builder", builder, source, target,
        )  # fmt: skip


def _copy(root: Path, source: Path, name: str) -> None:
    (source / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(root / name, source / name)
