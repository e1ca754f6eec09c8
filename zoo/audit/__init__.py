"""Everything the zoo can find out about one trained model, in figures and in words."""

from zoo.audit.measures import audit
from zoo.audit.words import verdicts

__all__ = ["audit", "verdicts"]
