"""Trained games as SavedModels, and a server for them."""
