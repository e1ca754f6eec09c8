"""The experiment of `python -m trainers.memorizer`."""
