# Keystile's build. "make help" lists the targets.
#
# A machine needs Go and make. What else a target needs it installs: the linter
# into ./.tools, and on Debian as root a C compiler for the race detector and
# the S3 clients of the end-to-end tests.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GOLANGCI_VERSION := v2.4.0
GOLANGCI := .tools/golangci-lint-$(GOLANGCI_VERSION)

BIN := bin/keystile
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
UNIT := ./cmd/... ./internal/... ./test/report/...
E2E := ./test/e2e/...

# How long "make soak" tries each fuzz target, and how often it kills a server.
FUZZTIME ?= 2m
CRASHES ?= 50

.PHONY: help build run test e2e race check fmt lint ci soak clients compiler clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/keystile
	CGO_ENABLED=0 go build -trimpath -ldflags "-X main.release=$(VERSION)" -o $(BIN) ./cmd/keystile

run: build ## Build and start everything on this machine, with its data in ./data
	@exec ./$(BIN) quickstart

test: clients ## Run all tests: units and end to end
	go test -json -timeout 20m $(UNIT) $(E2E) | go run ./test/report

e2e: clients ## Run the end-to-end tests: the real binary, aws-cli, boto3
	go test -json -count=1 $(E2E) | go run ./test/report

race: compiler ## Run the unit tests under the race detector
	CGO_ENABLED=1 go test -race -short -json -timeout 20m $(UNIT) | go run ./test/report

check: lint ## Check formatting, vet and lint

fmt: ## Format the code
	gofmt -w cmd internal test

lint: $(GOLANGCI)
	@unformatted=$$(gofmt -l cmd internal test); \
	if [ -n "$$unformatted" ]; then echo "not formatted (make fmt):"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(GOLANGCI) run --allow-parallel-runners ./...

# The linter is built with this machine's Go, once.
$(GOLANGCI):
	@mkdir -p .tools
	GOBIN=$(CURDIR)/.tools go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv .tools/golangci-lint $@

ci: check test race build ## What CI runs: lint, all tests, and the units again under the race detector

soak: clients ## Long runs: fuzz every target for FUZZTIME, kill a server CRASHES times
	FUZZTIME=$(FUZZTIME) CRASHES=$(CRASHES) ./test/soak.sh

clients:
	@./test/clients.sh

compiler:
	@command -v gcc >/dev/null || { apt-get update -q && apt-get install -qy gcc libc6-dev; }

clean: ## Remove what was built; data and tools stay
	rm -rf bin
