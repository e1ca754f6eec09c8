"""Packaging; all but the licence is in pyproject.toml.

Releases of setuptools disagree on how pyproject.toml names a licence: before 77 as a table only,
later as an SPDX expression. All of them read it here.
"""

from setuptools import setup

setup(license="Apache-2.0")
