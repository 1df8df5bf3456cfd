# SPDX-License-Identifier: GPL-3.0-or-later

"""Files for other tools: their texts, what is refused, what is written, what stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.golden.images.plugins.module_utils._distribution import write_files as module
from ansible_collections.golden.images.plugins.module_utils._distribution.output import Images
from ansible_collections.golden.images.plugins.module_utils._distribution.write_files import (
    check_files,
    render_changed_files,
    write_files,
)
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError

HOME, AWAY = "ami-00000000000000001", "ami-00000000000000002"
ONE = Images({"us-east-1": HOME, "eu-west-1": AWAY})
SEVERAL = Images(by_source={"web-arm64": {"us-east-1": HOME}, "db": {"eu-west-1": AWAY}})
IMAGES = Images({"eu-west-1": "ami-0123456789abcdef0"})
TEXT = "AMI_EU_WEST_1=ami-0123456789abcdef0\n"


@pytest.mark.parametrize(
    ("name", "one", "several"),
    [
        pytest.param(name, "golden_images", "golden_images_by_source", id=name)
        for name in ("images.auto.tfvars.json", "terraform.tfvars.json")
    ]
    + [pytest.param("images.json", "images", "images_by_source", id="images.json")],
)
def test_json_and_terraform_get_one_variable(tmp_path: Path, name: str, one: str, several: str) -> None:
    path = str(tmp_path / name)
    (text,) = render_changed_files([path], ONE).values()
    assert json.loads(text) == {one: {"us-east-1": HOME, "eu-west-1": AWAY}}
    (text,) = render_changed_files([path], SEVERAL).values()
    assert json.loads(text) == {several: {"web-arm64": {"us-east-1": HOME}, "db": {"eu-west-1": AWAY}}}


@pytest.mark.parametrize("name", ["images.env", ".env"])
def test_an_environment_file_has_a_line_for_each_image(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / name)
    (text,) = render_changed_files([path], ONE).values()
    assert text == f"AMI_EU_WEST_1={AWAY}\nAMI_US_EAST_1={HOME}\n"
    (text,) = render_changed_files([path], SEVERAL).values()
    assert text == f"AMI_DB_EU_WEST_1={AWAY}\nAMI_WEB_ARM64_US_EAST_1={HOME}\n"


@pytest.mark.parametrize("name", ["a.auto.tfvars.json", "a.env", "a.json"])
@pytest.mark.parametrize("images", [ONE, SEVERAL, Images(), None])
def test_an_own_file_and_an_empty_one_may_be_replaced(
    tmp_path: Path, name: str, images: Images | None
) -> None:
    path = tmp_path / name
    path.touch()
    if images is not None:
        write_files(render_changed_files([str(path)], images))
    assert problems(path) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.auto.tfvars.json", '{"golden_images": {}, "region": "us-east-1"}'),
        ("a.auto.tfvars.json", '{"images": {}}'),
        ("a.env", f"AMI_EU_WEST_1={AWAY}\nPASSWORD=hunter2\n"),
        ("a.env", "# comment\n"),
        ("a.json", '{"name": "web"}'),
        ("a.json", "[]"),
        ("a.json", "{"),
        pytest.param("a.json", "[" * 100_000, id="nested"),
    ],
)
def test_another_file_may_not(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert problems(path) == [f"output_files: {path} has other content, which would be lost."]


def problems(*paths: Path) -> list[str]:
    return [failure.message for failure in check_files(map(str, paths))]


def test_files_are_written_once(tmp_path: Path) -> None:
    paths = [str(tmp_path / "a.env"), str(tmp_path / "a.auto.tfvars.json")]
    assert write_files(render_changed_files(paths, IMAGES)) == (paths, [])
    assert Path(paths[0]).read_text(encoding="utf-8") == TEXT
    assert render_changed_files(paths, IMAGES) == {}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.auto.tfvars.json", "a.env"]


def test_changed_files_are_not_written_yet(tmp_path: Path) -> None:
    path = tmp_path / "a.env"
    assert render_changed_files([str(path)], IMAGES) == {str(path): TEXT}
    assert not path.exists()


def test_a_file_with_other_content_is_kept(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("PASSWORD=hunter2\n", encoding="utf-8")
    assert problems(path) == [f"output_files: {path} has other content, which would be lost."]
    other = tmp_path / "b.env"
    with pytest.raises(ValidationError) as refused:
        render_changed_files([str(path), str(other)], IMAGES)
    assert (len(refused.value.failures), other.exists()) == (1, False)
    assert path.read_text(encoding="utf-8") == "PASSWORD=hunter2\n"


def test_paths_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "c.json").mkdir()
    (tmp_path / "d.json").write_bytes(b"\xff")
    found = problems(tmp_path / "a.txt", tmp_path / "no" / "b.env", tmp_path / "c.json", tmp_path / "d.json")
    assert len(found) == 4
    assert found[0].endswith("a.txt does not end with .tfvars.json, .env, .json.")
    assert found[1].endswith(f"no/b.env: there is no directory {tmp_path}/no.")
    assert found[2].endswith("c.json is a directory.")
    assert "d.json exists and cannot be read: it is not text in UTF-8" in found[3]
    assert all(failure.remedy for failure in check_files([str(tmp_path / "a.txt")]))


def test_a_full_disk_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_file(_path: Path, _text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_file", write_file)
    written, (failure,) = write_files({str(tmp_path / "a.env"): TEXT})
    assert written == []
    assert failure.message == f"output_files: {tmp_path}/a.env: No space left on device."
