// Keys and values of every size that is allowed, and the first ones that are not.
#include <sys/mman.h>

#include "env/memory_file_system.h"
#include "seerdb/db.h"
#include "tests/support/test_support.h"

namespace seerdb::testing {
namespace {

// Address space that reads as zeros and costs no memory until it is touched.
class Zeros {
 public:
  explicit Zeros(size_t bytes) : bytes_(bytes) {
    address_ = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  ~Zeros() {
    if (mapped()) munmap(address_, bytes_);
  }
  Zeros(const Zeros&) = delete;
  Zeros& operator=(const Zeros&) = delete;
  bool mapped() const { return address_ != MAP_FAILED; }
  Slice slice() const { return Slice(static_cast<const char*>(address_), bytes_); }

 private:
  const size_t bytes_;
  void* address_;
};

TEST(BadInput, KeysAndValuesOfEverySize) {
  for (const uint32_t block_bytes : {64u, 4096u}) {
    Options options = TinyOptions();
    options.file_system = std::make_shared<MemoryFileSystem>();
    options.block_bytes = block_bytes;
    auto db = OpenOrFail(options, "/db");
    ASSERT_TRUE(db);
    Contents contents;
    const size_t key_sizes[] = {0, 1, 2, 127, 128, 255, 256, 4095, 4096, 65535, kMaxKeyBytes};
    const size_t value_sizes[] = {0, 1, 103, 104, 105, 127, 128, 16383, 16384, 100 << 10, 3 << 20};
    for (const size_t key_bytes : key_sizes) {
      for (const size_t value_bytes : value_sizes) {
        if (key_bytes > 4096 && value_bytes > 16384) continue;
        std::string key(key_bytes, static_cast<char>('a' + value_bytes % 26));
        const std::string value(value_bytes, static_cast<char>(key_bytes));
        ASSERT_OK(db->Put(key, value));
        contents[key] = value;
      }
    }
    EXPECT_EQ(Difference(contents, ReadAll(*db)), "");
    ASSERT_OK(db->CompactRange());
    EXPECT_EQ(Difference(contents, ReadAll(*db)), "");
    ASSERT_OK(db->Close());
    db = OpenOrFail(options, "/db");
    ASSERT_TRUE(db);
    EXPECT_EQ(Difference(contents, ReadAll(*db)), "");
    for (const auto& [key, value] : contents) {
      ASSERT_EQ(GetText(*db, key), "=" + value);
    }
    for (const auto& [key, value] : contents) ASSERT_OK(db->Delete(key));
    EXPECT_TRUE(ReadAll(*db).empty());
  }
}

TEST(BadInput, TooLongIsRefusedAndNothingWritten) {
  Options options = TinyOptions();
  options.file_system = std::make_shared<MemoryFileSystem>();
  const auto db = OpenOrFail(options, "/db");
  ASSERT_TRUE(db);
  const std::string long_key(kMaxKeyBytes + 1, 'k');
  const Zeros long_value(kMaxValueBytes + 1);
  const Zeros huge_key(size_t{8} << 30);
  ASSERT_TRUE(long_value.mapped());
  const uint64_t sequence = db->Stats().last_sequence;
  const Status key_status = db->Put(long_key, "v");
  EXPECT_TRUE(key_status.IsInvalidArgument()) << key_status.ToString();
  EXPECT_NE(key_status.message().find("65537"), Slice::npos) << key_status.ToString();
  const Status value_status = db->Put("k", long_value.slice());
  EXPECT_TRUE(value_status.IsInvalidArgument()) << value_status.ToString();
  EXPECT_NE(value_status.message().find("1073741825"), Slice::npos) << value_status.ToString();
  EXPECT_TRUE(db->Delete(long_key).IsInvalidArgument());
  if (huge_key.mapped()) {
    EXPECT_TRUE(db->Put(huge_key.slice(), "v").IsInvalidArgument());
  }

  WriteBatch batch;
  batch.Put("first", "1");
  batch.Put(long_key, "2");
  batch.Put("third", "3");
  EXPECT_TRUE(db->Write(batch).IsInvalidArgument());
  EXPECT_TRUE(ReadAll(*db).empty()) << "a part of a refused batch was written";
  EXPECT_EQ(db->Stats().last_sequence, sequence);

  // A key that cannot exist is absent, not an error; so it is as a bound.
  const auto got = db->Get(long_key);
  EXPECT_TRUE(!got.ok() ? got.status().IsInvalidArgument() : !got->has_value());
  ASSERT_OK(db->Put("k", "v"));
  const auto it = db->NewIterator();
  it->Seek(long_key);
  EXPECT_FALSE(it->Valid());
  it->SeekForPrev(long_key);
  ASSERT_TRUE(it->Valid());
  EXPECT_EQ(it->key(), "k");
  ASSERT_OK(db->Close());
}

// SEERDB_LONG=1: needs about 6 GiB of memory and as much disk.
TEST(BadInput, GreatestValue) {
  if (!LongRun()) GTEST_SKIP() << "set SEERDB_LONG=1 to run";
  TempDirectory directory;
  const std::string path = directory.path() + "/db";
  std::string value(kMaxValueBytes, 'v');
  for (size_t i = 0; i < value.size(); i += 4096) value[i] = static_cast<char>(i >> 12);
  Options options;
  {
    const auto db = OpenOrFail(options, path);
    ASSERT_TRUE(db);
    ASSERT_OK(db->Put("big", value));
    ASSERT_OK(db->Put("small", "v"));
    const auto got = db->Get("big");
    ASSERT_TRUE(got.ok() && got->has_value());
    EXPECT_TRUE((**got).slice() == value);
    ASSERT_OK(db->CompactRange());
    ASSERT_OK(db->Close());
  }
  const auto db = OpenOrFail(options, path);
  ASSERT_TRUE(db);
  const auto got = db->Get("big");
  ASSERT_TRUE(got.ok() && got->has_value());
  EXPECT_TRUE((**got).slice() == value);
  EXPECT_EQ(GetText(*db, "small"), "=v");
}

}  // namespace
}  // namespace seerdb::testing
