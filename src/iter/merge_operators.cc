// The merge operators that come with the engine.
#include <algorithm>

#include "base/coding.h"
#include "seerdb/merge_operator.h"

namespace seerdb {
namespace {

constexpr char kAppendName[] = "seerdb.string_append:";

class U64Operator final : public MergeOperator {
 public:
  using Combine = uint64_t (*)(uint64_t, uint64_t);
  U64Operator(const char* name, Combine combine) : name_(name), combine_(combine) {}
  std::string Name() const override { return name_; }
  bool FullMerge(Slice, std::optional<Slice> existing, std::span<const Slice> operands,
                 std::string* value) const override {
    std::optional<uint64_t> result;
    if (existing.has_value() && !Apply(*existing, &result)) return false;
    for (const Slice operand : operands) {
      if (!Apply(operand, &result)) return false;
    }
    value->clear();
    AppendU64(value, *result);
    return true;
  }
  bool PartialMerge(Slice key, std::span<const Slice> operands, std::string* combined) const override {
    return FullMerge(key, std::nullopt, operands, combined);
  }

 private:
  bool Apply(Slice bytes, std::optional<uint64_t>* result) const {
    if (bytes.size() != sizeof(uint64_t)) return false;
    const uint64_t number = LoadU64(bytes.data());
    *result = result->has_value() ? combine_(**result, number) : number;
    return true;
  }

  const char* const name_;
  const Combine combine_;
};

class StringAppendOperator final : public MergeOperator {
 public:
  explicit StringAppendOperator(std::string delimiter) : delimiter_(std::move(delimiter)) {}
  std::string Name() const override { return kAppendName + delimiter_; }
  bool FullMerge(Slice, std::optional<Slice> existing, std::span<const Slice> operands,
                 std::string* value) const override {
    size_t bytes = existing.has_value() ? existing->size() + delimiter_.size() : 0;
    for (const Slice operand : operands) bytes += operand.size() + delimiter_.size();
    value->clear();
    value->reserve(bytes);
    bool first = true;
    const auto append = [&](Slice part) {
      if (!first) value->append(delimiter_);
      first = false;
      value->append(part);
    };
    if (existing.has_value()) append(*existing);
    for (const Slice operand : operands) append(operand);
    return true;
  }
  bool PartialMerge(Slice key, std::span<const Slice> operands, std::string* combined) const override {
    return FullMerge(key, std::nullopt, operands, combined);
  }

 private:
  const std::string delimiter_;
};

bool IsList(Slice bytes) {
  Decoder in(bytes);
  Slice item;
  while (!in.empty()) {
    if (!in.ReadLengthPrefixed(&item)) return false;
  }
  return true;
}

class ListAppendOperator final : public MergeOperator {
 public:
  std::string Name() const override { return "seerdb.list_append"; }
  bool FullMerge(Slice, std::optional<Slice> existing, std::span<const Slice> operands,
                 std::string* value) const override {
    const Slice before = existing.value_or(Slice());
    if (!IsList(before) || !std::all_of(operands.begin(), operands.end(), IsList)) return false;
    value->assign(before);
    for (const Slice operand : operands) value->append(operand);
    return true;
  }
  bool PartialMerge(Slice key, std::span<const Slice> operands, std::string* combined) const override {
    return FullMerge(key, std::nullopt, operands, combined);
  }
};

}  // namespace

std::shared_ptr<const MergeOperator> U64Add() {
  return std::make_shared<const U64Operator>("seerdb.u64_add", [](uint64_t a, uint64_t b) { return a + b; });
}
std::shared_ptr<const MergeOperator> U64Max() {
  return std::make_shared<const U64Operator>("seerdb.u64_max",
                                             [](uint64_t a, uint64_t b) { return std::max(a, b); });
}
std::shared_ptr<const MergeOperator> U64Min() {
  return std::make_shared<const U64Operator>("seerdb.u64_min",
                                             [](uint64_t a, uint64_t b) { return std::min(a, b); });
}
std::string U64Operand(uint64_t number) {
  std::string bytes;
  AppendU64(&bytes, number);
  return bytes;
}
Result<uint64_t> U64Value(Slice value) {
  if (value.size() != sizeof(uint64_t)) {
    return Status::Corruption("read a number: found " + std::to_string(value.size()) + " bytes, expected 8");
  }
  return LoadU64(value.data());
}

std::shared_ptr<const MergeOperator> StringAppend(std::string delimiter) {
  return std::make_shared<const StringAppendOperator>(std::move(delimiter));
}

std::shared_ptr<const MergeOperator> ListAppend() { return std::make_shared<const ListAppendOperator>(); }
void AppendListItem(std::string* list, Slice item) { AppendLengthPrefixed(list, item); }
Result<std::vector<Slice>> ListItems(Slice value) {
  std::vector<Slice> items;
  Decoder in(value);
  while (!in.empty()) {
    if (!in.ReadLengthPrefixed(&items.emplace_back())) {
      return Status::Corruption("read a list: item " + std::to_string(items.size()) + " is malformed");
    }
  }
  return items;
}

std::shared_ptr<const MergeOperator> MergeOperatorByName(Slice name) {
  for (const auto& make : {U64Add, U64Max, U64Min, ListAppend}) {
    if (std::shared_ptr<const MergeOperator> made = make(); made->Name() == name) return made;
  }
  if (!name.starts_with(kAppendName)) return nullptr;
  return StringAppend(std::string(name.substr(sizeof kAppendName - 1)));
}

}  // namespace seerdb
