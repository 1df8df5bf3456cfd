# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make` runs: the checkout's environment and the checks of this collection."""
