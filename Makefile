# Every verb of the repository. `make` lists them.
#
# How this file documents itself: a target that people call carries its sentence
# after ` ##` on the same line, and `##@ Heading` opens a group. `make help` prints
# both in the order of this file; a target without ` ##` is a step of others.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help build demo run cluster journey journey-full tune scoreboard forecasts test lint fmt arch race peers fuzz bench clean

# Arguments of the program, of the fuzzer and of the scoreboard: make demo ARGS='--help', make fuzz FUZZTIME=5m,
# make scoreboard SEEDS=3
ARGS ?=
FUZZTIME ?= 30s
SEEDS ?= 5

##@ Use
build: ## Build bin/autoscaler.
	@scripts/test build

demo: ## Two weeks of five languages in the simulator: cost, attainment, decisions and why.
	go run ./cmd/autoscaler simulate configs/scenarios/five-languages.yaml $(ARGS)

run: ## The service on its embedded world, at http://127.0.0.1:8080: no cluster, no configuration.
	go run ./cmd/autoscaler run $(ARGS)

cluster: ## A real Kubernetes control plane on this machine, with GPU nodes that come when asked for.
	@go -C test/cluster run ./cmd/cluster $(ARGS)

journey: ## Watch five languages live through a day on a real control plane, with faults.
	@test/cluster/build
	@go -C test/cluster test -count=1 -timeout 30m -v ./journey

journey-full: ## The same with ten minutes without Prometheus.
	@test/cluster/build
	@JOURNEY_FULL=1 go -C test/cluster test -count=1 -timeout 45m -v -run TestJourney ./journey

tune: ## Find setups for the other controllers on the scoreboard: configs/tuned.yaml.
	@scripts/test build
	bin/autoscaler tune $$(grep -LxF '# scoreboard: no' configs/scenarios/*.yaml) --data $${TESSERA_DATA:-../shared/data} -o configs/tuned.yaml $(ARGS)

scoreboard: ## Every controller on every scenario, SEEDS (5) seeds: the table of docs/benchmark.md.
	@scripts/scoreboard $(SEEDS)

forecasts: ## Forecasts on recorded data, beside their rivals: the tables of docs/forecasting.md.
	@scripts/forecast-tables

##@ Check
test: ## Everything that can be checked on one machine; what the continuous build runs.
	@scripts/test

lint: ## Only the linter, at the version pinned in tools/go.mod.
	@scripts/test lint

fmt: ## Let the linter's formatters rewrite the code.
	scripts/golangci-lint fmt ./...

arch: ## Only the arrows: which package may import which, and why not more.
	go test -count=1 ./internal/archtest

race: ## Only the race detector, on the packages that start goroutines.
	@scripts/test race

peers: ## The real Kubernetes HPA controller and Knative autoscaler in the simulator, against our ports.
	@scripts/test peers

fuzz: ## Each fuzz target for FUZZTIME (30s).
	@scripts/fuzz $(FUZZTIME)

bench: ## All benchmarks, with allocations.
	go test -run '^$$' -bench . -benchmem ./...

##@ Housekeeping
clean: ## Remove what these targets have made; the caches of Go stay.
	rm -rf bin

help: ## This list.
	@awk 'BEGIN {FS = ":.* ## "} \
	  /^##@ / {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.* ## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
