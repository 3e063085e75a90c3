#!/usr/bin/env bash
# The Python packages that scripts/compare/compare.py needs, pinned, in a folder of their own:
#
#   scripts/compare/setup.sh [DIR]      build/compare-venv under the project's root by default
#
# About 6 GB on disk, because PyPI's PyTorch for x86-64 Linux brings CUDA along, used or not. Where
# pip can reach it, PyTorch's own index has builds for the processor alone, which are far smaller:
#
#   export PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu TORCH=2.15.0+cpu
#
# Safe to repeat. PYTHON names the interpreter, 3.11 or later; python3 by default.
set -euo pipefail

if [[ $# -gt 1 || ${1:-} == -* ]]; then
  echo "usage: scripts/compare/setup.sh [DIR]" >&2
  exit 64
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
venv=${1:-$root/build/compare-venv}
packages=("torch==${TORCH:-2.15.0}" scipy==1.17.1 h5py==3.16.0 numpy==2.4.6)

if [[ ! -x $venv/bin/python ]]; then
  "${PYTHON:-python3}" -m venv "$venv" || {
    echo "compare/setup: cannot make $venv; on Debian the package python3-venv is needed" >&2
    exit 1
  }
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
"$venv/bin/python" -c 'import torch, scipy
print(f"compare/setup: PyTorch {torch.__version__}, SciPy {scipy.__version__}")'
echo "compare/setup: now run $venv/bin/python scripts/compare/compare.py --help"
