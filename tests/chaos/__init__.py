# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs every playbook and module into every fault, and checks where a rerun ends: ``make chaos``."""
