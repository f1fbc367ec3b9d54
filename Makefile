# One front door. `make` alone prints the verbs.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
.DEFAULT_GOAL := help
# Without byte code every process compiles all its libraries anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help up test check bench lock clean

help: ## print this
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/ready: bootstrap.lock requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("make: Python 3.11 to 3.13 is needed, this is %d.%d; say make PYTHON=python3.12" % sys.version_info[:2] if not (3, 11) <= sys.version_info[:2] <= (3, 13) else 0)'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "make: Python has no venv module; on Debian: apt-get install python3-venv" >&2; exit 2; }
	@echo "setting up .venv from the locks …"
	@rm -f .venv/ready
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r bootstrap.lock
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch .venv/ready

up: .venv/ready ## start everything, with simulated partners: make up PORT=9000, DATABASE_URL=…
	@exec $(BIN)/banyan up --traffic --port $(PORT)

# the browser has a run of its own: its driver keeps an event loop running, which asyncio's tests cannot bear
test: .venv/ready ## run the whole suite, services and set-up included
	@$(BIN)/python -m tests.support.outside
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache >/dev/null || { $(BIN)/lint-imports --no-cache; exit 1; }
	@$(BIN)/pytest -n 2 --dist loadgroup --durations=15 --ignore=tests/browser $(ARGS)
	@$(BIN)/pytest -n 2 --dist loadgroup tests/browser

check: .venv/ready ## linters and types only
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

bench: .venv/ready .bench/ready ## measure beside other frameworks, some ten minutes: make bench ARGS="--works get,list"
	@$(BIN)/python -m benchmarks $(ARGS)

.bench/ready: benchmarks/requirements.lock benchmarks/peers/fastify/package-lock.json | .venv/ready
	@echo "setting up the peers …"
	@mkdir -p .bench
	@$(PYTHON) -m venv .bench/venv
	@$(BIN)/uv pip sync --quiet --python .bench/venv/bin/python --require-hashes benchmarks/requirements.lock
	@if command -v npm >/dev/null; then npm ci --silent --no-audit --no-fund --prefix benchmarks/peers/fastify; \
	else echo "make: no Node, so fastify is left out; on Debian: apt-get install nodejs npm"; fi
	@touch .bench/ready

lock: .venv/ready ## resolve the dependencies anew
	@echo uv | $(BIN)/uv pip compile - --quiet --generate-hashes --no-emit-index-url --universal --python-version 3.11 --no-header --upgrade -o bootstrap.lock
	@$(BIN)/uv pip compile pyproject.toml --extra laptop --extra verify --group example --group dev --quiet --generate-hashes --no-emit-index-url --universal --python-version 3.11 --no-header --upgrade -o requirements.lock
	@$(BIN)/uv pip compile --group pyproject.toml:bench --quiet --generate-hashes --no-emit-index-url --universal --python-version 3.11 --no-header --upgrade -o benchmarks/requirements.lock

clean: ## forget the running instance's data and the environment
	rm -rf .banyan .bench .venv
