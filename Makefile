# `make check` is what CI runs first, then `make slow`; `make long` takes half an hour and more.
PYTHON ?= python

check:
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest --dist=loadfile

slow:
	$(PYTHON) -m pytest -m slow

long:
	$(PYTHON) -m pytest -m long

# The docs site, in build/docs; needs the extra docs and no network. Warnings are errors.
docs:
	$(PYTHON) -m sphinx -E -W --keep-going -c docs -b html . build/docs

format:
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

.PHONY: check slow long docs format
