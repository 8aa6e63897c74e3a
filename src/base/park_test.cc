#include "base/park.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace seerdb {
namespace {

TEST(Park, ReturnsAtOnceIfTheWordDiffers) {
  const std::atomic<uint32_t> word{1};
  ParkWhile(word, 0);
}

TEST(Park, ReturnsWhenTheWordHasChanged) {
  std::atomic<uint32_t> word{0};
  uint32_t plain = 0;
  std::thread waker([&] {
    plain = 7;
    word.store(1, std::memory_order_release);
    Unpark(&word);
  });
  ParkWhile(word, 0);
  EXPECT_EQ(plain, 7u);
  waker.join();
}

TEST(Park, AWakeWithoutAChangeDoesNotReturn) {
  std::atomic<uint32_t> word{0};
  std::atomic<bool> returned{false};
  std::thread sleeper([&] {
    ParkWhile(word, 0);
    returned = true;
  });
  for (int i = 0; i < 1000; ++i) Unpark(&word);
  EXPECT_FALSE(returned);
  word.store(1);
  Unpark(&word);
  sleeper.join();
}

// The waiter owns the word, and is gone as soon as it has seen the change.
TEST(Park, TheWordMayBeGoneWhenItIsUnparked) {
  for (int i = 0; i < 2000; ++i) {
    auto word = std::make_unique<std::atomic<uint32_t>>(0);
    std::atomic<uint32_t>* const address = word.get();
    std::thread sleeper([owned = std::move(word)] { ParkWhile(*owned, 0); });
    address->store(1, std::memory_order_release);
    Unpark(address);
    sleeper.join();
  }
}

TEST(Park, SpinningEndsByItselfOrByAChange) {
  std::atomic<uint32_t> word{0};
  EXPECT_FALSE(SpinWhile(word, 0));
  EXPECT_TRUE(SpinWhile(word, 1));
}

}  // namespace
}  // namespace seerdb
