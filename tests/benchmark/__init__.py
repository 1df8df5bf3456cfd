# SPDX-License-Identifier: GPL-3.0-or-later
"""The time and resources that this collection needs, compared with what users would run without it."""
