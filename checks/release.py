# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a release, up to the push: version, changelog, checks, archive, commit, tag.

python -m checks.release VERSION [--repository URL] [--handle NAME] [--checks NAME …]
python -m checks.release VERSION --archive-only    only the archive, of a checkout that has the version

It stops at the first thing that is not right. Nothing is pushed or uploaded.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from checks import addresses, codes, collection, importer, package
from checks.commands import CheckError, run
from checks.paths import CHECKOUT

# https://semver.org: a version that is no pre-release.
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
# A version in the name of the archive or of an execution environment.
_NAMED = re.compile(r"(?<=golden-images-)\d+\.\d+\.\d+(?=\.tar\.gz)|(?<=golden-images-ee:)\d+\.\d+\.\d+")
# The address stands in galaxy.yml until a release sets the real one (RFC 2606 reserves the domain).
_PLACEHOLDER = re.compile(r"https?://[\w.-]*\bexample\.(?:org|com)\b")
# The address of a repository's page, to which paths of files can be added.
_ADDRESS = re.compile(r"https://[\w.-]+(?::\d+)?(?:/[\w.~-]+)+(?<!\.git)")
# In a fragment of the changelog.
_SUMMARY = re.compile(r"^release_summary:", re.MULTILINE)
# What stands for the handle of the authors in the documentation of modules (ansible-test, validate-modules).
_NO_HANDLE = "contributors !UNKNOWN"
# The line of a file that links to the documentation of the release: its form, what it leads to, and as what.
_LINKS = {
    "galaxy.yml": ("documentation: {}", "docs", "tree"),
    "plugins/module_utils/_reports/codes_page.py": ('PAGE = "{}"', codes.PAGE, "blob"),
}


@dataclass(frozen=True)
class State:
    """What a checkout has: the version and address in galaxy.yml, earlier releases, and what git says.

    ``summary`` is whether a fragment has a ``release_summary``, ``identity`` whether git knows who commits,
    ``behind`` whether the branch lacks commits of ``origin``. ``branch`` is None where none is checked out;
    ``default_branch`` is None where git does not know that of ``origin``; without one it is ``branch``.
    """

    version: str
    repository: str
    releases: Sequence[str] = ()
    tags: Sequence[str] = ()
    fragments: Sequence[str] = ()
    summary: bool = True
    changed_files: Sequence[str] = ()
    identity: bool = True
    branch: str | None = "main"
    default_branch: str | None = "main"
    behind: bool = False


def refusal(state: State, version: str, repository: str | None) -> str | None:
    """Why this version cannot be released from a checkout, if it cannot."""
    if not _VERSION.fullmatch(version):
        return f"VERSION is {version!r}; it must be three numbers, such as 1.0.0"
    if reason := _not_ready(state, version):
        return reason
    if f"v{version}" in state.tags or version in state.releases:
        return f"{version} has been released already; choose the next version"
    if newer := [one for one in _comparable(state) if _key(one) > _key(version)]:
        return f"{version} is older than {newer[0]}, which has been released"
    if _key(state.version) > _key(version):
        return f"{version} is older than {state.version}, which galaxy.yml plans; change and commit that"
    if not state.fragments:
        return "changelogs/fragments is empty: there is nothing to release"
    if not state.summary:
        return "no fragment in changelogs/fragments has a release_summary: say what users have to know first"
    if _PLACEHOLDER.match(repository or state.repository):
        return (
            f"the repository is {repository or state.repository}, which is a placeholder: "
            "add REPOSITORY=https://… with the real address"
        )
    if not _ADDRESS.fullmatch(repository or state.repository):
        return (
            f"the repository is {repository or state.repository}; give the address of its page in a browser, "
            "without .git or a slash at its end: REPOSITORY=https://…"
        )
    return None


def _comparable(state: State) -> Sequence[str]:
    """The releases that must be older than the next one: on a branch ``stable-N``, those of its major."""
    if state.branch == state.default_branch:
        return state.releases
    return [one for one in state.releases if _stable(one) == state.branch]


def _stable(version: str) -> str:
    """The name of the branch on which a major version is maintained after the next one is released."""
    return f"stable-{_key(version)[0]}"


def _not_ready(state: State, version: str) -> str | None:
    """Why nothing can be committed, or not where a release belongs."""
    if state.changed_files:
        return f"commit or remove first: {', '.join(state.changed_files[:5])}"
    if not state.identity:
        return "git does not know who commits: git config user.name …, git config user.email …"
    if state.default_branch is None:
        return "git does not know the default branch of origin: git remote set-head origin --auto"
    if state.branch is None:
        return f"no branch is checked out, so the release would be on none: git switch {state.default_branch}"
    if state.branch not in (state.default_branch, _stable(version)):
        return (
            f"the branch is {state.branch}; {version} is released on the default branch, or on "
            f"{_stable(version)}: git switch {state.default_branch}"
        )
    if state.behind:
        return f"{state.branch} lacks commits of origin: git pull --ff-only origin {state.branch}"
    return None


