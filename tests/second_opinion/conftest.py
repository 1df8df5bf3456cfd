# SPDX-License-Identifier: GPL-3.0-or-later

"""One ministack per test process, reset for each test."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from checks import second_opinion

from ..integration.playbook import Ansible

OWNER, CONSUMER, STRANGER = "111111111111", "222222222222", "333333333333"
HOME = "us-east-1"
_READY_WITHIN = 60
# All that is wrong with a monitoring: ministack does not keep the log group of a trail (test_differences.py).
UNDELIVERED = (
    "1 of 1 region failed.\n- us-east-1: Verify the monitoring failed. "
    "Alarm UnauthorizedAMISharing gets no events:"
)


class Ministack:
    """A running ministack; an access key that is an account ID is the root user of that account."""

    def __init__(self, url: str) -> None:
        self.url = url

    def environment(self, account_id: str = OWNER, secret: str = "root") -> dict[str, str]:
        """The environment for a subprocess, with the credentials of an account or of a user."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": HOME,
            "AWS_ACCESS_KEY_ID": account_id,
            "AWS_SECRET_ACCESS_KEY": secret,
            "PATH": os.environ.get("PATH", ""),
        }

    def client(self, service: str, account_id: str = OWNER, secret: str = "root") -> Any:
        """A boto3 client in ``HOME``."""
        return boto3.client(
            service,
            region_name=HOME,
            endpoint_url=self.url,
            aws_access_key_id=account_id,
            aws_secret_access_key=secret,
        )

    def image(self, name: str = "golden-web-1", tags: Mapping[str, str] | None = None) -> str:
        """Register an image of the owner with two disks; returns its ID."""
        ec2 = self.client("ec2")
        devices = []
        for device in ("/dev/xvda", "/dev/sdb"):
            volume = ec2.create_volume(AvailabilityZone=f"{HOME}a", Size=8)["VolumeId"]
            snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
            devices.append({"DeviceName": device, "Ebs": {"SnapshotId": snapshot}})
        # EC2's default is paravirtual, which no instance type of today can launch (RegisterImage).
        image_id: str = ec2.register_image(
            Name=name,
            RootDeviceName="/dev/xvda",
            Architecture="x86_64",
            VirtualizationType="hvm",
            BlockDeviceMappings=devices,
        )["ImageId"]
        if tags:
            listed = [{"Key": key, "Value": value} for key, value in tags.items()]
            ec2.create_tags(Resources=[image_id], Tags=listed)
        return image_id

    def start_trail(self, log_group: str) -> None:
        """Create a log group of the owner, and start a trail that delivers to it."""
        self.client("logs").create_log_group(logGroupName=log_group)
        self.client("s3").create_bucket(Bucket="trail")
        cloudtrail = self.client("cloudtrail")
        cloudtrail.create_trail(
            Name="trail",
            S3BucketName="trail",
            IsMultiRegionTrail=True,
            CloudWatchLogsLogGroupArn=f"arn:aws:logs:{HOME}:{OWNER}:log-group:{log_group}:*",
            CloudWatchLogsRoleArn=f"arn:aws:iam::{OWNER}:role/trail",
        )
        cloudtrail.start_logging(Name="trail")

    def launch_permissions(self, image_id: str) -> list[dict[str, str]]:
        """The launch permissions that the owner sees."""
        answer = self.client("ec2").describe_image_attribute(ImageId=image_id, Attribute="launchPermission")
        return list(answer["LaunchPermissions"])

    def reset(self) -> None:
        """Delete all resources of all accounts."""
        request = urllib.request.Request(f"{self.url}/_ministack/reset", method="POST")
        with urllib.request.urlopen(request, timeout=_READY_WITHIN):
            pass


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    """ministack on a free port of the loopback interface."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("ministack")
    environment = {
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "HOME": str(folder),
        "PATH": os.environ.get("PATH", ""),
    }
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [second_opinion.program()], cwd=folder, env=environment, stdout=log, stderr=log
        )
    try:
        found = Ministack(f"http://127.0.0.1:{port}")
        _await_ready(found, process, folder / "log")
        yield found
    finally:
        process.terminate()
        process.wait()


def _await_ready(ministack: Ministack, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while True:
        try:
            ministack.reset()
        except urllib.error.URLError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"ministack does not answer: {log.read_text()}") from error
            time.sleep(0.1)
        else:
            return


@pytest.fixture
def ministack(running: Ministack) -> Ministack:
    """An empty ministack."""
    running.reset()
    return running


@pytest.fixture
def ansible(ministack: Ministack, tmp_path: Path) -> Ansible:
    """Ansible with the credentials of the images' owner."""
    return Ansible(ministack.environment(), tmp_path)
