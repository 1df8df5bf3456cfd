# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast and how frugal this collection is, beside what one would run without it."""