def with_version(text: str, old: str, new: str) -> str:
    """A text with the released version where it names that of the collection.

    That is the name of the archive and of the execution environment, the version itself in galaxy.yml, and
    what is new in this version.
    """
    text = _NAMED.sub(new, text)
    pattern = rf"^(version| *version_added): {re.escape(old)}$"
    return re.sub(pattern, rf"\1: {new}", text, flags=re.MULTILINE)


def with_link(text: str, name: str, repository: str, version: str) -> str:
    """A file's text with the address of the release in the line that links to its documentation."""
    if name not in _LINKS:
        return text
    line, path, kind = _LINKS[name]
    pattern = re.escape(line).replace(re.escape("{}"), ".*")
    address = addresses.address_of(repository, version, path, kind)
    return re.sub(rf"^{pattern}$", line.format(address), text, flags=re.MULTILINE)


def state_of(root: Path) -> State:
    """The state of a checkout."""
    galaxy = yaml.safe_load((root / "galaxy.yml").read_text(encoding="utf-8"))
    changelog = yaml.safe_load((root / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))
    branch = _git(root, "branch", "--show-current").strip() or None
    fragments = sorted(root.glob("changelogs/fragments/*.yml"))
    return State(
        version=galaxy["version"],
        repository=galaxy["repository"],
        releases=tuple(changelog["releases"]),
        tags=tuple(_git(root, "tag", "--list").split()),
        fragments=tuple(path.name for path in fragments),
        summary=any(_SUMMARY.search(path.read_text(encoding="utf-8")) for path in fragments),
        changed_files=tuple(line[3:] for line in _git(root, "status", "--porcelain").splitlines()),
        identity=_has_identity(root),
        branch=branch,
        default_branch=_default_branch(root, branch),
    )


def with_origin(root: Path, state: State) -> State:
    """The state with the tags of ``origin``, and whether the branch lacks commits that are there.

    It is the same where there is no ``origin``, and where it cannot be read, which is printed.
    """
    if "origin" not in _git(root, "remote").split():
        return state
    command = ["git", "ls-remote", "--refs", "--heads", "--tags", "origin"]
    # git then fails where it would ask for a password.
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    asked = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if asked.returncode:
        print(
            f"– origin cannot be read, so its tags and commits are unknown: {asked.stderr.strip()}",
            flush=True,
        )
        return state
    commits = {name: commit for commit, name in (line.split("\t") for line in asked.stdout.splitlines())}
    tags = {name.removeprefix("refs/tags/") for name in commits if name.startswith("refs/tags/")}
    commit = commits.get(f"refs/heads/{state.branch}")
    return dataclasses.replace(
        state,
        tags=tuple(sorted({*state.tags, *tags})),
        behind=commit is not None and not _contains(root, commit),
    )


def _contains(root: Path, commit: str) -> bool:
    """Whether the branch has a commit, which this clone may never have fetched."""
    command = ["git", "merge-base", "--is-ancestor", commit, "HEAD"]
    return subprocess.run(command, cwd=root, capture_output=True, check=False).returncode == 0


def _has_identity(root: Path) -> bool:
    asked = subprocess.run(["git", "var", "GIT_COMMITTER_IDENT"], cwd=root, capture_output=True, check=False)
    return asked.returncode == 0


def _default_branch(root: Path, branch: str | None) -> str | None:
    if "origin" not in _git(root, "remote").split():
        return branch or "BRANCH"
    command = ["git", "symbolic-ref", "--short", "refs/remotes/origin/HEAD"]
    asked = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return asked.stdout.strip().removeprefix("origin/") or None


def write(
    root: Path, state: State, version: str, repository: str | None, handle: str | None = None
) -> list[str]:
    """Write version, address and handle into all tracked files that have them; their names."""
    written = []
    for name in _git(root, "ls-files").splitlines():
        path = root / name
        # Releases that were made keep their versions.
        if path.suffix not in {".md", ".yml", ".py"} or name.startswith(("changelogs/", "tests/", "checks/")):
            continue
        text = path.read_text(encoding="utf-8")
        right = with_version(text, state.version, version)
        if repository:
            right = right.replace(state.repository, repository)
        if handle:
            right = right.replace(_NO_HANDLE, f"contributors (@{handle.removeprefix('@')})")
        right = with_link(right, name, repository or state.repository, version)
        if right != text:
            path.write_text(right, encoding="utf-8")
            written.append(name)
    return written


def new_objects(root: Path) -> dict[str, list[dict[str, str]]]:
    """The roles and playbooks that no release has named, as a fragment of the changelog.

    antsibull-changelog finds new plugins itself, by ``version_added``.
    """
    changelog = yaml.safe_load((root / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))
    named = {
        (kind, item["name"])
        for one in changelog["releases"].values()
        for kind, items in one.get("objects", {}).items()
        for item in items
    }
    described = {"role": _roles(root), "playbook": _playbooks(root)}
    return {
        f"add object.{kind}": [
            {"name": name, "description": description}
            for name, description in texts.items()
            if (kind, name) not in named
        ]
        for kind, texts in described.items()
    }


