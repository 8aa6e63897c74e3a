#include "tests/differential/key_source.h"

#include <cstdio>

#include "seerdb/types.h"

namespace seerdb::testing {

KeySource::KeySource(Random* random, size_t keys) : random_(random) {
  pool_ = {"",        std::string(1, '\0'), "a", std::string("a\0", 2), "a\xff", "aa", "user\xff", "uses",
           "\xff\xff"};
  pool_.push_back(Bytes(kMaxKeyBytes));
  pool_.push_back(Bytes(5000 + random_->Uniform(20000)));
  while (pool_.size() < keys) pool_.push_back(FreshKey());
}

std::string KeySource::Bytes(size_t n) {
  std::string bytes(n, '\0');
  for (char& c : bytes) c = static_cast<char>(random_->Next());
  return bytes;
}

std::string KeySource::FreshKey() {
  static const char kAlphabet[] = {'\0', 'a', 'b', 'm', '\x7f', '\x80', '\xfe', '\xff'};
  std::string key;
  switch (random_->Uniform(6)) {
    case 0:  // short, from few bytes: many are prefixes of others
      for (uint64_t n = random_->Uniform(6); n > 0; --n) key += kAlphabet[random_->Uniform(sizeof kAlphabet)];
      return key;
    case 1:  // any bytes
      return Bytes(random_->Uniform(24));
    case 2: {  // sequential text
      char text[32];
      std::snprintf(text, sizeof text, "user/%08llu",
                    static_cast<unsigned long long>(random_->Uniform(2000)));
      return text;
    }
    case 3:  // a long shared prefix, and a binary tail
      return "shared/prefix/of/forty/bytes/and/a/bit/" + Bytes(1 + random_->Uniform(8));
    case 4: {  // big-endian integers
      const uint64_t number = random_->Uniform(1 << 16) * 977;
      for (int shift = 56; shift >= 0; shift -= 8) key += static_cast<char>(number >> shift);
      return key;
    }
    default:  // grown from another key
      return pool_[random_->Uniform(pool_.size() - 1)].substr(0, 30) + Bytes(1 + random_->Uniform(2));
  }
}

std::string KeySource::Beside(std::string key) {
  switch (random_->Uniform(5)) {
    case 0:
      return key + '\0';
    case 1:
      return key + '\xff';
    case 2:
      return key.substr(0, random_->Uniform(key.size() + 1));
    case 3:
      if (!key.empty()) key.back() = static_cast<char>(key.back() + 1);
      return key;
    default:
      if (!key.empty()) key.back() = static_cast<char>(key.back() - 1);
      return key;
  }
}

std::string KeySource::WriteKey() {
  const uint64_t choice = random_->Uniform(1000);
  if (choice < 300) return pool_[random_->Uniform(pool_.size() < 64 ? pool_.size() : 64)];
  if (choice < 980) return pool_[random_->Uniform(pool_.size())];
  std::string key = Beside(pool_[random_->Uniform(pool_.size())]);
  if (key.size() > kMaxKeyBytes) key.resize(kMaxKeyBytes);
  return key;
}

std::string KeySource::ReadKey() {
  if (random_->Uniform(10) < 7) return WriteKey();
  return random_->OneIn(2) ? Beside(pool_[random_->Uniform(pool_.size())]) : FreshKey();
}

std::string KeySource::Prefix() {
  const std::string& key = pool_[random_->Uniform(pool_.size())];
  const std::string prefix = key.substr(0, random_->Uniform(8));
  return random_->OneIn(8) ? prefix + '\xff' : prefix;
}

std::string KeySource::Value() {
  const uint64_t choice = random_->Uniform(1000);
  if (choice < 60) return "";
  if (choice < 800) return Bytes(1 + random_->Uniform(60));
  if (choice < 960) return Bytes(100 + random_->Uniform(300));
  if (choice < 999) return std::string(1024 + random_->Uniform(3072), static_cast<char>(random_->Next()));
  return random_->OneIn(4) ? Bytes(random_->Uniform(100 << 10)) : std::string(8192, 'z');
}

}  // namespace seerdb::testing
