# Everything a fresh Debian machine with cargo, node, python3 and make needs: what is missing is installed.
.PHONY: help run build test lint bench networks fuzz

help: ## what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

run: build ## a server on http://localhost:8080 with something to try
	@exec "$${CARGO_TARGET_DIR:-target}/release/muster" dev

build: ## the release program with the web page, target/release/muster
	@scripts/setup build
	@scripts/build-web
	cargo build --release --locked --package muster-server

test: ## every test; the last line counts them
	@scripts/test

lint: ## formatting, clippy, dependencies, types of the web page, shell scripts
	@scripts/lint

bench: build ## the benchmarks (about half an hour)
	cargo build --release --locked --package muster-server --package muster-testkit --example seed --example room_load --example null_relay
	@bench/run

networks: ## real browsers over narrow and bad networks, on a machine that does nothing else
	@scripts/setup test
	cargo build --locked --package muster-server
	@MUSTER_BROWSER_TESTS=networks node e2e/browser/drive.mjs

fuzz: ## the property tests with many more inputs, then each fuzz target: make fuzz SECONDS=600 CASES=100000
	@scripts/fuzz $(or $(SECONDS),60) $(or $(CASES),20000)
