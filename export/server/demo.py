"""The page at / of the REST port: images, codes and samples of the served models in a browser.

The page is one file and calls the REST interface alone, so it is an example of a client too.
"""

import json
import pathlib

from export.client import addresses

_PAGE = pathlib.Path(__file__).with_name("demo.html")
HEADERS = {
    # The page loads nothing: its script and style are in it, and it calls this server.
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


def enabled(options) -> bool:
    """Whether to serve the page: as --enable_demo says, by default on loopback addresses."""
    if options.enable_demo is not None:
        return options.enable_demo
    return addresses.is_local(f"{options.host}:0")


def page(registry) -> str:
    """HTML of the page, with the names of the models that are available."""
    names = [name for name, model in registry.models.items() if model.available()]
    # A name cannot end the script, whatever it is.
    listed = json.dumps(names).replace("<", "\\u003c")
    return _PAGE.read_text(encoding="utf-8").replace("/*MODELS*/[]", listed)
