# SPDX-License-Identifier: GPL-3.0-or-later
"""One process that answers AWS's APIs and the control API on one port."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from .front.http import Connection, Request, Response

if TYPE_CHECKING:
    from .control import Control
    from .front.pipeline import Pipeline

_BACKLOG = 512

_MOTO_ENVIRONMENT = {
    # 1,300 made-up public images a Region, loaded at its first call.
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
    # Wraps every answer once more, for browsers.
    "MOTO_DISABLE_GLOBAL_CORS": "true",
}


def serve(
    host: str,
    port: int,
    *,
    listening: Callable[[str], None],
    ready: Callable[[Control], None] = lambda control: None,
    until_stdin_closes: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM, or until standard input ends if asked to.

    Port 0 is any free one. `listening` is told the URL as soon as connections are taken; they wait while moto is
    imported, which takes a second that the caller can use. `ready` may then prepare the simulation. An address
    in use is an OSError.
    """
    listener = socket.create_server((host, port), backlog=_BACKLOG)
    listening(f"http://{host}:{listener.getsockname()[1]}")
    pipeline = load()
    from .control import Control

    control = Control(pipeline)
    ready(control)
    asyncio.run(_serve(listener, pipeline, control, until_stdin_closes))


def load() -> Pipeline:
    """Import moto, make it strict, and warm up what its first call would wait for."""
    os.environ.update(_MOTO_ENVIRONMENT)
    from . import ec2
    from .ec2.lean import HANDLERS
    from .front.moto_app import MotoApp
    from .front.pipeline import Pipeline

    ec2.install()
    return Pipeline(HANDLERS, MotoApp())


async def _serve(
    listener: socket.socket, pipeline: Pipeline, control: Control, until_stdin_closes: bool
) -> None:
    from .control import PREFIX

    async def answer(request: Request, gone: asyncio.Event) -> Response | None:
        if request.target.startswith(PREFIX):
            return control.answer(request)
        return await pipeline.answer(request, gone)

    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopped.set)
    if until_stdin_closes:
        loop.add_reader(sys.stdin.fileno(), _stop_at_end_of_input, stopped)
    server = await loop.create_server(lambda: Connection(answer), sock=listener, backlog=_BACKLOG)
    await stopped.wait()
    server.close()


def _stop_at_end_of_input(stopped: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stopped.set()
