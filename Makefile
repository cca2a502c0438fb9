# `make help` lists the commands. Nothing here decides anything about the site: `jupyter-book build .`
# does the whole build, this file sees to it that it can run and is not run for nothing.

PORT ?= 8000
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.14 python; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1 && echo $$p && break; done)
INPUTS := _config.yml _toc.yml tinytorch content book lite pyproject.toml hatch_build.py requirements.lock

# One thread for NumPy's matmul: on small machines more of them wait for each other.
export OPENBLAS_NUM_THREADS := 1

.DEFAULT_GOAL := help
.PHONY: help serve site test check lint bench clean lock venv FORCE

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

serve: site ## build what changed and serve it on 127.0.0.1 (PORT=8000)
	@$(BIN)/python -m lite.serve _build/html $(PORT)

site: _build/site.stamp ## build the site into _build/html
	@$(BIN)/python -m book.tour

test: check browser site ## everything that must be green
	$(BIN)/python -m book.tour --must
	export TINYTORCH_ENGINES=$$($(BIN)/python -m lite.browser --engines); \
	  $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not alone" tests/site && \
	  $(BIN)/python -m pytest -m alone tests/site

check: lint ## what a change must pass before it is shown: no browser, no build
	$(BIN)/python -m pytest -n $(WORKERS) tests/unit tests/course
	$(BIN)/python -m tinytorch verify

lint: $(VENV)/ready ## ruff: lint and format; types; spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

bench: $(VENV)/ready browser site ## speed, as ratios measured in one run
	$(BIN)/python -m bench.matmul
	$(BIN)/python -m bench.training
	$(BIN)/python -m bench.startup

clean: ## remove what was built (not the environment, not the cache of downloads)
	rm -rf _build dist .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

lock: $(VENV)/ready ## pin requirements.in anew, with hashes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.12 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header requirements.in -o requirements.lock

venv: $(VENV)/ready ## the environment alone

browser: $(VENV)/ready
	@$(BIN)/python -m lite.browser

# uv, pinned like the rest, installs the rest: ten times quicker than pip.
$(VENV)/ready: requirements.lock
	@if [ -z "$(PYTHON)" ]; then \
	  echo "TinyTorch needs Python 3.12 or newer; found: $$(python3 --version 2>&1 || echo none)." >&2; \
	  echo "Install one, or name it: make PYTHON=/path/to/python3.13 ..." >&2; exit 1; fi
	@echo "installing the pinned environment into $(VENV)"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@awk '/^uv==/ {on=1; print; next} on && /^[^ ]/ {exit} on' requirements.lock > $(VENV)/uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@touch $@

# The list of input files is an input itself: a deleted page is a change too.
_build/inputs: FORCE
	@mkdir -p _build
	@find $(wildcard $(INPUTS)) -type f -not -path '*/__pycache__/*' | LC_ALL=C sort > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

_build/site.stamp: $(VENV)/ready _build/inputs $(shell find $(wildcard $(INPUTS)) -type f -not -path '*/__pycache__/*')
	@rm -f $@
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/jupyter-book build .
	@touch $@
