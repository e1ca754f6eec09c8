"""Sphinx, for `make docs`.

The source directory is the root of the repository, so that relative links are the same on the site
and in the repository.
"""

import importlib.util
import inspect
import itertools
import json
import pathlib
import re
import sys

from docutils import nodes
from myst_parser.sphinx_ import Parser
from sphinx import addnodes

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

import zoo  # noqa: E402

project, author = "encoder-gan-zoo", "the maintainers"
release = version = zoo.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
SOURCES = set()  # Python files that pages link to
root_doc = "docs/index"
include_patterns = [
    *("*.md", "docs/*.md", "docs/api/*.md"),
    *("docs/tutorials/*.md", "docs/tutorials/*.py"),
]
exclude_patterns = ["docs/tutorials/run.py"]
source_suffix = {".md": "markdown", ".py": "percent"}

html_theme = "furo"
html_title = project
html_extra_path = ["site"]  # index.html, which leads to docs/index.html
html_show_copyright = html_show_sourcelink = False

myst_heading_anchors = 3

# Docstrings are in Google's style; single backticks there are code, and names are links if known.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"show-inheritance": True}
add_module_names = False
napoleon_google_docstring, napoleon_numpy_docstring = True, False
napoleon_use_rtype = False
VALUES = "Returned values"
napoleon_custom_sections = [(VALUES, "params_style")]
autodoc_inherit_docstrings = False  # Keras' are in Markdown


