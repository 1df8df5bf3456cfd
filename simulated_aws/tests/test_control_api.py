# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from simulated_aws.client import SimulatedAws


def control(aws: SimulatedAws, method: str, path: str, body: str = "") -> tuple[int, Any]:
    connection = http.client.HTTPConnection(urlsplit(aws.url).netloc)
    connection.request(method, f"/_simulated_aws/{path}", body)
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


@pytest.mark.parametrize(
    ("method", "path", "body", "sentence"),
    [
        ("PUT", "latency", "{}", "the body must be an object with the single member seconds"),
        ("PUT", "latency", '{"seconds": -1}', "`seconds` must be a number, 0 or greater, not -1"),
        ("PUT", "latency", '{"seconds": true}', "`seconds` must be a number, 0 or greater, not True"),
        ("PUT", "latency", "[", "the body is neither JSON nor YAML: "),
        ("PUT", "throttling", '{"enabled": "no"}', "`enabled` must be true or false, not 'no'"),
        ("PUT", "settings", '{"copy_speed": 1}', "unknown settings copy_speed; settings: "),
        ("PUT", "settings", '{"copy_seconds": -1}', "setting copy_seconds must be 0 or greater, not -1"),
        ("PUT", "settings", "[]", "the body must be an object"),
        ("POST", "fixture", "people: []", "the fixture has unknown members people"),
        ("POST", "faults", "7", "a fault must be an object with at least the member kind, not 7"),
        ("GET", "calls?since=yesterday", "", "`since` must be the number of a call, not 'yesterday'"),
        (
            "GET",
            "calls?color=red",
            "",
            "unknown filters color; filters: account_id, action, region, service",
        ),
    ],
)
def test_invalid_input_is_400_with_a_message(
    aws: SimulatedAws, method: str, path: str, body: str, sentence: str
) -> None:
    status, answer = control(aws, method, path, body)
    assert status == 400
    assert answer["error"].startswith(sentence)
    assert "\n" not in answer["error"]


def test_an_unknown_route_names_the_known_ones(aws: SimulatedAws) -> None:
    status, answer = control(aws, "PUT", "weather")
    assert status == 404
    assert "POST /_simulated_aws/faults/release" in answer["error"]


@pytest.mark.parametrize("as_path", [Path, str])
def test_a_fixture_may_be_a_yaml_file(
    aws: SimulatedAws, tmp_path: Path, as_path: type[Path] | type[str]
) -> None:
    file = tmp_path / "fixture.yml"
    file.write_text('accounts:\n  late: "000000000007"\n')
    aws.load_fixture(as_path(file))
    assert aws.client("sts", "late").get_caller_identity()["Account"] == "000000000007"


def test_a_list_of_faults_is_added_completely_or_not_at_all(aws: SimulatedAws) -> None:
    good, bad = {"kind": "drop"}, {"kind": "vanish"}
    assert control(aws, "POST", "faults", json.dumps([good, bad]))[0] == 400
    assert aws.faults() == []
    assert control(aws, "POST", "faults", json.dumps([good, good]))[0] == 200
    assert [fault["kind"] for fault in aws.faults()] == ["drop", "drop"]


def test_settings_reach_the_simulation(aws: SimulatedAws) -> None:
    aws.update_settings(not_opted_in_regions=["ap-east-1"])
    regions = aws.client("ec2", "owner").describe_regions(AllRegions=True)["Regions"]
    status = {region["RegionName"]: region["OptInStatus"] for region in regions}
    assert status["ap-east-1"] == "not-opted-in"


def test_settings_can_be_read(aws: SimulatedAws) -> None:
    failures = [{"region": "*", "code": "Odd", "message": "no", "times": 2}]
    aws.update_settings(copy_seconds=2, copy_failures=failures)
    settings = aws.settings()
    assert (settings["copy_seconds"], settings["copy_failures"]) == (2.0, failures)
    aws.reset()
    assert aws.settings()["copy_seconds"] == 0.0


def test_a_reset_leaves_nothing(aws: SimulatedAws) -> None:
    aws.client("sts", "owner").get_caller_identity()
    aws.add_fault("drop", times=0)
    aws.set_latency(3)
    aws.update_settings(not_opted_in_regions=["us-east-1"])
    aws.reset()
    assert (aws.calls(), aws.faults(), aws.description()) == ([], [], {})
    aws.load_fixture({"accounts": {"owner": "012345678901"}})
    assert aws.client("ec2", "owner").describe_images(Owners=["self"])["Images"] == []
