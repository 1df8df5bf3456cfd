# SPDX-License-Identifier: GPL-3.0-or-later
"""What one would run without this collection, each written as well as its users write it."""
