"""Devices, replicas and workers of a run."""
