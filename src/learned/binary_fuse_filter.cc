#include "learned/binary_fuse_filter.h"

namespace seerdb {
namespace {

Status BadFuseFilter(const char* what) { return Status::Corruption(std::string("fuse filter: ") + what); }

}  // namespace

Result<BinaryFuseFilter> BinaryFuseFilter::Decode(Slice bytes) {
  if (bytes.size() < kTailBytes) return BadFuseFilter("shorter than its tail");
  Decoder tail(bytes.substr(bytes.size() - kTailBytes));
  BinaryFuseFilter filter;
  FuseShape& shape = filter.shape_;
  uint8_t segment_bits = 0;
  uint8_t arity = 0;
  uint8_t fingerprint_bits = 0;
  uint8_t reserved = 0;
  tail.ReadU64(&shape.seed);
  tail.ReadU32(&shape.segments);
  tail.ReadU8(&segment_bits);
  tail.ReadU8(&arity);
  tail.ReadU8(&fingerprint_bits);
  tail.ReadU8(&reserved);
  if (reserved != 0) return BadFuseFilter("reserved field is not zero");
  if (arity != 3 && arity != 4) return BadFuseFilter("number of places out of range");
  if (segment_bits > kMaxSegmentBits) return BadFuseFilter("segment out of range");
  if (fingerprint_bits == 0 || fingerprint_bits > kMaxFingerprintBits)
    return BadFuseFilter("fingerprint out of range");
  shape.segment_bits = segment_bits;
  shape.arity = arity;
  shape.fingerprint_bits = fingerprint_bits;
  if (shape.payload_bytes() != bytes.size() - kTailBytes)
    return BadFuseFilter("size does not fit its segments");
  filter.fingerprints_ = bytes.data();
  return filter;
}

}  // namespace seerdb
