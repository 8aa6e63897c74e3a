#include "env/memory_content.h"

#include <algorithm>
#include <cstring>

namespace seerdb {
namespace {

Slice Range(Slice bytes, uint64_t begin, uint64_t n) {
  return begin < bytes.size() ? bytes.substr(begin, n) : Slice();
}

void Put(std::string* out, uint64_t begin, Slice bytes) {
  if (bytes.empty() || begin >= out->size()) return;
  std::memcpy(out->data() + begin, bytes.data(), std::min<uint64_t>(bytes.size(), out->size() - begin));
}

}  // namespace

size_t MemoryContent::Read(uint64_t offset, size_t n, char* scratch) const {
  const Slice found = Range(*bytes_, offset, n);
  if (!found.empty()) std::memcpy(scratch, found.data(), found.size());
  return found.size();
}

void MemoryContent::Write(uint64_t offset, Slice bytes) {
  if (bytes.empty()) return;
  SaveSectors(offset, offset + bytes.size());
  std::string* const all = Mutable();
  if (all->size() < offset) all->resize(offset);
  const size_t overwritten = std::min<uint64_t>(bytes.size(), all->size() - offset);
  std::memcpy(all->data() + offset, bytes.data(), overwritten);
  all->append(bytes.substr(overwritten));
}

void MemoryContent::Resize(uint64_t size) {
  if (size < bytes_->size()) SaveSectors(size, bytes_->size());
  if (size != bytes_->size()) Mutable()->resize(size);
}

void MemoryContent::Sync() {
  changed_sectors_.clear();
  durable_size_ = bytes_->size();
}

void MemoryContent::SyncRange(uint64_t begin, uint64_t end) {
  const uint64_t behind = durable_size_;
  durable_size_ = std::max(durable_size_, end);
  // What lies between the durable size and the range had never been made durable: zeros.
  for (uint64_t sector = behind / kSectorBytes; sector * kSectorBytes < begin; ++sector) {
    const uint64_t first = sector * kSectorBytes;
    if (first >= behind) changed_sectors_.emplace(sector, std::string(kSectorBytes, '\0'));
  }
  for (uint64_t sector = begin / kSectorBytes; sector * kSectorBytes < end; ++sector) {
    changed_sectors_.erase(sector);
  }
}

std::shared_ptr<const std::string> MemoryContent::Share() {
  shared_ = true;
  return bytes_;
}

MemoryContent MemoryContent::Clone() {
  shared_ = true;
  return *this;
}

MemoryContent MemoryContent::AfterPowerCut(Random* random) {
  if (IsClean()) return Clone();
  // Few files lose just half of their sectors: all, none and all but a few are tried as often.
  static constexpr uint64_t kKeptEighths[] = {0, 1, 4, 7, 8};
  const uint64_t kept_eighths = kKeptEighths[random->Uniform(std::size(kKeptEighths))];
  const auto [low, high] = std::minmax({durable_size_, size()});
  uint64_t new_size = durable_size_;
  switch (random->Uniform(3)) {
    case 0:
      break;
    case 1:
      new_size = size();
      break;
    default:
      new_size = low + random->Uniform(high - low + 1);
      break;
  }
  std::string image(new_size, '\0');
  for (uint64_t begin = 0; begin < new_size; begin += kSectorBytes) {
    const bool changed = begin >= durable_size_ || changed_sectors_.count(begin / kSectorBytes) != 0;
    const bool kept = !changed || random->Uniform(8) < kept_eighths;
    Put(&image, begin, kept ? Range(*bytes_, begin, kSectorBytes) : DurableSector(begin));
  }
  return Durable(std::move(image));
}

MemoryContent MemoryContent::DurableOnly() {
  if (IsClean()) return Clone();
  std::string image(durable_size_, '\0');
  for (uint64_t begin = 0; begin < durable_size_; begin += kSectorBytes)
    Put(&image, begin, DurableSector(begin));
  return Durable(std::move(image));
}

std::string* MemoryContent::Mutable() {
  if (shared_) {
    bytes_ = std::make_shared<std::string>(*bytes_);
    shared_ = false;
  }
  return bytes_.get();
}

void MemoryContent::SaveSectors(uint64_t begin, uint64_t end) {
  end = std::min(end, durable_size_);
  for (uint64_t sector = begin / kSectorBytes; sector * kSectorBytes < end; ++sector) {
    if (changed_sectors_.count(sector) != 0) continue;
    changed_sectors_.emplace(sector, DurableSector(sector * kSectorBytes));
  }
}

Slice MemoryContent::DurableSector(uint64_t begin) const {
  if (begin >= durable_size_) return {};
  if (const auto saved = changed_sectors_.find(begin / kSectorBytes); saved != changed_sectors_.end())
    return saved->second;
  return Range(*bytes_, begin, std::min(kSectorBytes, durable_size_ - begin));
}

MemoryContent MemoryContent::Durable(std::string bytes) {
  MemoryContent content;
  content.bytes_ = std::make_shared<std::string>(std::move(bytes));
  content.Sync();
  return content;
}

}  // namespace seerdb
