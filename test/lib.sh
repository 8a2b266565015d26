# Copyright 2026 The TokenGo Authors
# SPDX-License-Identifier: Apache-2.0
#
# What test/*/run.sh have in common: processes that run in the background, and packages. To be sourced.
#
#   begin NAME LINES     makes the folder $dir, which is removed at the end ($KEEP keeps it) when all processes have been
#                        stopped; after a failure the last LINES lines of what each wrote are printed first
#   start NAME COMMAND   runs a command in the background
#   line NAME            prints the first line that it printed
#   installed            has npm install what the lock file of this folder names, unless it is there
#
# Each process has NAME.argv (null-separated), NAME.pid, NAME.out and NAME.log in $dir; a test that kills and restarts one
# keeps them up to date.

begin() {
  dir=$(mktemp -d "${TMPDIR:-/tmp}/tokengo-$1.XXXXXX")
  lines=$2
  trap finish EXIT
  trap 'exit 130' INT TERM
}

finish() {
  local status=$? file n
  set +e
  trap - EXIT INT TERM
  stop_all TERM
  for ((n = 0; n < 100; n++)); do stop_all 0 && sleep 0.05 || break; done
  stop_all KILL && echo 'run.sh: a process did not stop by itself' >&2
  if [ "$status" -ne 0 ]; then
    for file in "$dir"/*.{out,log}; do
      [ -s "$file" ] && printf '\n== %s, the last %d lines\n' "${file##*/}" "$lines" && tail -n "$lines" "$file"
    done
  fi
  if [ -n "${KEEP:-}" ]; then echo "run.sh: kept $dir"; else rm -rf "$dir"; fi
  exit "$status"
}

# stop_all SIGNAL: sends it to all of them; fails when none is there any more.
stop_all() {
  local file any=1
  for file in "$dir"/*.pid; do
    [ -e "$file" ] && kill "-$1" "$(cat "$file")" 2>/dev/null && any=0
  done
  return $any
}

start() {
  local base=$dir/$1
  shift
  printf '%s\0' "$@" >"$base.argv"
  "$@" >"$base.out" 2>"$base.log" &
  echo $! >"$base.pid"
  disown # no word about it when a test kills it
}

line() {
  local i
  for ((i = 0; i < 300; i++)); do
    [ -s "$dir/$1.out" ] && head -n 1 "$dir/$1.out" && return
    kill -0 "$(cat "$dir/$1.pid")" || break
    sleep 0.05
  done
  echo "run.sh: the $1 did not start" >&2
  return 1
}

# Runs side by side share the folder, so what is there stays.
installed() {
  cmp -s package-lock.json node_modules/.installed && return
  npm ci --no-audit --no-fund --ignore-scripts --prefer-offline --loglevel=error || return
  # Put the binaries of tools for this platform in place.
  if [ -e node_modules/@anthropic-ai/claude-code/install.cjs ]; then node node_modules/@anthropic-ai/claude-code/install.cjs || return; fi
  if [ -e node_modules/opencode-ai/postinstall.mjs ]; then node node_modules/opencode-ai/postinstall.mjs || return; fi
  cp package-lock.json node_modules/.installed
}
