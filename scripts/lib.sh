# Shared by the scripts of this folder: messages, packages, builds. Sourced, never run.
# shellcheck shell=bash

set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
JOBS=${SEERDB_JOBS:-$(nproc 2>/dev/null || echo 2)}
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 ROOT JOBS

say() { printf '== %s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# --- packages ---------------------------------------------------------------------------------------
PACKAGES_BUILD=(g++ cmake ninja-build liblz4-dev libzstd-dev libxxhash-dev libgtest-dev libgmock-dev
  libcli11-dev nlohmann-json3-dev pkg-config git python3)
PACKAGES_TEST=(clang clang-format clang-tidy libclang-rt-dev lld)
PACKAGES_BENCH=(librocksdb-dev libleveldb-dev liblmdb-dev libwiredtiger-dev libbenchmark-dev gnuplot-nox)
PACKAGES_RUN_OPTIONAL=(apt-file)

# Prints those of the named packages that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

# Runs a command with the rights that installing needs.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    return 126
  fi
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -qq -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# Installs what is missing of the named packages; returns non-zero, saying why, if that cannot be done.
try_install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
    warn "packages are missing, and installing them needs root or sudo. As root, run:"
    warn "  apt-get install --no-install-recommends ${missing[*]}"
    return 1
  fi
  say "installing packages: ${missing[*]}"
  apt_get update || warn "apt-get update failed; trying with the package lists that are there"
  if ! apt_get install -y --no-install-recommends "${missing[@]}"; then
    warn "apt-get could not install: ${missing[*]}"
    return 1
  fi
}

# Installs what is missing of the named packages, or ends the script.
need_packages() {
  if ! command -v dpkg-query >/dev/null 2>&1; then
    warn "this is not a Debian-like system; expecting the equivalents of these packages: $*"
    return 0
  fi
  try_install_packages "$@" || die "cannot go on without these packages"
}

# The same for packages that the caller can do without.
want_packages() {
  command -v dpkg-query >/dev/null 2>&1 || return 0
  try_install_packages "$@" || warn "going on without: $*"
}

# --- builds -----------------------------------------------------------------------------------------
# configure PRESET [-D...]: makes build/PRESET ready; quick when nothing changed.
configure() {
  local preset=$1 folder="$ROOT/build/$1" wanted fresh=()
  shift
  command -v ccache >/dev/null 2>&1 && set -- -DCMAKE_CXX_COMPILER_LAUNCHER=ccache "$@"
  wanted="$ROOT $preset $* $(cksum <"$ROOT/CMakePresets.json")"
  if [ -f "$folder/build.ninja" ] && [ "$(cat "$folder/.configured" 2>/dev/null)" = "$wanted" ]; then
    return 0
  fi
  [ -f "$folder/CMakeCache.txt" ] && fresh=(--fresh)
  rm -f "$folder/.configured"
  (cd "$ROOT" && cmake --preset "$preset" "${fresh[@]}" "$@" -Wno-dev --log-level=NOTICE)
  echo "$wanted" >"$folder/.configured"
}

# build PRESET [target...]
build() {
  local folder="$ROOT/build/$1"
  shift
  NINJA_STATUS='[%f/%t %es] ' ninja -C "$folder" -j "$JOBS" "$@"
}

# Sanitizers place their shadow memory at fixed addresses, which too much address randomization collides
# with; prints the prefix of a command that turns it off, where the system lets it.
without_aslr() {
  if setarch "$(uname -m)" -R true 2>/dev/null; then echo "setarch $(uname -m) -R"; fi
}
