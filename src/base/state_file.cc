#include "base/state_file.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <system_error>
#include <utility>

#include "rhohat/error.h"

namespace rhohat {
namespace {

constexpr std::string_view kTrue = "true";
constexpr std::string_view kFalse = "false";

// The shortest text that gives the same bits, "inf", "-inf" and "nan" included.
template <class V>
std::string TextOfNumber(V value) {
  std::array<char, 32> text;
  const auto [end, status] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end};
}

}  // namespace

// ---- Groups ------------------------------------------------------------------------------------

void StateInGroups::Enter(std::string_view group) {
  outer_.push_back(prefix_.size());
  prefix_ += group;
  prefix_ += '.';
}

void StateInGroups::Leave() {
  prefix_.resize(outer_.back());
  outer_.pop_back();
}

std::string StateInGroups::KeyOf(std::string_view name) const {
  return prefix_ + std::string(name);
}

// ---- Writing -----------------------------------------------------------------------------------

void StateWriter::Number(std::string_view name, int64_t& value) {
  AddText(name, TextOfNumber(value));
}

void StateWriter::Number(std::string_view name, uint64_t& value) {
  AddText(name, TextOfNumber(value));
}

void StateWriter::Number(std::string_view name, double& value) {
  AddText(name, TextOfNumber(value));
}

void StateWriter::Flag(std::string_view name, bool& value) {
  AddText(name, std::string(value ? kTrue : kFalse));
}

void StateWriter::Text(std::string_view name, std::string& value) { AddText(name, value); }

void StateWriter::Array(std::string_view name, std::span<float> values) {
  AddArray<float>(name, TensorType::kF32, values);
}

void StateWriter::Array(std::string_view name, std::span<double> values) {
  AddArray<double>(name, TensorType::kF64, values);
}

void StateWriter::AddText(std::string_view name, std::string text) {
  const auto [entry, is_new] = texts_.emplace(KeyOf(name), std::move(text));
  if (is_new) return;
  throw Error(ErrorKind::kInternal, fmt::format("{}: two fields have this name", entry->first));
}

template <class T>
void StateWriter::AddArray(std::string_view name, TensorType type, std::span<const T> values) {
  arrays_.push_back({.name = KeyOf(name),
                     .type = type,
                     .shape = {std::ssize(values)},
                     .bytes = std::as_bytes(values)});
}

void StateWriter::WriteTo(const std::filesystem::path& path, std::span<const TensorView> tensors,
                          const SafetensorsMetadata& metadata) const {
  SafetensorsMetadata all_metadata = metadata;
  for (const auto& [key, text] : texts_) {
    if (all_metadata.emplace(key, text).second) continue;
    throw Error(ErrorKind::kInternal,
                fmt::format("{}: its metadata has {} beside the state's", path.string(), key));
  }
  std::vector<TensorView> all_tensors(tensors.begin(), tensors.end());
  all_tensors.insert(all_tensors.end(), arrays_.begin(), arrays_.end());
  WriteSafetensors(path, all_metadata, all_tensors);
}

// ---- Reading -----------------------------------------------------------------------------------

StateReader::StateReader(const std::filesystem::path& path) : file_(path) {
  if (file_.has_checksum()) return;
  throw Error(ErrorKind::kBadData,
              fmt::format("{}: expected a file with a checksum, found none", path.string()));
}

void StateReader::ThrowBad(std::string_view name, std::string_view fault) const {
  throw Error(ErrorKind::kBadData, fmt::format("{}: {}: {}", file_.path(), KeyOf(name), fault));
}

const std::string& StateReader::TextOf(std::string_view name) const {
  const auto found = metadata().find(KeyOf(name));
  if (found == metadata().end()) ThrowBad(name, "missing");
  return found->second;
}

template <class V>
void StateReader::ReadNumber(std::string_view name, std::string_view kind, V& value) const {
  const std::string& text = TextOf(name);
  const char* const end = text.data() + text.size();
  V parsed{};
  const auto [stop, status] = std::from_chars(text.data(), end, parsed);
  if (status != std::errc() || stop != end) {
    ThrowBad(name, fmt::format("expected {}, found {}", kind, QuotedText(text)));
  }
  value = parsed;
}

void StateReader::Number(std::string_view name, int64_t& value) {
  ReadNumber(name, "a whole number of 64 bits", value);
}

void StateReader::Number(std::string_view name, uint64_t& value) {
  ReadNumber(name, "a whole number of 64 bits without a sign", value);
}

void StateReader::Number(std::string_view name, double& value) {
  ReadNumber(name, "a number", value);
}

void StateReader::Flag(std::string_view name, bool& value) {
  const std::string& text = TextOf(name);
  if (text != kTrue && text != kFalse) {
    ThrowBad(name, fmt::format("expected true or false, found {}", QuotedText(text)));
  }
  value = text == kTrue;
}

void StateReader::Text(std::string_view name, std::string& value) { value = TextOf(name); }

void StateReader::Array(std::string_view name, std::span<float> values) {
  ReadArray(name, TensorType::kF32, values);
}

void StateReader::Array(std::string_view name, std::span<double> values) {
  ReadArray(name, TensorType::kF64, values);
}

const SafetensorsEntry& StateReader::ArrayOf(std::string_view name, int64_t size) const {
  const SafetensorsEntry* const entry = file_.Find(KeyOf(name));
  if (entry == nullptr) ThrowBad(name, "missing");
  if (entry->shape.size() != 1) {
    ThrowBad(name, fmt::format("expected 1 axis, found {}", entry->shape.size()));
  }
  if (entry->shape[0] != size) {
    ThrowBad(name, fmt::format("expected {} numbers, found {}", size, entry->shape[0]));
  }
  return *entry;
}

void StateReader::CheckSize(std::string_view name, int64_t size) const { ArrayOf(name, size); }

template <class T>
void StateReader::ReadArray(std::string_view name, TensorType type, std::span<T> values) const {
  const SafetensorsEntry& entry = ArrayOf(name, std::ssize(values));
  if (entry.type != TensorTypeName(type)) {
    ThrowBad(name, fmt::format("expected {}, found {}", TensorTypeName(type), entry.type));
  }
  file_.Read(entry, std::as_writable_bytes(values));
}

}  // namespace rhohat