def _roles(root: Path) -> dict[str, str]:
    specs = sorted(root.glob("roles/*/meta/argument_specs.yml"))
    texts = (yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]["main"] for path in specs)
    return {
        path.parent.parent.name: text["short_description"] for path, text in zip(specs, texts, strict=True)
    }


def _playbooks(root: Path) -> dict[str, str]:
    """Each playbook with the name of its first play."""
    paths = sorted(root.glob("playbooks/*.yml"))
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))[0]["name"] for path in paths}


def archive(root: Path, version: str) -> Path:
    """Build the archive of the tracked files into dist/, with addresses in the pages that Galaxy shows.

    It is installed, used and imported before it is returned.

    Raises:
        CheckError: galaxy.yml has another version, or the archive does not pass.
    """
    state = state_of(root)
    if state.version != version:
        raise CheckError(f"galaxy.yml has version {state.version}, not {version}")
    with tempfile.TemporaryDirectory(prefix="golden-images-") as name:
        source = Path(name).resolve() / "source"
        for file in _git(root, "ls-files").splitlines():
            (source / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / file, source / file)
        if not _PLACEHOLDER.match(state.repository):
            addresses.write(source, state.repository, version)
        built = collection.build(root / "dist", source)
    package.check_archive(built)
    importer.check_archive(built)
    return built


def release(
    root: Path, version: str, repository: str | None, checks: Sequence[str], handle: str | None = None
) -> Path:
    """Release a version from a clean checkout; the path of the archive.

    Raises:
        CheckError: the first thing that is not right, and how to start again.
    """
    state = with_origin(root, state_of(root))
    if reason := refusal(state, version, repository):
        raise CheckError(reason)
    start = _git(root, "rev-parse", "--short", "HEAD").strip()
    try:
        return _release(root, state, version, repository, checks, handle)
    except KeyboardInterrupt as interrupt:
        raise CheckError(f"interrupted\n{_way_back(root, start, version)}") from interrupt
    except (CheckError, OSError, subprocess.SubprocessError, yaml.YAMLError) as error:
        raise CheckError(f"{error}\n{_way_back(root, start, version)}") from error


def _way_back(root: Path, start: str, version: str) -> str:
    """The commands that undo what a release has done since a commit."""
    commands = [f"git reset --hard {start}", "git clean -df"]
    if _git(root, "tag", "--list", f"v{version}").strip():
        commands.insert(0, f"git tag -d v{version}")
    return f"To start again: {' && '.join(commands)}"


def _release(
    root: Path, state: State, version: str, repository: str | None, checks: Sequence[str], handle: str | None
) -> Path:
    _step("version and addresses", ", ".join(write(root, state, version, repository, handle)))
    fragment = root / "changelogs" / "fragments" / f"{version}-objects.yml"
    fragment.write_text(yaml.safe_dump(new_objects(root)), encoding="utf-8")
    run("antsibull-changelog", "release", cwd=root, quiet=True)
    run("python", "-m", "checks.readmes", cwd=root, quiet=True)
    _step("changelog", "CHANGELOG.md")
    run("python", "-m", "checks", "--target", "ci", "--no-skips", *checks, cwd=root)
    _step("checks", "passed")
    _git(root, "add", "--all")
    built = archive(root, version)
    _step("archive", f"{built.relative_to(root)} passed")
    _git(root, "commit", "--quiet", "--message", f"Release {version}")
    _git(root, "tag", "--annotate", f"v{version}", "--message", f"golden.images {version}")
    _step("commit and tag", f"v{version}")
    return built


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _step(name: str, detail: str) -> None:
    print(f"✓ {name}: {detail}", flush=True)


def _git(root: Path, *arguments: str) -> str:
    return run("/usr/bin/env", "git", *arguments, cwd=root, quiet=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m checks.release", description=__doc__.splitlines()[0])
    parser.add_argument("version", metavar="VERSION")
    parser.add_argument("--repository", metavar="URL", help="replaces the placeholder in galaxy.yml")
    parser.add_argument("--handle", metavar="NAME", help="of the authors on the forge, instead of !UNKNOWN")
    parser.add_argument(
        "--checks", nargs="*", default=(), metavar="NAME", help="only these checks, to rehearse"
    )
    parser.add_argument("--archive-only", action="store_true", help="build the archive of this version")
    given = parser.parse_args()
    try:
        if given.archive_only:
            print(archive(CHECKOUT, given.version))
        else:
            release(CHECKOUT, given.version, given.repository, given.checks, given.handle)
            print(f"Look at the commit; then publish it: git push --atomic origin HEAD v{given.version}")
    except CheckError as error:
        print(f"✗ {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
