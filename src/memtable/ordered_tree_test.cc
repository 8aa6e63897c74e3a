#include "memtable/ordered_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "memtable/tree_iterator.h"

namespace seerdb {
namespace {

// Key ascending, newest version first.
struct ModelKey {
  std::string key;
  uint64_t trailer;
  bool operator<(const ModelKey& other) const {
    return CompareInternal(key, trailer, other.key, other.trailer) < 0;
  }
};
using Model = std::map<ModelKey, std::string>;

std::string Decimal(uint64_t number, int digits) {
  std::string text(static_cast<size_t>(digits), '0');
  for (int i = digits - 1; i >= 0; --i, number /= 10)
    text[static_cast<size_t>(i)] = static_cast<char>('0' + number % 10);
  return text;
}

std::string BigEndian(uint64_t number, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text.push_back(static_cast<char>(number >> (8 * i)));
  return text;
}

std::string Hex(uint64_t number, int digits) {
  std::string text;
  for (int i = digits - 1; i >= 0; --i) text.push_back("0123456789abcdef"[number >> (4 * i) & 15]);
  return text;
}

std::string RandomBytes(Random* random, uint64_t max_bytes, uint64_t alphabet) {
  std::string text;
  const uint64_t bytes = random->Uniform(max_bytes + 1);
  for (uint64_t i = 0; i < bytes; ++i)
    text.push_back(static_cast<char>(random->Uniform(alphabet) * 255 / (alphabet - 1)));
  return text;
}

// The i-th key that a test inserts.
using KeyMaker = std::function<std::string(uint64_t i, Random* random)>;

struct Shape {
  const char* name;
  uint64_t count;
  KeyMaker key;
};

std::vector<Shape> Shapes() {
  const std::string shared = "a prefix that all of these keys share ::";
  return {
      {"RandomDecimal", 4000, [](uint64_t, Random* r) { return Decimal(r->Uniform(1000000000000), 16); }},
      {"RandomBinary", 4000,
       [](uint64_t, Random* r) { return BigEndian(r->Next(), 8) + BigEndian(r->Next(), 8); }},
      {"Ascending", 4000, [](uint64_t i, Random*) { return Decimal(i, 16); }},
      {"AscendingBinary", 4000, [](uint64_t i, Random*) { return BigEndian(i * 37, 8); }},
      {"Descending", 4000, [](uint64_t i, Random*) { return Decimal(1000000 - i, 16); }},
      {"DescendingLong", 3000, [=](uint64_t i, Random*) { return shared + Decimal(1000000 - i, 30); }},
      {"NearlyAscending", 4000, [](uint64_t i, Random* r) { return Decimal(i * 10 + r->Uniform(200), 16); }},
      {"Streams", 4000,
       [](uint64_t i, Random* r) {
         return "user" + Decimal(r->Uniform(7), 3) + ":2024-01-" + Decimal(i * 3, 20);
       }},
      {"StreamsDown", 4000,
       [](uint64_t i, Random* r) {
         return "user" + Decimal(r->Uniform(7), 3) + ":" + Decimal(1000000 - i, 20);
       }},
      {"Uuid", 3000,
       [](uint64_t, Random* r) {
         return Hex(r->Next(), 8) + "-" + Hex(r->Next(), 4) + "-4" + Hex(r->Next(), 3) + "-" +
                Hex(r->Next(), 12);
       }},
      {"SharedPrefix", 3000, [=](uint64_t, Random* r) { return shared + Decimal(r->Uniform(100000), 8); }},
      {"SharedPrefixAscending", 3000, [=](uint64_t i, Random*) { return shared + Decimal(i, 20); }},
      {"Paths", 3000,
       [](uint64_t, Random* r) {
         std::string path = r->OneIn(2) ? "/usr/share" : "/home/someone/projects";
         for (uint64_t depth = 1 + r->Uniform(4); depth > 0; --depth)
           path += "/folder-" + Decimal(r->Uniform(12), 2);
         return path;
       }},
      {"PrefixesOfOneAnother", 4000,
       [](uint64_t, Random* r) {
         static const char* const kTails[] = {"", "a", "aa", "aaa", "aaaaaaaa", "aaaaaaaaa"};
         std::string key = kTails[r->Uniform(6)];
         for (uint64_t n = r->Uniform(12); n > 0; --n)
           key.push_back(
               "\0\xff"
               "a"[r->Uniform(3)]);
         return key;
       }},
      {"ShortHighBytes", 4000, [](uint64_t, Random* r) { return RandomBytes(r, 4, 6); }},
      {"ZerosAndOnes", 4000, [](uint64_t, Random* r) { return RandomBytes(r, 24, 2); }},
      {"AllBytes", 4000, [](uint64_t, Random* r) { return RandomBytes(r, 20, 256); }},
      {"HotKey", 10000, [](uint64_t, Random*) { return std::string("the one hot key"); }},
      {"EmptyKeyOnly", 3000, [](uint64_t, Random*) { return std::string(); }},
      {"HotAmongOthers", 4000,
       [](uint64_t, Random* r) { return r->OneIn(2) ? "key000500" : "key" + Decimal(r->Uniform(1000), 6); }},
      {"FewKeysManyVersions", 4000,
       [](uint64_t, Random* r) { return "k" + std::string(r->Uniform(9), 'x'); }},
      {"EqualWindows", 3000,
       [](uint64_t, Random* r) {
         return (r->OneIn(2) ? "x" : "y") + std::string(20, 'm') + Decimal(r->Uniform(3000), 12) +
                (r->OneIn(2) ? "0" : "");
       }},
      {"PrefixShrinks", 1500, [](uint64_t i, Random*) { return std::string(1500 - i, 'p') + "z"; }},
      {"PrefixGrows", 1500, [](uint64_t i, Random*) { return std::string(i, 'p'); }},
  };
}

class OrderedTreeTest : public testing::TestWithParam<WindowSearch::Kind> {
 protected:
  void SetUp() override {
    const WindowSearch* search = GetWindowSearch(GetParam());
    if (search == nullptr) GTEST_SKIP() << "this processor lacks the instructions";
    search_ = search;
  }

