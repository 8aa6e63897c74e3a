// RepairReport in words.
#include "seerdb/repair.h"
#include "seerdb/slice.h"

namespace seerdb {
namespace {

void AppendKey(std::string* out, const std::optional<std::string>& key, const char* unknown) {
  if (!key.has_value()) {
    *out += unknown;
    return;
  }
  out->push_back('"');
  for (const char c : *key) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '\\' && c != '"') {
      out->push_back(c);
    } else {
      constexpr char kDigits[] = "0123456789abcdef";
      out->append({'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  out->push_back('"');
}

}  // namespace

std::string RepairReport::ToString() const {
  if (finished_earlier) {
    return "an earlier repair was interrupted behind its last step; its report lies in lost/\n";
  }
  std::string out = manifest_kept ? "manifest: whole, the tree keeps its shape\n"
                                  : "manifest: damaged or incomplete, everything readable was merged\n";
  out += "tables: " + std::to_string(tables_intact) + " intact, " + std::to_string(tables_salvaged) +
         " salvaged, " + std::to_string(tables_lost) + " lost\n";
  out += "log: " + std::to_string(log_records) + " records applied\n";
  for (const RepairLoss& loss : losses) {
    out += "lost: " + loss.file + " @" + std::to_string(loss.offset);
    if (loss.bytes > 0) out += ", " + std::to_string(loss.bytes) + " bytes";
    out += ", keys ";
    AppendKey(&out, loss.smallest_key, "from the first");
    out += " to ";
    AppendKey(&out, loss.largest_key, "the last");
    out += ": " + loss.reason + "\n";
  }
  if (losses.empty()) out += "nothing that can be told was lost\n";
  return out;
}

}  // namespace seerdb
