# SPDX-License-Identifier: GPL-3.0-or-later

"""A release stops at the first thing that is not right, and changes each place that has the version."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from checks import commands, release
from checks.commands import CheckError
from checks.release import State, refusal, state_of, with_origin, with_version, write

ADDRESS = "https://git.example.net/golden/images"
READY = State(version="0.1.0", repository=ADDRESS, fragments=("share.yml",))
PLACEHOLDER = "https://git.example.org/golden/images"
GALAXY = (
    f"version: 0.1.0\nrepository: {PLACEHOLDER}\ndocumentation: {PLACEHOLDER}\nissues: {PLACEHOLDER}/issues\n"
)


def test_a_checkout_that_is_ready_is_released():
    assert refusal(READY, "1.0.0", None) is None
    placeholder = dataclasses.replace(READY, repository="https://git.example.org/golden/images")
    assert refusal(placeholder, "1.0.0", ADDRESS) is None


def test_the_major_version_before_the_newest_is_released_on_its_own_branch():
    stable = dataclasses.replace(READY, version="1.4.2", branch="stable-1", releases=("1.4.1", "2.0.0"))
    assert refusal(stable, "1.4.2", None) is None
    assert refusal(dataclasses.replace(stable, releases=("10.0.0",)), "1.4.2", None) is None
    newer = dataclasses.replace(stable, releases=("1.5.0", "2.0.0"))
    assert refusal(newer, "1.4.2", None) == "1.4.2 is older than 1.5.0, which has been released"
    other = refusal(stable, "2.0.1", None) or ""
    assert other.startswith("the branch is stable-1; 2.0.1 is released on the default branch, or on stable-2")
    assert "older than 2.0.0" in (refusal(dataclasses.replace(stable, branch="main"), "1.4.2", None) or "")


@pytest.mark.parametrize(
    ("state", "version", "reason"),
    [
        ({}, "1.0", "must be three numbers"),
        ({}, "1.0.0-rc1", "must be three numbers"),
        ({}, "01.0.0", "must be three numbers"),
        ({"changed_files": ("a.py",)}, "1.0.0", "commit or remove first: a.py"),
        ({"identity": False}, "1.0.0", "git config user.name"),
        ({"tags": ("v1.0.0",)}, "1.0.0", "released already"),
        ({"releases": ("1.0.0",)}, "1.0.0", "released already"),
        ({"releases": ("1.10.0",)}, "1.9.0", "older than 1.10.0, which has been released"),
        ({"version": "2.0.0"}, "1.9.0", "older than 2.0.0, which galaxy.yml plans"),
        (
            {"branch": "topic"},
            "1.0.0",
            "the branch is topic; .* default branch, .* stable-1: git switch main",
        ),
        ({"branch": None}, "1.0.0", "no branch is checked out, .*: git switch main"),
        ({"default_branch": None}, "1.0.0", "git remote set-head origin --auto"),
        ({"behind": True}, "1.0.0", "main lacks commits of origin: git pull --ff-only origin main"),
        ({"fragments": ()}, "1.0.0", "nothing to release"),
        ({"summary": False}, "1.0.0", "no fragment .* has a release_summary"),
        ({"repository": "https://git.example.org/golden/images"}, "1.0.0", "REPOSITORY="),
        ({"repository": "git@git.example.net:golden/images.git"}, "1.0.0", "its page in a browser"),
        ({"repository": "https://git.example.net/golden/images.git"}, "1.0.0", "without .git"),
        ({"repository": "https://git.example.net/golden/images/"}, "1.0.0", "without .git or a slash"),
        ({"repository": "https://git.example.net"}, "1.0.0", "its page in a browser"),
    ],
)
def test_what_is_not_right_is_named(state: dict[str, Any], version: str, reason: str):
    assert re.search(reason, refusal(dataclasses.replace(READY, **state), version, None) or "")


def test_the_version_changes_where_it_is_that_of_the_collection():
    text = "version: 0.1.0\nversion_added: 0.1.0\n  version_added: 0.1.0\nversion_added: 0.0.9\n"
    assert with_version(text, "0.1.0", "1.0.0") == (
        "version: 1.0.0\nversion_added: 1.0.0\n  version_added: 1.0.0\nversion_added: 0.0.9\n"
    )


def test_names_with_a_version_have_that_of_the_release_whichever_they_had():
    text = "golden-images-0.1.0.tar.gz, host/golden-images-ee:0.9.12, golden-images-2026.11.1"
    right = "golden-images-1.1.0.tar.gz, host/golden-images-ee:1.1.0, golden-images-2026.11.1"
    assert with_version(text, "1.0.1", "1.1.0") == right


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who commits: a new machine does not say."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "golden.images")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "golden.images@example.org")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small checkout in git."""
    files = {
        "galaxy.yml": GALAXY,
        "changelogs/changelog.yaml": "ancestor: null\nreleases: {}\n",
        "changelogs/fragments/first.yml": "release_summary: It is new.\nbugfixes: [fix]\n",
        "changelogs/fragments/share.yml": "minor_changes: [share]\n",
        "plugins/modules/ami_share.py": "version_added: 0.1.0\n",
        "plugins/module_utils/_reports/codes_page.py": 'A = 1\nPAGE = ""\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    for command in (
        ("init", "-qb", "main"),
        ("add", "."),
        (*identity, "commit", "-qm", "x"),
        ("tag", "v0.0.9"),
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def test_the_state_is_read_from_the_checkout(checkout: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "x")
        monkeypatch.setenv(f"{name}_EMAIL", "x@example.org")
    (checkout / "stray").touch()
    assert state_of(checkout) == State(
        version="0.1.0",
        repository="https://git.example.org/golden/images",
        tags=("v0.0.9",),
        fragments=("first.yml", "share.yml"),
        changed_files=("stray",),
    )
    (checkout / "changelogs" / "fragments" / "first.yml").unlink()
    assert state_of(checkout).summary is False


def git(*command: str, folder: Path) -> None:
    subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)


