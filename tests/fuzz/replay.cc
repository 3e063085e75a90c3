// Stands in for libFuzzer where that is not: the ordinary builds and their sanitizers.
//
//   NAME_fuzz FILE…                        each file as it is, to see a finding again
//   NAME_fuzz --mutations=N LAST FOLDER    each file of FOLDER, and N damaged copies of each
//
// Damage is the same on each run. The input in hand is in the file LAST, which is removed at the
// end: if it is still there, it is the one that ended the program.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/fuzz/fuzz_rows.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<uint8_t>;

constexpr long kMostResidentKib = 512L << 10;

[[noreturn]] void Fail(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(EXIT_FAILURE);
}

Bytes ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) Fail(path.string() + ": cannot be read");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// In the order of their names, so that each run is the same.
std::vector<Bytes> ReadSeeds(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Bytes> seeds;
  seeds.reserve(paths.size());
  for (const fs::path& path : paths) seeds.push_back(ReadFile(path));
  return seeds;
}

class Mutator {
 public:
  explicit Mutator(const std::vector<Bytes>& seeds) : seeds_(seeds) {}

  Bytes Damaged(const Bytes& seed) {
    Bytes bytes = seed;
    for (size_t times = 1 + Below(3); times > 0 && !bytes.empty(); --times) DamageOnce(bytes);
    return bytes;
  }

 private:
  // std's distributions differ between libraries; this does not.
  size_t Below(size_t end) { return static_cast<size_t>(random_() % end); }

  void DamageOnce(Bytes& bytes) {
    constexpr uint8_t kTelling[] = {0x00, 0x01, 0x7f, 0x80, 0xff, '0', '-', '"'};
    const size_t at = Below(bytes.size());
    switch (Below(6)) {
      case 0:
      case 1:
        bytes[at] = static_cast<uint8_t>(bytes[at] ^ 1U << Below(8));
        break;
      case 2: {  // a number of up to 8 bytes that is 0, -1 or far off
        const size_t count = std::min(size_t{1} << Below(4), bytes.size() - at);
        std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(at), count,
                    kTelling[Below(std::size(kTelling))]);
        break;
      }
      case 3:
        bytes.resize(at);
        break;
      case 4: {  // this one's start and another's end
        const Bytes& other = seeds_[Below(seeds_.size())];
        const size_t from = Below(other.size() + 1);
        bytes.resize(at);
        bytes.insert(bytes.end(), other.begin() + static_cast<ptrdiff_t>(from), other.end());
        break;
      }
      default: {  // a part that is missing, or there twice
        const size_t end = at + 1 + Below(std::min<size_t>(bytes.size() - at, 64));
        const Bytes part(bytes.begin() + static_cast<ptrdiff_t>(at),
                         bytes.begin() + static_cast<ptrdiff_t>(end));
        if (Below(2) == 0) {
          bytes.erase(bytes.begin() + static_cast<ptrdiff_t>(at),
                      bytes.begin() + static_cast<ptrdiff_t>(end));
        } else {
          bytes.insert(bytes.begin() + static_cast<ptrdiff_t>(at), part.begin(), part.end());
        }
      }
    }
  }

  const std::vector<Bytes>& seeds_;
  std::mt19937_64 random_;
};

class LastInput {
 public:
  explicit LastInput(std::string path)
      : path_(std::move(path)),
        descriptor_(::open(path_.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644)) {
    if (descriptor_ < 0) Fail(path_ + ": cannot be created");
    std::printf("the input in hand, should one end this: %s\n", path_.c_str());
    std::fflush(stdout);
  }

  void Run(const Bytes& bytes) {
    if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, bytes.data(), bytes.size(), 0) !=
                                                static_cast<ssize_t>(bytes.size())) {
      Fail(path_ + ": cannot be written");
    }
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }

  void Remove() {
    ::close(descriptor_);
    fs::remove(path_);
  }

 private:
  std::string path_;
  int descriptor_;
};

void RunMutations(int64_t mutations, const std::string& last, const fs::path& folder) {
  const std::vector<Bytes> seeds = ReadSeeds(folder);
  if (seeds.empty()) Fail(folder.string() + ": expected seeds, found none");
  LastInput input(last);
  Mutator mutator(seeds);
  for (const Bytes& seed : seeds) input.Run(seed);
  std::printf("%zu seeds, %ld times read in full\n", seeds.size(), rhohat::understood);
  if (rhohat::understood < static_cast<int64_t>(seeds.size() / 3)) {
    Fail("expected a third of the seeds to be read at least: the target or its seeds are wrong");
  }
  for (const Bytes& seed : seeds) {
    for (int64_t i = 0; i < mutations; ++i) input.Run(mutator.Damaged(seed));
  }
  input.Remove();
  std::printf("%zu damaged copies, %ld times read in full with those above\n",
              seeds.size() * static_cast<size_t>(mutations), rhohat::understood);
}

// No input that is this small may make a reader take much.
void CheckMemory() {
  struct rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  if (usage.ru_maxrss <= kMostResidentKib) return;
  Fail("expected at most 512 MiB of memory in use, found " + std::to_string(usage.ru_maxrss >> 10) +
       " MiB");
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::string_view kMutations = "--mutations=";
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 3 && arguments[0].starts_with(kMutations)) {
    RunMutations(std::stoll(arguments[0].substr(kMutations.size())), arguments[1], arguments[2]);
  } else {
    for (const std::string& path : arguments) {
      const Bytes bytes = ReadFile(path);
      LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    }
  }
  CheckMemory();
  return EXIT_SUCCESS;
}
