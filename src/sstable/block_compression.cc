#include "sstable/block_compression.h"

#include <lz4.h>
#include <zstd.h>

#include "base/coding.h"

namespace seerdb {
namespace {

constexpr size_t kRawSizeBytes = 4;
constexpr int kZstdLevel = 1;
// No lz4 block expands more: a larger claim is false and gets no memory.
constexpr uint64_t kMaxLz4Ratio = 256;

// Made once a thread: it is large.
ZSTD_DCtx* ThreadContext() {
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  static thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  return context.get();
}

// The most bytes that the blocks of a zstd frame can give, by their headers (RFC 8878, 3.1.1): a frame may
// claim any size, and none that is larger gets memory.
uint64_t MostZstdBytes(Slice frame) {
  constexpr size_t kDictionaryIdBytes[] = {0, 1, 2, 4};
  constexpr size_t kContentSizeBytes[] = {0, 2, 4, 8};
  constexpr uint32_t kMaxBlock = 128 << 10;
  constexpr size_t kBlockHeader = 3;
  if (frame.size() < 5) return 0;
  const uint8_t descriptor = static_cast<uint8_t>(frame[4]);
  const bool single_segment = (descriptor & 0x20) != 0;
  size_t at = 5 + kDictionaryIdBytes[descriptor & 3] + kContentSizeBytes[descriptor >> 6];
  if (!single_segment || descriptor >> 6 == 0) ++at;  // the window, or a content size of one byte
  uint64_t most = 0;
  while (at + kBlockHeader <= frame.size()) {
    const uint32_t header = LoadU16(frame.data() + at) | static_cast<uint8_t>(frame[at + 2]) << 16;
    const uint32_t type = header >> 1 & 3;  // 0 raw, 1 one byte repeated, 2 compressed
    const uint32_t bytes = header >> 3;
    most += type < 2 && bytes < kMaxBlock ? bytes : kMaxBlock;
    if ((header & 1) != 0) break;
    at += kBlockHeader + (type == 1 ? 1 : bytes);
  }
  return most;
}

}  // namespace

struct BlockCompressor::Context {
  ZSTD_CCtx* zstd = nullptr;
  ~Context() { ZSTD_freeCCtx(zstd); }
};

BlockCompressor::BlockCompressor(CompressionType type) : type_(type), context_(std::make_unique<Context>()) {
  if (type_ == CompressionType::kZstd) context_->zstd = ZSTD_createCCtx();
}
BlockCompressor::~BlockCompressor() = default;

bool BlockCompressor::Compress(Slice raw, std::string* out) {
  if (raw.size() <= kRawSizeBytes + 1) return false;
  // Room for one byte less than raw: the codec fails where compression does not pay.
  const size_t room = raw.size() - kRawSizeBytes - 1;
  out->resize(kRawSizeBytes + room);
  StoreU32(out->data(), static_cast<uint32_t>(raw.size()));
  char* const stream = out->data() + kRawSizeBytes;
  size_t bytes = 0;
  if (type_ == CompressionType::kLz4) {
    if (raw.size() > LZ4_MAX_INPUT_SIZE) return false;
    const int n =
        LZ4_compress_default(raw.data(), stream, static_cast<int>(raw.size()), static_cast<int>(room));
    if (n <= 0) return false;
    bytes = static_cast<size_t>(n);
  } else if (type_ == CompressionType::kZstd && context_->zstd != nullptr) {
    bytes = ZSTD_compressCCtx(context_->zstd, stream, room, raw.data(), raw.size(), kZstdLevel);
    if (ZSTD_isError(bytes)) return false;
  } else {
    return false;
  }
  out->resize(kRawSizeBytes + bytes);
  return true;
}

const char* UncompressBlock(CompressionType type, Slice stored, BlockBuffer* out) {
  if (stored.size() <= kRawSizeBytes) return "compressed block without content";
  const uint64_t raw_bytes = LoadU32(stored.data());
  const Slice stream = stored.substr(kRawSizeBytes);
  if (raw_bytes <= stored.size()) return "compressed block is not smaller than its content";
  if (type == CompressionType::kLz4) {
    if (raw_bytes > stream.size() * kMaxLz4Ratio || raw_bytes > LZ4_MAX_INPUT_SIZE) {
      return "uncompressed size is not plausible";
    }
    const int n = LZ4_decompress_safe(stream.data(), out->Resize(raw_bytes), static_cast<int>(stream.size()),
                                      static_cast<int>(raw_bytes));
    return n >= 0 && static_cast<uint64_t>(n) == raw_bytes ? nullptr : "lz4 stream is damaged";
  }
  if (type == CompressionType::kZstd) {
    if (ZSTD_getFrameContentSize(stream.data(), stream.size()) != raw_bytes ||
        raw_bytes > MostZstdBytes(stream)) {
      return "uncompressed size is not plausible";
    }
    ZSTD_DCtx* const context = ThreadContext();
    if (context == nullptr) return "no memory for zstd";
    const size_t n =
        ZSTD_decompressDCtx(context, out->Resize(raw_bytes), raw_bytes, stream.data(), stream.size());
    return n == raw_bytes ? nullptr : "zstd stream is damaged";
  }
  return "unknown compression type";
}

}  // namespace seerdb
