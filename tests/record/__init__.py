# SPDX-License-Identifier: GPL-3.0-or-later

"""Records of what the collection does in the integration tests, and what differs between two of them."""
