# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Load the libraries of modules that call AWS, before Ansible forks a process for each task.

Ansible imports this package when it looks for the first action of this collection, which its strategies do
before they fork. It imports the action of a task itself there only if that has the module's name.
"""

from __future__ import annotations

import contextlib
from importlib.util import find_spec

from ansible_collections.golden.images.plugins.module_utils._runner import preload

if find_spec("boto3") is not None:
    # A task that needs the collection amazon.aws or the models fails with its own message without them.
    with contextlib.suppress(ImportError, OSError, ValueError):
        preload()
