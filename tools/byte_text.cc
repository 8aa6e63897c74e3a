#include "byte_text.h"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace seerdb::cli {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

nlohmann::ordered_json JsonOf(Slice bytes) {
  if (IsValidUtf8(bytes)) return std::string(bytes);
  std::string hex;
  AppendHex(&hex, bytes);
  return {{"hex", std::move(hex)}};
}

}  // namespace

OutputForm ParseOutputForm(const std::string& name) {
  if (name == "hex") return OutputForm::kHex;
  if (name == "json") return OutputForm::kJson;
  if (name == "raw") return OutputForm::kRaw;
  return OutputForm::kText;
}

void AppendEscaped(std::string* out, Slice bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\') {
      out->append("\\\\");
    } else if (c == '\t') {
      out->append("\\t");
    } else if (byte >= 0x20 && byte < 0x7f) {
      out->push_back(c);
    } else {
      out->append({'\\', 'x', kHexDigits[byte >> 4], kHexDigits[byte & 15]});
    }
  }
}

std::string Escaped(Slice bytes) {
  std::string out;
  AppendEscaped(&out, bytes);
  return out;
}

void AppendHex(std::string* out, Slice bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out->push_back(kHexDigits[byte >> 4]);
    out->push_back(kHexDigits[byte & 15]);
  }
}

Result<std::string> DecodeHex(Slice text) {
  if (text.size() % 2 != 0) {
    return Status::InvalidArgument("hex: found " + std::to_string(text.size()) +
                                   " digits, expected an even number");
  }
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = HexDigit(text[i]);
    const int low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) {
      return Status::InvalidArgument("hex @" + std::to_string(i) + ": found \"" + Escaped(text.substr(i, 2)) +
                                     "\", expected two hexadecimal digits");
    }
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return bytes;
}

bool IsValidUtf8(Slice bytes) {
  size_t i = 0;
  while (i < bytes.size()) {
    const auto lead = static_cast<unsigned char>(bytes[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || bytes.size() - i < length) return false;
    uint32_t code_point = lead & (0xffu >> (length + 1));
    for (size_t k = 1; k < length; ++k) {
      const auto byte = static_cast<unsigned char>(bytes[i + k]);
      if ((byte & 0xc0) != 0x80) return false;
      code_point = code_point << 6 | (byte & 0x3f);
    }
    const bool overlong = (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
    const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
    if (overlong || surrogate || code_point > 0x10ffff) return false;
    i += length;
  }
  return true;
}

void AppendBytes(std::string* out, OutputForm form, Slice bytes) {
  switch (form) {
    case OutputForm::kText:
      AppendEscaped(out, bytes);
      break;
    case OutputForm::kHex:
      AppendHex(out, bytes);
      break;
    case OutputForm::kJson:
      out->append(JsonOf(bytes).dump());
      break;
    case OutputForm::kRaw:
      out->append(bytes);
      break;
  }
}

void AppendEntryLine(std::string* out, OutputForm form, Slice key, std::optional<Slice> value) {
  const bool json = form == OutputForm::kJson;
  if (json) out->append("{\"key\":");
  AppendBytes(out, form, key);
  if (value) {
    out->append(json ? ",\"value\":" : "\t");
    AppendBytes(out, form, *value);
  }
  out->append(json ? "}\n" : "\n");
}

std::string HumanBytes(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto scaled = static_cast<double>(bytes);
  size_t unit = 0;
  while (scaled >= 1024 && unit + 1 < std::size(kUnits)) {
    scaled /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", scaled, kUnits[unit]);
  return text;
}

}  // namespace seerdb::cli
