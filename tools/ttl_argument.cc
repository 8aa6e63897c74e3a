#include "ttl_argument.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "seerdb/types.h"

namespace seerdb::cli {
namespace {

constexpr uint64_t kMicrosPerSecond = 1'000'000;

// The microseconds of a number of seconds; nullopt unless it is one in 0 .. kMaxTtlUs. What is above 0 stays
// so.
std::optional<uint64_t> ParseSeconds(const std::string& text) {
  double seconds = 0;
  const char* const text_end = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), text_end, seconds);
  if (error != std::errc() || end != text_end) return std::nullopt;
  const double micros = seconds * static_cast<double>(kMicrosPerSecond);
  const bool in_range = micros >= 0 && micros <= static_cast<double>(kMaxTtlUs);  // NaN is not
  if (!in_range) return std::nullopt;
  const auto rounded = static_cast<uint64_t>(std::llround(micros));
  return micros > 0 ? std::max<uint64_t>(rounded, 1) : 0;
}

}  // namespace

void AddTtlOption(CLI::App* command, const std::string& what, ZeroTtl zero, std::optional<uint64_t>* ttl_us) {
  const auto check = [zero](const std::string& text) {
    const std::optional<uint64_t> parsed = ParseSeconds(text);
    if (parsed && (*parsed > 0 || zero == ZeroTtl::kYes)) return std::string();
    return "found " + text + ", expected seconds, " + (zero == ZeroTtl::kYes ? "at least 0" : "above 0") +
           " and at most " + SecondsText(kMaxTtlUs) + " (100 years)";
  };
  command
      ->add_option_function<std::string>(
          "--ttl", [ttl_us](const std::string& text) { *ttl_us = ParseSeconds(text); }, what)
      ->type_name("SECONDS")
      ->check(check);
}

std::string SecondsText(uint64_t micros) {
  std::string text = std::to_string(micros / kMicrosPerSecond);
  if (micros % kMicrosPerSecond == 0) return text;
  std::string fraction = std::to_string(kMicrosPerSecond + micros % kMicrosPerSecond);
  fraction.front() = '.';
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return text + fraction;
}

}  // namespace seerdb::cli
