# The one door to this project: `make` lists what there is.
#
# Needed beforehand: Swift 6.2 or later, Python 3.11 or later with its headers. `scripts/bootstrap` says what is missing.

PYTHON ?= python3
SWIFT ?= swift
VENV ?= .venv
# What `make serve` runs, and on which address.
APP ?= examples.hello:app
BIND ?= 127.0.0.1:8000
# How long `make fuzz` spends on each target, in seconds.
FUZZ_SECONDS ?= 30

# How long `make chaos` has each fault last, in seconds; 2 are enough to see that it runs.
CHAOS_SECONDS ?= 12

# Tests in Python that run at a time: most of them wait.
AT_A_TIME ?= 3

# What is tested a second time, on workers of several threads.
THREADED_TESTS = $(addprefix tests/test_, bad_requests.py errors.py file_wrapper.py input.py keepalive_pipelining.py \
	leaks.py odd_applications.py response_framing.py slow_clients.py start_response.py)

export MONOCEROS_SWIFT = $(SWIFT)
# Where `make test` keeps the request corpus of another server, and its tests look for it.
export MONOCEROS_FOREIGN = $(abspath $(VENV)/.foreign)

BIN = $(VENV)/bin
TOOLS = $(VENV)/.tools
PACKAGE = $(VENV)/.package
INCLUDE = $(shell $(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))')
PYTHON_FILES = hatch_build.py python scripts Tests $(wildcard tests examples benchmarks)

.DEFAULT_GOAL = help
.PHONY: help build install serve test lint format fuzz sanitize docs bench wheel clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

build:  ## compile the Swift core (release) into python/monoceros
	$(PYTHON) scripts/build_native.py

install: $(PACKAGE) build  ## make .venv and install Monoceros into it, editable, with what the tests need

serve: install  ## serve examples/hello.py; APP=module:app and BIND=host:port choose otherwise
	$(BIN)/monoceros --bind $(BIND) $(APP)

test: install  ## run the tests: Swift's, then Python's on the installed package, some of them again with threads
	$(BIN)/python scripts/foreign_corpus.py $(MONOCEROS_FOREIGN)
	$(SWIFT) test -Xcc -I$(INCLUDE) --explicit-target-dependency-import-check error
	$(BIN)/python -m pytest -n $(AT_A_TIME)
	MONOCEROS_TEST_ARGUMENTS="--threads 4" $(BIN)/python -m pytest -n $(AT_A_TIME) $(THREADED_TESTS)

lint: $(TOOLS)  ## check formatting, Python style, long comments and that imports point down
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests
	$(BIN)/ruff format --check $(PYTHON_FILES)
	$(BIN)/ruff check $(PYTHON_FILES)
	$(PYTHON) scripts/check_layers.py
	$(PYTHON) scripts/check_columns.py

format: $(TOOLS)  ## format Swift and Python in place
	$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Tests
	$(BIN)/ruff format $(PYTHON_FILES)
	$(BIN)/ruff check --fix $(PYTHON_FILES)

fuzz:  ## look for crashes in the parsers; FUZZ_SECONDS sets how long
	scripts/fuzz $(FUZZ_SECONDS)

sanitize: install  ## run the tests under the address, undefined-behavior and thread sanitizers
	PYTHON=$(PYTHON) SWIFT=$(SWIFT) scripts/sanitize

docs: install  ## write again what the documentation says about each setting
	$(BIN)/python scripts/settings_docs.py

bench: install  ## compare with other servers in one interleaved run; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks

wheel: $(TOOLS)  ## build the wheel into dist/
	$(BIN)/python -m pip wheel --no-build-isolation --no-deps --wheel-dir dist .

.PHONY: chaos
chaos: install  ## kill, stop and starve workers under load; CHAOS_SECONDS sets how long each fault lasts
	cd tests && ../$(BIN)/python -m chaos --seconds $(CHAOS_SECONDS)

clean:  ## remove everything that was built, .venv included
	rm -rf .build .venv .venv-peers build dist python/monoceros/_native.abi3.so .pytest_cache .ruff_cache .fuzz
	find python scripts tests examples -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

$(TOOLS): requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@touch $@

# Editable: `import monoceros` reads python/monoceros, so that a rebuilt library is in use at the next start.
# `build` comes first so that the compiler's messages are not boxed in by pip's.
$(PACKAGE): $(TOOLS) pyproject.toml hatch_build.py | build
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@
