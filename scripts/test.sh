#!/usr/bin/env bash
# Everything that must hold before a change goes in: installs what is missing, checks the format,
# builds with warnings as errors, runs every test, and runs those that are fast or labelled
# `sanitized` again under the address and undefined-behaviour sanitizers. Includes that are missing
# are seen by scripts/lint.sh: here all sources begin with precompiled headers.
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
  cmake --preset "$1" -DRHOHAT_PRECOMPILE=ON >/dev/null
  cmake --build --preset "$1"
}
processors=$(nproc)

step "setup"
scripts/setup.sh

step "build: release"
build release
if $fast_only; then
  exec ctest --preset release --label-regex fast --parallel "$processors"
fi

step "format"
scripts/lint.sh --format

step "tests: release"
scripts/fetch_mnist.sh
# One more than there are processors: the tests with Slurm wait, for the most part.
ctest --preset release --parallel $((processors + 1))

step "build: asan-ubsan"
build asan-ubsan
step "tests: asan-ubsan"
ctest --preset asan-ubsan --label-regex 'fast|sanitized' --parallel "$processors"

step "all passed"
