"""A line on standard error for work that takes long.

Not tqdm: it comes with TensorFlow Datasets alone, which folders and files do without.
"""

import sys
import time


class Progress:
    """Counts work done, and shows it and the time left once it has taken more than `after` s."""

    def __init__(self, what: str, total: int, after: float = 2.0):
        self._what = what
        self._total = total
        self.done = 0
        self._next = time.monotonic() + after
        self._first = None  # when the first items were done, and how many: opening takes time too
        self._shown = False

    def add(self, count: int = 1) -> None:
        """Reports `count` more items; call it from one thread."""
        self.done += count
        now = time.monotonic()
        self._first = self._first or (now, self.done)
        if now >= self._next or (self._shown and self.done == self._total):
            text = f"{self.done:,} of {self._total:,}"
            began, before = self._first
            if self.done > before:
                left = round((now - began) / (self.done - before) * (self._total - self.done))
                text += f", {left // 60}:{left % 60:02} left"
            # Padded, so that a shorter line hides all of the one before.
            end = "\n" if self.done == self._total else ""
            sys.stderr.write(f"\r{self._what}: {text:<40}{end}")
            sys.stderr.flush()
            self._shown, self._next = True, now + 0.5


def note(text: str) -> None:
    """Writes one line to standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
