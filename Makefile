# What one does here. `make` lists it; everything is built with the same TAGS.
SHELL := /bin/bash
.DEFAULT_GOAL := help

TAGS    ?= sqlite_fts5
DATA    ?= ./data
LISTEN  ?= localhost:8080
TOPOLOGY ?= payments-out
N       ?= 50
LISTINGS ?= 40000 200000 1000000
PKG     ?= ./...
FUZZTIME ?= 20s
FUZZ    ?= .
RUN     ?= .
REF     ?= HEAD~1

GO      ?= go
GOFLAGS_TAGS = -tags "$(TAGS)"
GOLANGCI = $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
VERSION  = $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z][a-z-]*:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo '  variables: DATA=./data LISTEN=localhost:8080 (run, up), TOPOLOGY=payments-out (up), N=50 (crash), LISTINGS=40000 (bench-search), PKG=./... (test, bench, cover), FUZZTIME=20s FUZZ=. (fuzz), RUN=. (test-postgres), REF=HEAD~1 (bench-before)'

.PHONY: build
build: ## build bin/souk
	$(GO) build $(GOFLAGS_TAGS) -ldflags "-X main.version=$(VERSION)" -o bin/souk ./cmd/souk

.PHONY: run
run: build ## serve the demo marketplace on LISTEN from DATA
	./bin/souk serve --demo --data "$(DATA)" --listen "$(LISTEN)"

.PHONY: up
up: build ## the demo marketplace in several processes: TOPOLOGY=payments-out
	./bin/souk up "$(TOPOLOGY)" --demo --data "$(DATA)" --listen "$(LISTEN)"

.PHONY: test
test: ## every test, with the race detector, in random order
	$(GO) test -race -shuffle=on -timeout 90m $(GOFLAGS_TAGS) $(PKG)

.PHONY: test-postgres
test-postgres: ## the tests of what keeps data, on PostgreSQL: SOUK_TEST_POSTGRES=postgres://… or a throwaway one
	SOUK_TEST_STORE=postgres $(GO) test -timeout 25m $(GOFLAGS_TAGS) ./internal/platform/bus ./internal/platform/job
	SOUK_TEST_STORE=postgres $(GO) test -timeout 25m -run "$(RUN)" $(GOFLAGS_TAGS) \
		./internal/accounts/... ./internal/cart/... ./internal/catalog/... ./internal/orders/... ./internal/payments/...

.PHONY: check
check: lint tidy drift arch ## lint, go.mod, generated files and boundaries

.PHONY: lint
lint: ## golangci-lint, pinned
	$(GOLANGCI) run --build-tags "$(TAGS)"

.PHONY: fmt
fmt: ## format everything the way lint wants it
	$(GOLANGCI) fmt

.PHONY: tidy
tidy: ## say whether go.mod and go.sum are what the imports need
	$(GO) mod tidy -diff

.PHONY: generate
generate: ## write the generated files anew
	$(GO) generate $(GOFLAGS_TAGS) ./...

