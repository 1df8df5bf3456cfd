# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps the compiled code of collections between the playbooks of the tests.

Python runs this file at its start where ``PYTHONPATH`` has its folder. Ansible compiles the files of
collections at each import, and Python those in the zip file of a module: a fifth of a playbook's CPU time.
"""

import builtins
import marshal
import os
import sys
import types
from hashlib import blake2b
from pathlib import Path

_FOLDER = Path(__file__).parents[3] / ".cache" / "bytecode"
_compile = builtins.compile


def _compile_once(source, filename, mode, flags=0, dont_inherit=False, **more):
    """Return what ``compile`` returns, from the file that an earlier call has written if there is one."""
    # As importers call it: with the text of a whole file, and nothing else.
    is_file = isinstance(source, (bytes, str)) and isinstance(filename, str)
    if not is_file or mode != "exec" or flags or more or not dont_inherit:
        return _compile(source, filename, mode, flags, dont_inherit, **more)
    text = source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source
    # The zip file of a module is another one in each run.
    name = f"{sys.implementation.cache_tag} {filename.rpartition('.zip')[2]}\0"
    path = _FOLDER / blake2b(name.encode() + text, digest_size=20).hexdigest()
    try:
        code = marshal.loads(path.read_bytes())
    except FileNotFoundError:
        code = _compile(source, filename, mode, flags, dont_inherit)
        _FOLDER.mkdir(parents=True, exist_ok=True)
        # Another process can write the same file.
        written = path.with_name(f"{path.name}.{os.getpid()}")
        written.write_bytes(marshal.dumps(code))
        written.replace(path)
    assert isinstance(code, types.CodeType)
    return code


builtins.compile = _compile_once
