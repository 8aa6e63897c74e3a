#include "real_keys.h"

#include <lz4frame.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <unordered_set>

namespace seerdb::bench {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLeastWord = 3;
constexpr size_t kLongestWord = 24;
constexpr uintmax_t kLargestText = uintmax_t{1} << 20;
constexpr size_t kObjectIdBytes = 20;

// Calls `visit` with each entry below `folder` that is no directory.
template <typename Visit>
void WalkFiles(const std::string& folder, const Visit& visit) {
  std::error_code error;
  fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, error);
  for (const fs::recursive_directory_iterator end; !error && it != end; it.increment(error)) {
    std::error_code unknown;
    if (!fs::is_directory(it->symlink_status(unknown))) visit(*it);
  }
}

template <typename Key>
void SortDistinct(std::vector<Key>* keys) {
  std::sort(keys->begin(), keys->end());
  keys->erase(std::unique(keys->begin(), keys->end()), keys->end());
}

std::string ReadWhole(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// As far as it can be unpacked.
std::string UnpackLz4(const std::string& packed) {
  std::string text;
  LZ4F_dctx* context = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION))) return text;
  std::vector<char> piece(size_t{1} << 20);
  for (size_t at = 0; at < packed.size();) {
    size_t taken = packed.size() - at;
    size_t made = piece.size();
    const size_t hint = LZ4F_decompress(context, piece.data(), &made, packed.data() + at, &taken, nullptr);
    if (LZ4F_isError(hint) || (taken == 0 && made == 0)) break;
    text.append(piece.data(), made);
    at += taken;
  }
  LZ4F_freeDecompressionContext(context);
  return text;
}

// Of stanzas as in deb-control(5).
void AddPackages(std::string_view text, std::vector<std::string>* keys) {
  constexpr std::string_view kPackage = "Package: ";
  constexpr std::string_view kVersion = "Version: ";
  std::string_view package;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.starts_with(kPackage)) package = line.substr(kPackage.size());
    if (line.starts_with(kVersion) && !package.empty()) {
      keys->push_back(std::string(package) + " " + std::string(line.substr(kVersion.size())));
      package = {};
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void AddWordsOf(const std::string& text, std::unordered_set<std::string>* words) {
  std::string word;
  for (const char c : text + " ") {
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      word.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
      continue;
    }
    if (word.size() >= kLeastWord && word.size() <= kLongestWord) words->insert(word);
    word.clear();
  }
}

std::string HexOf(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text.push_back("0123456789abcdef"[byte >> 4]);
    text.push_back("0123456789abcdef"[byte & 15]);
  }
  return text;
}

uint32_t BigEndian(const std::string& bytes, size_t at) {
  uint32_t number = 0;
  for (size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

// Of a pack's index: gitformat-pack(5), version 2.
void AddPackedIds(const std::string& index, std::vector<std::string>* ids) {
  constexpr size_t kFirstId = 8 + 256 * 4;
  if (index.size() < kFirstId || index.compare(0, 8, std::string("\377tOc\0\0\0\2", 8)) != 0) return;
  const size_t count = BigEndian(index, kFirstId - 4);
  if ((index.size() - kFirstId) / kObjectIdBytes < count) return;
  for (size_t i = 0; i < count; ++i) {
    ids->push_back(HexOf(std::string_view(index).substr(kFirstId + i * kObjectIdBytes, kObjectIdBytes)));
  }
}

}  // namespace

std::vector<std::string> FilePaths(const std::vector<std::string>& trees) {
  std::vector<std::string> paths;
  for (const std::string& tree : trees) {
    WalkFiles(tree, [&](const fs::directory_entry& entry) { paths.push_back(entry.path().string()); });
  }
  SortDistinct(&paths);
  return paths;
}

std::vector<uint64_t> ModificationTimes(const std::vector<std::string>& trees) {
  constexpr uint64_t kNanoseconds = 1'000'000'000;
  std::vector<uint64_t> times;
  for (const std::string& tree : trees) {
    WalkFiles(tree, [&](const fs::directory_entry& entry) {
      struct stat status {};
      if (::lstat(entry.path().c_str(), &status) != 0 || status.st_mtim.tv_sec <= 0) return;
      times.push_back(static_cast<uint64_t>(status.st_mtim.tv_sec) * kNanoseconds +
                      static_cast<uint64_t>(status.st_mtim.tv_nsec));
    });
  }
  std::sort(times.begin(), times.end());
  for (size_t i = 1; i < times.size(); ++i) times[i] = std::max(times[i], times[i - 1] + 1);
  return times;
}

std::vector<std::string> PackageVersions(const std::string& status_file, const std::string& list_folder) {
  std::vector<std::string> keys;
  AddPackages(ReadWhole(status_file), &keys);
  WalkFiles(list_folder, [&](const fs::directory_entry& entry) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with("_Packages")) AddPackages(ReadWhole(entry.path()), &keys);
    if (name.ends_with("_Packages.lz4")) AddPackages(UnpackLz4(ReadWhole(entry.path())), &keys);
  });
  SortDistinct(&keys);
  return keys;
}

std::vector<std::string> Words(const std::string& dictionary_folder, const std::string& text_folder) {
  std::unordered_set<std::string> words;
  const auto add = [&](const fs::directory_entry& entry) {
    std::error_code error;
    if (!entry.is_regular_file(error) || entry.path().extension() == ".gz") return;
    AddWordsOf(ReadWhole(entry.path()), &words);
  };
  WalkFiles(dictionary_folder, add);
  if (words.empty()) {
    WalkFiles(text_folder, [&](const fs::directory_entry& entry) {
      std::error_code error;
      if (!entry.is_symlink(error) && entry.file_size(error) <= kLargestText && !error) add(entry);
    });
  }
  std::vector<std::string> keys(words.begin(), words.end());
  SortDistinct(&keys);
  return keys;
}

std::vector<std::string> GitObjectIds(const std::string& folder) {
  std::vector<std::string> ids;
  std::error_code error;
  fs::path at = fs::weakly_canonical(fs::absolute(folder, error), error);
  while (at.has_relative_path() && !fs::is_directory(at / ".git" / "objects", error)) at = at.parent_path();
  const fs::path objects = at / ".git" / "objects";
  WalkFiles(objects.string(), [&](const fs::directory_entry& entry) {
    if (entry.path().extension() == ".idx") AddPackedIds(ReadWhole(entry.path()), &ids);
    const std::string loose =
        entry.path().parent_path().filename().string() + entry.path().filename().string();
    const bool hex = loose.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (loose.size() == 2 * kObjectIdBytes && hex) ids.push_back(loose);
  });
  SortDistinct(&ids);
  return ids;
}

}  // namespace seerdb::bench
