#!/usr/bin/env bash
# Installs what rhohat needs from Debian's packages, and nothing else. Safe to repeat: packages that
# are there already are left alone. Run it as root, or as a user with sudo.
set -euo pipefail

build_packages=(
  build-essential cmake ninja-build pkg-config
  libopenblas-dev libhdf5-dev libtbb-dev libspdlog-dev libfmt-dev libcli11-dev nlohmann-json3-dev
  libtomlplusplus-dev
  zlib1g-dev libpng-dev libjpeg62-turbo-dev libzip-dev libmatio-dev libxxhash-dev
  libdeflate-dev libzstd-dev liblz4-dev libblosc-dev liblzf-dev
)
test_packages=(
  libgtest-dev libgmock-dev libbenchmark-dev clang clang-format clang-tidy libclang-rt-14-dev
  python3 python3-numpy python3-h5py python3-pytest python3-venv
  python3-pil python3-scipy python3-netcdf4 locales
)
# For the tests of scripts/slurm, which are skipped where these cannot be had.
optional_packages=(slurm-wlm munge)

missing=()
find_missing() { # find_missing PACKAGE...
  missing=()
  local package status
  for package in "$@"; do
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [[ $status == installed ]] || missing+=("$package")
  done
}
find_missing "${build_packages[@]}" "${test_packages[@]}"
needed=("${missing[@]}")
find_missing "${optional_packages[@]}"
optional=("${missing[@]}")
if [[ ${#needed[@]} -eq 0 && ${#optional[@]} -eq 0 ]]; then
  echo "setup: nothing to install"
  exit 0
fi

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if command -v sudo >/dev/null; then
    as_root=(sudo)
  elif [[ ${#needed[@]} -gt 0 ]]; then
    echo "setup: must install ${needed[*]}: run this as root, or install sudo" >&2
    exit 1
  fi
fi
install_packages() { # install_packages PACKAGE...
  echo "setup: installing $*"
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$@"
}
export DEBIAN_FRONTEND=noninteractive
if [[ ${#needed[@]} -gt 0 ]]; then
  "${as_root[@]}" apt-get update -qq
  install_packages "${needed[@]}"
fi
if [[ ${#optional[@]} -gt 0 ]]; then
  # The lists of packages may be as old as the last installation.
  if ! { "${as_root[@]}" apt-get update -qq && install_packages "${optional[@]}"; }; then
    echo "setup: without ${optional[*]}: the tests with Slurm will be skipped" >&2
  fi
fi
