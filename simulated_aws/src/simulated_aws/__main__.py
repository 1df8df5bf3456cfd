# SPDX-License-Identifier: GPL-3.0-or-later
"""`simulated-aws`, also as `python -m simulated_aws`: the command line, for users and for client.py."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from .server import serve

if TYPE_CHECKING:
    from .control_api import ControlApi

_REGION = "us-east-1"


def main() -> None:
    """Serve the simulated AWS until it is stopped. The first line of output ends with its URL."""
    arguments = _arguments()
    document = _document(arguments.fixture) if arguments.fixture else None
    url = ""

    def listening(where: str) -> None:
        nonlocal url
        url = where
        print(f"Simulated AWS on {url}", flush=True)

    def ready(control: ControlApi) -> None:
        if document is not None:
            print(_introduction(url, control.load_fixture(document), arguments.account), flush=True)

    try:
        serve(
            arguments.host, arguments.port, listening, ready, until_stdin_closes=arguments.until_stdin_closes
        )
    except KeyboardInterrupt as stopped:
        raise SystemExit(130) from stopped
    except (OSError, ValueError) as error:
        raise SystemExit(f"simulated AWS: {error}") from error


def _document(fixture: Path) -> Any:
    """The content of a fixture file; the process ends with a sentence if the file can't be read."""
    try:
        return yaml.safe_load(fixture.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise SystemExit(f"simulated AWS: can't read the fixture {fixture}: {reason}") from error


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulated-aws", description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=4510, help="port to listen on, 0 for any (%(default)s)")
    parser.add_argument("--fixture", type=Path, help="YAML file of accounts, keys and images to load")
    parser.add_argument(
        "--account", help="account of the fixture to print credentials for (default: the first one)"
    )
    stop = "stop at the end of standard input, which the parent process holds open"
    parser.add_argument("--until-stdin-closes", action="store_true", help=stop)
    return parser.parse_args()


def _introduction(url: str, description: dict[str, Any], name: str | None) -> str:
    """Return what a user needs first: what there is, where all IDs are, and the commands to paste."""
    accounts = description["accounts"]
    name = name or next(iter(accounts))
    if name not in accounts:
        raise ValueError(f"the fixture has no account {name}; it has {', '.join(accounts)}")
    images = description["images"]
    counts = [f"{len(accounts)} account{'s' * (len(accounts) != 1)}"]
    counts.append(f"{len(images)} image{'s' * (len(images) != 1)}")
    return "\n".join(
        [
            f"{' and '.join(counts)}; Ctrl-C stops it. All IDs:",
            f"  curl -s {url}/_simulated_aws/fixture | python3 -m json.tool",
            f"To call it as the account {name} ({accounts[name]['account_id']}), in another terminal:",
            _shell_commands(url, accounts[name]),
        ]
    )


def _shell_commands(url: str, account: dict[str, str]) -> str:
    """Commands that make a shell's AWS clients use the simulated AWS, with the account's credentials.

    Botocore and the AWS CLI read the Region from AWS_DEFAULT_REGION, other SDKs from AWS_REGION. A profile or
    a session token of the user would not fit these credentials.
    """
    exports = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": account["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": account["secret_access_key"],
        "AWS_REGION": _REGION,
        "AWS_DEFAULT_REGION": _REGION,
    }
    lines = [f"export {variable}={shlex.quote(value)}" for variable, value in exports.items()]
    return "\n".join(["unset AWS_PROFILE AWS_SESSION_TOKEN", *lines])


if __name__ == "__main__":
    main()
