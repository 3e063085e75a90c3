#!/usr/bin/env bash
# The pictures and numbers of docs/choosing.md: every kind of autoencoder on the same rows, with the
# same number of units, so that what differs is the objective.
#
#   scripts/choosing_pictures.sh [DIR [NAME...]]
#
# Results go to DIR, build/choosing if not given: for each NAME a run folder, what `evaluate` prints
# in NAME.txt, and the features in NAME.png. All names if none is given; they are those of the calls
# at the end of this file.
#
#   digits    the 10 000 digits in tests/support/mnist, 28×28, from 0 to 1
#   patches   10 000 grey patches of 8×8, from 0 to 1, out of scripts/fetch_photographs.sh's pictures
#
# Takes some minutes on two idle cores, and 50 MB of disk beside the photographs.
#
# Safe to repeat: what has its NAME.txt is left alone, and what was interrupted begins anew. RHOHAT
# names the program where it is not build/release/bin/rhohat, PHOTOGRAPHS a folder of other pictures.
set -euo pipefail

if [[ ${1:-} == -* ]]; then
  echo "usage: scripts/choosing_pictures.sh [DIR [NAME...]]" >&2
  exit 64
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
results=${1:-$root/build/choosing}
wanted=("${@:2}")
rhohat=${RHOHAT:-$root/build/release/bin/rhohat}
photographs=${PHOTOGRAPHS:-$root/build/photographs}

fail() {
  echo "choosing_pictures: $*" >&2
  exit 1
}

