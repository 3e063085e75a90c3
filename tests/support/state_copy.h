// A state in memory: what one object saved, for another to load.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/state.h"
#include "rhohat/error.h"

namespace rhohat {

class StateCopy : public State {
 public:
  // From now on, what is visited is loaded from what was saved.
  void Load() { loading_ = true; }
  bool loading() const override { return loading_; }

  void Number(std::string_view name, int64_t& value) override { Put(name, &value, 1); }
  void Number(std::string_view name, uint64_t& value) override { Put(name, &value, 1); }
  void Number(std::string_view name, double& value) override { Put(name, &value, 1); }
  void Flag(std::string_view name, bool& value) override { Put(name, &value, 1); }
  void Text(std::string_view name, std::string& value) override {
    std::vector<char> letters(value.begin(), value.end());
    if (!loading_) {
      Put(name, letters.data(), letters.size());
    } else {
      const std::vector<char>& saved = Saved(name);
      value.assign(saved.begin(), saved.end());
    }
  }
  void Array(std::string_view name, std::span<float> values) override {
    Put(name, values.data(), values.size());
  }
  void Array(std::string_view name, std::span<double> values) override {
    Put(name, values.data(), values.size());
  }

  // All that was saved, by name.
  const std::map<std::string, std::vector<char>>& fields() const { return fields_; }

 protected:
  void Enter(std::string_view group) override { groups_.push_back(std::string(group)); }
  void Leave() override { groups_.pop_back(); }
  void CheckSize(std::string_view /*name*/, int64_t /*size*/) const override {}

 private:
  std::string Key(std::string_view name) const {
    std::string key;
    for (const std::string& group : groups_) key += group + ".";
    return key + std::string(name);
  }
  std::vector<char>& Saved(std::string_view name) {
    const auto found = fields_.find(Key(name));
    if (found == fields_.end()) throw Error(ErrorKind::kBadData, Key(name) + ": missing");
    return found->second;
  }
  template <class V>
  void Put(std::string_view name, V* values, size_t count) {
    char* const bytes = reinterpret_cast<char*>(values);
    if (!loading_) {
      const bool is_new =
          fields_.emplace(Key(name), std::vector(bytes, bytes + count * sizeof(V))).second;
      if (!is_new) throw Error(ErrorKind::kInternal, Key(name) + ": visited twice");
      return;
    }
    const std::vector<char>& saved = Saved(name);
    if (saved.size() != count * sizeof(V)) throw Error(ErrorKind::kBadData, Key(name) + ": length");
    std::copy(saved.begin(), saved.end(), bytes);
  }

  bool loading_ = false;
  std::vector<std::string> groups_;
  std::map<std::string, std::vector<char>> fields_;
};

}  // namespace rhohat
