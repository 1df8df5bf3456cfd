# SPDX-License-Identifier: GPL-3.0-or-later
"""Client for tests and other programs: start, control and call the simulated AWS."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode, urlsplit

import boto3.session
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader, create_loader

from .evaluations import Evaluation
from .http.record import RecordedCall

_ROOT = Path(__file__).parents[1]
_STOP_SECONDS = 10
_REGION = "us-east-1"

# Sessions ignore the user's AWS configuration: no files, no profile.
_NO_CONFIGURATION = {
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
    "profile": (None, None, None, None),
}


class SimulatedAws:
    """A simulated AWS: `start` runs one in a new process, `connect` uses one that is running.

    The context manager stops the process that it started. The process also ends when its parent process ends,
    even if that is killed. Invalid input of a control call raises ValueError with the server's message.
    """

    def __init__(self, url: str, process: subprocess.Popen[str] | None = None) -> None:
        self.url = url
        self._process = process
        self._accounts: dict[str, dict[str, str]] = {}

    @classmethod
    def start(cls, fixture: Mapping[str, Any] | Path | str | None = None, *, port: int = 0) -> SimulatedAws:
        """Start a process on a port (0: any free one); load a fixture, if given, as `load_fixture` does."""
        command = [sys.executable, "-m", "simulated_aws", "--port", str(port), "--until-stdin-closes"]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, cwd=_ROOT, stdin=pipe, stdout=pipe, text=True)
        assert process.stdout is not None
        url = process.stdout.readline().rpartition(" ")[2].strip()
        aws = cls(url, process)
        try:
            if not url:
                raise RuntimeError("the simulated AWS did not start; see its standard error")
            if fixture is not None:
                aws.load_fixture(fixture)
        except BaseException:
            aws.stop()
            raise
        return aws

    @classmethod
    def connect(cls, url: str) -> SimulatedAws:
        """Use the simulated AWS at this URL, with the accounts of its last fixture."""
        aws = cls(url.rstrip("/"))
        aws._accounts = aws.description().get("accounts", {})
        return aws

    def __enter__(self) -> SimulatedAws:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop the process if this object started one."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    # Calls to the control API.

    def health(self) -> dict[str, Any]:
        """Return once the server is ready."""
        return self._control("GET", "health")

    def reset(self) -> None:
        """Delete all accounts, resources, recorded calls and faults; set everything else to its default."""
        self._control("POST", "reset")
        self._accounts = {}

    def load_fixture(self, fixture: Mapping[str, Any] | Path | str) -> dict[str, Any]:
        """Load a fixture, a document (see fixtures/document.py) or the path of a YAML file.

        Return its description, which maps names to IDs.
        """
        body = Path(fixture).read_bytes() if isinstance(fixture, (str, Path)) else _json(fixture)
        description = self._control("POST", "fixture", body)
        self._accounts = description["accounts"]
        return description

    def description(self) -> dict[str, Any]:
        """The description of the fixture that was loaded last; empty if there is none."""
        return self._control("GET", "fixture")

    def world(self) -> list[dict[str, Any]]:
        """All resources as they are now, also those that reads show later; see world.py."""
        listed: list[dict[str, Any]] = self._control("GET", "world")["resources"]
        return listed

    def calls(self, *, since: int = 0, **filters: str) -> list[RecordedCall]:
        """Recorded API calls numbered above `since`; filters: account_id, region, service, action."""
        query = urlencode({"since": since, **filters})
        return [RecordedCall(**entry) for entry in self._control("GET", f"calls?{query}")["calls"]]

    def authorizations(self) -> list[Evaluation]:
        """The recorded authorization requests, if the setting `record_authorizations` is on."""
        listed = self._control("GET", "authorizations")["authorizations"]
        return [Evaluation.read(one) for one in listed]

    def clear_calls(self) -> None:
        """Clear the records of calls and of authorization requests."""
        self._control("DELETE", "calls")

    def set_latency(self, seconds: float) -> None:
        """Delay every response by this many seconds."""
        self._control("PUT", "latency", _json({"seconds": seconds}))

    def set_throttling(self, enabled: bool) -> None:
        """Turn request throttling on or off."""
        self._control("PUT", "throttling", _json({"enabled": enabled}))

    def settings(self) -> dict[str, Any]:
        """All settings as they are now, by the names of the fields of settings.Settings."""
        return self._control("GET", "settings")

    def update_settings(self, **changed: Any) -> None:
        """Change settings, by the names of the fields of settings.Settings."""
        self._control("PUT", "settings", _json(changed))

    def add_fault(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Add a fault, as http.faults.Fault describes it."""
        added: dict[str, Any] = self._control("POST", "faults", _json({"kind": kind, **fields}))["faults"][0]
        return added

    def faults(self) -> list[dict[str, Any]]:
        """All faults, each with the number of calls that matched."""
        listed: list[dict[str, Any]] = self._control("GET", "faults")["faults"]
        return listed

    def clear_faults(self) -> None:
        """Remove all faults and release frozen calls."""
        self._control("DELETE", "faults")

    def release(self) -> None:
        """Release the calls that are frozen now."""
        self._control("POST", "faults/release")

    # Access to the AWS APIs.

    def account_id(self, account: str) -> str:
        """The ID of an account of the fixture, given by name or ID; KeyError for an unknown one."""
        return self._account(account)["account_id"]

    def session(self, account: str, region: str = _REGION) -> boto3.session.Session:
        """A boto3 session of an account (name or ID); all of its clients call the simulated AWS."""
        keys = self._account(account)
        core = botocore.session.Session(session_vars=_NO_CONFIGURATION)
        core.register_component("data_loader", _loader())
        return _Session(
            self.url,
            aws_access_key_id=keys["access_key_id"],
            aws_secret_access_key=keys["secret_access_key"],
            region_name=region,
            botocore_session=core,
        )

    def client(self, service: str, account: str, region: str = _REGION, config: Config | None = None) -> Any:
        """A boto3 client of an account (name or ID)."""
        return self.session(account, region).client(service, config=config)  # type: ignore[call-overload]

    def environment(self, account: str, region: str = _REGION) -> dict[str, str]:
        """The environment for a subprocess: this process's, with AWS settings for the simulated AWS only."""
        keys = self._account(account)
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "BOTO_", "EC2_"))
        }
        return kept | {
            "AWS_ACCESS_KEY_ID": keys["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": keys["secret_access_key"],
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def _account(self, account: str) -> dict[str, str]:
        for name, keys in self._accounts.items():
            if account in (name, keys["account_id"]):
                return keys
        raise KeyError(
            f"no account {account} in the fixture; accounts: {', '.join(self._accounts) or 'none'}"
        )

    def _control(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc)
        try:
            connection.request(method, f"/_simulated_aws/{path}", body)
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        if response.status == 400:
            raise ValueError(answer["error"])
        if response.status != 200:
            raise RuntimeError(answer["error"])
        return answer


class _Session(boto3.session.Session):
    """A session with its own endpoint: boto3 supports one per client, or one for the whole process."""

    def __init__(self, url: str, **arguments: Any) -> None:
        self._url = url
        super().__init__(**arguments)

    def client(self, *args: Any, **kwargs: Any) -> Any:
        # Ignore proxies from the environment: the server listens on this machine.
        direct = Config(proxies={})
        given = kwargs.pop("config", None)
        kwargs["config"] = given.merge(direct) if given else direct
        return super().client(*args, **{"endpoint_url": self._url, **kwargs})


@cache
def _loader() -> Loader:
    # Reads each service's model once for all sessions.
    return create_loader()


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
