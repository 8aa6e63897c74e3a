#include <gtest/gtest.h>

#include <cstdio>
#include <functional>

#include "base/random.h"
#include "seerdb/merge_operator.h"

namespace seerdb {
namespace {

using Operator = std::shared_ptr<const MergeOperator>;

struct Kind {
  Operator merge_operator;
  std::function<std::string(Random*)> operand;  // a well-formed one; also a value
};

std::string AnyBytes(Random* random) {
  std::string bytes(random->Uniform(5), '\0');
  for (char& byte : bytes) byte = static_cast<char>(random->Uniform(256));
  return bytes;
}

std::string AnyNumber(Random* random) {
  return U64Operand(random->OneIn(4) ? UINT64_MAX - random->Uniform(3) : random->Uniform(1000));
}

std::string AnyList(Random* random) {
  std::string list;
  for (uint64_t items = random->Uniform(4); items > 0; --items) {
    AppendListItem(&list, random->OneIn(10) ? std::string(200, 'l') : AnyBytes(random));
  }
  return list;
}

std::vector<Kind> AllKinds() {
  return {{U64Add(), AnyNumber},
          {U64Max(), AnyNumber},
          {U64Min(), AnyNumber},
          {ListAppend(), AnyList},
          {StringAppend(), AnyBytes},
          {StringAppend(""), AnyBytes},
          {StringAppend(std::string(1, '\0')), AnyBytes},
          {StringAppend(" :: "), AnyBytes}};
}

std::optional<std::string> Full(const MergeOperator& merge_operator,
                                const std::optional<std::string>& existing,
                                const std::vector<std::string>& operands) {
  const std::vector<Slice> slices(operands.begin(), operands.end());
  std::string value = "what was there before";
  const std::optional<Slice> base = existing.has_value() ? std::optional<Slice>(*existing) : std::nullopt;
  if (!merge_operator.FullMerge("key", base, slices, &value)) return std::nullopt;
  return value;
}

std::optional<std::string> Partial(const MergeOperator& merge_operator,
                                   const std::vector<std::string>& operands) {
  const std::vector<Slice> slices(operands.begin(), operands.end());
  std::string combined = "what was there before";
  if (!merge_operator.PartialMerge("key", slices, &combined)) return std::nullopt;
  return combined;
}

// The operands with neighbours combined, at random, as often as it happens.
std::vector<std::string> CombinedAtRandom(const MergeOperator& merge_operator,
                                          std::vector<std::string> operands, Random* random) {
  while (operands.size() > 1 && !random->OneIn(4)) {
    const size_t begin = random->Uniform(operands.size() - 1);
    const size_t end = begin + 2 + random->Uniform(operands.size() - begin - 1);
    const auto first = operands.begin() + static_cast<ptrdiff_t>(begin);
    const auto last = operands.begin() + static_cast<ptrdiff_t>(end);
    const auto combined = Partial(merge_operator, {first, last});
    EXPECT_TRUE(combined.has_value()) << merge_operator.Name();
    if (!combined.has_value()) return operands;
    *first = *combined;
    operands.erase(first + 1, last);
  }
  return operands;
}

TEST(MergeOperators, AnySplitOfTheOperandsLeadsToTheSameValue) {
  const uint64_t seed = SystemSeed();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  for (const Kind& kind : AllKinds()) {
    const MergeOperator& merge_operator = *kind.merge_operator;
    SCOPED_TRACE(merge_operator.Name());
    for (int round = 0; round < 500; ++round) {
      std::optional<std::string> existing;
      if (random.OneIn(2)) existing = kind.operand(&random);
      std::vector<std::string> operands;
      for (uint64_t n = 1 + random.Uniform(10); n > 0; --n) operands.push_back(kind.operand(&random));
      const auto at_once = Full(merge_operator, existing, operands);
      ASSERT_TRUE(at_once.has_value());
      ASSERT_EQ(Full(merge_operator, existing, CombinedAtRandom(merge_operator, operands, &random)), at_once);
      // In two steps, with the value of the first below the second.
      const auto middle = operands.begin() + static_cast<ptrdiff_t>(random.Uniform(operands.size()));
      std::optional<std::string> below = existing;
      if (middle != operands.begin()) below = Full(merge_operator, existing, {operands.begin(), middle});
      ASSERT_EQ(Full(merge_operator, below, {middle, operands.end()}), at_once);
    }
  }
}

TEST(MergeOperators, MakeOfOperandsWhatTheirNamesSay) {
  const std::vector<std::string> numbers{U64Operand(7), U64Operand(3), U64Operand(5)};
  EXPECT_EQ(Full(*U64Add(), std::nullopt, numbers), U64Operand(15));
  EXPECT_EQ(Full(*U64Add(), U64Operand(UINT64_MAX), numbers), U64Operand(14));
  EXPECT_EQ(Full(*U64Max(), std::nullopt, numbers), U64Operand(7));
  EXPECT_EQ(Full(*U64Max(), U64Operand(9), numbers), U64Operand(9));
  EXPECT_EQ(Full(*U64Min(), std::nullopt, numbers), U64Operand(3));
  EXPECT_EQ(Full(*U64Min(), U64Operand(0), numbers), U64Operand(0));
  EXPECT_EQ(Full(*StringAppend(), std::nullopt, {"a", "", "b"}), "a,,b");
  EXPECT_EQ(Full(*StringAppend("--"), "", {"a", "b"}), "--a--b");
  EXPECT_EQ(Full(*StringAppend(""), "x", {"a", "b"}), "xab");
  std::string one;
  std::string two;
  AppendListItem(&one, "first");
  AppendListItem(&two, "");
  AppendListItem(&two, "third");
  const auto list = Full(*ListAppend(), one, {"", two});
  ASSERT_TRUE(list.has_value());
  const Result<std::vector<Slice>> items = ListItems(*list);
  ASSERT_TRUE(items.ok());
  EXPECT_EQ(*items, (std::vector<Slice>{"first", "", "third"}));
}

TEST(MergeOperators, RefuseWhatIsMalformed) {
  const std::string good = U64Operand(1);
  for (const Operator& merge_operator : {U64Add(), U64Max(), U64Min()}) {
    SCOPED_TRACE(merge_operator->Name());
    for (const std::string& bad : {std::string(), std::string(7, 'x'), std::string(9, 'x')}) {
      EXPECT_EQ(Full(*merge_operator, bad, {good}), std::nullopt);
      EXPECT_EQ(Full(*merge_operator, std::nullopt, {bad}), std::nullopt);
      EXPECT_EQ(Full(*merge_operator, good, {good, bad, good}), std::nullopt);
      EXPECT_EQ(Partial(*merge_operator, {good, bad}), std::nullopt);
    }
  }
  std::string list;
  AppendListItem(&list, "item");
  const std::string cut = list.substr(0, list.size() - 1);
  EXPECT_EQ(Full(*ListAppend(), cut, {list}), std::nullopt);
  EXPECT_EQ(Full(*ListAppend(), list, {list, cut}), std::nullopt);
  EXPECT_EQ(Full(*ListAppend(), std::nullopt, {cut, list}), std::nullopt);
  EXPECT_EQ(Partial(*ListAppend(), {list, cut}), std::nullopt);
  EXPECT_EQ(Partial(*ListAppend(), {list, list}), list + list);
}

TEST(MergeOperators, AreFoundAgainByTheirNames) {
  for (const Kind& kind : AllKinds()) {
    const std::string name = kind.merge_operator->Name();
    SCOPED_TRACE(name);
    EXPECT_TRUE(name.starts_with("seerdb."));
    const Operator found = MergeOperatorByName(name);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->Name(), name);
    Random random(1);
    const std::string existing = kind.operand(&random);
    const std::vector<std::string> operands{kind.operand(&random), kind.operand(&random)};
    EXPECT_EQ(Full(*found, existing, operands), Full(*kind.merge_operator, existing, operands));
  }
}

TEST(MergeOperators, OfOtherNamesAreNotFound) {
  for (const Slice name : {"", "seerdb.", "seerdb.u64_ad", "seerdb.u64_add2", "u64_add",
                           "seerdb.string_append", "SEERDB.U64_ADD"}) {
    EXPECT_EQ(MergeOperatorByName(name), nullptr) << name;
  }
}

TEST(MergeOperators, ThatCannotCombineOperandsNeedNotSay) {
  class FullOnly final : public MergeOperator {
   public:
    std::string Name() const override { return "full only"; }
    bool FullMerge(Slice, std::optional<Slice>, std::span<const Slice>, std::string*) const override {
      return true;
    }
  };
  EXPECT_EQ(Partial(FullOnly(), {"a", "b"}), std::nullopt);
}

TEST(U64Value, HasEightBytes) {
  const Result<uint64_t> number = U64Value(U64Operand(0x0102030405060708));
  ASSERT_TRUE(number.ok());
  EXPECT_EQ(*number, 0x0102030405060708u);
  EXPECT_EQ(U64Operand(0x0102030405060708), "\x08\x07\x06\x05\x04\x03\x02\x01");
  for (const size_t bytes : {0u, 1u, 7u, 9u, 16u}) {
    EXPECT_TRUE(U64Value(std::string(bytes, 'x')).status().IsCorruption()) << bytes;
  }
}

TEST(ListItems, OfMalformedBytesAreCorruption) {
  std::string list;
  AppendListItem(&list, "");
  AppendListItem(&list, std::string(300, 'i'));
  const Result<std::vector<Slice>> items = ListItems(list);
  ASSERT_TRUE(items.ok());
  EXPECT_EQ(*items, (std::vector<Slice>{"", std::string(300, 'i')}));
  EXPECT_TRUE(ListItems("")->empty());
  // Cut anywhere but between two items.
  for (size_t bytes = 0; bytes < list.size(); ++bytes) {
    const Result<std::vector<Slice>> cut = ListItems(Slice(list).substr(0, bytes));
    EXPECT_EQ(cut.ok(), bytes <= 1) << bytes;
    EXPECT_TRUE(cut.ok() || cut.status().IsCorruption()) << cut.status().ToString();
  }
  EXPECT_TRUE(ListItems(std::string(11, '\xff')).status().IsCorruption());
}

}  // namespace
}  // namespace seerdb
