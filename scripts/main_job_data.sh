# Where scripts/main_job takes its records from. Sourced, never run.
#
# choose_data sets DATA, a file of "path TAB record" lines below build/data, and DATA_NAME. Files made once
# are used again as long as what they were made from is not newer.
# shellcheck shell=bash

DATA_FOLDER=$ROOT/build/data
APT_FILE_TIMEOUT_S=180

choose_data() {  # 1 = the machine's own file tree
  mkdir -p "$DATA_FOLDER"
  if [ "$1" = 1 ]; then
    say "source: this machine's file tree, as asked"
  elif debian_index; then
    return 0
  else
    warn "Debian's file index cannot be had; loading this machine's file tree instead"
  fi
  machine_tree
}

# The lists of all paths of all packages that apt-file has fetched for this architecture.
contents_files() {
  local architecture
  architecture=$(dpkg --print-architecture 2>/dev/null) || return 0
  find /var/lib/apt/lists -maxdepth 1 -type f -name "*_Contents-$architecture*" -size +0 2>/dev/null | sort
}

debian_index() {
  local files
  DATA=$DATA_FOLDER/debian-index.tsv DATA_NAME="Debian's file index"
  mapfile -t files < <(contents_files)
  if [ ${#files[@]} -eq 0 ]; then
    fetch_contents || return 1
    mapfile -t files < <(contents_files)
  fi
  if [ ${#files[@]} -eq 0 ]; then
    warn "apt-file has fetched no list of files"
    return 1
  fi
  local file
  local stale=0
  for file in "${files[@]}"; do
    if [ ! -s "$DATA" ] || [ "$file" -nt "$DATA" ]; then stale=1; fi
  done
  [ "$stale" = 1 ] || return 0
  say "reading ${#files[@]} lists of apt-file"
  # "path   section/package,section/package": the path may hold spaces, the packages do not.
  /usr/lib/apt/apt-helper cat-file "${files[@]}" |
    awk '{ if (match($0, /[ \t]+[^ \t]+$/) < 2) next
           path = substr($0, 1, RSTART - 1)
           if (index(path, "\t")) next
           packages = substr($0, RSTART); sub(/^[ \t]+/, "", packages)
           print path "\t" packages }' >"$DATA.tmp" || return 1
  [ -s "$DATA.tmp" ] || return 1
  mv "$DATA.tmp" "$DATA"
}

fetch_contents() {
  command -v apt-file >/dev/null 2>&1 || {
    warn "apt-file is not installed"
    return 1
  }
  say "apt-file update"
  as_root timeout "$APT_FILE_TIMEOUT_S" apt-file update </dev/null >/dev/null || {
    warn "apt-file update failed (no network, or no right to run it)"
    return 1
  }
}

# "path TAB type, size, time" of every file below the system's folders, in order of the paths.
machine_tree() {
  DATA=$DATA_FOLDER/machine-tree.tsv DATA_NAME="this machine's file tree"
  if [ -s "$DATA" ] && [ "${keep:-0}" = 1 ]; then return 0; fi
  local folders=() folder
  for folder in /usr /etc /var /opt /srv /home /root; do
    [ ! -d "$folder" ] || [ -L "$folder" ] || folders+=("$folder")
  done
  # Folders that cannot be read are left out, and so are names that a line cannot hold.
  { find "${folders[@]}" -xdev \( -path "$ROOT/build" -o -path /proc -o -path /sys \) -prune -o \
    ! -path $'*\t*' ! -path $'*\n*' -printf '%p\t%y %s %TY-%Tm-%Td\n' 2>/dev/null || true; } |
    awk -F '\t' 'NF == 2 && $1 != ""' | sort -s -t $'\t' -k1,1 >"$DATA.tmp"
  mv "$DATA.tmp" "$DATA"
}
