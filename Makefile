# Builds nginx and the CORS module. `make help` tells what else there is.
#
# What reads the output of other programs, or decides, is a command of `cargo xtask`; before cargo can compile anything,
# tools/require.sh installs what this machine lacks.

# rustup puts cargo here, and not every shell has it on its PATH.
export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin

# nginx takes a variable of this name for the list of the sockets that it inherits.
unexport NGINX

.PHONY: all run check test test-debug valgrind asan lint fuzz bench bench-built bench-instructions bench-gate bench-accept \
	bench-compare bench-policy bench-lists bench-live-lists compare-linters conformance miri loom deb test-deb test-engines \
	dist dist-vendored packaging test-rpm test-pkg-oss sbom matrix test-addon \
	test-image test-reproducible clean clean-room help
.NOTPARALLEL:

all: ## Build nginx, ngx_http_cors_module.so and nginx-cors in build/ (the default)
	@tools/require.sh build
	cargo xtask build

run: all ## Build, then serve the demo until Ctrl-C
	@cargo xtask demo

# Nothing here waits for nginx. The module can only be looked at with nginx's configured headers, so
# it is left out until a build has made them.
check: ## The fast loop: format, clippy, unit tests
	cargo fmt --all --check
	cargo clippy -p cors-policy -p cors-zone -p cors-lists -p nginx-cors -p cors-tests -p xtask --all-targets --features cors-tests/engines,cors-tests/conformance -- -D warnings
	cargo test -p cors-policy -p cors-zone -p cors-lists -p nginx-cors -p xtask
	if [ -e build/nginx ]; then cargo xtask clippy; fi

test: ## Run every test, against a real nginx and in a real browser
	@tools/require.sh build test
	cargo xtask build test
	cargo xtask check-module build/ngx_http_cors_module.so
	cargo test -p cors-policy -p cors-zone -p cors-lists -p nginx-cors -p xtask
	cargo xtask unit-tests
	cargo test -p cors-tests --no-fail-fast

test-engines: ## Run nginx-cors sync with etcd, Redis and PostgreSQL
	@tools/require.sh build engines
	cargo xtask build test
	cargo test -p cors-tests --features engines --test engines -- --nocapture

test-debug: ## Run the tests in nginx with a debug build of the module, which checks more
	@tools/require.sh build
	cargo xtask test-in debug

valgrind: ## Run the tests in nginx under valgrind (takes a while)
	@tools/require.sh build valgrind
	cargo xtask test-in valgrind

asan: ## Run the tests in nginx with AddressSanitizer in it and in the module
	@tools/require.sh build asan
	cargo xtask test-in asan

