#!/usr/bin/env bash
# The two exercises of Stanford's UFLDL tutorial on sparse autoencoders, on photographs that anybody
# can fetch, with the tutorial's own parameters:
#
#   scripts/ufldl_exercises.sh [DIR]      results go to DIR, build/ufldl if not given
#
#   grey     "Sparse Autoencoder": 8×8 grey patches, 64-25-64 sigmoid units; 10 000 patches,
#            as there, and ten times as many. The features are edges in all directions.
#   colour   "Learning color features with Sparse Autoencoders": 100 000 patches of 8×8 in colour,
#            whitened, 192-400-192 with a linear decoder. The features are edges, grey and coloured,
#            and blobs of colour.
#
# The tutorial has other pictures: ten whitened ones of nature, and STL-10. Here they are those of
# scripts/fetch_photographs.sh, fetched where they are missing, and the grey ones are not whitened.
#
# Takes about a quarter of an hour on two quiet cores, and 200 MB of disk.
#
# Safe to repeat: an exercise whose picture is there is left alone; one that was interrupted begins
# anew. RHOHAT names the program where it is not build/release/bin/rhohat, PHOTOGRAPHS a folder of
# other pictures.
set -euo pipefail

if [[ $# -gt 1 || ${1:-} == -* ]]; then
  echo "usage: scripts/ufldl_exercises.sh [DIR]" >&2
  exit 64
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
results=${1:-$root/build/ufldl}
rhohat=${RHOHAT:-$root/build/release/bin/rhohat}
photographs=${PHOTOGRAPHS:-$root/build/photographs}

fail() {
  echo "ufldl_exercises: $*" >&2
  exit 1
}

# run_exercise NAME COUNT COLOUR SHAPE TRAINING...: cuts COUNT patches, trains with the flags
# TRAINING, and draws $results/NAME.png.
run_exercise() {
  local name=$1 count=$2 colour=$3 shape=$4
  local patches=$results/$name.h5 run=$results/$name
  shift 4
  if [[ -f $results/$name.png ]]; then
    echo "== $name: nothing to do, $results/$name.png is there"
    return
  fi
  echo "== $name: $count patches"
  # From 0 to 1, because the whitening's epsilon is in the square of these units.
  "$rhohat" convert "$photographs" "$patches" --patch 8x8 --count "$count" --color "$colour" \
    --scale 1/255 --force
  rm -rf "$run"
  "$rhohat" train "$patches" --optimizer lbfgs "$@" --iterations 400 --run "$run"
  "$rhohat" evaluate "$run/model.safetensors" "$patches"
  "$rhohat" features "$run/model.safetensors" --shape "$shape" --out "$results/$name.png"
}

[[ -x $rhohat ]] || fail "$rhohat: no such program; build it, as in scripts/quickstart.sh"
if [[ -z ${PHOTOGRAPHS:-} ]]; then
  "$root/scripts/fetch_photographs.sh" "$photographs"
fi
mkdir -p "$results" || fail "$results: cannot create this folder"

# Each patch less its mean, cut at three standard deviations, mapped to [0.1, 0.9]: what a sigmoid
# decoder can reach. Without it all units learn brightness.
grey=(--prepare global --hidden 25 --lambda 1e-4 --rho 0.01 --beta 3)
colour=(--prepare zca:0.1 --hidden 400 --decoder linear --lambda 3e-3 --rho 0.035 --beta 5)
run_exercise grey-10000 10000 grey 8x8 "${grey[@]}"
run_exercise grey-100000 100000 grey 8x8 "${grey[@]}"
run_exercise colour-100000 100000 rgb 8x8x3 "${colour[@]}"

echo "ufldl_exercises: look at $results/grey-10000.png, grey-100000.png and colour-100000.png"
