#include "fuzz/log_script.h"

#include <algorithm>
#include <utility>

#include "base/coding.h"

namespace seerdb::fuzz {
namespace {

constexpr int kInstructionsMax = 120;
constexpr size_t kBytesMax = 256 << 10;  // of a segment, long frames excepted
constexpr size_t kLongFrameBytes = (1 << 20) + 100;

}  // namespace

LogScript::LogScript(Input* input) {
  StartSegment();
  for (int i = 0; i < kInstructionsMax && !input->empty(); ++i) Run(input->Byte(), input);
}

const std::string* LogScript::payload(uint64_t number) const {
  const auto found = payloads_.find(number);
  return found == payloads_.end() ? nullptr : &found->second;
}

bool LogScript::WasDurable(uint64_t missing) const {
  const auto proves = [&](const Frame& frame) {
    const std::string& in = segments_[frame.segment].bytes;
    return frame.record > missing && frame.durable_record >= missing && frame.offset >= kLogHeaderBytes &&
           in.size() > frame.offset && in.compare(frame.offset, frame.bytes.size(), frame.bytes) == 0;
  };
  return dense_ && std::any_of(frames_.begin(), frames_.end(), proves);
}

void LogScript::Run(uint8_t instruction, Input* input) {
  const uint8_t n = input->Byte();
  if (bytes().size() > kBytesMax && instruction % 16 < 12) return;
  switch (instruction % 16) {
    case 5:  // what a direct log leaves behind each group
      bytes().resize(NextLogBlock(bytes().size()), '\0');
      return;
    case 6:
      return StartSegment();
    case 7:  // as a log leaves it that was given more space than it used
      bytes().append(n, '\0');
      whole_ = false;
      return;
    case 8:
      bytes().append(input->Bytes(n));
      whole_ = own_frames_only_ = false;
      return;
    case 9: {  // a frame of an earlier life of the file
      LogIdentity earlier = segments_.back().identity;
      ++earlier.epoch;
      whole_ = false;
      next_record_ += n;
      AppendFrame(earlier, std::string(8, 'e'), 0);
      next_record_ -= n + uint64_t{1};
      return;
    }
    case 10:
      next_record_ += uint64_t{n} << (instruction / 16 * 2);
      whole_ = dense_ = false;
      return;
    case 11:
      if (long_frames_left_ == 0) return;
      --long_frames_left_;
      return AppendFrame(segments_.back().identity, std::string(kLongFrameBytes + n, 'l'), instruction / 16);
    case 12:
    case 13:
      return Flip(static_cast<uint16_t>(instruction / 16 << 8 | n), input->Byte());
    case 14:
      return Cut(static_cast<uint16_t>(instruction / 16 << 8 | n));
    case 15:  // the segment was never written to
      whole_ = false;
      shortened_ = true;
      bytes().assign(n, '\0');
      return;
    default:
      AppendFrame(segments_.back().identity, std::string(8, '\0').append(input->Bytes(n)), instruction / 16);
  }
}

void LogScript::StartSegment() {
  const LogIdentity identity{{0x0123456789abcdef, 0xfedcba9876543210}, 7 + segments_.size(), 99};
  segments_.push_back({identity, std::string(kLogHeaderBytes, '\0')});
  EncodeLogHeader({identity, next_record_, kLogFormatVersion}, bytes().data());
  shortened_ = false;
}

// A lag of 15 stands for one that is saturated.
void LogScript::AppendFrame(const LogIdentity& identity, std::string payload, uint64_t lag) {
  const uint64_t number = next_record_++;
  if (shortened_) dense_ = false;
  StoreU64(payload.data(), number);  // sequences ascend with the records
  const uint64_t durable = lag == 15 ? number : number - 1 - std::min(lag, number - 1);
  const size_t offset = bytes().size();
  AppendLogFrame(&bytes(), identity, {number, durable, number, Slice(payload).substr(8)});
  if (identity != segments_.back().identity) return;
  frames_.push_back({segments_.size() - 1, offset, bytes().substr(offset), number, lag == 15 ? 0 : durable});
  payloads_.insert_or_assign(number, std::move(payload));
}

void LogScript::Flip(uint16_t at, uint8_t with) {
  std::string& target = segments_[at % segments_.size()].bytes;
  if (flips_left_ == 0 || target.empty() || with == 0) return;
  --flips_left_;
  whole_ = false;
  target[(at / segments_.size() * 7) % target.size()] ^= static_cast<char>(with);
}

void LogScript::Cut(uint16_t at) {
  std::string& target = segments_[at % segments_.size()].bytes;
  if (target.empty()) return;
  whole_ = false;
  shortened_ = shortened_ || &target == &bytes();
  target.resize(target.size() - (at / segments_.size()) % target.size());
}

}  // namespace seerdb::fuzz