def test_the_tags_and_commits_of_origin_count(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
):
    clone = tmp_path_factory.mktemp("clone")
    git("clone", str(checkout), ".", folder=clone)
    here = state_of(clone)
    assert with_origin(clone, here) == here
    git("tag", "v1.0.0", folder=checkout)
    assert with_origin(clone, here) == dataclasses.replace(here, tags=("v0.0.9", "v1.0.0"))
    with pytest.raises(CheckError, match=r"1\.0\.0 has been released already"):
        release.release(clone, "1.0.0", ADDRESS, ())
    git("commit", "--allow-empty", "--message", "local", folder=clone)
    assert with_origin(clone, here).behind is False
    git("commit", "--allow-empty", "--message", "of origin", folder=checkout)
    assert with_origin(clone, here).behind is True
    git("remote", "set-url", "origin", str(clone / "nothing"), folder=clone)
    assert with_origin(clone, here) == here
    assert "origin cannot be read" in capsys.readouterr().out


def test_the_default_branch_is_that_of_origin(checkout: Path, tmp_path_factory: pytest.TempPathFactory):
    clone = tmp_path_factory.mktemp("clone")
    git("clone", str(checkout), ".", folder=clone)
    git("switch", "-c", "topic", folder=clone)
    state = state_of(clone)
    assert (state.branch, state.default_branch) == ("topic", "main")
    git("switch", "--detach", folder=clone)
    git("remote", "set-head", "origin", "--delete", folder=clone)
    state = state_of(clone)
    assert (state.branch, state.default_branch) == (None, None)
    git("remote", "remove", "origin", folder=clone)
    assert "git switch BRANCH" in (refusal(state_of(clone), "1.0.0", ADDRESS) or "")