.PHONY: drift
drift: ## say whether generated files are what the generators write, and no contract breaks the last release's
	@hashes() { git ls-files -z --cached --others --exclude-standard | sort -zu | xargs -0 sha256sum 2>/dev/null; }; \
	was="$$(hashes)"; \
	echo '$(GO) generate ./...'; $(GO) generate $(GOFLAGS_TAGS) ./... || exit 1; \
	changed="$$(diff <(echo "$$was") <(hashes) | awk '/^[<>]/ {print $$3}' | sort -u)"; \
	if [ -n "$$changed" ]; then \
		echo 'These generated files were stale and have been written anew; look at them and commit them:'; \
		echo "$$changed" | sed 's/^/  /'; exit 1; \
	fi
	$(GO) run $(GOFLAGS_TAGS) ./internal/platform/rpc/gen -check internal/*/

.PHONY: arch
arch: ## who imports whom and whose tables are named: the architecture test alone
	$(GO) test -count=1 $(GOFLAGS_TAGS) ./internal/house/... ./internal/platform/arch/...

.PHONY: deploy
deploy: ## units, manifests and Compose files of docs/deploy, as far as one can look without running them
	$(GO) -C docs/deploy/check mod tidy -diff
	cd docs/deploy/check && $(GO) vet ./... && $(GO) test -count=1 ./...

.PHONY: bench
bench: ## every benchmark of PKG
	$(GO) test -run '^$$' -bench . -benchmem -timeout 60m $(GOFLAGS_TAGS) $(PKG)

.PHONY: bench-split
bench-split: ## what a process boundary costs: a call, a checkout, a page of search
	$(GO) test -run '^$$' -bench '^BenchmarkSplit' -benchtime 1x -timeout 20m $(GOFLAGS_TAGS) ./internal/platform/rpc ./cmd/souk

.PHONY: bench-search
bench-search: ## search on catalogues of LISTINGS, remixed from the real one: every shape of query, building, what shows how soon
	SOUK_BENCH_LISTINGS="$(LISTINGS)" $(GO) test -run '^$$' -bench '^BenchmarkSearch$$' -benchtime 1x -timeout 120m $(GOFLAGS_TAGS) ./internal/search/searchsvc
	$(GO) test -run '^$$' -bench '^BenchmarkVisible$$' -benchtime 1x -timeout 20m $(GOFLAGS_TAGS) ./cmd/souk

.PHONY: bench-postgres
bench-postgres: build ## checkouts on PostgreSQL: one process, three behind a balancer, and a transaction by hand
	SOUK_BENCH_BINARY="$(CURDIR)/bin/souk" $(GO) test -run '^$$' -bench '^BenchmarkPostgres$$' -benchtime 1x -timeout 20m $(GOFLAGS_TAGS) ./cmd/souk

.PHONY: bench-before
bench-before: ## this tree's souk against that of another commit, in turn: REF=HEAD~1
	@t="$$(mktemp -d)" && trap 'git worktree remove --force "$$t/tree" 2>/dev/null; rm -rf "$$t"' EXIT && \
	git worktree add --detach -q "$$t/tree" "$(REF)" && \
	(cd "$$t/tree" && $(GO) build $(GOFLAGS_TAGS) -o "$$t/before" ./cmd/souk) && $(GO) build $(GOFLAGS_TAGS) -o "$$t/now" ./cmd/souk && \
	echo "now against $(REF)" && \
	SOUK_BENCH_BEFORE="$$t/before" SOUK_BENCH_BINARY="$$t/now" $(GO) test -run '^$$' -bench '^BenchmarkBefore$$' -benchtime 1x -timeout 20m $(GOFLAGS_TAGS) ./cmd/souk

.PHONY: crash
crash: ## kill the real binary N times under load and look for loss
	SOUK_CRASH_ROUNDS=$(N) $(GO) test -count=1 -v -run Crash -timeout 0 $(GOFLAGS_TAGS) ./cmd/souk

.PHONY: fuzz
fuzz: ## every fuzz test, or those that FUZZ names, for FUZZTIME; what fails is kept in testdata/fuzz beside it
	@log="$$(mktemp)"; trap 'rm -f "$$log"' EXIT; \
	grep -rl --include='*_test.go' '^func Fuzz' internal cmd | while read -r file; do \
		for name in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file" | grep -E "$(FUZZ)"); do \
			echo "$(GO) test -fuzz ^$$name\$$ ./$$(dirname $$file)"; \
			$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s $(GOFLAGS_TAGS) "./$$(dirname $$file)" </dev/null 2>&1 | tee "$$log"; \
			[ "$${PIPESTATUS[0]}" = 0 ] || { grep -q '^ *context deadline exceeded$$' "$$log" && ! grep -q 'Failing input' "$$log"; } || exit 1; : that the time is up is no failure; \
		done; \
	done

.PHONY: cover
cover: ## which statements the tests reach, by function
	$(GO) test -coverprofile=coverage.out -coverpkg=./internal/...,./cmd/... $(GOFLAGS_TAGS) $(PKG)
	$(GO) tool cover -func=coverage.out | tail -n 1
	@echo 'for the pages: go tool cover -html=coverage.out'
