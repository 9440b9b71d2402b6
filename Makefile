# The front door. Everything real is in CMake, tests/run.sh and tools/; `make help` lists it.

JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60
MAKEFLAGS += --no-print-directory
export CLICOLOR_FORCE ?=

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Install what is missing, build, start everything, generate the demo campaign
	@exec build/release/bin/spark up $(ARGS)

.PHONY: build
build: ## Install what building needs, build release
	@tools/install.sh run
	@tools/build.sh release programs

.PHONY: test
test: ## Every test, with sanitizers, against real PostgreSQL and Redis of its own
	@tools/install.sh test
	@tools/build.sh release # what `make run` runs must build too, and to pass the suite stack
	@tools/build.sh asan
	@tests/run.sh build/asan

.PHONY: test-real
test-real: build ## What runs on data/spark (SPARK_REAL_DATA names another folder)
	@tools/install.sh test
	@tests/run.sh build/release real

.PHONY: test-peer
test-peer: ## The same requests to Directus and to Spark, answers compared (ARGS="--subject filter")
	@tools/install.sh test
	@tools/build.sh asan programs
	@tests/peer/run.sh build/asan $(ARGS)

.PHONY: record-golden
record-golden: ## Record what Directus answers to the sequences, for tests/api/golden
	@$(MAKE) test-peer ARGS="--record" || true
	@$(MAKE) record-open

.PHONY: record-open
record-open: ## List the recorded sequences that Spark does not answer as Directus does
	@tools/build.sh asan programs
	@SPARK_BIN=$(CURDIR)/build/asan/bin/spark node tests/peer/replay.mjs --open

.PHONY: bench
bench: build ## The tables of docs/performance.md, measured here and now
	@tools/install.sh test
	@bench/run.sh

.PHONY: bench-peers
bench-peers: build ## The same beside Directus and BullMQ
	@tools/install.sh test
	@bench/run.sh --peers

.PHONY: bench-neighbours
bench-neighbours: build ## How much longer one site waits while another one attacks
	@tools/install.sh test
	@bench/neighbours.py

.PHONY: soak
soak: build ## Many rounds of kills, then load for SOAK_MINUTES (60) while memory and queues are watched
	@tools/install.sh test
	@tools/build.sh asan
	@SPARK_SOAK=1 SPARK_TEST_TIMEOUT_MS=3600000 tests/run.sh build/asan chaos
	@bench/soak.sh

.PHONY: check
check: ## Format, clang-tidy, cppcheck, gcc and clang, the architecture
	@tools/install.sh test
	@tools/check.sh

.PHONY: fuzz
fuzz: ## Each fuzzer for FUZZ_SECONDS (60)
	@tools/install.sh test
	@tools/build.sh fuzz
	@tools/fuzz.sh $(FUZZ_SECONDS)

.PHONY: docs
docs: ## Write docs/reference.md and docs/compatibility.md from the tables
	@tools/gen_reference.py
	@tools/gen_compatibility.py

.PHONY: format
format: ## Let clang-format rewrite the C files
	@git ls-files --cached --others --exclude-standard '*.c' '*.h' | xargs clang-format -i

.PHONY: clean
clean: ## Remove build/ (var/, the data, stays)
	rm -rf build
