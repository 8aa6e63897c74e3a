#!/usr/bin/env bash
# Fails when a header does not compile alone, or not when included twice. Usage: check_headers.sh [compiler]
set -euo pipefail
cd "$(dirname "$0")/.."
export COMPILER=${1:-${CXX:-g++}}

check_header() {
  local header=$1 name
  case $header in
    include/*) name=${header#include/} ;;
    src/*) name=${header#src/} ;;
    *) name=$header ;;
  esac
  printf '#include "%s"\n#include "%s"\n' "$name" "$name" |
    "$COMPILER" -std=c++20 -fsyntax-only -Wall -Wextra -Wshadow -Werror -Iinclude -Isrc -I. -x c++ - || {
    echo "$header does not compile alone" >&2
    return 1
  }
}
export -f check_header

mapfile -t headers < <(find include src tests -name '*.h' -type f | sort)
printf '%s\0' "${headers[@]}" | xargs -0 -P "${JOBS:-$(nproc)}" -n 1 bash -c 'check_header "$1"' _
echo "headers: ${#headers[@]} compile alone"