def test_a_commit_without_an_author_is_found_before_anything_is_changed(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    settings = ("user.useConfigOnly", "true")
    subprocess.run(["git", "config", *settings], cwd=checkout, check=True)
    assert state_of(checkout).identity is False
    assert capfd.readouterr() == ("", "")
    with pytest.raises(CheckError, match="git config user"):
        release.release(checkout, "1.0.0", ADDRESS, ())


def test_version_and_address_are_written(checkout: Path):
    assert write(checkout, state_of(checkout), "1.0.0", ADDRESS) == [
        "galaxy.yml",
        "plugins/module_utils/_reports/codes_page.py",
        "plugins/modules/ami_share.py",
    ]
    assert (checkout / "plugins/module_utils/_reports/codes_page.py").read_text(encoding="utf-8") == (
        f'A = 1\nPAGE = "{ADDRESS}/-/blob/v1.0.0/docs/codes.md"\n'
    )
    assert (checkout / "galaxy.yml").read_text(encoding="utf-8") == (
        f"version: 1.0.0\nrepository: {ADDRESS}\ndocumentation: {ADDRESS}/-/tree/v1.0.0/docs\n"
        f"issues: {ADDRESS}/issues\n"
    )


def test_the_authors_have_the_handle_that_is_given(checkout: Path):
    module = checkout / "plugins" / "modules" / "ami_share.py"
    module.write_text("author:\n  - golden.images contributors !UNKNOWN\n", encoding="utf-8")
    write(checkout, state_of(checkout), "1.0.0", ADDRESS)
    assert "!UNKNOWN" in module.read_text(encoding="utf-8")
    write(checkout, state_of(checkout), "1.0.0", ADDRESS, "@golden")
    assert module.read_text(encoding="utf-8") == "author:\n  - golden.images contributors (@golden)\n"


def test_roles_and_playbooks_that_no_release_has_named_are_new(checkout: Path):
    files = {
        "changelogs/changelog.yaml": "releases: {1.0.0: {objects: {role: [{name: share, description: x}]}}}",
        "roles/share/meta/argument_specs.yml": "argument_specs: {main: {short_description: Share images}}",
        "roles/audit/meta/argument_specs.yml": "argument_specs: {main: {short_description: Audit images}}",
        "playbooks/audit.yml": "- name: Audit AMIs\n  hosts: localhost\n",
    }
    for name, text in files.items():
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text(text, encoding="utf-8")
    assert release.new_objects(checkout) == {
        "add object.role": [{"name": "audit", "description": "Audit images"}],
        "add object.playbook": [{"name": "audit", "description": "Audit AMIs"}],
    }


def test_a_refused_release_changes_nothing(checkout: Path):
    with pytest.raises(CheckError, match="REPOSITORY="):
        release.release(checkout, "1.0.0", None, ())
    assert state_of(checkout).changed_files == ()


def test_an_archive_of_another_version_is_refused(checkout: Path):
    with pytest.raises(CheckError, match=r"version 0\.1\.0, not 1\.0\.0"):
        release.archive(checkout, "1.0.0")


@pytest.mark.parametrize(
    ("repository", "link"),
    [
        ("https://github.com/golden/images", "https://github.com/golden/images/blob/v0.1.0/docs/a.md"),
        ("https://git.example.org/golden/images", "docs/a.md"),
    ],
)
def test_the_archive_has_tracked_files_and_its_links_lead_to_the_repository(
    checkout: Path, repository: str, link: str, monkeypatch: pytest.MonkeyPatch
):
    built: dict[str, str] = {}

    def build(folder: Path, source: Path) -> Path:
        built.update({p.name: p.read_text(encoding="utf-8") for p in source.rglob("*") if p.is_file()})
        return folder / "golden-images-0.1.0.tar.gz"

    monkeypatch.setattr(release.collection, "build", build)
    checked: list[tuple[str, str]] = []
    for tool in (release.importer, release.package):
        name = tool.__name__
        monkeypatch.setattr(tool, "check_archive", lambda path, name=name: checked.append((name, path.name)))
    text = (checkout / "galaxy.yml").read_text(encoding="utf-8")
    galaxy = text.replace("https://git.example.org/golden/images", repository)
    (checkout / "galaxy.yml").write_text(galaxy, encoding="utf-8")
    (checkout / "README.md").write_text("[a](docs/a.md)", encoding="utf-8")
    subprocess.run(["git", "add", "README.md"], cwd=checkout, check=True)
    (checkout / "stray.md").touch()
    assert release.archive(checkout, "0.1.0") == checkout / "dist" / "golden-images-0.1.0.tar.gz"
    assert "stray.md" not in built
    assert built["README.md"] == f"[a]({link})"
    name = "golden-images-0.1.0.tar.gz"
    assert checked == [("checks.package", name), ("checks.importer", name)]


@pytest.fixture
def ran(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps of a release of the small checkout, in which only git is real."""
    steps: list[str] = []

    def run(*command: str, **options: Any) -> str:
        if command[0] == "/usr/bin/env":
            done = commands.run(*command, **options)
            if {"--message"} & set(command):
                step(command[2])
            return done
        # Each of them changes files.
        checkout.joinpath("CHANGELOG.md").write_text("new", encoding="utf-8")
        step(" ".join(command))
        return ""

    def step(name: str) -> None:
        steps.append(name)
        if steps[0] == f"fails: {name}":
            raise CheckError("the reason")
        if steps[0] == f"stopped: {name}":
            raise KeyboardInterrupt

    def built(_root: Path, _version: str) -> Path:
        step("archive")
        return checkout / "dist" / "golden-images-1.0.0.tar.gz"

    monkeypatch.setattr(release, "run", run)
    monkeypatch.setattr(release, "archive", built)
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "x")
        monkeypatch.setenv(f"{name}_EMAIL", "x@example.org")
    return steps


def test_the_archive_is_checked_before_the_release_has_a_commit_and_a_tag(checkout: Path, ran: list[str]):
    release.release(checkout, "1.0.0", ADDRESS, ("ruff",))
    assert ran == [
        "antsibull-changelog release",
        "python -m checks.readmes",
        "python -m checks --target ci --no-skips ruff",
        "archive",
        "commit",
        "tag",
    ]
    assert "v1.0.0" in state_of(checkout).tags


@pytest.mark.parametrize("how", ["fails", "stopped"])
@pytest.mark.parametrize(
    "step",
    [
        "antsibull-changelog release",
        "python -m checks.readmes",
        "python -m checks --target ci --no-skips ruff",
        "archive",
        "commit",
        "tag",
    ],
)
def test_a_release_that_stops_says_how_to_start_again(how: str, step: str, checkout: Path, ran: list[str]):
    def now() -> tuple[State, str, str]:
        log = subprocess.check_output(["git", "log", "--format=%H"], cwd=checkout, text=True)
        return state_of(checkout), log, (checkout / "galaxy.yml").read_text(encoding="utf-8")

    before = now()
    ran.append(f"{how}: {step}")
    with pytest.raises(CheckError) as stopped:
        release.release(checkout, "1.0.0", ADDRESS, ("ruff",))
    assert ran[-1] == step
    assert now() != before
    reason, way_back = str(stopped.value).splitlines()
    assert reason == ("the reason" if how == "fails" else "interrupted")
    subprocess.run(way_back.removeprefix("To start again: "), shell=True, cwd=checkout, check=True)
    assert now() == before
