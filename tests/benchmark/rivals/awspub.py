# SPDX-License-Identifier: GPL-3.0-or-later
"""awspub: a snapshot copied to regions, registered there as an image, and shared.

It publishes images of its own, made from a file in S3: here the snapshot of that file is there already, as
after a first upload. It copies no AMI, no second disk and nothing encrypted. S3 is moto's.
"""

from __future__ import annotations

import base64
import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3.session
import yaml
from moto.server import ThreadedMotoServer

from simulated_aws.client import SimulatedAws
from tests.benchmark import tools
from tests.benchmark.measuring import command
from tests.benchmark.process_tree import Used

BUCKET = "golden-images"
_SOURCE = b"an image"


def run(aws: SimulatedAws, account: str, snapshot_id: str, given: Mapping[str, Any]) -> Used:
    """Publish an image of a snapshot in the home region to the regions and accounts of a distribution."""
    home = given["distribute_source_region"]
    name = {"Key": "Name", "Value": hashlib.sha256(_SOURCE).hexdigest()}
    aws.client("ec2", account, home).create_tags(Resources=[snapshot_id], Tags=[name])
    aws.clear_calls()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        return _create(
            {**aws.environment(account, home), "AWS_ENDPOINT_URL_S3": f"http://{host}:{port}"}, given
        )
    finally:
        server.stop()


def _create(environment: Mapping[str, str], given: Mapping[str, Any]) -> Used:
    s3 = boto3.session.Session().client(
        "s3",
        region_name=environment["AWS_REGION"],
        endpoint_url=environment["AWS_ENDPOINT_URL_S3"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    s3.create_bucket(Bucket=BUCKET)
    # The file is there already: moto's ListParts lacks the ChecksumAlgorithm that awspub needs for an upload.
    digest = hashlib.sha256(hashlib.sha256(_SOURCE).digest()).digest()
    key = hashlib.sha256(_SOURCE).hexdigest()
    checksum = f"{base64.b64encode(digest).decode()}-1"
    s3.put_object(Bucket=BUCKET, Key=key, Body=_SOURCE, ChecksumAlgorithm="SHA256", ChecksumSHA256=checksum)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "image.vmdk")
        source.write_bytes(_SOURCE)
        written = Path(folder, "config.yml")
        document = config(source, given["distribute_regions"], given["distribute_account_ids"])
        written.write_text(yaml.safe_dump(document), encoding="utf-8")
        return command(environment, [tools.program("awspub"), "create", str(written)])[0]


def config(source: Path, regions: Sequence[str], account_ids: Sequence[str]) -> dict[str, Any]:
    """awspub's configuration."""
    image = {
        "description": "A golden image",
        "boot_mode": "uefi-preferred",
        "regions": list(regions),
        "share": list(account_ids),
    }
    return {
        "awspub": {
            "source": {"path": str(source), "architecture": "x86_64"},
            "s3": {"bucket_name": BUCKET},
            "images": {"golden": image},
        }
    }
