#include <algorithm>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/hash.h"
#include "base/key_window.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"
#include "sstable/block_compression.h"
#include "sstable/tag_block.h"
#include "sstable/tag_block_builder.h"

namespace seerdb::fuzz {
namespace {

// What passes the check is read to its end, and searches answer with records that match.
void ReadBlock(Slice content) {
  // On the heap at its exact size, so that a read beyond it is noticed.
  const std::vector<char> exact(content.begin(), content.end());
  const Slice bytes(exact.data(), exact.size());
  if (TagBlock::Check(bytes) != nullptr) return;
  const TagBlock block(bytes);
  block.Prefetch();
  const std::string prefix(block.prefix());
  const char* p = block.RecordStart(0);
  for (uint32_t i = 0; i < block.entries(); ++i) {
    SEERDB_ASSERT(p == block.RecordStart(i));
    TagRecord record;
    p = block.Parse(p, &record);
    Touch(record.suffix);
    Touch(record.value);
    if (i > 300) continue;
    const std::string key = prefix + std::string(record.suffix);
    const uint8_t tag = block.has_tags() ? block.Tag(i) : TagOfHash(Hash64(key));
    TagRecord found;
    block.PrefetchRecord(tag);
    SEERDB_ASSERT(block.Find(key, tag, kMaxSequence, &found));
    SEERDB_ASSERT(found.suffix == record.suffix);
    SEERDB_ASSERT(block.Holds(i, key, &found) && found.trailer == record.trailer);
    SEERDB_ASSERT(!block.Holds(i, key + "x", &found));
    block.Find(key, tag, TrailerSequence(record.trailer) / 2, &found);
    block.Find(key + "x", TagOfHash(Hash64(key)), kMaxSequence, &found);
    SEERDB_ASSERT(block.LowerBound(key, record.trailer) <= block.entries());
  }
  SEERDB_ASSERT(p == block.limit());
  for (const Slice key : {Slice(""), Slice("k"), Slice("\xff\xff")}) {
    TagRecord found;
    block.Find(key, 0, kMaxSequence, &found);
    block.PrefetchRecord(0);
    block.PrefetchLowerBound();
    SEERDB_ASSERT(block.LowerBound(key, kFirstTrailer) <= block.entries());
  }
}

// A stored block that a codec may have written, cut off or not.
void ReadCompressed(CompressionType type, Slice content) {
  const std::vector<char> exact(content.begin(), content.end());
  BlockBuffer out;
  if (UncompressBlock(type, Slice(exact.data(), exact.size()), &out) == nullptr) ReadBlock(out.bytes());
}

// What was written comes back through builder, codec and search.
void RoundTrip(Input* input) {
  struct Entry {
    std::string key;
    uint64_t trailer;
    std::string value;
  };
  const uint8_t choice = input->Byte();
  const auto type = static_cast<CompressionType>(choice % 3);
  const TagBlockBuilder::Padding padding{choice, choice >= 128 ? 4096u : 1u, 5, 4096};
  std::vector<Entry> entries;
  std::string key;
  for (uint64_t i = 1; i < 200 && !input->empty(); ++i) {
    const uint8_t shape = input->Byte();
    key.resize(std::min<size_t>(key.size(), shape % 16));
    key.append(input->Bytes(shape / 16 % 8));
    const uint64_t sequence = shape >= 128 ? i << 40 : i;
    entries.push_back({key, PackTrailer(sequence, ValueType::kValue), std::string(input->Byte() * 3u, 'v')});
  }
  if (entries.empty()) return;
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return CompareInternal(a.key, a.trailer, b.key, b.trailer) < 0;
  });
  TagBlockBuilder builder;
  builder.set_tags(entries.size() % 2 == 0);
  for (const Entry& entry : entries) {
    const size_t shared = builder.empty() ? 0 : CommonPrefixBytes(builder.last_key(), entry.key);
    builder.Add(entry.key, entry.trailer, entry.value, TagOfHash(Hash64(entry.key)), shared);
  }
  OutputBuffer output;
  builder.Finish(&output, padding);
  const std::string bytes(output.bytes());
  BlockCompressor compressor(type);
  std::string stored;
  BlockBuffer again;
  if (compressor.Compress(bytes, &stored)) {
    SEERDB_ASSERT(UncompressBlock(type, stored, &again) == nullptr && again.bytes() == bytes);
  }
  SEERDB_ASSERT(TagBlock::Check(bytes) == nullptr);
  const TagBlock block(bytes);
  for (uint32_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    TagRecord record;
    SEERDB_ASSERT(
        block.Find(entry.key, TagOfHash(Hash64(entry.key)), TrailerSequence(entry.trailer), &record));
    SEERDB_ASSERT(record.value == entry.value && record.trailer == entry.trailer);
    SEERDB_ASSERT(block.LowerBound(entry.key, entry.trailer) == i);
  }
  ReadBlock(bytes);
}

}  // namespace

// Byte 0 chooses: a block as it comes, one that a codec must undo first, or entries that make one.
void FuzzBlock(Slice bytes) {
  Input input(bytes);
  switch (input.Byte() % 4) {
    case 0:
      return ReadBlock(input.Rest());
    case 1:
      return ReadCompressed(static_cast<CompressionType>(input.Byte()), input.Rest());
    case 2:
      return ReadCompressed(CompressionType::kZstd, input.Rest());
    default:
      return RoundTrip(&input);
  }
}

}  // namespace seerdb::fuzz
