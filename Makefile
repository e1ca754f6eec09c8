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

format:
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

.PHONY: check slow long format
