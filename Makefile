# One virtual environment in .venv serves every target. PYTHON chooses the interpreter (3.11-3.13).
PYTHON ?= python3
VENV := .venv
# torch (for the tests of the sampler) is large; `make test TEST_EXTRAS=test` does without.
TEST_EXTRAS ?= test,browse,docs,parquet,fetch,heic,pgvector,cluster,tensorboard,text,torch
PIP := python -m pip install --quiet --disable-pip-version-check
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif

.PHONY: demo test test-fast test-lowest lint bench goldens docs pictures site clean

demo: $(VENV)/installed
	$(BIN)/imgbatch similar samples
	$(BIN)/imgbatch different samples

# One worker more than cores (see conftest.py). A worker that has finished takes tests from the
# others. Each has one BLAS thread: threads of several workers wait for each other. Commands that
# tests start have all.
PYTEST := OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal

test: $(VENV)/installed-test
	$(PYTEST)

# For the edit loop: all but the tests marked slow.
test-fast: $(VENV)/installed-test
	$(PYTEST) -m "not slow"

lint: $(VENV)/installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tools/make_docs.py --check

# The oldest libraries that pyproject.toml allows, in an environment of their own.
LOWEST := build/lowest
test-lowest:
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet uv
	$(LOWEST)/bin/python -m uv pip install --python $(LOWEST)/bin/python --resolution lowest-direct \
	    -e ".[test,browse,parquet,fetch,heic,pgvector,cluster,tensorboard,text]"
	OPENBLAS_NUM_THREADS=1 $(LOWEST)/bin/python -m pytest -n auto --dist worksteal -W default -m "not slow"

goldens: $(VENV)/installed-test
	$(BIN)/python -m tests.golden.regenerate

# What the documentation shows of the program: help, outputs, the notebook.
docs: $(VENV)/installed-docs
	$(BIN)/python tools/make_docs.py

# Needs Chromium.
pictures: $(VENV)/installed-test
	$(BIN)/python tools/make_pictures.py
	$(BIN)/python tools/make_screens.py

SITE := build/site
site: $(VENV)/installed-docs
	$(BIN)/python -m sphinx -b html -c docs/site --fail-on-warning --keep-going --quiet . $(SITE)
	@echo "open $(SITE)/index.html"

FOLDER ?= samples
bench: $(VENV)/installed
	$(BIN)/python benchmarks/run.py $(FOLDER)

clean:
	rm -rf $(VENV) build imgbatch-out .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/created:
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'imgbatch needs Python 3.11 or newer: make PYTHON=python3.12 ...')"
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/installed: $(VENV)/created pyproject.toml
	$(BIN)/$(PIP) -e .
	touch $@

# Where an extra has no wheel, say for a new Python, its tests are skipped.
$(VENV)/installed-test: $(VENV)/created pyproject.toml
	$(BIN)/$(PIP) -e ".[$(TEST_EXTRAS)]" || $(BIN)/$(PIP) -e ".[test]"
	touch $@

$(VENV)/installed-docs: $(VENV)/created pyproject.toml
	$(BIN)/$(PIP) -e ".[test,text,cluster,docs,notebook]"
	touch $@

$(VENV)/installed-lint: $(VENV)/created pyproject.toml
	$(BIN)/$(PIP) -e ".[test,lint]"
	touch $@
