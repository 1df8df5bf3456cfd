# SPDX-License-Identifier: GPL-3.0-or-later
"""The server process: AWS's APIs and the control API on one port."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from .http.connection import Answer, Connection

if TYPE_CHECKING:
    from .control_api import ControlApi

_BACKLOG = 512

_MOTO_ENVIRONMENT = {
    # Don't create moto's 1,300 public images at the first call in each Region.
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
    # Don't add CORS headers, which only browsers need, to every response.
    "MOTO_DISABLE_GLOBAL_CORS": "true",
}


def serve(
    host: str,
    port: int,
    listening: Callable[[str], None] = print,
    ready: Callable[[ControlApi], None] | None = None,
    *,
    until_stdin_closes: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM, or with `until_stdin_closes` until standard input ends.

    Port 0 is any free port. `listening` is called with the URL as soon as the port accepts connections; they
    wait for the import of moto, which takes a second or two. `ready` is called next, for example to load a
    fixture.

    Raises:
        OSError: the address is in use.
    """
    listener = socket.create_server((host, port), backlog=_BACKLOG)
    listening(f"http://{host}:{listener.getsockname()[1]}")
    os.environ.update(_MOTO_ENVIRONMENT)
    # Imported modules are never garbage; collecting during the import costs a third of a second.
    gc.disable()
    from .app import App  # noqa: PLC0415  imports moto: after the environment is set, and without garbage collection

    gc.freeze()
    gc.enable()
    simulation = App()
    if ready is not None:
        ready(simulation.control)
    asyncio.run(_serve(listener, simulation.answer, until_stdin_closes))


async def _serve(listener: socket.socket, answer: Answer, until_stdin_closes: bool) -> None:
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