def _tutorials():
    spec = importlib.util.spec_from_file_location("tutorials", HERE / "tutorials" / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Percent(Parser):
    """A tutorial as Markdown: its text, its code, and what the code printed and showed."""

    supported = ("percent",)

    def parse(self, inputstring, document):
        name = pathlib.Path(document["source"]).stem
        super().parse(percent_to_markdown(inputstring, name), document)


def percent_to_markdown(source: str, name: str) -> str:
    """Markdown of a file in percent format and its recorded outputs."""
    record = json.loads((HERE / "tutorials" / "outputs" / f"{name}.json").read_text("utf-8"))
    shown, parts = iter(record["cells"]), []
    for cell in _tutorials().cells(source):
        if cell.kind == "markdown":
            parts.append(cell.text)
            continue
        parts.append(f"```python\n{cell.text}\n```")
        output = next(shown)
        if output["text"]:
            parts.append(f"```text\n{output['text'].rstrip()}\n```")
        if output["picture"]:
            parts.append(f"![what the cell shows](outputs/{output['picture']})")
    title = parts[0]
    about = (
        f"*Run by `{record['command']}` in {record['seconds']} s on {record['machine']}. "
        "[The program](run.py) that runs it.*"
    )
    return "\n\n".join([title, *parts[1:], about])


def add_navigation(_app, docname, source):
    """The lists of links of docs/index.md, and of the two indexes that it names, are the menu."""
    if docname not in ("docs/index", "docs/api/index", "docs/tutorials/index"):
        return
    sections = re.split(r"^## ", source[0], flags=re.M)
    for section in sections:
        caption = section.splitlines()[0] if section != sections[0] else ""
        links = re.findall(r"^- \[.*?\]\(([^)#]+)\)", section, re.M)
        pages = [re.sub(r"\.(md|py)$", "", link) for link in links]
        if pages:
            head = [":hidden:", *([f":caption: {caption}"] if caption else [])]
            source[0] += "\n\n```{toctree}\n" + "\n".join([*head, "", *pages]) + "\n```\n"


def from_plain_text(_app, _what, _name, _object, _options, lines):
    """Docstrings are plain text with backticks; reStructuredText would see markup in formulas."""
    lines[:] = _returned(_tables(_examples(lines)))
    for number, line in enumerate(lines):
        # Outside of code, that is in every other part.
        parts = re.split(r"(`+[^`]*`+)", line)
        # A letter after code, as in a plural, is not allowed without this.
        parts[2::2] = [re.sub(r"^(?=\w)", r"\\ ", part) for part in parts[2::2]]
        parts[::2] = [_escaped(part) for part in parts[::2]]
        line = re.sub(r"^(Networks|Players|Schedule|Deviations):", r"\n**\1**:", "".join(parts))
        lines[number] = re.sub(
            r"arXiv:(\d{4}\.\d{4,5})", r"`arXiv:\1 <https://arxiv.org/abs/\1>`__", line
        )
    lines[:] = "\n".join(lines).split("\n")


def _escaped(text):
    # *word* stays emphasised.
    pieces = re.split(r"(?<!\w)(\*[A-Za-z][A-Za-z -]*\*)(?!\w)", text)
    pieces[::2] = [re.sub(r"([*|]|\b_(?=\W|$))", r"\\\1", piece) for piece in pieces[::2]]
    return "".join(pieces)


def _examples(lines):
    """The same lines with `::` at the end of those that indented code follows after a blank one."""
    following = [*lines[1:], "", ""]
    return [
        f"{line}:"
        if line.endswith(":") and not after and following[number + 1].startswith("    ")
        else line
        for number, (line, after) in enumerate(zip(lines, following))
    ]


def _tables(lines):
    """The same lines with tables of Markdown as literal blocks, which keep their columns."""
    made, inside = [], False
    for line in lines:
        table = line.lstrip().startswith("| ")
        made += ["", "::", ""] if table and not inside else []
        made.append(f"    {line}" if table else line)
        inside = table
    return made


def _returned(lines):
    """The same lines; a section Returns that names several values is one of parameters."""
    made = list(lines)
    for number, line in enumerate(lines):
        if line.strip() == "Returns:" and lines[number + 1 :]:
            margin = re.match(" *", lines[number + 1])[0]
            named = re.compile(margin + r"[a-z_.][\w, {}.…`-]*: \S")
            block = itertools.takewhile(
                lambda text, m=margin: text.startswith(m), lines[number + 1 :]
            )
            if sum(bool(named.match(text)) for text in block) > 1:
                made[number] = line.replace("Returns", VALUES)
    return made


def constructor(_app, what, _name, found, _options, _signature, _annotation):
    """The arguments of `__init__`: Keras' `__new__` hides them."""
    if what == "class" and found.__init__ is not object.__init__:
        signature = inspect.signature(found.__init__)
        parameters = [p.replace(annotation=p.empty) for p in signature.parameters.values()][1:]
        return str(signature.replace(parameters=parameters, return_annotation=signature.empty)), ""
    return None


def link_sources(app, doctree):
    """Links to Python files lead to pages with their source, which `source_pages` makes."""
    for node in list(doctree.findall(addnodes.pending_xref)):
        target = f"{node['reftarget']}.py"
        if node.get("refdomain") == "doc" and node["reftarget"] not in app.env.found_docs:
            if (ROOT / target).is_file():
                SOURCES.add(target)
                uri = app.builder.get_relative_uri(app.env.docname, f"source/{target}")
                link = nodes.reference("", "", *node.children, refuri=uri, internal=True)
                node.replace_self(link)


def source_pages(app):
    """A page for every Python file that a page links to."""
    for target in sorted(SOURCES):
        code = (ROOT / target).read_text(encoding="utf-8")
        body = app.builder.highlighter.highlight_block(code, "python", linenos=False)
        context = {"parents": [], "title": target, "body": f"<h1>{target}</h1>{body}"}
        yield f"source/{target}", context, "page.html"


def setup(app):
    app.add_source_parser(Percent)
    app.connect("source-read", add_navigation)
    app.connect("autodoc-process-docstring", from_plain_text, priority=400)  # before napoleon
    app.connect("autodoc-process-signature", constructor)
    app.connect("doctree-read", link_sources)
    app.connect("html-collect-pages", source_pages)
