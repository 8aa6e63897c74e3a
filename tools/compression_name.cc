#include "compression_name.h"

namespace seerdb::cli {

CompressionType ParseCompression(const std::string& name) {
  if (name == "lz4") return CompressionType::kLz4;
  if (name == "zstd") return CompressionType::kZstd;
  return CompressionType::kNone;
}

std::string CompressionName(CompressionType type) {
  switch (type) {
    case CompressionType::kNone:
      return "none";
    case CompressionType::kLz4:
      return "lz4";
    case CompressionType::kZstd:
      return "zstd";
  }
  return "code " + std::to_string(static_cast<int>(type));
}

}  // namespace seerdb::cli
