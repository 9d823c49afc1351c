# `make` lists the targets. Everything runs in .venv, made here and made again when pyproject.toml changes; `make check` also
# needs .venv-outside, where another engine stands to be compared with (tests/outside), and adds Ray to .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HASH := $(shell cksum < pyproject.toml | tr ' ' '-')
READY := $(VENV)/.ready-$(HASH)
READY_DEV := $(VENV)/.ready-dev-$(HASH)
READY_RAY := $(VENV)/.ready-ray-$(HASH)
OUTSIDE := .venv-outside
OUTSIDE_NEEDS := tests/outside/requirements.txt
READY_OUTSIDE := $(OUTSIDE)/.ready-$(shell cat $(OUTSIDE_NEEDS) 2> /dev/null | cksum | tr ' ' '-')
ifndef SEED
SEED := $(shell od -An -N4 -tu4 /dev/urandom | tr -d ' ')
endif

# two processes into the same cache: one compiles the engine while the other runs what needs none (tests/sharing.py), in that order;
# more of them would compile the same again and again
SPLIT := -n 2 --dist loadfile --no-loadscope-reorder

# what runs uncompiled
UNCOMPILED := interpreted and not slow

# without byte code every import takes three to four times as long
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test check outside lint static quick house interpreted bench bench-peers notebooks clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: export VECBT_LEDGER := demo/ledger
demo: $(READY) ## backtest the bundled prices, replay them bar by bar, leave demo/report.html and demo/equity.png
	@mkdir -p demo
	@$(BIN)/vecbt init demo/run.yaml --force
	@$(BIN)/vecbt backtest demo/run.yaml --report demo/report.html --plot demo/equity.png
	@$(BIN)/vecbt replay demo/run.yaml

test: $(READY_DEV) quick ## lint, tests, README examples, notebooks, from a cold cache of kernels (20 minutes)
	@$(call cold,$(BIN)/python -m pytest -q $(SPLIT) tests notebooks --nbmake)

check: UNCOMPILED := interpreted
check: $(READY_DEV) $(READY_OUTSIDE) $(READY_RAY) static interpreted ## everything: slow tests too, random examples (repeat with SEED=...)
	@echo "SEED=$(SEED)"
	@$(call cold,VECBT_TEST_PROFILE=check $(BIN)/python -m pytest -q $(SPLIT) tests notebooks --nbmake -m "slow or not slow" \
		--hypothesis-seed=$(SEED) --timeout=1800)

outside: $(READY_DEV) $(READY_OUTSIDE) ## compare with vectorbt, installed apart (a part of check; repeat with SEED=...)
	@echo "SEED=$(SEED)"
	@$(BIN)/python -m pytest -q tests/outside -m "slow or not slow" --hypothesis-seed=$(SEED) --timeout=1800

lint: static house ## ruff, mypy, import contracts, house tests

static: $(READY_DEV)
	@$(BIN)/ruff check --quiet vecbt tests benchmarks
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --config setup.cfg > .venv/lint-imports.log 2>&1 || { cat .venv/lint-imports.log; exit 1; }
	@echo "static checks passed: ruff, mypy, import contracts"

# mypy keeps one core busy, so the tests that compile nothing run beside it
quick: $(READY_DEV)
	@$(MAKE) --no-print-directory --jobs=2 static interpreted

house: $(READY_DEV)
	@$(BIN)/python -m pytest -q tests/house

interpreted: $(READY_DEV)
	@echo "kernel tests, uncompiled"
	@NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q $(SPLIT) tests -m "$(UNCOMPILED)"

bench: $(READY_DEV) ## time the engine against hand-written loops; writes benchmarks/latest.json
	@$(BIN)/python -m benchmarks

bench-peers: $(READY) ## time sweeps of other engines beside ours, each installed apart in benchmarks/peers/.venvs (half an hour)
	@$(BIN)/python -m benchmarks.peers

notebooks: $(READY_DEV) ## run the notebooks and keep their outputs
	@$(BIN)/python -m pytest -q --nbmake --overwrite notebooks
	@$(BIN)/python -c "$$FORGET_TIMES" notebooks/*.ipynb

clean: ## remove the environments and what the other targets leave behind
	@rm -rf $(VENV) $(OUTSIDE) benchmarks/peers/.venvs demo build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis benchmarks/latest.json

# the moment at which a cell ran is no output
define FORGET_TIMES
import sys, nbformat
for path in sys.argv[1:]:
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    nbformat.write(notebook, path)
endef
export FORGET_TIMES

# run with an empty folder for compiled kernels, removed afterwards
define cold
folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && VECBT_CACHE_DIR="$$folder" $(1)
endef

$(READY): | pyproject.toml
	@command -v $(PYTHON) > /dev/null 2>&1 || { \
		echo "vecbt needs Python 3.11 or newer: install it, or name one: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "vecbt needs Python 3.11 or newer, $(PYTHON) is $$($(PYTHON) -V 2>&1): install a newer one, or name it: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' > /dev/null 2>&1 || { \
		echo "$(PYTHON) cannot make environments (no ensurepip): install it, on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@rm -rf $(VENV)
	@echo "making $(VENV) (about a minute, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e .
	@touch $@

$(READY_DEV): $(READY)
	@echo "adding what tests and lint need"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e '.[data,opt,rl,oracle,dev]'
	@touch $@

$(READY_RAY): $(READY_DEV)
	@echo "adding what sweeps on more than one machine need"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e '.[distributed]'
	@touch $@

$(READY_OUTSIDE): | $(READY) $(OUTSIDE_NEEDS)
	@rm -rf $(OUTSIDE)
	@echo "making $(OUTSIDE), where vectorbt stands (about a minute, once)"
	@$(PYTHON) -m venv $(OUTSIDE)
	@$(OUTSIDE)/bin/python -m pip install -qq --disable-pip-version-check -r $(OUTSIDE_NEEDS)
	@touch $@
