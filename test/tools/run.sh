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

. ../lib.sh

KEEP=${TOOLS_KEEP:-}
begin tools 50
export TOOLS_DIR=$dir

TOOLS_MISSING=
for package in sdks ai claude-code codex gemini-cli qwen-code opencode; do
  (cd "packages/$package" && installed) && continue
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
