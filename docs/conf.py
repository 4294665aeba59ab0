"""Configuration of the documentation site (Sphinx). `scripts/docs` builds it."""

from __future__ import annotations

project = "Tallow"
author = "The Tallow maintainers"
copyright = "The Tallow maintainers, Apache-2.0"  # noqa: A001 - Sphinx's own name
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
master_doc = "index"
exclude_patterns = ["conf.py"]
myst_enable_extensions = ["colon_fence"]
# Headings get the anchors that GitHub gives them, so that one link works in both places.
myst_heading_anchors = 4
# PromQL has no lexer in Pygments: such blocks are shown as plain text.
suppress_warnings = ["misc.highlighting_failure"]
nitpicky = True
html_theme = "furo"
html_title = "Tallow"
html_show_sourcelink = False
html_copy_source = False
