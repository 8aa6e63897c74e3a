// LogModeChooser: which mode the next log segment should have, from how the last groups were written.
//
// Direct logs pay when nearly every group is synced, mapped ones when nearly none is; neither is free to
// prepare. So a database starts with a buffered segment, and moves when a stretch of groups agrees. A mixture
// stays with what it has until it leans to one side. Where values lie apart and are synced before the log, a
// direct log saves nothing of that: its whole blocks, and their preparation, would be the larger part of what
// is written besides the values. Thread safety: external synchronization.
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

  // `apart`: the group points to values that have files of their own.
  void NoteGroup(bool synced, bool apart) {
    if (!is_auto_) return;
    if (synced) {
      score_ = std::min(score_ + 1, kAgreement);
      apart_score_ = std::clamp(apart_score_ + (apart ? 1 : -1), 0, kAgreement);
      if (apart_score_ == kAgreement) values_prevail_ = true;
      if (apart_score_ == 0) values_prevail_ = false;
    } else {
      score_ = std::max(score_ - (score_ > 0 ? kUnsyncedWeight : 1), -kAgreement);
    }
    if (score_ == kAgreement)
      wanted_ = refused_direct_ || values_prevail_ ? LogMode::kBuffered : LogMode::kDirect;
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
  int score_ = 0;        // > 0: synced groups prevail
  int apart_score_ = 0;  // > 0: of these, groups that point to values
  bool values_prevail_ = false;
  bool refused_direct_ = false;
  bool refused_mapped_ = false;
};

}  // namespace seerdb
