# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command writes to a terminal, and a picture of it."""

from __future__ import annotations

import errno
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

COLUMNS = 80
_FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
# Without rich's own font, which a browser would load from another site.
_FORMAT = re.sub(r"\s*@font-face \{\{.*?\n    \}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "Fira Code, monospace", _FONTS
)


def written(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    """Run a command on a terminal; all that it writes, with the terminal's escape codes."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=its, stderr=its
    ):
        os.close(its)
        text = b"".join(_chunks(ours))
    os.close(ours)
    return text.decode().replace("\r\n", "\n")


def _chunks(terminal: int) -> list[bytes]:
    chunks = []
    try:
        while chunk := os.read(terminal, 1 << 16):
            chunks.append(chunk)
    except OSError as error:
        # So a terminal ends on Linux when no process has it open.
        if error.errno != errno.EIO:
            raise
    return chunks


def picture(text: str, title: str) -> str:
    """Text with escape codes as SVG, in a window with a title; it needs no other file."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(text), soft_wrap=False)
    # Ansible displays errors in red and warnings in magenta, which are one color in some of rich's themes.
    theme = SVG_EXPORT_THEME
    return console.export_svg(title=title, theme=theme, code_format=_FORMAT, unique_id="terminal")