is_wanted() {
  local name
  [[ ${#wanted[@]} -gt 0 ]] || return 0
  for name in "${wanted[@]}"; do
    [[ $name != "$1" ]] || return 0
  done
  return 1
}

make_digits() {
  "$rhohat" convert "$root/tests/support/mnist/t10k-images-idx3-ubyte.gz" "$results/digits.h5" \
    --scale 1/255
}

make_patches() {
  if [[ -z ${PHOTOGRAPHS:-} ]]; then
    "$root/scripts/fetch_photographs.sh" "$photographs"
  fi
  "$rhohat" convert "$photographs" "$results/patches.h5" --patch 8x8 --count 10000 --color grey \
    --scale 1/255
}

# run NAME DATA PICTURE... -- TRAINING...: trains on DATA with the flags TRAINING, evaluates, and
# draws with the flags PICTURE.
run() {
  local name=$1 data=$2 picture=()
  is_wanted "$name" || return 0
  shift 2
  while [[ $1 != -- ]]; do
    picture+=("$1")
    shift
  done
  shift
  if [[ -f $results/$name.txt ]]; then
    echo "== $name: nothing to do, $results/$name.txt is there"
    return
  fi
  [[ -f $results/$data.h5 ]] || "make_$data"
  echo "== $name: rhohat train $data.h5 $*"
  rm -rf "${results:?}/$name"
  "$rhohat" train "$results/$data.h5" --optimizer lbfgs "$@" --run "$results/$name"
  "$rhohat" features "$results/$name/model.safetensors" "${picture[@]}" --out "$results/$name.png"
  "$rhohat" evaluate "$results/$name/model.safetensors" "$results/$data.h5" >"$results/$name.part"
  mv "$results/$name.part" "$results/$name.txt"
  cat "$results/$name.txt"
}

# One pixel for each input, so that 64 tiles are 233 pixels wide and the file is small.
digits() {
  local name=$1
  shift
  run "$name" digits --shape 28x28 --scale 1 -- --hidden 64 --iterations 150 "$@"
}

# Of the innermost layer; the digits have a norm of 9.3 in the mean.
deep_digits() {
  local name=$1
  shift
  run "$name" digits --shape 28x28 --scale 1 --norm 9.3 -- "$@"
}

# patches NAME ITERATIONS TRAINING...
patches() {
  local name=$1 iterations=$2
  shift 2
  run "$name" patches --shape 8x8 --scale 4 -- --hidden 64 --iterations "$iterations" "$@"
}

[[ -x $rhohat ]] || fail "$rhohat: no such program; build it, as in scripts/quickstart.sh"
mkdir -p "$results" || fail "$results: cannot create this folder"

# Nothing but the reconstruction, to compare with.
unpenalised=(--tied --beta 0)
plain=("${unpenalised[@]}" --lambda 0 --loss cross-entropy)
digits plain "${plain[@]}"
digits plain-squared "${unpenalised[@]}" --lambda 0
digits mask "${plain[@]}" --noise mask:0.5
digits gaussian "${plain[@]}" --noise gaussian:0.5
digits gaussian-decay "${unpenalised[@]}" --lambda 3e-3 --loss cross-entropy --noise gaussian:0.5
digits salt-pepper "${plain[@]}" --noise salt-pepper:0.2
digits contractive "${plain[@]}" --kappa 1
digits contractive-weak "${plain[@]}" --kappa 0.1

sparse=(--rho 0.1 --beta 3 --lambda 3e-3)
digits kl "${sparse[@]}"
digits kl-light --rho 0.1 --beta 3 --lambda 3e-4
digits kl-tied "${sparse[@]}" --tied
digits kl-tanh "${sparse[@]}" --activation tanh

linear=(--decoder linear --beta 0)
digits pca --activation linear "${linear[@]}" --tied --lambda 0
digits l1-relu --activation relu "${linear[@]}" --tied --lambda 0 --gamma 0.1
digits l1-relu-untied --activation relu "${linear[@]}" --lambda 0 --gamma 0.1
digits l1-linear --activation linear "${linear[@]}" --tied --lambda 0 --gamma 0.2

deep=(--hidden 64,32,16 --tied --loss cross-entropy --beta 0 --lambda 0)
deep_digits deep "${deep[@]}" --iterations 330
deep_digits deep-greedy "${deep[@]}" --greedy --iterations 60 --fine-tune 150

# The second layer's rows are codes, whose variance is small: weights of the penalties that are right
# for the first are too heavy for it.
stacked=(--hidden 64,36 --greedy --iterations 150 --fine-tune 0 --rho 0.1)
deep_digits stacked "${stacked[@]}" --beta 3,0.3 --lambda 1e-3
deep_digits stacked-heavy "${stacked[@]}" --beta 3 --lambda 3e-3

# Two objectives: one for values from 0 to 1, one for entries whose variance is near 1.
edges=(--rho 0.05 --beta 3 --lambda 1e-4)
patches patches-none 1000 "${edges[@]}"
patches patches-global 1000 "${edges[@]}" --prepare global
small_epsilon=(--prepare zca:0.01 --decoder linear --rho 0.05 --beta 3 --lambda 3e-3)
patches patches-small-epsilon 200 "${small_epsilon[@]}"
large_epsilon=(--prepare zca:0.1 --decoder linear --rho 0.035 --beta 5 --lambda 3e-3)
patches patches-large-epsilon 200 "${large_epsilon[@]}"
edges=(--activation relu "${linear[@]}" --gamma 0.2)
patches patches-standardize 1000 "${edges[@]}" --prepare standardize --tied --lambda 0
patches patches-zca 1000 "${edges[@]}" --prepare zca:0.03 --tied --lambda 0
patches patches-standardize-early 200 "${edges[@]}" --prepare standardize --tied --lambda 0
patches patches-zca-early 200 "${edges[@]}" --prepare zca:0.03 --tied --lambda 0
patches patches-pca 1000 "${edges[@]}" --prepare pca:0.03 --tied --lambda 0
# What holds the weights: nothing, or their decay.
patches patches-l1-free 1000 "${edges[@]}" --prepare zca:0.03 --lambda 0
patches patches-l1-decay 1000 "${edges[@]}" --prepare zca:0.03 --lambda 3e-3

echo "choosing_pictures: done; look at $results"