  const WindowSearch* search_ = nullptr;
};

std::string Describe(Slice key, uint64_t trailer) {
  return "'" + testing::PrintToString(std::string(key)) + "' @" + std::to_string(trailer);
}

// What stands where `it` does: null is "past the end".
void ExpectAt(const InternalIterator& it, const Model& model, Model::const_iterator want) {
  ASSERT_EQ(it.Valid(), want != model.end());
  if (!it.Valid()) return;
  ASSERT_EQ(Describe(it.key(), it.trailer()), Describe(want->first.key, want->first.trailer));
  ASSERT_EQ(it.value(), want->second);
}

std::string NearbyKey(const Model& model, const std::vector<std::string>& keys, Random* random) {
  if (model.empty() || random->OneIn(20)) return RandomBytes(random, 12, 4);
  std::string key = keys[random->Uniform(keys.size())];
  switch (random->Uniform(6)) {
    case 0:
      key.push_back('\0');
      break;
    case 1:
      key.push_back('\xff');
      break;
    case 2:
      if (!key.empty()) key.pop_back();
      break;
    case 3:
      if (!key.empty()) key[random->Uniform(key.size())] ^= static_cast<char>(1 << random->Uniform(8));
      break;
    default:
      break;
  }
  return key;
}

void CheckGet(const OrderedTree& tree, const Model& model, const std::string& key, uint64_t sequence) {
  const uint64_t trailer = SeekTrailer(sequence);
  const Record* got = tree.Find(key, trailer);
  auto want = model.lower_bound({key, trailer});
  const bool found = want != model.end() && want->first.key == key;
  ASSERT_EQ(got != nullptr, found) << Describe(key, trailer);
  if (!found) return;
  ASSERT_EQ(got->trailer, want->first.trailer) << Describe(key, trailer);
  ASSERT_EQ(got->value(), want->second);
}

// A walk of mixed seeks and steps, in step with the model.
void CheckWalk(const OrderedTree& tree, const Model& model, const std::vector<std::string>& keys,
               Random* random, int steps) {
  TreeIterator it(&tree);
  auto at = model.end();
  for (int i = 0; i < steps; ++i) {
    const std::string key = NearbyKey(model, keys, random);
    const uint64_t trailer = random->OneIn(4) ? (random->OneIn(2) ? kFirstTrailer : kLastTrailer)
                                              : SeekTrailer(random->Uniform(keys.size() + 2));
    const uint64_t action = random->Uniform(40);
    if (action == 0) {
      it.SeekToFirst();
      at = model.begin();
    } else if (action == 1) {
      it.SeekToLast();
      at = model.empty() ? model.end() : std::prev(model.end());
    } else if (action < 4 || at == model.end()) {
      it.Seek(key, trailer);
      at = model.lower_bound({key, trailer});
    } else if (action < 6) {
      it.SeekForPrev(key, trailer);
      at = model.upper_bound({key, trailer});
      at = at == model.begin() ? model.end() : std::prev(at);
    } else if (action < 26) {
      it.Next();
      ++at;
    } else {
      it.Prev();
      at = at == model.begin() ? model.end() : std::prev(at);
    }
    ASSERT_NO_FATAL_FAILURE(ExpectAt(it, model, at)) << "step " << i << " action " << action;
  }
}

void CheckWhole(const OrderedTree& tree, const Model& model) {
  TreeIterator it(&tree);
  it.SeekToFirst();
  for (auto want = model.begin(); want != model.end(); ++want, it.Next()) {
    ASSERT_NO_FATAL_FAILURE(ExpectAt(it, model, want));
  }
  ASSERT_FALSE(it.Valid());
  it.SeekToLast();
  for (auto want = model.rbegin(); want != model.rend(); ++want, it.Prev()) {
    ASSERT_TRUE(it.Valid());
    ASSERT_EQ(Describe(it.key(), it.trailer()), Describe(want->first.key, want->first.trailer));
  }
  ASSERT_FALSE(it.Valid());
}

TEST_P(OrderedTreeTest, EmptyTreeHasNothing) {
  OrderedTree tree(*search_);
  EXPECT_EQ(tree.Find("a", kFirstTrailer), nullptr);
  EXPECT_EQ(tree.bytes_reserved(), 0u);
  TreeIterator it(&tree);
  it.SeekToFirst();
  EXPECT_FALSE(it.Valid());
  it.SeekToLast();
  EXPECT_FALSE(it.Valid());
  it.Seek("a", kFirstTrailer);
  EXPECT_FALSE(it.Valid());
  it.SeekForPrev("a", kLastTrailer);
  EXPECT_FALSE(it.Valid());
}

TEST_P(OrderedTreeTest, AgreesWithStdMap) {
  const uint64_t seed = 20240601;
  for (const Shape& shape : Shapes()) {
    SCOPED_TRACE(std::string(shape.name) + ", seed " + std::to_string(seed));
    Random random(seed);
    OrderedTree tree(*search_);
    Model model;
    std::vector<std::string> keys;
    for (uint64_t i = 0; i < shape.count; ++i) {
      const std::string key = shape.key(i, &random);
      const uint64_t trailer = PackTrailer(i + 1, random.OneIn(5) ? ValueType::kDeletion : ValueType::kValue);
      const std::string value = std::to_string(i);
      tree.Insert(key, trailer, value);
      model[{key, trailer}] = value;
      keys.push_back(key);
      ASSERT_NO_FATAL_FAILURE(CheckGet(tree, model, key, i + 1));
      if (random.OneIn(3)) {
        ASSERT_NO_FATAL_FAILURE(
            CheckGet(tree, model, NearbyKey(model, keys, &random), random.Uniform(i + 3)));
      }
      if (random.OneIn(300)) {
        ASSERT_NO_FATAL_FAILURE(CheckWalk(tree, model, keys, &random, 40));
      }
    }
    for (int i = 0; i < 2000; ++i) {
      ASSERT_NO_FATAL_FAILURE(
          CheckGet(tree, model, NearbyKey(model, keys, &random), random.Uniform(shape.count + 2)));
    }
    ASSERT_NO_FATAL_FAILURE(CheckWalk(tree, model, keys, &random, 3000));
    ASSERT_NO_FATAL_FAILURE(CheckWhole(tree, model));
  }
}

// All shapes in one tree, so that every kind of leaf has every kind of neighbour.
TEST_P(OrderedTreeTest, AgreesWithStdMapOnAllShapesMixed) {
  const uint64_t seed = 77;
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  std::vector<Shape> shapes = Shapes();
  OrderedTree tree(*search_);
  Model model;
  std::vector<std::string> keys;
  for (uint64_t i = 0; i < 20000; ++i) {
    const Shape& shape = shapes[random.Uniform(shapes.size())];
    const std::string key = shape.key(i % shape.count, &random);
    const uint64_t trailer = PackTrailer(i + 1, ValueType::kValue);
    tree.Insert(key, trailer, "v");
    model[{key, trailer}] = "v";
    keys.push_back(key);
    if (random.OneIn(4)) {
      ASSERT_NO_FATAL_FAILURE(CheckGet(tree, model, NearbyKey(model, keys, &random), random.Uniform(i + 3)));
    }
  }
  ASSERT_NO_FATAL_FAILURE(CheckWalk(tree, model, keys, &random, 8000));
  ASSERT_NO_FATAL_FAILURE(CheckWhole(tree, model));
}

// An iterator that stands still while the tree grows under it keeps its place, and its order.
TEST_P(OrderedTreeTest, IteratorSurvivesInsertions) {
  const uint64_t seed = 5;
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  OrderedTree tree(*search_);
  std::vector<std::string> old_keys;
  uint64_t sequence = 0;
  for (int i = 0; i < 3000; ++i) {
    old_keys.push_back(Decimal(random.Uniform(1000000000), 12));
    tree.Insert(old_keys.back(), PackTrailer(++sequence, ValueType::kValue), "old");
  }
  std::sort(old_keys.begin(), old_keys.end());
  for (const bool forward : {true, false}) {
    TreeIterator it(&tree);
    forward ? it.SeekToFirst() : it.SeekToLast();
    std::vector<std::string> seen;
    std::string last;
    while (it.Valid()) {
      if (it.value() == "old") seen.push_back(std::string(it.key()));
      if (!last.empty()) {
        ASSERT_TRUE(forward ? last <= it.key() : it.key() <= last);
      }
      last = std::string(it.key());
      for (int i = 0; i < 7 && it.value() == "old"; ++i) {
        tree.Insert(Decimal(random.Uniform(1000000000), 12), PackTrailer(++sequence, ValueType::kValue),
                    "new");
      }
      forward ? it.Next() : it.Prev();
    }
    if (!forward) std::reverse(seen.begin(), seen.end());
    ASSERT_EQ(seen, old_keys);
  }
}

INSTANTIATE_TEST_SUITE_P(AllKernels, OrderedTreeTest,
                         testing::Values(WindowSearch::Kind::kScalar, WindowSearch::Kind::kAvx2,
                                         WindowSearch::Kind::kAvx512),
                         [](const auto& param_info) {
                           switch (param_info.param) {
                             case WindowSearch::Kind::kScalar:
                               return "Scalar";
                             case WindowSearch::Kind::kAvx2:
                               return "Avx2";
                             default:
                               return "Avx512";
                           }
                         });

}  // namespace
}  // namespace seerdb
