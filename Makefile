# Everything here sets itself up in .venv with plain pip: Python 3.11 or newer, git and make are enough.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
DEMO_DIR ?= demo

.PHONY: demo test coverage venv lint slow scan docs figures constraints clean test-latest
.DEFAULT_GOAL := help

help:
	@echo "make demo    the whole way on this machine, without a network"
	@echo "make test    what CI runs"
	@echo "make scan LAYER=... START=YYYY-MM-DD END=YYYY-MM-DD    the main job against NASA's service"
	@echo "make venv lint slow coverage docs figures constraints clean"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Gibswatch needs Python 3.11 or newer: make PYTHON=python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "Python has no venv: install the package python3-venv" >&2; exit 1; }

$(VENV)/.demo: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install --quiet --constraint constraints.txt --editable ".[serve,sim]"
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $@

venv: $(VENV)/.dev

demo: $(VENV)/.demo
	$(BIN)/gibswatch demo --output-dir $(DEMO_DIR)

scan: $(VENV)/.demo
	@test -n "$(LAYER)" -a -n "$(START)" -a -n "$(END)" || \
	  { echo "usage: make scan LAYER=... START=YYYY-MM-DD END=YYYY-MM-DD" >&2; exit 2; }
	$(BIN)/gibswatch scan $(LAYER) --start-date $(START) --end-date $(END) $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# On every core. Bytecode is kept even where the environment says not to: each process that a test
# starts would compile the package anew.
# There is a worker for every core: threads of NumPy and PyTorch beside them only wait for each other.
test coverage: export PYTHONDONTWRITEBYTECODE =
test coverage: export OMP_NUM_THREADS = 1
TESTS := -n auto --maxprocesses 8 --dist worksteal --nbmake -m "not slow" --durations 15
test: lint
	$(BIN)/pytest $(TESTS)

# The same tests and the lines that none of them reaches; to count takes an eighth of the time more.
coverage: $(VENV)/.dev
	$(BIN)/pytest $(TESTS) --cov --cov-report=term

slow: $(VENV)/.dev
	$(BIN)/pytest -m slow --durations 15

docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Draws the maps of docs/sky.md and the sheets of docs/simulator-likeness.md anew.
figures: $(VENV)/.dev
	$(BIN)/python tools/build_figures.py

# Pins every package of every extra. PyTorch first, as the build for CPUs where there is one.
constraints:
	rm -rf .venv-pins && $(PYTHON) -m venv .venv-pins
	.venv-pins/bin/pip install --quiet torch
	.venv-pins/bin/pip install --quiet ".[all,dev]"
	{ echo "# Every package of every extra, pinned (Python 3.11). Made by: make constraints"; \
	  .venv-pins/bin/pip freeze --exclude gibswatch | sed 's/+cpu//'; } > constraints.txt
	rm -rf .venv-pins

# The newest packages that pyproject.toml admits, instead of the pinned ones.
test-latest:
	rm -rf .venv-latest && $(PYTHON) -m venv .venv-latest
	.venv-latest/bin/pip install --quiet --editable ".[dev]"
	.venv-latest/bin/pytest -m "not slow"

clean:
	rm -rf $(VENV) .venv-pins .venv-latest site .mypy_cache .ruff_cache .pytest_cache