lint: ## Check format and imports, run clippy and shellcheck on everything; every warning is an error
	@tools/require.sh build lint
	cargo fmt --all --check
	cargo xtask layers
	cargo clippy -p cors-policy -p cors-zone -p cors-lists -p nginx-cors -p cors-tests -p xtask --all-targets --features cors-tests/engines,cors-tests/conformance -- -D warnings
	cargo xtask clippy
	cargo xtask clippy --fault-injection
	cargo fmt --manifest-path bench/Cargo.toml --all --check
	cargo clippy --manifest-path bench/Cargo.toml --target-dir target/bench --workspace --all-targets -- -D warnings
	shellcheck tools/*.sh deploy/docker/*.sh .ci/run debian/tests/[!c]* packaging/docker-nginx/modules/cors/prebuild packaging/alpine/APKBUILD

compare-linters: ## Show which CORS faults nginx-cors lint finds in tests/corpus, beside two other linters
	cargo build -p nginx-cors --profile tool
	cargo run --quiet -p nginx-cors --profile tool --example compare

# The modules of Debian's packages fit its own nginx alone, so all run in that.
conformance: export CORS_TEST_NGINX = $(CURDIR)/build/debian/nginx
conformance: export CORS_TEST_MODULE = $(CURDIR)/build/debian/ngx_http_cors_module.so
conformance: export CORS_TEST_TOOL = $(CURDIR)/build/debian/nginx-cors
conformance: ## Try the cases of docs/conformance.md on this module, and on other ways to do CORS
	@tools/require.sh build conformance
	NGINX_BINARY=/usr/sbin/nginx BUILD_DIR=build/debian cargo xtask build
	cargo test -p cors-tests --features conformance --test conformance -- --nocapture

# The sanitizers that the fuzzer needs are no stable part of Rust; this opens them in whichever toolchain is there.
fuzz: export RUSTC_BOOTSTRAP = 1
fuzz: ## Fuzz directives, requests, files of origins and the memory of lists, a minute each
	@tools/require.sh build
	@cargo fuzz --version >/dev/null 2>&1 || cargo install cargo-fuzz --locked
	cd policy/fuzz && cargo fuzz run directives -- -max_total_time=60 -max_len=4096
	cd policy/fuzz && cargo fuzz run request -- -max_total_time=60 -max_len=4096
	cd lists/fuzz && cargo fuzz run file -- -max_total_time=60 -max_len=4096
	cd lists/fuzz && cargo fuzz run memory -- -max_total_time=60 -max_len=4096

bench-built:
	@tools/require.sh build bench
	cargo xtask build

BENCH = cargo run --manifest-path bench/Cargo.toml --target-dir target/bench --locked --quiet --

bench: bench-built ## Measure what CORS costs, here and elsewhere; writes bench/README.md
	@tools/require.sh peers
	NGINX_BINARY=/usr/sbin/nginx BUILD_DIR=build/debian cargo xtask build
	cargo build --manifest-path bench/Cargo.toml --target-dir target/bench --locked --quiet --release -p tower-http-peer
	$(BENCH) all $(WITH)

# Counted, not timed. WITH='--only proxied --keep <directory>' leaves callgrind's files of one scenario.
bench-instructions: bench-built ## Count the instructions that CORS adds to a request
	@$(BENCH) instructions $(WITH)

bench-gate: bench-built ## Fail if they are above the limits in bench/limits.json
	@$(BENCH) gate $(WITH)

bench-accept: bench-built ## Record them in bench/instructions.json
	@$(BENCH) accept $(WITH)

bench-compare: bench-built ## Time this module, another build of it (OTHER=<.so>) and the map + if idiom by turns
	@tools/require.sh load
	@$(BENCH) compare --other '$(OTHER)' $(WITH)

bench-policy: ## Measure what a decision costs
	cargo bench -p cors-policy --bench decide

bench-lists: ## Measure what it costs to read a list, and to look an origin up (instructions by callgrind)
	cargo bench -p cors-lists --bench lists
	cargo bench -p cors-lists --bench instructions

bench-live-lists: bench-built ## Change a list of a million origins while nginx runs, beside reloads and Lua; writes bench/LISTS.md
	@tools/require.sh load peers
	@$(BENCH) live-lists $(WITH)

# Properties and long lists would take Miri hours.
miri: ## Run the policy's unit tests in Miri (needs nightly with the component miri)
	@cargo +nightly miri --version >/dev/null 2>&1 || { echo 'error: Miri is missing: rustup +nightly component add miri' >&2; exit 1; }
	MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri test -p cors-policy --lib

# loom takes the place of the atomics, so nothing of other builds is of use.
loom: export RUSTFLAGS = --cfg loom
loom: ## Check the shared memory in every order in which processes can go (takes seconds, once it is built)
	cargo test -p cors-zone -p cors-lists --release --test loom --target-dir target/loom

deb: ## Make the packages for the Debian release that this runs on: the module, for its nginx, and the tool
	@tools/require.sh build deb
	cargo xtask deb

# autopkgtest runs debian/tests right here (null), where nothing is put back to what it was. That the package is built
# already it tells by debian/files.
test-deb: ## Check build/*.deb, install, ask, upgrade and remove it (as root, on a machine to throw away)
	@tools/require.sh test-deb
	lintian --version
	lintian --info --fail-on error,warning build/*.deb
	touch debian/files
	autopkgtest --ignore-restrictions=breaks-testbed,isolation-container build/*.deb . -- null

test-addon: ## Build the module within nginx's own build, and run it
	@tools/require.sh build addon
	tools/test-addon.sh

test-image: ## Build the image of deploy/docker/Dockerfile, and run it (as root, with debootstrap and buildah)
	@tools/require.sh build image
	tools/test-image.sh

test-reproducible: ## Build the module twice, in different directories, and compare
	@tools/require.sh build
	tools/test-reproducible.sh

matrix: ## Build, test, package and install with each nginx of nginx-versions.toml, in fresh roots (as root, with debootstrap)
	@tools/require.sh build matrix
	cargo xtask matrix

dist: ## Make a tarball of the sources of the last commit
	@tools/require.sh build
	cargo xtask dist

dist-vendored: ## Make one that brings the crates along, to be built where no registry is reached
	@tools/require.sh build
	cargo xtask dist --vendored

packaging: dist-vendored ## Fill in the recipes of packaging/ for pkg-oss, docker-nginx, RPM and Alpine
	cargo xtask packaging

test-rpm: packaging ## Build the RPM package, and see an upgrade of nginx alone refused
	@tools/require.sh build rpm
	tools/test-rpm.sh

test-pkg-oss: packaging ## Have pkg-oss and docker-nginx package the module (as root; tools/test-pkg-oss.sh says what to name)
	@tools/require.sh build matrix
	tools/test-pkg-oss.sh

sbom: ## Make a bill of the crates that are linked into the module
	@tools/require.sh build
	cargo xtask sbom

clean: ## Remove all that was built
	rm -rf build target

clean-room: ## Run the tests in a fresh Debian root (as root, with debootstrap)
	tools/clean-root.sh make test

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-20s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo 'NGINX_BINARY=/usr/sbin/nginx   the target is for this nginx, which is already installed'
	@echo 'NGINX_SOURCE_DIR=<directory>   its sources, where they are not in the package nginx-dev; without NGINX_BINARY, nginx is'
	@echo '                               built from them'
	@echo 'NGINX_BUILD_DIR=<directory>    a configured build of them (objs/), where `nginx -V` does not suffice'
