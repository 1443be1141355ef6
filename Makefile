# Keystile's build. "make help" lists the targets.
#
# A machine needs Go, Node and make. What else a target needs it installs: the linter
# into ./.tools, and on Debian as root a C compiler for the race detector, the
# S3 clients and the Ceph of the end-to-end tests, and Chromium.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GOLANGCI_VERSION := v2.4.0
GOLANGCI := .tools/golangci-lint-$(GOLANGCI_VERSION)

# All is compiled as what ships is, without C and with no path of this machine: what
# one target has compiled no other does again. Only the race detector needs C.
export CGO_ENABLED := 0
export GOFLAGS := $(strip -trimpath $(GOFLAGS))

BIN := bin/keystile
DASHBOARD := internal/web/dist/index.html
NODE_MODULES := web/node_modules/.package-lock.json
BROWSER_MODULES := test/browser/node_modules/.package-lock.json
WEB_SOURCES := $(shell find web/src web/public web/*.html web/*.ts web/*.js web/*.json -type f 2>/dev/null)
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
UNIT := ./cmd/... ./internal/... ./test/report/... ./bench/...
E2E := ./test/e2e/... ./test/ceph/... ./test/backends/...
CLIENTS := ./test/clients/...
GOFMT := cmd internal bench test/report test/e2e test/ceph test/clients test/backends
# Go is told these by name: node_modules has Go files in it too.

# How long "make soak" tries each fuzz target, and how often it kills a server.
FUZZTIME ?= 2m
CRASHES ?= 50

.PHONY: help build run test go-test e2e race check fmt lint ci ci-prepare soak bench clients client-programs client-matrix ceph compiler clean web web-check web-generate web-test browser browsers screenshots

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: $(DASHBOARD) ## Build bin/keystile, dashboard and all
	go build -ldflags "-X main.release=$(VERSION)" -o $(BIN) ./cmd/keystile

run: build ## Build and start everything on this machine, with its data in ./data
	@exec ./$(BIN) quickstart

web: $(DASHBOARD) ## Build the dashboard into internal/web/dist

$(DASHBOARD): $(NODE_MODULES) $(WEB_SOURCES)
	cd web && npm run -s build

$(NODE_MODULES): web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	@touch $@

web-generate: $(NODE_MODULES) ## Write the OpenAPI document and the client's types from the Go API
	go run ./internal/api/openapidoc > web/openapi.json
	cd web && npm run -s generate

# A stale document is also what a test of the API fails on.
web-check: $(NODE_MODULES) ## Check the dashboard: types, lint, client fresh
	@go run ./internal/api/openapidoc | cmp - web/openapi.json || { echo "web/openapi.json is stale (make web-generate)"; exit 1; }
	@cd web && npx openapi-typescript openapi.json 2>/dev/null | cmp - src/api/schema.d.ts || { echo "web/src/api/schema.d.ts is stale (make web-generate)"; exit 1; }
	cd web && npm run -s types && npm run -s lint

web-test: $(NODE_MODULES) ## Run the dashboard's unit tests
	cd web && npm run -s test

test: web-test go-test ## Run all tests: units, end to end, in a browser
	@$(MAKE) --no-print-directory client-matrix browser

# The longest first; and three packages at once, for most of them wait.
go-test: clients ceph $(DASHBOARD) ## Run Go's tests: units and end to end
	go test -json -p 3 -timeout 20m $(E2E) $(UNIT) | go run ./test/report

e2e: clients ceph $(DASHBOARD) ## Run the end-to-end tests: the real binary, aws-cli, boto3
	go test -json -count=1 $(E2E) | go run ./test/report

# What fails is told by the report; the table is told either way. Clients wait more
# than they compute: more of them run at once than there are cores.
client-matrix: client-programs ceph ## Run each S3 client against each backend through the gateway (KEYSTILE_CLIENTS=full: all cases, both ways)
	@rm -f bin/clients.txt
	KEYSTILE_CLIENTS_TABLE=$(CURDIR)/bin/clients.txt go test -json -count=1 -parallel 4 -timeout 3h $(CLIENTS) | go run ./test/report || { cat bin/clients.txt; exit 1; }
	@cat bin/clients.txt

browser: browsers ceph build $(BROWSER_MODULES) ## Run the dashboard's tests in Chromium (FILES=... for some)
	KEYSTILE_BINARY=$(CURDIR)/$(BIN) node test/browser/run.mjs $(FILES)

screenshots: browsers build $(NODE_MODULES) ## Take the pictures of the documentation anew, into docs/images
	cd web && npm run -s screenshots -- --docs

$(BROWSER_MODULES): test/browser/package-lock.json
	cd test/browser && npm ci --no-audit --no-fund
	@touch $@

# SQLite, a translation from C whose memory is its own, is not watched: that takes
# most of the time and finds nothing of ours; sync and the driver's callers are. A
# watched program sleeps a second when it exits, and tests run hundreds; vet has run.
# The longest first here too: what runs last runs alone.
race: compiler $(DASHBOARD) ## Run the unit tests under the race detector
	CGO_ENABLED=1 GORACE=atexit_sleep_ms=20 go test -race -gcflags='modernc.org/...=-race=false' -vet=off -short -json -timeout 20m ./internal/s3proxy ./internal/api $(UNIT) | go run ./test/report

check: lint web-check ## Check formatting and lint, vet's findings among it

fmt: ## Format the code
	gofmt -w $(GOFMT)

lint: $(GOLANGCI)
	@unformatted=$$(gofmt -l $(GOFMT)); \
	if [ -n "$$unformatted" ]; then echo "not formatted (make fmt):"; echo "$$unformatted"; exit 1; fi
	$(GOLANGCI) run --allow-parallel-runners $(UNIT) $(E2E) $(CLIENTS)

# The linter is built with this machine's Go, once.
$(GOLANGCI):
	@mkdir -p .tools
	GOBIN=$(CURDIR)/.tools go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv .tools/golangci-lint $@

ci: ## What CI runs: lint, all tests, and the units again under the race detector
	@./test/ci.sh

# What the phases of ci share, so that they can run beside each other.
ci-prepare: $(GOLANGCI) $(NODE_MODULES) $(BROWSER_MODULES) compiler ceph client-programs browsers build

soak: clients client-programs ceph ## Long runs: fuzz every target for FUZZTIME, kill a server CRASHES times
	FUZZTIME=$(FUZZTIME) CRASHES=$(CRASHES) ./test/soak.sh

clients:
	@./test/clients.sh

# Ceph as a backend to test against, from Debian's packages.
ceph:
	@./test/ceph/ceph.sh install

client-programs:
	@./test/clients.sh matrix

browsers:
	@./test/clients.sh browser

bench: build ## Measure what the gateway costs beyond nginx and ReverseProxy (BENCH="--only PUT" for some)
	@./test/clients.sh bench
	go build -o bin/bench ./bench
	go build -tags unrecorded -o $(BIN)-unrecorded ./cmd/keystile
	./bin/bench run --keystile $(BIN) --unrecorded $(BIN)-unrecorded $(BENCH)

compiler:
	@command -v gcc >/dev/null || { apt-get update -q && apt-get install -qy gcc libc6-dev; }

clean: ## Remove what was built; data and tools stay
	rm -rf bin web/node_modules test/browser/node_modules test/clients/js/node_modules
	find internal/web/dist -mindepth 1 ! -name .gitkeep -delete
