# `make run` and `make test` work in a fresh checkout. They only need Python >= 3.11.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Always cache bytecode: the tests start many processes, and rewriting assertions takes seconds.
export PYTHONDONTWRITEBYTECODE :=
PORT ?= 8000
WORKERS ?= 1
# Install locked versions with hashes. Build our package without isolation, so that build tools are locked, too.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
INSTALL_SELF := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
# No fuzzy matching: untranslated messages stay empty. Obsolete messages are removed.
WORDS := --mapping-file pyproject.toml --keywords Message --add-location file --no-wrap --project eventcal
CATALOGUES := --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --no-wrap

.PHONY: help run test test-quick test-all browse pictures fuzz check record compare examples openapi bench format words lock clean

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# Without EVENTCAL_BASE_URL, the links in stored entries contain the port.
run: export EVENTCAL_PORT := $(PORT)
run: $(VENV)/run.stamp  ## Serve the demo calendar on http://127.0.0.1:8000
	$(BIN)/eventcal db upgrade
	$(BIN)/eventcal demo
	$(BIN)/eventcal serve --workers $(WORKERS)

test: $(VENV)/dev.stamp  ## Run the tests, and those that depend on the database also on PostgreSQL
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal $(ARGS)

test-quick: $(VENV)/dev.stamp  ## Run the unit, database and HTTP tests on SQLite only (fast)
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal --extent quick tests/unit tests/db tests/http $(ARGS)

test-all: $(VENV)/dev.stamp  ## Run the tests with all HTTP tests on both databases and all generated cases
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal --extent all $(ARGS)

browse: $(VENV)/dev.stamp  ## Test every page in Debian's Chromium, if it is installed
	$(BIN)/python -m pytest tests/browser --numprocesses auto --dist worksteal $(ARGS)

pictures: $(VENV)/dev.stamp  ## Take screenshots for the README (docs/pictures) and of every page (build/pictures)
	$(BIN)/python -m tests.browser.readme_screenshots docs/pictures
	$(BIN)/python -m tests.browser.screenshots build/pictures

fuzz: $(VENV)/dev.stamp  ## Run all tests with fresh Hypothesis examples
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal --hypothesis-profile new $(ARGS)

check: $(VENV)/dev.stamp  ## Run ruff, mypy and import-linter
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

record: $(VENV)/dev.stamp  ## Record every response of the application: make record OUT=build/before
	$(BIN)/python -m tests.comparison record $(OUT)

compare: $(VENV)/dev.stamp  ## Compare two recordings: make compare BEFORE=build/before AFTER=build/after
	$(BIN)/python -m tests.comparison compare $(BEFORE) $(AFTER)

examples: $(VENV)/dev.stamp  ## Update the responses in docs/api.md
	$(BIN)/python -m tests.api_examples

openapi: $(VENV)/dev.stamp  ## Update the OpenAPI document
	$(BIN)/python -m tests.openapi.document eventcal/web/api/openapi/openapi.json

bench: $(VENV)/dev.stamp  ## Run the benchmarks (docs/benchmarks.md)
	$(BIN)/python -m bench $(ARGS)

format: $(VENV)/dev.stamp  ## Format the code and apply ruff's automatic fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

words: $(VENV)/dev.stamp  ## Update the translation catalogues; new messages must then be translated
	$(BIN)/python -m babel.messages.frontend --quiet extract $(WORDS) --output-file $(VENV)/words.pot eventcal
	$(BIN)/python -m babel.messages.frontend --quiet update $(CATALOGUES) --input-file $(VENV)/words.pot --output-dir eventcal/translations

lock:  ## Update the locked dependencies (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--no-emit-find-links --upgrade pyproject.toml requirements/build.in --output-file requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--no-emit-find-links --upgrade --constraint requirements/run.txt pyproject.toml requirements/build.in \
		requirements/dev.in --output-file requirements/dev.txt

clean:  ## Remove generated files, except the instance folder
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/run.stamp: requirements/run.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "eventcal needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) --requirement requirements/run.txt
	$(INSTALL_SELF)
	touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/run.stamp
	$(INSTALL) --requirement requirements/dev.txt
	touch $@
