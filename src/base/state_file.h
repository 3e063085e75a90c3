// A state as a safetensors file, beside whatever else the file is for.
//
// Arrays are tensors, everything else is text in the header's table of strings, both under
// "state." and the dotted path of groups and name. Numbers are the shortest text that gives the
// same bits. Neither side holds a copy of an array: the writer writes from where the numbers are,
// the reader reads to where they belong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/safetensors.h"
#include "base/safetensors_reader.h"
#include "base/state.h"

namespace rhohat {

// What both sides share: where in the groups they are.
class StateInGroups : public State {
 protected:
  void Enter(std::string_view group) override;
  void Leave() override;
  // What `name` is called in the file.
  std::string KeyOf(std::string_view name) const;

 private:
  std::string prefix_ = "state.";
  std::vector<size_t> outer_;  // lengths of the prefix outside the open groups
};

// Collects what is visited, then writes it. Two fields of one name throw Error(kInternal). Bytes of
// a text that are not UTF-8 are written as U+FFFD. Not thread-safe.
class StateWriter : public StateInGroups {
 public:
  bool loading() const override { return false; }
  using State::Number;
  void Number(std::string_view name, int64_t& value) override;
  void Number(std::string_view name, uint64_t& value) override;
  void Number(std::string_view name, double& value) override;
  void Flag(std::string_view name, bool& value) override;
  void Text(std::string_view name, std::string& value) override;
  void Array(std::string_view name, std::span<float> values) override;
  void Array(std::string_view name, std::span<double> values) override;

  // Writes the file, whole or not at all: first `tensors`, then the arrays in the order visited.
  // The same state always gives the same bytes. Throws as WriteSafetensors does, and
  // Error(kInternal) where `metadata` or `tensors` have a name of the state's.
  void WriteTo(const std::filesystem::path& path, std::span<const TensorView> tensors = {},
               const SafetensorsMetadata& metadata = {}) const;

 protected:
  void CheckSize(std::string_view /*name*/, int64_t /*size*/) const override {}

 private:
  void AddText(std::string_view name, std::string text);
  template <class T>
  void AddArray(std::string_view name, TensorType type, std::span<const T> values);

  SafetensorsMetadata texts_;
  std::vector<TensorView> arrays_;
};

// Loads from a file that has been verified as a whole. Errors name the file and the field. After
// one, what was being loaded has some values of both, and is only good to be thrown away.
class StateReader : public StateInGroups {
 public:
  // Opens and verifies: see SafetensorsReader. A file without a checksum throws Error(kBadData)
  // too: every file with a state has one.
  explicit StateReader(const std::filesystem::path& path);

  bool loading() const override { return true; }
  using State::Number;
  void Number(std::string_view name, int64_t& value) override;
  void Number(std::string_view name, uint64_t& value) override;
  void Number(std::string_view name, double& value) override;
  void Flag(std::string_view name, bool& value) override;
  void Text(std::string_view name, std::string& value) override;
  void Array(std::string_view name, std::span<float> values) override;
  void Array(std::string_view name, std::span<double> values) override;

  // All that the file has, the state and the rest.
  const SafetensorsReader& file() const { return file_; }
  const SafetensorsMetadata& metadata() const { return file_.metadata(); }

 protected:
  void CheckSize(std::string_view name, int64_t size) const override;
  [[noreturn]] void ThrowBad(std::string_view name, std::string_view fault) const override;

 private:
  const std::string& TextOf(std::string_view name) const;
  const SafetensorsEntry& ArrayOf(std::string_view name, int64_t size) const;
  template <class V>
  void ReadNumber(std::string_view name, std::string_view kind, V& value) const;
  template <class T>
  void ReadArray(std::string_view name, TensorType type, std::span<T> values) const;

  SafetensorsReader file_;
};

}  // namespace rhohat
