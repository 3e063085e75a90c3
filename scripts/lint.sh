#!/usr/bin/env bash
# The style as programs can check it: clang-format on every source, and clang-tidy with warnings as
# errors on every library and program file.
#
#   scripts/lint.sh            both
#   scripts/lint.sh --format   the format only
set -euo pipefail
cd "$(dirname "$0")/.."

git ls-files -z -- 'include/*.h' 'src/*.h' 'src/*.cc' 'tools/*.h' 'tools/*.cc' 'tests/*.h' \
  'tests/*.cc' | xargs -0 clang-format --dry-run --Werror
if [[ ${1:-} == --format ]]; then
  exit 0
fi

# Without precompiled headers, which would hide includes that are missing.
cmake --preset release -B build/lint -DRHOHAT_PRECOMPILE=OFF >/dev/null
git ls-files -z -- 'src/*.cc' 'tools/*.cc' |
  xargs -0 --max-procs="$(nproc)" --max-args=4 clang-tidy --quiet -p build/lint --extra-arg=-Wno-unknown-warning-option
