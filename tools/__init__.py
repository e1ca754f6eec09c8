"""Commands for maintainers, run in a checkout; they are not installed with the package."""
