// Result<T>: a T, or the Status that says why there is none. The shape of std::expected (C++23) and of
// Apache Arrow's Result.
//
// Thread safety: as T.
#pragma once

#include <cassert>
#include <new>
#include <type_traits>
#include <utility>

#include "seerdb/status.h"

namespace seerdb {

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  // From an error. Requires: !status.ok(); an OK status becomes an kInvalidArgument error.
  Result(Status status) : status_(std::move(status)), has_value_(false) {  // NOLINT: implicit by design
    if (status_.ok()) status_ = Status::InvalidArgument("Result made from an OK status without a value");
  }
  // From a value.
  template <typename U = T, typename = std::enable_if_t<std::is_constructible_v<T, U&&> &&
                                                        !std::is_same_v<std::decay_t<U>, Result> &&
                                                        !std::is_same_v<std::decay_t<U>, Status>>>
  Result(U&& value) : has_value_(true) {  // NOLINT: implicit by design
    new (&value_) T(std::forward<U>(value));
  }
  Result(Result&& other) noexcept(std::is_nothrow_move_constructible_v<T>)
      : status_(std::move(other.status_)), has_value_(other.has_value_) {
    if (has_value_) new (&value_) T(std::move(other.value_));
  }
  Result(const Result& other) : status_(other.status_), has_value_(other.has_value_) {
    if (has_value_) new (&value_) T(other.value_);
  }
  Result& operator=(Result other) noexcept(std::is_nothrow_move_constructible_v<T>) {
    Destroy();
    status_ = std::move(other.status_);
    has_value_ = other.has_value_;
    if (has_value_) new (&value_) T(std::move(other.value_));
    return *this;
  }
  ~Result() { Destroy(); }

  bool ok() const noexcept { return has_value_; }
  explicit operator bool() const noexcept { return has_value_; }
  // OK when there is a value.
  const Status& status() const& noexcept { return status_; }
  Status status() && noexcept { return std::move(status_); }

  // Requires: ok().
  T& value() & {
    assert(has_value_);
    return value_;
  }
  const T& value() const& {
    assert(has_value_);
    return value_;
  }
  T&& value() && {
    assert(has_value_);
    return std::move(value_);
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  template <typename U>
  T value_or(U&& other) const& {
    return has_value_ ? value_ : static_cast<T>(std::forward<U>(other));
  }

  void IgnoreError(const char* /*why*/) const {}

 private:
  void Destroy() {
    if (has_value_) value_.~T();
    has_value_ = false;
  }

  Status status_;
  union {
    T value_;
  };
  bool has_value_;
};

}  // namespace seerdb
