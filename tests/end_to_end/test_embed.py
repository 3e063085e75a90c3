"""Another program can install rhohat, find it with CMake, and use it through its public headers."""

import subprocess

import pytest

from program import BUILD

pytestmark = pytest.mark.slow

CMAKE_LISTS = """\
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES CXX)
find_package(rhohat REQUIRED)
add_executable(consumer consumer.cc)
target_link_libraries(consumer PRIVATE rhohat::rhohat)
"""

CONSUMER = """\
#include <cstdio>
#include <rhohat/analyze.h>
#include <rhohat/train.h>

int main(int, char** arguments) {
  rhohat::TrainOptions options;
  options.data.files = {arguments[1]};
  options.run_directory = arguments[2];
  options.network.hidden = {4};
  options.optimizer.iterations = 3;
  const rhohat::TrainResult result = rhohat::Train(options, {});
  std::printf("%.17g\\n", result.last.cost.total());
}
"""


def run(*command, timeout=300):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=timeout)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_consumer(rhohat, tmp_path, small_data, sanitized):
    prefix, source, build = tmp_path / "prefix", tmp_path / "source", tmp_path / "build"
    run("cmake", "--install", BUILD, "--prefix", prefix)
    source.mkdir()
    (source / "CMakeLists.txt").write_text(CMAKE_LISTS)
    (source / "consumer.cc").write_text(CONSUMER)
    flags = "-fsanitize=address,undefined" if sanitized else ""
    run("cmake", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}",
        "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_CXX_FLAGS={flags}")
    run("cmake", "--build", build)
    cost = run(build / "consumer", small_data, tmp_path / "embedded")
    installed = subprocess.run([prefix / "bin/rhohat", "train", small_data, "--hidden", "4",
                                "--iterations", "3", "--run", tmp_path / "run"], check=True,
                               capture_output=True, text=True)
    assert installed.stderr.startswith("rhohat: ")
    models = [tmp_path / name / "model.safetensors" for name in ("embedded", "run")]
    assert models[0].read_bytes() == models[1].read_bytes()
    assert float(cost) > 0


def test_headers_need_no_other_library(tmp_path):
    """Nothing of HDF5, TBB, BLAS or spdlog shows in the public API."""
    prefix = tmp_path / "prefix"
    run("cmake", "--install", BUILD, "--prefix", prefix)
    headers = sorted((prefix / "include/rhohat").glob("*.h"))
    assert headers
    for header in headers:
        source = tmp_path / "alone.cc"
        source.write_text(f"#include <rhohat/{header.name}>\n")
        listed = run("c++", "-std=c++20", "-M", f"-I{prefix / 'include'}", source)
        for other in ("hdf5", "tbb/", "cblas", "spdlog", "fmt/"):
            assert other not in listed, f"{header.name} includes {other}"
