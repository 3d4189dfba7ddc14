"""How Sphinx makes the site of README.md, docs/ and their neighbours: `make site`.

The sources are plain Markdown, to be read on a code host as they are. So the folder of sources is
the repository itself, where links such as ../config.toml lead, and what a code host does not know
is added here: the navigation, which docs/README.md lists.
"""

import os
import re
from pathlib import Path

from sphinx.application import Sphinx

import imgbatch

ROOT = Path(__file__).resolve().parents[2]
CONTENTS = "docs/README.md"

project = "imgbatch"
author = project_copyright = "The imgbatch developers"
release = version = imgbatch.__version__

root_doc = "README"
include_patterns = ["*.md", "docs/*.md", "benchmarks/*.md", "samples/*.md", "imgbatch/DESIGN.md"]
exclude_patterns = ["build", ".venv", "imgbatch-out"]
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the signature has them
default_role = "code"  # `x` in docstrings is code
napoleon_google_docstring = False

html_theme = "furo"
html_title = f"imgbatch {release}"
html_copy_source = False
html_show_sourcelink = False
html_additional_pages = {"index": "index.html"}
templates_path = ["templates"]
html_static_path = ["static"]
html_css_files = ["site.css"]


def navigation() -> str:
    """The table of contents for Sphinx: a tree for each heading of docs/README.md."""
    trees = ["```{toctree}\n:hidden:\n\ndocs/README\n```"]
    text = re.sub(r"<!--.*?-->", "", (ROOT / CONTENTS).read_text(encoding="utf-8"), flags=re.DOTALL)
    for caption, links in re.findall(r"^## (.+)\n\n((?:- .+\n)+)", text, re.MULTILINE):
        lines = [
            f"{title} <{os.path.normpath(Path('docs', target).with_suffix(''))}>"
            for title, target in re.findall(r"\[(.+)\]\((.+\.md)\)", links)
        ]
        trees.append(
            "\n".join(["```{toctree}", f":caption: {caption}", ":hidden:", "", *lines, "```"])
        )
    return "\n\n".join(trees)


def _add_navigation(_app: Sphinx, document: str, source: list[str]) -> None:
    if document == root_doc:
        source[0] += f"\n\n{navigation()}\n"


def _prepare_docstring(
    _app: Sphinx, kind: str, _name: str, _of: object, _options: object, lines: list[str]
) -> None:
    """Say what napoleon would misread.

    An example without a heading would count as part of the section above it, and what stands
    before a colon in the first line of a property as its type.
    """
    if kind == "property":
        lines[:0] = ["..", ""]  # an empty comment
    first = next((row for row, line in enumerate(lines) if line.startswith(">>>")), None)
    if first is not None and "Examples" not in lines:
        lines[first:first] = ["Examples", "--------"]


def setup(app: Sphinx) -> None:
    """Sphinx calls this once."""
    app.connect("source-read", _add_navigation)
    app.connect("autodoc-process-docstring", _prepare_docstring, priority=400)  # before napoleon
