// What a Debian machine has of keys that people use: paths, times, packages, words, git's object ids.
//
// Each function returns what it finds, ascending and distinct, and nothing where there is nothing to read.
// Thread safety: functions may be called concurrently.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace seerdb::bench {

// Of all files and symbolic links below `trees`.
std::vector<std::string> FilePaths(const std::vector<std::string>& trees);
// When these were last modified, in nanoseconds since 1970; equal times are made distinct by adding some.
std::vector<uint64_t> ModificationTimes(const std::vector<std::string>& trees);
// "name version" of the packages in dpkg's status file and in apt's lists.
std::vector<std::string> PackageVersions(const std::string& status_file, const std::string& list_folder);
// Words of the dictionaries in a folder; without any, those of the plain texts below `text_folder`.
std::vector<std::string> Words(const std::string& dictionary_folder, const std::string& text_folder);
// 40 hexadecimal digits each, of the git repository that `folder` lies in.
std::vector<std::string> GitObjectIds(const std::string& folder);

}  // namespace seerdb::bench
