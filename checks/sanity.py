# SPDX-License-Identifier: GPL-3.0-or-later
"""`ansible-test sanity` on the collection as it is installed, by each ansible-core.

The only finding that may be ignored is an action without a module of its name.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from checks import ansible_13, collection
from checks.commands import CheckError, run
from checks.paths import CHECKOUT, SCRIPTS, VERSION

# ansible-test downloads these by name unless they are there, from a host that few build machines reach.
# ansible-core 2.19 looks for the first, 2.20 and 2.21 for the second (ansible_test/_internal/venv.py).
GET_PIP = ("get_pip_24_2.py", "get_pip_25_2.py")
_IGNORED = re.compile(r"plugins/action/\w+\.py action-plugin-docs # .+")
_DESCRIBE = "import sys; print('%d.%d' % sys.version_info[:2], sys.base_prefix)"
GET_PIP_STUB = '''\
"""Install pip from Python's own ensurepip, then the packages that ansible-test requests."""
import os
import subprocess
import sys

import ensurepip

settings = dict(os.environ)  # ensurepip drops PIP_* from the environment, and with them a mirror's address
ensurepip.bootstrap()
wanted = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", *wanted], env=settings))
'''


@dataclass(frozen=True)
class Tester:
    """An ansible-test: its directory, its Python's version, and the directory of its base Python."""

    scripts: Path
    python: str
    base: Path

    @property
    def home(self) -> Path:
        """Its home, which keeps its environments."""
        return CHECKOUT / ".cache" / self.scripts.parent.name / "sanity-home"


HERE = Tester(SCRIPTS, VERSION, Path(sys.base_prefix) / "bin")


def between() -> Tester:
    """The ansible-test of Ansible 13.

    Raises:
        Unfit: this machine has no Python that is new enough.
    """
    scripts = ansible_13.ENVIRONMENT.scripts(ansible_13.python)
    printed = run(scripts / "python", "-c", _DESCRIBE, quiet=True).split()
    return Tester(scripts, printed[0], Path(printed[1]) / "bin")


def _environment(tester: Tester) -> dict[str, str]:
    """The variables for ansible-test: a home of its own, and only real interpreters on the path."""
    user = Path.home()
    env = {
        **os.environ,
        "HOME": str(tester.home),
        # pip and uv still find the user's mirror settings and caches.
        "XDG_CONFIG_HOME": os.environ.get("XDG_CONFIG_HOME", str(user / ".config")),
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(user / ".cache")),
        # Wrappers such as pyenv's answer "command not found" for Pythons that aren't chosen.
        "PATH": os.pathsep.join([str(tester.scripts), str(tester.base), "/usr/bin", "/bin"]),
    }
    # ansible-test finds amazon.aws beside the collection, and refuses a path that it didn't choose.
    env.pop("ANSIBLE_COLLECTIONS_PATH", None)
    return env


def check(tester: Tester = HERE) -> None:
    """Build, install, and run every sanity test.

    Raises:
        CheckError: a test failed or was left out, or a file makes ansible-test ignore other findings.
    """
    for path in sorted((CHECKOUT / "tests" / "sanity").glob("ignore-*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if not _IGNORED.fullmatch(line):
                raise CheckError(f"{path.name}: findings are fixed, not ignored: {line}")
    cache = tester.home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for name in GET_PIP:
        (cache / name).write_text(GET_PIP_STUB, encoding="utf-8")
    # Outside the checkout: ansible-test would ask the checkout's git for the files, and find all ignored.
    with tempfile.TemporaryDirectory(prefix="golden-images-") as name:
        folder = Path(name).resolve()
        root = collection.install(collection.build(folder / "build"), folder / "tree")
        program = tester.scripts / "ansible-test"
        sanity = (program, "sanity", "--python", tester.python, "--color", "no", "--truncate", "0")
        env = _environment(tester)
        # Apart, so that pip's many lines don't hide the findings.
        run(*sanity, "--prime-venvs", cwd=root, env=env, quiet=True)
        output = run(*sanity, cwd=root, env=env, quiet=True)
    tests = re.findall(r'^Running sanity test "(.+)"', output, flags=re.MULTILINE)
    # ansible-test ends with status 0 nevertheless.
    skipped = re.findall(r"^WARNING: (?:Skipping|All targets skipped).*", output, flags=re.MULTILINE)
    if skipped or not tests:
        raise CheckError(f"ansible-test left tests out: {', '.join(skipped) or output.strip()}")
    print(f"{len(tests)} tests: {', '.join(tests)}")
