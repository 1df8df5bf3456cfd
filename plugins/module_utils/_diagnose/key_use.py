# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How certain it is that a role can use the keys of an image."""

from __future__ import annotations

PROVEN, UNCERTAIN, REFUSED = "proven", "uncertain", "refused"
