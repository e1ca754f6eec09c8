"""Shared by experiments: flags, directory, resumed cells; fresh discriminators, their figures."""
