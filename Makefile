# Every recipe stands on a fresh clone with nothing but Python 3.11 (or newer) and make.
# `make` or `make help` lists them; the text after "##" is the help.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin

# The first Python that is new enough and can make a virtual environment. Each candidate is run, not just found:
# version managers leave names on the path that lead nowhere.
FIND_PYTHON = for p in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3 python; do \
	"$$p" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; exit 0; }; \
	done; exit 1

# Whoever has the developer's set has the runtime's: both locks are compiled from the same requirements.
HAVE := $(if $(wildcard $(VENV)/.dev),$(VENV)/.dev,$(VENV)/.runtime)
SOURCES := pyproject.toml requirements/build.in

# One process a core; set it to nothing to run the tests in one.
PYTEST_FLAGS ?= -n auto

.PHONY: help
help: ## list the recipes
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: $(HAVE) ## run the whole line on a fictional fleet; leaves report and proof in demo-output/
	@$(BIN)/proscribe rehearse --out demo-output

.PHONY: test
test: $(VENV)/.dev ## run every test and hold the coverage floors
	@$(BIN)/pytest $(PYTEST_FLAGS) --cov --cov-report=json:.coverage.json --cov-report=
	@$(BIN)/python tools/coverage_floor.py .coverage.json

.PHONY: samples
samples: $(VENV)/.dev ## fetch the sample packages of the assessment's oracle tests (180 MB; needs npm and apt-get)
	@$(BIN)/python tools/fetch_samples.py

.PHONY: servers
servers: $(VENV)/.dev ## build NanoMDM and KMFDDM for the tests and the demo's Apple phones (needs Go and a network)
	@$(BIN)/python tools/fetch_servers.py

.PHONY: lint
lint: $(VENV)/.dev ## style, format, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: bench
bench: $(VENV)/.dev ## measure engine, assessment, ledger, receiver and (with make servers) enqueueing; results in bench-output/
	@status=0; for each in run assess ledger webhook $$(test ! -x .servers/bin/nanomdm || echo enqueue); do $(BIN)/python benchmarks/$$each.py || status=1; done; exit $$status

.PHONY: docs
docs: $(VENV)/.dev ## write the reference pages and JSON Schemas that are made from the code
	@$(BIN)/python tools/make_docs.py

.PHONY: messages
messages: $(VENV)/.dev ## compile the French of click's own words
	@$(BIN)/python tools/compile_messages.py

.PHONY: lock
lock: ## compile both lock files again (needs uv)
	@uv=$$(command -v uv || echo $(BIN)/uv); "$$uv" --version >/dev/null 2>&1 || \
		{ echo "make lock needs uv: install it for yourself, then try again." >&2; exit 1; }; \
	compile="$$uv pip compile --generate-hashes --no-emit-index-url --universal --python-version 3.11 --no-header --quiet"; \
	echo "Compiling requirements/runtime.lock"; \
	$$compile $(SOURCES) -o requirements/runtime.lock >/dev/null; \
	echo "Compiling requirements/dev.lock"; \
	$$compile $(SOURCES) --extra postgres --group dev -o requirements/dev.lock >/dev/null

.PHONY: clean
clean: ## remove what the recipes made, the environment included
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.* htmlcov \
		dist build demo-output bench-output
	@find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@python=$$($(FIND_PYTHON)) || { \
		echo "Proscribe needs Python 3.11 or newer with its venv module (on Debian: apt-get install python3 python3-venv)." >&2; \
		echo "If you have one under another name, say so: make PYTHON=/path/to/python ..." >&2; exit 1; }; \
	echo "Making .venv with $$($$python --version)"; \
	$$python -m venv $(VENV)

# Hashes first, then the project itself without letting pip resolve or download anything more.
define install
	@echo "Installing $$(grep -c '^[a-z0-9].*==' $(1)) pinned packages into .venv (once; a minute or two)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --root-user-action ignore --require-hashes -r $(1)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --root-user-action ignore --no-deps --no-build-isolation -e .
	@touch $@
endef

$(VENV)/.runtime: requirements/runtime.lock pyproject.toml | $(BIN)/python
	$(call install,requirements/runtime.lock)

$(VENV)/.dev: requirements/dev.lock pyproject.toml | $(BIN)/python
	$(call install,requirements/dev.lock)
