# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The forms of a module's options, which ``runner`` reads."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
notes:
  - The options of this module, other than those of the connection, can be text. A list can be separated by commas or lines,
    or be YAML or JSON text; a mapping can be YAML or JSON text. Numbers, booleans and choices can be text. Null and blank
    text count as not set.
  - A float or a boolean in place of text is refused, also as a key, because YAML may have changed it. Put the text in double
    quotes.
  - YAML text needs PyYAML on the host that runs the module. C(localhost) has it. Write JSON text for other hosts.
"""
