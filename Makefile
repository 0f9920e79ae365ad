# Builds nginx and the CORS module. `make help` tells what else there is.

# rustup puts cargo here, and not every shell has it on its PATH.
export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin

# nginx takes a variable of this name for the list of the sockets that it inherits.
unexport NGINX

.PHONY: all run check test test-debug valgrind asan lint fuzz bench-policy miri clean clean-room help
.NOTPARALLEL:

all: ## Build build/nginx and build/ngx_http_cors_module.so (the default)
	@tools/require.sh build
	tools/build.sh

run: all ## Build, then serve the demo until Ctrl-C
	@tools/demo.sh

# Nothing here waits for nginx. The module can only be looked at with nginx's configured headers, so
# it is left out until a build has made them.
check: ## The fast loop: format, clippy, unit tests
	cargo fmt --all --check
	cargo clippy -p cors-policy -p cors-zone -p cors-tests --all-targets -- -D warnings
	cargo test -p cors-policy -p cors-zone
	if [ -e build/nginx ]; then tools/cargo.sh clippy --release --all-targets -- -D warnings; fi

test: ## Run every test, against a real nginx and in a real browser
	@tools/require.sh build test
	tools/build.sh test
	tools/check-module.sh build/ngx_http_cors_module.so
	cargo test -p cors-policy -p cors-zone
	cargo test -p cors-tests --no-fail-fast

test-debug: ## Run the tests in nginx with a debug build of the module, which checks more
	@tools/require.sh build
	tools/test-in.sh debug

valgrind: ## Run the tests in nginx under valgrind (takes a while)
	@tools/require.sh build valgrind
	tools/test-in.sh valgrind

asan: ## Run the tests in nginx with AddressSanitizer in it and in the module
	@tools/require.sh build asan
	tools/test-in.sh asan

# With --release clippy shares the nginx of the build instead of compiling one more.
lint: ## Check format and run clippy on everything; every warning is an error
	@tools/require.sh build
	cargo fmt --all --check
	cargo clippy -p cors-policy -p cors-zone -p cors-tests --all-targets -- -D warnings
	tools/cargo.sh clippy --release --all-targets -- -D warnings
	tools/cargo.sh clippy --release --all-targets --features fault-injection -- -D warnings

fuzz: ## Fuzz directives and requests, a minute each (needs nightly and cargo-fuzz)
	@cargo fuzz --version >/dev/null 2>&1 || { echo 'error: cargo-fuzz is missing: cargo install cargo-fuzz --locked' >&2; exit 1; }
	cd policy/fuzz && cargo +nightly fuzz run directives -- -max_total_time=60 -max_len=4096
	cd policy/fuzz && cargo +nightly fuzz run request -- -max_total_time=60 -max_len=4096

bench-policy: ## Measure what a decision costs
	cargo bench -p cors-policy --bench decide

# Properties and long lists would take Miri hours.
miri: ## Run the policy's unit tests in Miri (needs nightly with the component miri)
	@cargo +nightly miri --version >/dev/null 2>&1 || { echo 'error: Miri is missing: rustup +nightly component add miri' >&2; exit 1; }
	MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri test -p cors-policy --lib

clean: ## Remove all that was built
	rm -rf build target

clean-room: ## Run the tests in a fresh Debian root (as root, with debootstrap)
	tools/clean-root.sh make test

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo 'NGINX_BINARY=/usr/sbin/nginx   the target is for this nginx, which is already installed'
	@echo 'NGINX_SOURCE_DIR=<directory>   its sources, where they are not in the package nginx-dev'
	@echo 'NGINX_BUILD_DIR=<directory>    a configured build of them (objs/), where `nginx -V` does not suffice'
