"""Audit of one trained model: all metrics that apply to it, and verdicts."""

from zoo.audit.measures import audit
from zoo.audit.words import verdicts

__all__ = ["audit", "verdicts"]
