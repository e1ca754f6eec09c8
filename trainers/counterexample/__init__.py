"""The experiment of `python -m trainers.counterexample`."""
