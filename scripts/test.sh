#!/usr/bin/env bash
# Everything that must hold before a change goes in: installs what is missing, checks the format,
# builds with warnings as errors, runs every test, and runs the fast ones again under the address
# and undefined-behaviour sanitizers.
#
#   scripts/test.sh          everything
#   scripts/test.sh --fast   the fast tests of the optimised build only
set -euo pipefail
cd "$(dirname "$0")/.."

fast_only=false
case "${1:-}" in
  "") ;;
  --fast) fast_only=true ;;
  *) echo "usage: scripts/test.sh [--fast]" >&2; exit 64 ;;
esac

step() { printf '\n== %s (%s)\n' "$1" "$(date +%T)"; }

build() { # build PRESET
  cmake --preset "$1" >/dev/null
  cmake --build --preset "$1"
}

step "setup"
scripts/setup.sh

step "build: release"
build release
if $fast_only; then
  exec ctest --preset release --label-regex fast --parallel 2
fi

step "format"
scripts/lint.sh --format

step "tests: release"
scripts/fetch_mnist.sh
ctest --preset release --parallel 2

step "build: asan-ubsan"
build asan-ubsan
step "fast tests: asan-ubsan"
ctest --preset asan-ubsan --label-regex fast --parallel 2

step "all passed"
