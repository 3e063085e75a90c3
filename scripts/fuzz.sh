#!/usr/bin/env bash
# Runs the fuzz targets under libFuzzer, two at a time: installs what is missing, builds the preset
# fuzz, makes the seeds. What a run learns is kept in build/fuzz/corpus, and the next begins there.
# Ends with 1, and names the input, where there is a finding. tests/fuzz/README.md tells the rest.
#
#   scripts/fuzz.sh [SECONDS] [TARGET…]      60 seconds, all targets
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { echo "usage: scripts/fuzz.sh [SECONDS] [TARGET…]" >&2; exit 64; }

duration=60
if [[ $# -gt 0 ]]; then
  [[ $1 =~ ^[1-9][0-9]*$ ]] || usage
  duration=$1
  shift
fi
all=()
for source in tests/fuzz/*_fuzz.cc; do
  name=${source##*/}
  all+=("${name%_fuzz.cc}")
done
targets=("$@")
[[ $# -gt 0 ]] || targets=("${all[@]}")
for target in "${targets[@]}"; do
  if [[ ! -f tests/fuzz/${target}_fuzz.cc ]]; then
    echo "fuzz: $target: expected one of ${all[*]}" >&2
    exit 64
  fi
done

scripts/setup.sh
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --parallel 2
folder=build/fuzz
/usr/bin/python3 -B tests/fuzz/make_seeds.py "$folder/seeds"
mkdir -p "$folder/findings" "$folder/logs"

# Never fails: how a target ended is in its log's last line.
fuzz() { # fuzz TARGET
  local target=$1 status=0
  local corpus=$folder/corpus/$target log=$folder/logs/$target.log
  mkdir -p "$corpus"
  UBSAN_OPTIONS=print_stacktrace=1 "$folder/tests/fuzz/${target}_fuzz" \
    -max_total_time="$duration" -rss_limit_mb=512 -timeout=10 -max_len=4096 \
    -print_final_stats=1 -artifact_prefix="$folder/findings/$target-" \
    "$corpus" "$folder/seeds/$target" >"$log" 2>&1 || status=$?
  echo "fuzz: ended with $status" >>"$log"
}

echo "fuzz: ${#targets[@]} targets, $duration s each, two at a time"
for target in "${targets[@]}"; do
  while [[ $(jobs -pr | wc -l) -ge 2 ]]; do wait -n; done
  fuzz "$target" &
done
wait

# The last number that follows PATTERN in a log.
last() { # last PATTERN LOG
  grep -Eo "$1 *[0-9]+" "$2" | tail -n 1 | grep -Eo '[0-9]+$' || echo -
}

# Coverage is of branches that were taken, in the target and the layers below it.
findings=0
printf '\n%-12s %12s %9s %8s\n' target executions coverage corpus
for target in "${targets[@]}"; do
  log=$folder/logs/$target.log
  printf '%-12s %12s %9s %8s\n' "$target" "$(last stat::number_of_executed_units: "$log")" \
    "$(last 'cov:' "$log")" "$(find "$folder/corpus/$target" -type f | wc -l)"
done
for target in "${targets[@]}"; do
  log=$folder/logs/$target.log
  [[ $(tail -n 1 "$log") == "fuzz: ended with 0" ]] && continue
  findings=$((findings + 1))
  input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
  echo
  echo "fuzz: $target: ${input:-no input was kept}; $log tells what happened:"
  grep -E -m 3 'ERROR|runtime error|SUMMARY' "$log" || tail -n 5 "$log"
done
[[ $findings -eq 0 ]] || exit 1
echo "fuzz: no findings"
