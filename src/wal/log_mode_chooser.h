// LogModeChooser: which mode the next log segment should have, from how the last groups were written.
//
// Direct logs pay when nearly every group is synced, mapped ones when nearly none is; neither is free to
// prepare. So a database starts with a buffered segment, and moves when a stretch of groups agrees. A mixture
// stays with what it has until it leans to one side. Thread safety: external synchronization.
#pragma once

#include <algorithm>

#include "seerdb/file_system.h"

namespace seerdb {

class LogModeChooser {
 public:
  // Groups that must agree before the mode changes.
  static constexpr int kAgreement = 64;
  // How many synced groups one unsynced group outweighs: it gains more from the page cache than a synced one
  // loses.
  static constexpr int kUnsyncedWeight = 8;

  // `option`: kAuto, or the mode that every segment shall have.
  explicit LogModeChooser(LogMode option)
      : is_auto_(option == LogMode::kAuto), wanted_(is_auto_ ? LogMode::kBuffered : option) {}

  void NoteGroup(bool synced) {
    if (!is_auto_) return;
    if (synced) {
      score_ = std::min(score_ + 1, kAgreement);
    } else {
      score_ = std::max(score_ - (score_ > 0 ? kUnsyncedWeight : 1), -kAgreement);
    }
    if (score_ == kAgreement) wanted_ = refused_direct_ ? LogMode::kBuffered : LogMode::kDirect;
    if (score_ == -kAgreement) wanted_ = refused_mapped_ ? LogMode::kBuffered : LogMode::kMapped;
  }

  // The file system cannot do `mode`: it is not asked for again.
  void NoteRefused(LogMode mode) {
    if (mode == LogMode::kDirect) refused_direct_ = true;
    if (mode == LogMode::kMapped) refused_mapped_ = true;
    if (wanted_ == mode) wanted_ = LogMode::kBuffered;
  }

  LogMode wanted() const { return wanted_; }

 private:
  const bool is_auto_;
  LogMode wanted_;
  int score_ = 0;  // > 0: synced groups prevail
  bool refused_direct_ = false;
  bool refused_mapped_ = false;
};

}  // namespace seerdb
