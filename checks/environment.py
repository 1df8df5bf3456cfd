# SPDX-License-Identifier: GPL-3.0-or-later
"""Set up the checkout's own virtual environment; run by a bare Python, so standard library only.

    python3 checks/environment.py

makes ``.venv/<major.minor>``, installs exactly the locked packages into it, then the checkout's simulated AWS
as an editable package, and links the checkout as the collection ``golden.images`` beside the ones that come
with Ansible. Where all that is already so, it only reads a stamp file.
"""

from __future__ import annotations

import hashlib
import os
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
VENV = CHECKOUT / ".venv" / VERSION
PYTHON = VENV / "bin" / "python"
UV_LOCK = CHECKOUT / "requirements" / "uv.txt"
LOCK = CHECKOUT / "requirements" / "dev.txt"
SIMULATED_AWS = CHECKOUT / "simulated_aws"
LINK = VENV / "lib" / f"python{VERSION}" / "site-packages" / "ansible_collections" / "golden" / "images"
STAMP = VENV / ".golden-images-ready"
_NO_NETWORK = (
    "If the package index cannot be reached, set HTTPS_PROXY to your proxy, or PIP_INDEX_URL and "
    "UV_DEFAULT_INDEX to your mirror, and SSL_CERT_FILE to their CA if the system does not trust it; "
    "then run the command again."
)

# uv's lines for each package that it installs, removes and replaces.
_OF_ONE_PACKAGE = (" + ", " - ", " ~ ")
# How often a command says that it still runs.
_SECONDS_BETWEEN = 10


def this_python() -> str:
    """The path and the version of the base Python."""
    return f"{sys.base_prefix} {sys.version}"


def wanted_state() -> str:
    """A digest of the environment's inputs: what it installs, this file, the Python, the checkout's path."""
    digest = hashlib.sha256(f"{CHECKOUT} {this_python()}".encode())
    for path in (UV_LOCK, LOCK, SIMULATED_AWS / "pyproject.toml", Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_ready(state: str) -> bool:
    """Whether the environment already has ``state`` and its link leads to this checkout."""
    return (
        STAMP.is_file()
        and STAMP.read_text(encoding="utf-8") == state
        and PYTHON.exists()
        and LINK.exists()
        and LINK.resolve() == CHECKOUT
    )


def refuse_unfit_python() -> None:
    """Exit with a message about what to install if this Python cannot create a virtual environment."""
    if sys.version_info < (3, 11):  # noqa: UP036  (this file meets any Python)
        sys.exit(
            f"golden.images needs Python 3.11 or newer, and {sys.executable} is {VERSION}: "
            "set a newer one with `make PYTHON=/path/to/python3 …`."
        )
    try:
        import ensurepip  # noqa: F401, PLC0415  (Debian ships it apart from Python)
        import venv  # noqa: F401, PLC0415
    except ImportError:
        sys.exit(
            f"{sys.executable} can't make virtual environments: install the package python{VERSION}-venv "
            f"(Debian, Ubuntu: `sudo apt-get install python{VERSION}-venv`) and run the command again."
        )


def installer_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for pip and uv: they trust the system's store of certificates, as other programs do.

    A proxy that inspects TLS has its CA in that store only. By default uv reads its own (``uv --help``), and
    so does pip before 24.2 (https://pip.pypa.io/en/stable/topics/https-certificates/). The user's settings
    take precedence.
    """
    # A user's active environment or settings for another Python must not redirect the installation.
    settings = {k: v for k, v in environment.items() if k not in {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV"}}
    settings.setdefault("UV_SYSTEM_CERTS", "true")
    store = system_certificates()
    if store and not settings.keys() & {"PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}:
        settings["PIP_CERT"] = store
    return settings


def system_certificates() -> str | None:
    """The system's file or directory of certificates; None where OpenSSL knows none with content."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile and Path(paths.cafile).stat().st_size:
        return paths.cafile
    return paths.capath if paths.capath and any(Path(paths.capath).iterdir()) else None


def run(*command: str | Path, advice: str = "") -> None:
    """Run ``command`` with its output on the terminal; exit with its status if it fails.

    uv's list of the installed packages is left out: it is longer than a screen.
    """
    start = time.monotonic()
    ended = threading.Event()

    def say_how_long() -> None:
        while not ended.wait(_SECONDS_BETWEEN):
            print(f"  … {time.monotonic() - start:.0f} s", flush=True)

    with subprocess.Popen(
        [str(part) for part in command], env=installer_settings(os.environ), stderr=subprocess.PIPE, text=True
    ) as process:
        threading.Thread(target=say_how_long, daemon=True).start()
        for line in process.stderr or ():
            if not line.startswith(_OF_ONE_PACKAGE):
                print(f"  {line.strip()}", file=sys.stderr, flush=True)
    ended.set()
    if process.returncode:
        print(f"Setting up {VENV} failed at: {' '.join(map(str, command))}", file=sys.stderr)
        print(advice, end="\n" if advice else "", file=sys.stderr)
        sys.exit(process.returncode)


def is_usable() -> bool:
    """Whether there is an environment of this Python at this path, which can be updated."""
    pip = VENV / "bin" / "pip"
    if not (PYTHON.exists() and pip.exists()):
        return False
    probe = "import sys; print(sys.base_prefix, sys.version, end='')"
    found = subprocess.run([str(PYTHON), "-c", probe], capture_output=True, text=True, check=False)
    return found.stdout == this_python() and str(VENV) in pip.read_text(encoding="utf-8")


def set_up() -> None:
    """Update the environment to the locked state, or create it."""
    print(f"Setting up .venv/{VERSION}: the first time, about 170 MB are downloaded.", flush=True)
    STAMP.unlink(missing_ok=True)
    _say(1, "the virtual environment")
    if not is_usable():
        run(sys.executable, "-m", "venv", "--clear", VENV)
    _say(2, "uv, which installs the packages")
    pip = (PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check")
    run(*pip, "install", "--require-hashes", "--requirement", UV_LOCK, advice=_NO_NETWORK)
    _say(3, f"the packages of {LOCK.relative_to(CHECKOUT)}")
    sync = ("pip", "sync", "--python", PYTHON, "--require-hashes", LOCK)
    run(VENV / "bin" / "uv", *sync, advice=_NO_NETWORK)
    _say(4, "the simulated AWS and the collection of this checkout")
    # Without an index, so that it fails unless the lock has all that the package needs.
    editable = ("pip", "install", "--python", PYTHON, "--no-index", "--no-build-isolation", "--editable")
    run(VENV / "bin" / "uv", "--quiet", *editable, SIMULATED_AWS)
    LINK.parent.mkdir(parents=True, exist_ok=True)
    LINK.unlink(missing_ok=True)
    LINK.symlink_to(CHECKOUT, target_is_directory=True)


def _say(number: int, subject: str) -> None:
    print(f"[{number}/4] {subject}", flush=True)


def main() -> None:
    refuse_unfit_python()
    state = wanted_state()
    if not is_ready(state):
        set_up()
        STAMP.write_text(state, encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
