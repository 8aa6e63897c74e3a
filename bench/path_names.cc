#include "path_names.h"

#include <array>
#include <cstring>
#include <string_view>

#include "workload.h"

namespace seerdb::bench {
namespace {

constexpr uint64_t kFilesOfPackage = 64;

// Both lists: no word twice, none with a character that joins words.
constexpr std::array<std::string_view, 64> kNames = {
    "apache",  "asound",  "avahi",     "boost",     "cairo", "cups",    "curl",       "dbus",
    "emacs",   "ffmpeg",  "fontforge", "freetype",  "gcc",   "gdal",    "ghc",        "gimp",
    "glib",    "gnome",   "golang",    "gstreamer", "gtk",   "haskell", "icu",        "java",
    "jquery",  "kde",     "kernel",    "ldap",      "llvm",  "lua",     "mariadb",    "mesa",
    "mono",    "mpich",   "mysql",     "ncurses",   "node",  "numpy",   "ocaml",      "openjdk",
    "openmpi", "openssl", "pango",     "perl",      "php",   "plasma",  "postgresql", "puppet",
    "python",  "qt",      "rails",     "ruby",      "rust",  "samba",   "scipy",      "sdl",
    "sqlite",  "systemd", "texlive",   "tomcat",    "vim",   "webkit",  "wine",       "xorg"};
constexpr std::array<std::string_view, 64> kWords = {
    "access",  "actions", "adapter",  "async",  "base",    "binding", "bridge",  "buffer",
    "builder", "cache",   "client",   "codec",  "config",  "context", "control", "core",
    "decoder", "device",  "document", "driver", "editor",  "engine",  "events",  "export",
    "factory", "filter",  "format",   "graph",  "handler", "header",  "helper",  "image",
    "import",  "index",   "input",    "layout", "loader",  "manager", "memory",  "message",
    "module",  "network", "object",   "output", "parser",  "plugin",  "printer", "process",
    "query",   "reader",  "registry", "render", "request", "schema",  "server",  "session",
    "signal",  "socket",  "storage",  "stream", "style",   "table",   "thread",  "widget"};
constexpr std::array<std::string_view, 8> kPackageKinds = {"",      "-dev",   "-doc", "-common",
                                                           "-data", "-utils", "-bin", "-perl"};

// A directory, and how files in it are called. $p is the package, $w a word; each has $p once, as a name by
// itself, and then no digit before the file's name. Two that start alike differ before $p.
struct Place {
  std::string_view directory;
  std::string_view ending;
};
constexpr std::array<Place, 16> kPlaces = {{
    {"/usr/share/doc/$p/html/$w/", ".html"},
    {"/usr/share/doc/$p/examples/", ".txt.gz"},
    {"/usr/include/x86_64-linux-gnu/$p/$w/", ".h"},
    {"/usr/lib/python3/dist-packages/$p/$w/", ".py"},
    {"/usr/lib/python3/dist-packages/$p/$w/__pycache__/", ".pyc"},
    {"/usr/lib/x86_64-linux-gnu/$p/", ".so.0"},
    {"/usr/share/$p/$w/$w/", ".xml"},
    {"/usr/share/icons/hicolor/scalable/apps/$p/", ".svg"},
    {"/usr/share/locale/pt_BR/LC_MESSAGES/$p/", ".mo"},
    {"/usr/share/javascript/$p/$w/", ".min.js"},
    {"/usr/share/perl5/$p/$w/", ".pm"},
    {"/usr/src/linux-headers-common/drivers/$p/", ".h"},
    {"/usr/lib/modules/kernel/drivers/$p/$w/", ".ko"},
    {"/usr/share/texlive/texmf-dist/tex/latex/$p/", ".sty"},
    {"/usr/share/gocode/src/github.com/$p/$w/", "_test.go"},
    {"/usr/lib/ruby/vendor_ruby/$p/$w/", ".rb"},
}};

class PathWriter {
 public:
  explicit PathWriter(char* out) : begin_(out), end_(out) {}
  void Append(std::string_view text) {
    std::memcpy(end_, text.data(), text.size());
    end_ += text.size();
  }
  // "libNAME-NAME1-kind" of the n-th package; the number only behind the first 2^15.
  void AppendPackage(uint64_t n) {
    Append("lib");
    Append(kNames[n / 8 % 64]);
    Append("-");
    Append(kNames[n / (8 * 64) % 64]);
    if (const uint64_t more = n / (64 * 64 * 8); more > 0) AppendNumber(more);
    Append(kPackageKinds[n % 8]);
  }
  uint64_t bytes() const { return static_cast<uint64_t>(end_ - begin_); }

 private:
  void AppendNumber(uint64_t number) {
    if (number >= 10) AppendNumber(number / 10);
    *end_++ = static_cast<char>('0' + number % 10);
  }

  char* begin_;
  char* end_;
};

}  // namespace

uint64_t PathName(uint64_t number, char* out) {
  const uint64_t package = number / kFilesOfPackage;
  const uint64_t file = number % kFilesOfPackage;
  // Four places a package, 16 files in each; in one of them files have different first words.
  const uint64_t drawn = Mix64(package * 4 + file / 16 + 1);
  const Place& place = kPlaces[(Mix64(package) + file / 16 * 5) % kPlaces.size()];
  PathWriter writer(out);
  uint64_t words = drawn;
  for (size_t at = 0; at < place.directory.size(); ++at) {
    if (place.directory[at] != '$') {
      writer.Append(place.directory.substr(at, 1));
    } else if (place.directory[++at] == 'p') {
      writer.AppendPackage(package);
    } else {
      writer.Append(kWords[words % 64]);
      words /= 64;
    }
  }
  writer.Append(kWords[(file + drawn / 4096) % 64]);
  // About half the files have two words.
  if (const uint64_t second = Mix64(number) % 128; second < 64) {
    writer.Append("-");
    writer.Append(kWords[second]);
  }
  writer.Append(place.ending);
  return writer.bytes();
}

}  // namespace seerdb::bench
