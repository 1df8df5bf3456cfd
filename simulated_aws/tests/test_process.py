# SPDX-License-Identifier: GPL-3.0-or-later
"""The server process: started by a test or a user, and always stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from simulated_aws.client import SimulatedAws

ROOT = Path(__file__).parents[1]
TWO_DISKS = ROOT / "src/simulated_aws/fixtures/two_disk_ami.yml"
PARENT = """
import time
from simulated_aws.client import SimulatedAws
print(SimulatedAws.start().url, flush=True)
time.sleep(600)
"""
COMMAND = [sys.executable, "-m", "simulated_aws"]


WHO_AND_WHERE = """
import boto3
print(boto3.client("sts").get_caller_identity()["Account"], boto3.Session().region_name)
"""


def run(command: list[str], env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def is_up(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/_simulated_aws/health", timeout=20).close()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    return True


def test_it_stops_with_its_context() -> None:
    with SimulatedAws.start(TWO_DISKS) as aws:
        assert is_up(aws.url)
        assert aws.account_id("web-prod") == "012345678901"
    assert not is_up(aws.url)


def test_it_dies_with_a_parent_that_is_killed() -> None:
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout is not None
            url = parent.stdout.readline().strip()
            assert is_up(url)
        finally:
            # Whatever failed: leaving the context waits for the parent's end.
            parent.kill()
    deadline = time.monotonic() + 20
    while is_up(url):
        assert time.monotonic() < deadline, "the server outlived its parent"
        time.sleep(0.05)


def test_another_process_connects_by_url(aws: SimulatedAws) -> None:
    other = SimulatedAws.connect(f"{aws.url}/")
    assert other.client("sts", "consumer").get_caller_identity()["Account"] == "222222222222"
    other.stop()
    assert is_up(aws.url)


def test_it_prints_shell_commands_last_and_ctrl_c_stops_it() -> None:
    command = [*COMMAND, "--port", "0", "--fixture", str(TWO_DISKS), "--account", "images"]
    # A shell's Ctrl-C reaches a foreground process, which may have been told to ignore it elsewhere.
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().rpartition(" ")[2].strip()
            lines: list[str] = []
            while not lines or not lines[-1].startswith("export AWS_DEFAULT_REGION="):
                lines.append(process.stdout.readline().rstrip("\n"))
            with urllib.request.urlopen(f"{url}/_simulated_aws/fixture", timeout=20) as answer:
                description = json.load(answer)
        finally:
            process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(timeout=20) == 0
    assert rest == ""
    # With the line of the URL, ten lines.
    assert lines[:3] == [
        "8 accounts and 1 image; Ctrl-C stops it. All IDs:",
        f"  curl -s {url}/_simulated_aws/fixture | python3 -m json.tool",
        "To call it as the account images (111111111111), in another terminal:",
    ]
    assert "golden-web-2026.11.1" in description["images"]
    keys = description["accounts"]["images"]
    assert lines[3:] == [
        "unset AWS_PROFILE AWS_SESSION_TOKEN",
        f"export AWS_ENDPOINT_URL={url}",
        f"export AWS_ACCESS_KEY_ID={keys['access_key_id']}",
        f"export AWS_SECRET_ACCESS_KEY={keys['secret_access_key']}",
        "export AWS_REGION=us-east-1",
        "export AWS_DEFAULT_REGION=us-east-1",
    ]


@pytest.mark.parametrize(
    "arguments", [["--fixture", "{fixture}"], ["--fixture", str(TWO_DISKS), "--account", "x"]]
)
def test_a_bad_start_is_one_sentence(arguments: list[str], tmp_path: Path) -> None:
    fixture = tmp_path / "fixture.yml"
    fixture.write_text("people: []\n")
    arguments = [argument.format(fixture=fixture) for argument in arguments]
    done = run([*COMMAND, "--port", "0", *arguments])
    assert done.returncode == 1
    assert done.stderr.startswith("simulated AWS: the fixture has ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("name", "reason"), [("none.yml", "No such file"), ("odd.yml", "while parsing")])
def test_a_fixture_that_cannot_be_read_is_one_sentence(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "odd.yml").write_text("accounts: [")
    done = run([*COMMAND, "--port", "0", "--fixture", str(tmp_path / name)])
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"simulated AWS: can't read the fixture {tmp_path / name}: ")
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run([*COMMAND, "--port", port])
    assert done.returncode == 1
    assert "in use" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_subprocess_s_environment_has_nothing_else_of_aws(
    aws: SimulatedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:3128")
    environment = aws.environment("owner", "eu-west-1")
    assert "AWS_PROFILE" not in environment
    assert environment["PATH"] == os.environ["PATH"]
    done = run([sys.executable, "-c", WHO_AND_WHERE], env=environment)
    assert done.stdout.split() == ["012345678901", "eu-west-1"], done.stderr


def test_a_session_ignores_the_environment_too(aws: SimulatedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:3128")
    session = aws.session("consumer", "eu-west-1")
    assert session.client("sts").get_caller_identity()["Account"] == "222222222222"
    assert aws.calls()[-1].region == "eu-west-1"
