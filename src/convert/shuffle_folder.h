// The folder beside an output where a shuffle keeps what is half done.
//
//   journal   what the run works on, and how far it is
//   buckets   the rows
//   lock      held while a process works here
//
// One process at a time. A folder that has a journal outlives the process, so that the next can go
// on; one without has nothing worth keeping.
#pragma once

#include <filesystem>

namespace rhohat {

class ShuffleFolder {
 public:
  // Makes the folder, or enters the one that is there. Throws Error(kCannotCreate) where neither
  // can be, or where another process is in it.
  explicit ShuffleFolder(const std::filesystem::path& output);
  // Removes the folder if it has no journal.
  ~ShuffleFolder();
  ShuffleFolder(const ShuffleFolder&) = delete;
  ShuffleFolder& operator=(const ShuffleFolder&) = delete;

  static std::filesystem::path PathFor(const std::filesystem::path& output);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path journal() const { return path_ / "journal"; }
  std::filesystem::path buckets() const { return path_ / "buckets"; }

  // Deletes what is kept here, the journal first: without it the rest means nothing.
  void Clear() const;

 private:
  std::filesystem::path lock() const { return path_ / "lock"; }
  void Enter();
  bool TryEnter();
  void Leave();

  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace rhohat
