# Every target is explained by `make help`.

GO        ?= go
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

.DEFAULT_GOAL := help
.PHONY: build test race check cross lint fmt bench faults mutants peers suite privacy keys demo help

build: ## build the static binary bin/rehearse
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags="-s -w" -o bin/ ./cmd/rehearse

test: ## vet, then run all tests, those of the packages with the race detector (TESTFLAGS adds flags)
	$(GO) vet ./...
	$(GO) test -race -timeout 60m $(TESTFLAGS) $$($(GO) list ./... | grep -v '/cmd/rehearse$$')
	$(GO) test -timeout 60m $(TESTFLAGS) ./cmd/rehearse

race: ## run the tests of the command with the race detector, too: 20 minutes, before a release
	$(GO) test -race -timeout 60m $(TESTFLAGS) ./cmd/rehearse

check: ## formatting, vet, linters where installed, and builds for every platform
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not formatted, run make fmt:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	@if command -v golangci-lint >/dev/null; then golangci-lint run; else echo "golangci-lint is not installed: linters not run"; fi
	@$(MAKE) --no-print-directory cross

cross: ## build for Linux, macOS and Windows, amd64 and arm64
	@set -e; for p in $(PLATFORMS); do echo "build $$p"; CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -trimpath -o /dev/null ./cmd/rehearse; done

lint: ## run golangci-lint
	golangci-lint run

fmt: ## format all Go files
	gofmt -w .

bench: SHELL := /bin/bash
bench: ## run all benchmarks and print a table; bin/bench.txt has every figure
	@mkdir -p bin && $(GO) build -o bin/ ./harness/internal/benchtable
	@set -o pipefail; $(GO) test -run '^$$' -bench . -benchmem ./... 2>&1 | tee bin/bench.txt | ./bin/benchtable

faults: ## run the fault tests of the store in their long form, as root: 200 kills, 20 power cuts, every disk error
	$(GO) test ./fixtures -count=1 -v -timeout 60m -run 'Killed|KillSees|PowerCut|DiskError|FullDisk|Flipped' -faults

mutants: ## plant 1,000 known changes into recordings and score how they are explained (MUTANTSFLAGS adds flags)
	$(GO) run ./harness/harnesstest/mutants --mutants 1000 $(MUTANTSFLAGS)

peers: ## measure the differ and the replay beside others, in about ten minutes; the others are a module of their own
	@mkdir -p bin && cd harness/internal/peers && $(GO) build -mod=mod -o ../../../bin/ . && ../../../bin/peers

suite: build ## run the test suite of an official client directly, through the tap and against its recording; downloads the client
	$(GO) run ./recorders/internal/suite bin/rehearse "$${TMPDIR:-/tmp}/rehearse-suite"

privacy: ## score the detectors of personal data on labelled sentences (REHEARSE_REAL_DATA names the folder with pii/presidio-research)
	$(GO) run ./fixtures/scrub/score

keys: KEYS ?= 10
keys: ## suggest, import and prove all sets of real files under KEYS random keys (REHEARSE_REAL_DATA names their folder)
	REHEARSE_TEST_KEYS=random $(GO) test ./cmd/rehearse -run SuggestedPoliciesPassTheirProof -count $(KEYS) -timeout 1h

demo: ## rehearse the upgrade and the mapping change of Harrow Lake
	@$(MAKE) --no-print-directory build
	@code=0; ./bin/rehearse demo || code=$$?; \
	if [ $$code -ne 1 ]; then echo "the demo ended with exit code $$code; 1 is expected: it shows differences that need a person" >&2; exit 1; fi

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
