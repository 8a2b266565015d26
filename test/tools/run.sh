#!/usr/bin/env bash
# Copyright 2026 The TokenGo Authors
# SPDX-License-Identifier: Apache-2.0
#
# Has real AI tools and the vendors' SDKs use models of other protocols than their own, through real processes.
#   test/tools/run.sh
# Needs Go, node (20.15 or later) and npm. A tool that cannot be installed is skipped. Prints what the backend got and
# the processes' logs when a test fails; TOOLS_KEEP=1 keeps all of it, TOOLS_ONLY=tests/NAME runs one file.
set -euo pipefail
cd "$(dirname "$0")"

TOOLS_DIR=$(mktemp -d "${TMPDIR:-/tmp}/tokengo-tools.XXXXXX")
export TOOLS_DIR

# Each process has NAME.pid, NAME.out and NAME.log in $TOOLS_DIR.
finish() {
  local status=$? file n
  set +e
  trap - EXIT INT TERM
  stop_all TERM
  for ((n = 0; n < 100; n++)); do stop_all 0 && sleep 0.05 || break; done
  stop_all KILL && echo 'run.sh: a process did not stop by itself' >&2
  if [ "$status" -ne 0 ]; then
    for file in "$TOOLS_DIR"/*.{out,log}; do
      [ -s "$file" ] && printf '\n== %s, the last 50 lines\n' "${file##*/}" && tail -n 50 "$file"
    done
  fi
  if [ -n "${TOOLS_KEEP:-}" ]; then echo "run.sh: kept $TOOLS_DIR"; else rm -rf "$TOOLS_DIR"; fi
  exit "$status"
}

# stop_all SIGNAL: sends it to all of them; fails when none is there any more.
stop_all() {
  local file any=1
  for file in "$TOOLS_DIR"/*.pid; do
    [ -e "$file" ] && kill "-$1" "$(cat "$file")" 2>/dev/null && any=0
  done
  return $any
}
trap finish EXIT
trap 'exit 130' INT TERM

# start NAME COMMAND...: runs it in the background.
start() {
  local base=$TOOLS_DIR/$1
  shift
  "$@" >"$base.out" 2>"$base.log" &
  echo $! >"$base.pid"
  disown
}

# line NAME: the first line that a process printed.
line() {
  local i
  for ((i = 0; i < 300; i++)); do
    [ -s "$TOOLS_DIR/$1.out" ] && head -n 1 "$TOOLS_DIR/$1.out" && return
    kill -0 "$(cat "$TOOLS_DIR/$1.pid")" || break
    sleep 0.05
  done
  echo "run.sh: the $1 did not start" >&2
  return 1
}

# installed NAME: only what the lock file names, and only when it is not there yet.
installed() (
  cd "packages/$1"
  cmp -s package-lock.json node_modules/.installed && return
  npm ci --no-audit --no-fund --ignore-scripts --prefer-offline --loglevel=error || return
  # Put their binaries for this platform in place.
  if [ -e node_modules/@anthropic-ai/claude-code/install.cjs ]; then node node_modules/@anthropic-ai/claude-code/install.cjs || return; fi
  if [ -e node_modules/opencode-ai/postinstall.mjs ]; then node node_modules/opencode-ai/postinstall.mjs || return; fi
  cp package-lock.json node_modules/.installed
)

TOOLS_MISSING=
for package in sdks ai claude-code codex gemini-cli qwen-code opencode; do
  installed "$package" && continue
  echo "run.sh: npm could not install $package: its tests are skipped"
  TOOLS_MISSING+=" $package"
done
export TOOLS_MISSING

go build -o "$TOOLS_DIR/tokengo" ../../cmd/tokengo
tokengo=$TOOLS_DIR/tokengo

start backend node lib/backend.mjs "$TOOLS_DIR/requests.ndjson"
backend_url=$(line backend)
export TOOLS_BACKEND=$backend_url

start relay "$tokengo" relay --listen 127.0.0.1:0 --state-dir "$TOOLS_DIR/relay-state" --log-level debug
relay_url=$(line relay)
export TOOLS_BIN=$tokengo TOOLS_RELAY=$relay_url

# One exit for each protocol, that has nothing but a backend of it; and one with the demo backend.
# Some models have names that a tool of another protocol knows: lib/network.mjs.
declare -A known=([openai]=claude-sonnet-4-5 [claude]=gpt-5.5 [gemini]=scripted-too [ollama]=gemini-2.5-pro)
for protocol in openai claude gemini ollama; do
  OPENAI_API_KEY=x ANTHROPIC_API_KEY=x GEMINI_API_KEY=x start "exit-$protocol" "$tokengo" exit --relay "$relay_url" --state-dir "$TOOLS_DIR/exit-$protocol" \
    --backend "$protocol=$backend_url" --model "$protocol=scripted-$protocol" --model "$protocol=${known[$protocol]}" --log-level debug
done
# And one whose openai backend is taken to have chat completions only.
OPENAI_API_KEY=x start exit-chat "$tokengo" exit --relay "$relay_url" --state-dir "$TOOLS_DIR/exit-chat" \
  --backend "openai=$backend_url" --backend-responses openai=translate --model openai=scripted-chat --log-level debug
start exit-demo "$tokengo" exit --relay "$relay_url" --state-dir "$TOOLS_DIR/exit-demo" --backend demo --log-level debug

start client "$tokengo" client --relay "$relay_url" --listen 127.0.0.1:0 --state-dir "$TOOLS_DIR/client-state" --log-level debug
TOOLS_URL=$(line client)
export TOOLS_URL

node lib/ready.mjs
node --test --test-concurrency=1 ${TOOLS_ONLY:-tests/}
