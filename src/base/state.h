// What an object has to save so that it can go on later as if nothing had happened.
//
// An object lists its fields once, in a function Visit(State&), and the same list serves for saving
// and for loading, so that the two cannot drift apart:
//
//   void Lbfgs<T>::Visit(State& state) {
//     state.Number("pairs", pairs_);
//     state.Array("point_changes", std::span(point_changes_));
//   }
//
// Names need to be unique within their group; groups are nested: StateGroup.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rhohat {

// Saves what is visited, or loads into it. Loading throws Error(kBadData) that names the field
// where there is none of that name, or one of another type or length.
class State {
 public:
  virtual ~State() = default;

  // Whether the fields get values; else they give them.
  virtual bool loading() const = 0;

  // Bit for bit, but for the payload of what is not a number.
  virtual void Number(std::string_view name, int64_t& value) = 0;
  virtual void Number(std::string_view name, uint64_t& value) = 0;
  virtual void Number(std::string_view name, double& value) = 0;
  virtual void Flag(std::string_view name, bool& value) = 0;
  virtual void Text(std::string_view name, std::string& value) = 0;

  // Numbers whose count both sides know. When saving they must stay as they are until everything is
  // saved: they are not copied.
  virtual void Array(std::string_view name, std::span<float> values) = 0;
  virtual void Array(std::string_view name, std::span<double> values) = 0;

  // Numbers whose count is saved too.
  template <class T>
  void Vector(std::string_view name, std::vector<T>& values) {
    int64_t size = std::ssize(values);
    Number(std::string(name) + ".size", size);
    if (loading()) Resize(name, size, values);
    Array(name, std::span<T>(values));
  }

  // A number from `least` to `most`: an index, a count. Throws Error(kBadData) for others.
  void Number(std::string_view name, int64_t& value, int64_t least, int64_t most);

  // An enumeration that begins at 0 and ends with `last`.
  template <class E>
  void Choice(std::string_view name, E& value, E last) {
    auto number = static_cast<int64_t>(value);
    Number(name, number, 0, static_cast<int64_t>(last));
    value = static_cast<E>(number);
  }

 protected:
  friend class StateGroup;
  virtual void Enter(std::string_view group) = 0;
  virtual void Leave() = 0;

  // So that a wrong size cannot ask for more memory than there are bytes to load: throws where the
  // array of that name has another length.
  virtual void CheckSize(std::string_view name, int64_t size) const = 0;

  // Throws Error(kBadData), which also names where the field comes from.
  [[noreturn]] virtual void ThrowBad(std::string_view name, std::string_view fault) const;

 private:
  template <class T>
  void Resize(std::string_view name, int64_t size, std::vector<T>& values) {
    CheckSize(name, size);
    values.resize(static_cast<size_t>(size));
  }
};

// While it lives, what is visited belongs to the group: "lbfgs" makes "pairs" "lbfgs.pairs".
class StateGroup {
 public:
  StateGroup(State& state, std::string_view name) : state_(state) { state_.Enter(name); }
  ~StateGroup() { state_.Leave(); }
  StateGroup(const StateGroup&) = delete;
  StateGroup& operator=(const StateGroup&) = delete;

 private:
  State& state_;
};

}  // namespace rhohat
