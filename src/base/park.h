// ParkWhile, SpinWhile, Unpark: wait for a word to change, without a lock. Pause: waits and looks at nothing.
//
// ParkWhile returns when *word is no longer `value`, and may wake for no reason in between without returning.
// Unpark is called after the change. It uses the address alone: the word may be gone by then, its owner
// having seen the change and left; a thread that waits on a word in the same place looks again and goes on
// waiting. Linux futexes. Thread safety: concurrently.
#pragma once

#include <atomic>
#include <cstdint>

namespace seerdb {

void ParkWhile(const std::atomic<uint32_t>& word, uint32_t value);
// Looks at the word again and again for about two microseconds. True if it is no longer `value`.
bool SpinWhile(const std::atomic<uint32_t>& word, uint32_t value);
// For up to a microsecond, where the processor has an instruction for it.
void Pause();
void Unpark(const std::atomic<uint32_t>* word);

}  // namespace seerdb
