"""Hints for names that do not exist."""

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """Ends a message about an unknown `name`: "; nearest names: a, b", or nothing."""
    near = difflib.get_close_matches(str(name).lower(), list(known), n=5)
    return f"; nearest names: {', '.join(near)}" if near else ""
