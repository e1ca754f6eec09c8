"""The experiments of `python -m trainers.theory`."""
