#!/usr/bin/env bash
# From nothing to a picture: installs what is missing, builds, converts the bundled 10 000
# handwritten digits to HDF5, trains a sparse autoencoder on them out of core, evaluates it, and
# draws what its hidden units look for. Safe to repeat: results go to quickstart/, made anew.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh
cmake --preset release >/dev/null
cmake --build --preset release --target rhohat_program
rhohat=$PWD/build/release/bin/rhohat

rm -rf quickstart
mkdir quickstart
echo "== converting the digits to HDF5"
"$rhohat" convert tests/support/mnist/t10k-images-idx3-ubyte.gz quickstart/digits.h5 --scale 1/255
echo "== training 784-196-784 within 192 MiB"
"$rhohat" train quickstart/digits.h5 --hidden 196 --rho 0.1 --lambda 3e-3 --beta 3 \
  --iterations 200 --memory 192M --run quickstart/run
echo "== evaluating"
"$rhohat" evaluate quickstart/run/model.safetensors quickstart/digits.h5
echo "== drawing"
"$rhohat" features quickstart/run/model.safetensors --shape 28x28 --out quickstart/features.png

cat <<END

Done. You have
  quickstart/digits.h5              the data: 10000 rows of 784 float32
  quickstart/run/model.safetensors  the model; read it with Python's safetensors
  quickstart/run/metrics.jsonl      one line an iteration
  quickstart/features.png           what each hidden unit looks for
  build/release/bin/rhohat          the program: try 'rhohat --help'
END
