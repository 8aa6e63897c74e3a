#include "tests/fuzz_seeds/seed_writer.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "base/coding.h"
#include "base/hash.h"
#include "base/key_window.h"
#include "env/memory_file_system.h"
#include "format/batch_codec.h"
#include "fuzz/table_script.h"
#include "learned/binary_fuse_builder.h"
#include "learned/key_filter.h"
#include "learned/model_codec.h"
#include "learned/pgm_codec.h"
#include "learned/pgm_model.h"
#include "learned/pla_builder.h"
#include "learned/radix_spline.h"
#include "learned/radix_spline_codec.h"
#include "manifest/version_edit.h"
#include "sstable/block_compression.h"
#include "sstable/properties_codec.h"
#include "sstable/table_builder.h"
#include "sstable/tag_block_builder.h"
#include "sstable/tag_index.h"
#include "tests/support/test_support.h"
#include "vlog/value_format.h"
#include "wal/log_format.h"

namespace seerdb::testing {
namespace {

void WriteSeed(const std::string& target, const std::string& name, const std::string& bytes) {
  std::filesystem::create_directories(SeedDirectory(target));
  std::ofstream(SeedDirectory(target) + "/" + name, std::ios::binary) << bytes;
}

// The bytes that choose, before an input.
std::string Choice(std::initializer_list<int> bytes) {
  std::string out;
  for (const int byte : bytes) out.push_back(static_cast<char>(byte));
  return out;
}

std::string BatchSeed(int operations) {
  WriteBatch batch;
  for (int i = 0; i < operations; ++i) {
    batch.Put("key" + std::to_string(i), std::string(static_cast<size_t>(i), 'v'));
    if (i % 3 == 2) batch.Delete("key");
  }
  return std::string(batch.rep());
}

// Ranges beside, within and over one another, with and without an end, and keys of theirs put again.
std::string RangesSeed() {
  std::string operations;
  for (const uint32_t keyspace : {0u, 1u, 128u, 70'000u}) {
    AppendBatchOperation(&operations, ValueType::kValue, keyspace, "d", "old");
    AppendRangeDeletion(&operations, keyspace, "b", "h");
    AppendRangeDeletion(&operations, keyspace, "c", "e");
    AppendBatchOperation(&operations, ValueType::kValue, keyspace, "d", "new");
    AppendRangeDeletion(&operations, keyspace, "g", std::nullopt);
    AppendBatchOperation(&operations, ValueType::kDeletion, keyspace, "d", "");
    AppendRangeDeletion(&operations, keyspace, "", "a");
  }
  return operations;
}

// A put and an operand over it, whose values lie apart.
std::string PointersSeed() {
  std::string pointer;
  AppendValuePointer(&pointer, {17, 90, 5, 0x2166a389});
  std::string expiring;
  AppendU64(&expiring, 2'000'000);
  expiring += pointer;
  std::string operations;
  AppendBatchOperation(&operations, ValueType::kExpiringPointer, 0, "k", expiring);
  AppendBatchOperation(&operations, ValueType::kValuePointer, 0, "k", pointer);
  AppendBatchOperation(&operations, ValueType::kMerge, 0, "k", "operand");
  return operations;
}

void WriteBatchSeeds() {
  WriteSeed("batch", "empty", "");
  WriteSeed("batch", "one", BatchSeed(1));
  WriteSeed("batch", "many", BatchSeed(12));
  std::string keyspaces;
  for (const uint32_t keyspace : {1u, 200u, 70'000u}) {
    AppendBatchOperation(&keyspaces, ValueType::kValue, keyspace, "key", "value");
  }
  WriteSeed("batch", "keyspaces", keyspaces);
  WriteSeed("batch", "ranges", RangesSeed());
  WriteSeed("batch", "pointers", PointersSeed());
}

void WriteLogSeeds() {
  constexpr LogIdentity kIdentity{{0x0123456789abcdef, 0xfedcba9876543210}, 7, 99};
  std::string log(kLogHeaderBytes, '\0');
  EncodeLogHeader({kIdentity, 1, kLogFormatVersion}, log.data());
  uint64_t record = 1;
  for (const int operations : {1, 4, 0, 9}) {
    AppendLogFrame(&log, kIdentity, {record, record - 1, record, BatchSeed(operations)});
    ++record;
  }
  // As it is; resealed; resealed and numbered; in two segments; checked as batches.
  for (const int choice : {0, 2, 6, 22, 14}) {
    WriteSeed("log", "bytes" + std::to_string(choice), Choice({choice, 0}) + log);
  }
  const std::string frames = Choice({0, 1, 'a', 0x11, 2, 'b', 'b', 0x21, 0});
  WriteSeed("log", "frames", Choice({1, 0}) + frames + frames);
  WriteSeed("log", "gap", Choice({1, 0}) + frames + Choice({5, 0}) + frames);
  WriteSeed("log", "segments", Choice({1, 0}) + frames + Choice({6, 0}) + frames + Choice({6, 0}) + frames);
  WriteSeed("log", "long", Choice({1, 0}) + frames + Choice({11, 3}) + frames);
  WriteSeed("log", "long_damaged", Choice({1, 0, 11, 3}) + frames + Choice({12, 100, 1}));
  WriteSeed("log", "stale", Choice({1, 0}) + frames + Choice({9, 0, 9, 1, 9, 2}));
  WriteSeed("log", "damage", Choice({1, 0}) + frames + frames + Choice({12, 11, 1}));
  WriteSeed("log", "lost_header",
            Choice({1, 0}) + frames + Choice({6, 0}) + frames + Choice({12, 21, 1, 12, 3, 1}));
  WriteSeed("log", "cut", Choice({1, 0}) + frames + Choice({14, 3}));
  WriteSeed("log", "far", Choice({1, 0}) + frames + Choice({0xfa, 255}) + frames);
  WriteSeed("log", "spare", Choice({1, 0}) + frames + Choice({6, 0, 15, 200}));
  WriteSeed("log", "long_read_fault", Choice({1, 25, 11, 3}) + frames);
  WriteSeed("log", "missing", Choice({48, 0, 'x'}));
  WriteSeed("log", "open_fault", Choice({1, 2}) + frames);
  WriteSeed("log", "size_fault", Choice({1, 4}) + frames);
  WriteSeed("log", "shrinks", Choice({1, 6}) + frames);
}

VersionEdit FullEdit() {
  VersionEdit edit;
  edit.database_id = DatabaseId{1, 2};
  edit.num_levels = 4;
  edit.next_file_number = 40;
  edit.last_sequence = 1000;
  edit.log_number = 12;
  edit.log_first_record = 77;
  edit.epoch = 5;
  edit.added_logs.push_back({12, 5});
  for (uint64_t number = 20; number < 23; ++number) {
    VersionEdit::AddedTable table;
    table.level = static_cast<uint32_t>(number - 20);
    table.run = number;
    table.meta.number = number;
    table.meta.bytes = 4096;
    table.meta.smallest_key = std::string("\0a", 2);
    table.meta.largest_key = std::string("\0z", 2);
    table.meta.smallest_sequence = 1;
    table.meta.largest_sequence = 900;
    table.meta.entries = 50;
    edit.added_tables.push_back(table);
  }
  return edit;
}

std::string WithLength(const std::string& edit) { return Choice({static_cast<int>(edit.size())}) + edit; }

// Range tombstones over the tables of FullEdit; then one table that they were applied to, and one removed.
void WriteManifestRangeSeeds() {
  const auto key = [](const char* user_key) { return std::string(1, '\0') + user_key; };
  VersionEdit ranges;
  ranges.added_ranges = {{key("b"), key("m"), 950, 1'700'000'000},
                         {key("c"), std::string(1, '\x01'), 960, 0},
                         {key("c"), key("d"), 30, 0}};
  VersionEdit applied;
  applied.deleted_tables.push_back({0, 20});
  applied.added_tables = {FullEdit().added_tables[0]};
  applied.added_tables[0].meta.number = 30;
  applied.added_tables[0].meta.ranges_applied = 960;
  VersionEdit removal;
  removal.deleted_tables = {{1, 21}, {2, 22}};
  WriteSeed("manifest", "ranges",
            Choice({0, 0}) + WithLength(FullEdit().Encode()) + WithLength(ranges.Encode()) +
                WithLength(applied.Encode()) + WithLength(removal.Encode()));
  // Two tables; ranges over both, over the first, and of a whole keyspace; the first one written anew.
  const std::string tables = Choice({0, 0, 2, 1, 1, 'b', 'd', 1, 2, 'e', 'g', 0, 0});
  const std::string drawn = Choice({0, 0, 0, 0, 48, 10, 'e', 'x', 'f', 0, 20, 5, 'b', 'c', 30, 129, 'c', 40});
  const std::string anew = Choice({0, 0, 1, 1, 3, 'b', 'd', 1, 1, 1, 64, 40});
  WriteSeed("manifest", "drawn_ranges",
            Choice({0, 0}) + tables + drawn + anew + Choice({0, 0, 0, 1, 1, 2, 0}));
}

void WriteManifestSeeds() {
  VersionEdit removal;
  removal.deleted_tables.push_back({0, 20});
  VersionEdit shrink;
  shrink.num_levels = 2;
  VersionEdit neighbour = FullEdit();
  neighbour.added_logs.clear();
  neighbour.added_tables.resize(2);
  neighbour.added_tables[0].meta.number = 30;
  neighbour.added_tables[1].meta.number = 31;
  neighbour.added_tables[1].meta.smallest_key = neighbour.added_tables[1].meta.largest_key = "b";
  const std::string full = WithLength(FullEdit().Encode());
  WriteSeed("manifest", "edits",
            Choice({0, 0}) + full + WithLength(removal.Encode()) + WithLength(neighbour.Encode()) +
                WithLength(shrink.Encode()));
  // Two tables in a level's run, one more that overlaps, a removal; logs; counters that go back.
  const std::string table1 = Choice({0, 0, 1, 1, 1, 'b', 'd', 0});
  const std::string table2 = Choice({0, 0, 1, 1, 2, 'e', 'g', 0});
  const std::string overlap = Choice({0, 0, 1, 1, 3, 'c', 'e', 0});
  const std::string remove = Choice({0, 0, 0, 1, 1, 1});
  WriteSeed("manifest", "drawn_tables",
            Choice({0, 0}) + table1 + table2 + overlap + remove + Choice({0, 0, 1, 0, 1, 'a', 'b', 0}) +
                Choice({0, 0, 1, 0, 9, 'c', 'd', 0, 0, 0, 1, 129, 8, 'x', 'y', 255, 0}));
  WriteSeed("manifest", "drawn_counters",
            Choice({0, 0, 0, 61, 1, 7, 50, 3, 9, 4, 0, 0,    0,   32, 2, 0, 0,  0, 32,  4, 0, 0,
                    0, 1, 2, 0,  0, 0, 4,  1, 0, 0, 0, 0xc4, 255, 0,  0, 0, 16, 1, 255, 0, 0}));
  WriteSeed("manifest", "written", Choice({1, 0, 0, 0, 0}) + full + full);
  WriteSeed("manifest", "flipped", Choice({1, 0, 1, 100, 0}) + full + full);
  WriteSeed("manifest", "read_fault", Choice({1, 1, 0, 0, 0}) + full);
  // A whole manifest, as a small database leaves it.
  Options options = TinyOptions();
  const auto fs = std::make_shared<MemoryFileSystem>();
  options.file_system = fs;
  const auto db = OpenOrFail(options, "/db");
  for (int i = 0; i < 200; ++i) ASSERT_OK(db->Put("key" + std::to_string(i), std::string(60, 'v')));
  ASSERT_OK(db->Flush());
  ASSERT_OK(db->DeleteRange("key1", "key2"));
  ASSERT_OK(db->CompactRange("key15", "key16"));
  ASSERT_OK(db->DeleteRange("key3", std::nullopt));
  ASSERT_OK(db->Close());
  const auto names = fs->ListDirectory("/db");
  for (const std::string& name : *names) {
    if (!name.starts_with("MANIFEST")) continue;
    const std::string bytes = *ReadFileToString(*fs, "/db/" + name);
    WriteSeed("manifest", "file", Choice({2, 0}) + bytes);
    WriteSeed("manifest", "resealed", Choice({6, 0}) + bytes);
    WriteSeed("manifest", "current", Choice({14, 0, 3, 'x', 'y', 'z'}) + bytes);
  }
}

std::string SmallTable(CompressionType compression) {
  MemoryFileSystem fs;
  auto file = fs.NewWritableFile("/t", CreateMode::kTruncate);
  EXPECT_TRUE(file.ok());
  TableBuilderOptions options;
  options.compression = compression;
  options.block_bytes = 128;
  options.table_number = fuzz::kFuzzTableNumber;
  TableBuilder builder(options, file->get());
  for (int i = 0; i < 20; ++i) {
    const std::string key = std::string("\0key", 4) + std::to_string(100 + i);
    const bool tombstone = i % 7 == 3;
    const uint64_t sequence = static_cast<uint64_t>(i) + 1;
    EXPECT_OK(builder.Add(key, PackTrailer(sequence, tombstone ? ValueType::kDeletion : ValueType::kValue),
                          tombstone ? Slice() : Slice("a value, a value, a value")));
  }
  EXPECT_TRUE(builder.Finish().ok());
  return *ReadFileToString(fs, "/t");
}

// The parts of a table (fuzz/table_script.h) with its properties changed.
std::string WithProperties(Slice parts, const std::function<void(TableProperties*)>& change) {
  constexpr char kProperties = 1;
  std::string out;
  while (parts.size() >= 3) {
    const char kind = parts[0];
    std::string bytes(parts.substr(3, LoadU16(parts.data() + 1)));
    parts.remove_prefix(3 + bytes.size());
    if (kind == kProperties) {
      auto properties = DecodeTableProperties(bytes);
      EXPECT_OK(properties.status());
      change(&*properties);
      bytes.clear();
      AppendTableProperties(*properties, &bytes);
    }
    out.push_back(kind);
    AppendU16(&out, static_cast<uint16_t>(bytes.size()));
    out += bytes;
  }
  return out;
}

// Tables whose properties are not those of their entries: Verify alone can tell.
void WriteLyingTableSeeds() {
  const std::string parts = fuzz::DisassembleTable(SmallTable(CompressionType::kNone));
  const auto write = [&](const char* name, const std::function<void(TableProperties*)>& change) {
    WriteSeed("table", name, Choice({0, 2, 0}) + WithProperties(parts, change));
  };
  write("other_keys", [](TableProperties* p) { ++p->keys; });
  write("other_values", [](TableProperties* p) { p->values.push_back({17, 100}); });
  write("other_prefixes", [](TableProperties* p) { p->prefix_filter_bytes = 4; });
}

void WriteTableSeeds() {
  WriteLyingTableSeeds();
  for (const CompressionType compression :
       {CompressionType::kNone, CompressionType::kLz4, CompressionType::kZstd}) {
    const std::string kind = std::to_string(static_cast<int>(compression));
    const std::string bytes = SmallTable(compression);
    WriteSeed("table", "bytes" + kind, Choice({0, 0, 0}) + bytes);
    WriteSeed("table", "resealed" + kind, Choice({3, 1, 0}) + bytes);
    const std::string parts = fuzz::DisassembleTable(bytes);
    for (const int reads : {0, 1, 2, 3, 8, 17, 38, 144}) {
      WriteSeed("table", "parts" + kind + "-" + std::to_string(reads), Choice({reads, 2, 0}) + parts);
    }
  }
  std::string entries;
  for (int i = 0; i < 60; ++i) entries += Choice({0x20 + i % 3, 'a' + i / 8, 'a' + i % 8, 40 + i});
  // Versions of one key over many blocks, tombstones among them.
  std::string versions = Choice({0x1f, 'k'});
  for (int i = 0; i < 60; ++i) versions += i % 9 == 4 ? Choice({0xcf}) : Choice({0x0f, 100 + i});
  for (const int bits : {0, 10, 15}) {
    WriteSeed("table", "versions" + std::to_string(bits),
              Choice({bits, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, bits}) + versions + entries);
  }
  // Every kind of index, whole and with a flip.
  for (const int index : {1, 2, 3, 4, 5}) {
    for (const int flips : {0, 1}) {
      WriteSeed("table", "index" + std::to_string(index) + "-" + std::to_string(flips),
                Choice({0, 3, 0, flips, 50, 0, 0, 0, 0, 0, 0, 40 * index, 10}) + entries);
    }
  }
  for (const int codec : {0, 1, 2}) {
    // No damage, one flip; blocks of 64 bytes, or of 1024; each kind of fault.
    for (const int fault : {0, 1, 2, 3, 4, 5, 6, 9, 14, 22, 49}) {
      const int reads = fault % 2 * 16 + codec;
      WriteSeed("table", "built" + std::to_string(codec) + "-" + std::to_string(fault),
                Choice({reads, 3, fault, 0, 0, 0, 0, 0, 0, 0, codec, 0, 10}) + entries);
    }
    // Sequential reads of a file that shrinks before the second read, or a later one.
    for (const int fault : {14, 22, 30, 38}) {
      WriteSeed("table", "shrinks" + std::to_string(codec) + "-" + std::to_string(fault),
                Choice({16, 3, fault, 0, 0, 0, 0, 0, 0, 0, codec, 4, 10}) + entries);
    }
    WriteSeed("table", "flipped" + std::to_string(codec),
              Choice({0, 3, 0, 1, 50, 0, 0, 0, 0, 0, codec, 4, 10}) + entries);
  }
}

void WriteBlockSeeds() {
  TagBlockBuilder builder;
  for (int i = 0; i < 20; ++i) {
    const std::string key = "key" + std::to_string(100 + i);
    const size_t shared = builder.empty() ? 0 : CommonPrefixBytes(builder.last_key(), key);
    builder.Add(key, PackTrailer(5, ValueType::kValue), std::string(20, 'v'), 1, shared);
  }
  OutputBuffer output;
  builder.Finish(&output);
  const std::string block(output.bytes());
  WriteSeed("block", "plain", Choice({0}) + block);
  for (const CompressionType type : {CompressionType::kLz4, CompressionType::kZstd}) {
    std::string stored;
    EXPECT_TRUE(BlockCompressor(type).Compress(block, &stored));
    WriteSeed("block", "compressed" + std::to_string(static_cast<int>(type)),
              Choice({1, static_cast<int>(type)}) + stored);
  }
  std::string entries;
  for (int i = 0; i < 40; ++i) entries += Choice({0x20 + i % 3 + i % 2 * 128, 'a' + i / 8, 'a' + i % 8, i});
  for (const int codec : {0, 1, 2}) {
    WriteSeed("block", "entries" + std::to_string(codec), Choice({3, codec}) + entries);
  }
}

void WriteModelSeeds() {
  for (const int ranks : {0, 1, 100}) {
    PlaBuilder builder(2);
    for (int i = 0; i < ranks; ++i) builder.Add(static_cast<uint64_t>(i) * i * 977);
    std::string bytes;
    AppendPlaModel(builder.Finish(), &bytes);
    WriteSeed("model", "ranks" + std::to_string(ranks), Choice({0}) + bytes);
    std::string windows;
    for (int i = 0; i < 100; ++i) AppendU16(&windows, static_cast<uint16_t>(i * i * 31));
    WriteSeed("model", "search" + std::to_string(ranks), Choice({1, 2, 100}) + windows + bytes);
  }
}

// Models of squares as they come, and windows to search with the model of others.
void WritePgmAndSplineSeeds() {
  std::string windows;
  for (int i = 0; i < 120; ++i) AppendU16(&windows, static_cast<uint16_t>(i * i * 31));
  for (const int ranks : {0, 1, 120}) {
    PgmBuilder pgm(1, 0);
    RadixSplineBuilder spline(1);
    for (int i = 0; i < ranks; ++i) {
      pgm.Add(static_cast<uint64_t>(i) * i * 977);
      spline.Add(static_cast<uint64_t>(i) * i * 977);
    }
    std::string pgm_bytes;
    std::string spline_bytes;
    AppendPgmModel(pgm.Finish(), &pgm_bytes);
    AppendRadixSpline(spline.Finish(), &spline_bytes);
    const std::string name = std::to_string(ranks);
    WriteSeed("pgm", "ranks" + name, Choice({0}) + pgm_bytes);
    WriteSeed("pgm", "search" + name, Choice({1, 1, 0, 120}) + windows + pgm_bytes);
    WriteSeed("spline", "ranks" + name, Choice({0}) + spline_bytes);
    WriteSeed("spline", "search" + name, Choice({1, 1, ranks % 7, 120}) + windows + spline_bytes);
  }
}

// Operations of alex_target.cc on trees: rows of keys up, down and in squares, rows erased, batches; then on
// strings: rows that grow, rows of neighbours, zeros.
void WriteAlexSeeds() {
  std::string tree;
  for (const int step : {6, 4, 61, 130}) {
    tree += Choice({0x27, step, 0, step, 250, step}) + Choice({0x08, 3, 200, step}) + Choice({0x46, 0, 60});
    tree += Choice({0x79, step, 250, step, 0x4b, 0, 15, 0x70, step, 0x5c, 0, 0x54, 1});
  }
  const std::string emptied = Choice({0x46, 0, 255, 0x46, 0, 255, 0x46, 0, 255, 0x46, 0, 255, 0x46, 0, 255});
  for (const int options : {0, 1, 2, 3}) {
    WriteSeed("alex", "tree" + std::to_string(options),
              Choice({0, options, options * 2}) + tree + Choice({0x0a}) + emptied + tree);
  }
  std::string strings;
  for (const int letter : {'a', 'k', 'q'}) {
    strings += Choice({0x07, 2, letter, letter, 63, 0x06, 1, letter, 62, 0x27, 40, letter, 61});
    strings += Choice({0x10, 9, 1, letter, 0x37, letter, 62, 0x3c, letter, 9, 0x08, 1, letter});
    strings += Choice({0x30, letter, 0x38, letter, 0x3f, letter, 0x1b, 3, 0, 0x27, 70, letter, 62});
  }
  WriteSeed("alex", "strings", Choice({1}) + strings);
  WriteSeed("alex", "strings_erased",
            Choice({1}) + strings + Choice({0x0a, 0, 255, 0x0a, 0, 255, 0x0a, 0, 255}) + strings);
}

// Digits and what is none, as keys of the three kinds of windows.
void WriteWindowSeeds() {
  const auto key = [](const std::string& text) { return Choice({static_cast<int>(text.size())}) + text; };
  WriteSeed("model", "digits",
            Choice({3}) + key("abc") + key("abd") + key("0123456789") + key("0123456789012345") +
                key("0af9") + key("0123456789abcdef"));
  WriteSeed("model", "no-digits",
            Choice({3}) + key("") + key("\xff") + key("12:4") + key("12/45") + key("1fg") + key("1A2b-"));
}

// An index as it comes, and keys that make one: a few in a row, owners whose keys need sections, and others
// for which there is none.
void WriteTagsSeeds() {
  for (const int count : {1, 40}) {
    TagIndexBuilder builder(Slice(), TagSectionBuilder::kUsualBitsPerKey);
    builder.StartBlock();
    for (int i = 0; i < count; ++i) {
      const std::string key = std::to_string(100 + i);
      builder.AddNewest(key, i == 0 ? 0 : CommonPrefixBytes(key, std::to_string(99 + i)), Hash64(key));
    }
    builder.EndBlock(count == 1);
    if (builder.Fit()) {
      WriteSeed("tags", "index" + std::to_string(count), Choice({0, 1, 0, count, 0}) + builder.Finish());
    }
  }
  const auto owner = [](const std::string& name, int step, int keys) {
    return Choice({static_cast<int>(name.size())}) + name + Choice({step, keys});
  };
  WriteSeed("tags", "row", Choice({1, 1, 'k'}) + owner("", 0, 60));
  std::string owners;
  for (const char* name : {"ann/letter", "bob/letter", "eve/letter", "zoe/letter"})
    owners += owner(name, 6, 63);
  WriteSeed("tags", "owners", Choice({1, 0}) + owners);
  WriteSeed("tags", "shared", Choice({1, 2, 'a', 'b'}) + owners);
  std::string many;
  for (char c = 'a'; c <= 'z'; ++c) many += owner(std::string(1, c) + "/letters", 0, 30);
  WriteSeed("tags", "many-owners", Choice({1, 0}) + many);
}

// Filters of each kind as they come, windows in runs, and keys.
void WriteFilterSeeds() {
  std::vector<uint64_t> hashes;
  std::vector<uint64_t> windows;
  for (uint64_t i = 0; i < 200; ++i) {
    windows.push_back(i / 40 * 100'000 + i * 3 + (i % 40 == 39 ? 50 : 0));
    hashes.push_back(Hash64(std::to_string(i)));
  }
  for (const FilterKind kind : kFilterKinds) {
    const int number = static_cast<int>(kind);
    const FilterKeys few{std::span(hashes).first(20), {}, false};
    for (const auto& [name, keys] :
         {std::pair{"few", few}, std::pair{"runs", FilterKeys{hashes, windows, true}},
          std::pair{"gaps", FilterKeys{hashes, windows, false}}}) {
      WriteSeed("filters", name + std::to_string(number),
                Choice({4 * number}) + *BuildFilter(kind, keys, 10));
    }
  }
  // A learned filter without a model, whose shift or flags do not say so.
  std::string plain = *BuildFilter(FilterKind::kLearned, {hashes, {}, false}, 10);
  plain[plain.size() - 4] = 1;
  WriteSeed("filters", "shift", Choice({12}) + plain);
  plain[plain.size() - 4] = 0;
  plain[plain.size() - 3] = 0;
  WriteSeed("filters", "flags", Choice({12}) + plain);
  WriteSeed("filters", "fuse4", Choice({8}) + *BuildBinaryFuse(hashes, {13, 4}));
  WriteSeed("filters", "bits16",
            Choice({0}) + *BuildFilter(FilterKind::kBlockedBloom, {hashes, {}, false}, 16));
  for (const int choice : {9, 137}) {
    std::string runs = Choice({2, choice, 0, 0});
    for (int i = 0; i < 6; ++i) runs += Choice({60 + i, 2, 40, 10 * i});
    WriteSeed("filters", "windows" + std::to_string(choice), runs);
    // So far that the next window is less than the last.
    WriteSeed("filters", "around" + std::to_string(choice),
              runs + Choice({1, 1, 255, 56, 1, 1, 255, 56, 9, 1}));
  }
  const auto key = [](const std::string& text) { return Choice({static_cast<int>(text.size())}) + text; };
  std::string keys;
  for (int i = 100; i < 160; ++i) keys += key("user" + std::to_string(i / 7) + "/" + std::to_string(i));
  std::string digits;
  for (int i = 100; i < 160; ++i) digits += key(std::to_string(i));
  WriteSeed("filters", "keys", Choice({3, 3, 5, 0}) + keys);
  WriteSeed("filters", "digits", Choice({3, 3, 2, 1}) + digits);
}

// Steps of script_target.cc: 0 puts, 4 deletes, 6 writes a batch, 7 flushes, 8 compacts, 9 reopens, 10, 11
// crash.
// How to open, how many values; of each its shape, key, size and step; what is damaged; what is read; the
// rest.
void WriteValuesSeeds() {
  const std::string small = Choice({3, 'k', 'e', 'y', 200, 7});
  const std::string empty = Choice({8, 0, 0});
  const std::string long_one = Choice({200, 0xff, 0xff, 13});
  const std::string chunk = Choice({194, 'a', 'b', 0x56, 0x55, 1});
  for (const int mapped : {0, 1}) {
    const std::string name = mapped == 0 ? "-read" : "-mapped";
    const std::string reads = Choice({0, 0, 100, 0, 0x55, 0x55, 0, 1, 1, 0, 1, 0});
    WriteSeed("values", "whole" + name,
              Choice({mapped, 4}) + small + empty + long_one + chunk + Choice({0}) + reads);
    WriteSeed("values", "flipped" + name,
              Choice({mapped, 2}) + small + long_one + Choice({2, 3, 100, 0, 9, 200, 80}) + reads);
    WriteSeed("values", "cut" + name, Choice({mapped, 2}) + small + small + Choice({1, 230, 0, 1}) + reads);
    WriteSeed("values", "header" + name, Choice({mapped, 1}) + small + Choice({1, 2, 20, 0}) + reads);
  }
  std::string rest;
  AppendValuePointer(&rest, {17, 91, 200, 1});
  WriteSeed("values", "pointer", Choice({0, 1}) + small + Choice({0, 0, 0, 0, 0}) + rest);
  AppendValueBytesList(&(rest = ""), {{3, 70}, {4, 1}, {900, 1 << 20}});
  WriteSeed("values", "list", Choice({0, 0, 0}) + rest);
  AppendValueSegmentHeader(&(rest = ""), {{1, 2}, 17, 3});
  WriteSeed("values", "segment", Choice({0, 0, 0}) + rest);
  AppendValueRecordHead(&(rest = ""), 17, 64, "k", "ey", {1, 3, 5});
  WriteSeed("values", "record", Choice({0, 0, 0}) + rest);
}

void WriteScriptSeeds() {
  std::string puts;
  for (int i = 0; i < 24; ++i) puts += Choice({i % 4 + i % 3 * 16, i * 9, 255 - i});
  const std::string mixed = Choice({4, 9, 6, 3, 1, 1, 50, 2, 0, 3, 1, 60, 12, 13, 15, 8, 14, 1, 2, 3});
  for (int options = 0; options < 16; ++options) {
    const std::string head = Choice({options * 17, options * 29});
    const std::string crash = options % 3 == 0 ? Choice({10}) : Choice({11 + options % 2 * 128, options});
    WriteSeed("script", "options" + std::to_string(options),
              head + puts + mixed + crash + puts + Choice({7, 8, 141}) + mixed + crash + Choice({9}) + puts);
  }
}

}  // namespace

std::string SeedDirectory(const std::string& target) {
  return std::string(SEERDB_SOURCE_DIR) + "/fuzz/seeds/" + target;
}

void WriteSeeds() {
  WriteAlexSeeds();
  WriteBatchSeeds();
  WriteBlockSeeds();
  WriteFilterSeeds();
  WriteLogSeeds();
  WriteManifestSeeds();
  WriteManifestRangeSeeds();
  WriteModelSeeds();
  WritePgmAndSplineSeeds();
  WriteWindowSeeds();
  WriteTagsSeeds();
  WriteScriptSeeds();
  WriteTableSeeds();
  WriteValuesSeeds();
}

}  // namespace seerdb::testing
