#!/usr/bin/env bash
# Copyright 2026 The TokenGo Authors
# SPDX-License-Identifier: Apache-2.0
#
# Serves the vendors' own SDKs through three real processes (relay, exit, client) and tests what they get.
#   test/e2e/run.sh                                               before the demo backend and a third-party mock
#   TOKENGO_REAL_BACKEND=http://127.0.0.1:11434 test/e2e/run.sh   and before a real Ollama
# Needs Go, node (20.15 or later) and npm. Prints the processes' logs when a test fails.
set -euo pipefail
cd "$(dirname "$0")"

node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 15) ? 0 : 1)' || {
  echo "run.sh: node 20.15 or later is needed, and this is $(node --version 2>/dev/null || echo none)" >&2
  exit 1
}

. ../lib.sh
begin e2e 200
E2E_CANARY=$(node -p 'crypto.randomUUID().slice(0, 8)')
export E2E_DIR=$dir E2E_CANARY E2E_OPERATOR_KEY=operator-key-$E2E_CANARY

# A port that is free now. The processes must come back on theirs when they are restarted, so it is not left to them.
free_port() { node -e 'const s = net.createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })'; }

installed
go build -o "$E2E_DIR/tokengo" ../../cmd/tokengo
tokengo=$E2E_DIR/tokengo

start backend node lib/backend.mjs fixtures/aimock.json
E2E_BACKEND_URL=$(line backend)

start relay "$tokengo" relay --listen "127.0.0.1:$(free_port)" --state-dir "$E2E_DIR/relay-state" --log-level debug
relay_url=$(line relay)

backends=(--backend demo)
for protocol in openai claude gemini ollama; do
  backends+=(--backend "$protocol=$E2E_BACKEND_URL")
done
for model in openai={mock,busy}-gpt openai=busy-responses claude={mock,busy}-claude gemini={mock,busy}-gemini ollama={mock,busy}-llama; do
  backends+=(--model "$model")
done
if [ -n "${TOKENGO_REAL_BACKEND:-}" ] && curl -sf -m 5 -o /dev/null "$TOKENGO_REAL_BACKEND/api/version"; then
  for protocol in openai claude ollama; do
    backends+=(--backend "$protocol=$TOKENGO_REAL_BACKEND")
  done
else
  echo "run.sh: no real Ollama at TOKENGO_REAL_BACKEND (${TOKENGO_REAL_BACKEND:-not set}): its tests are skipped"
  export TOKENGO_REAL_BACKEND=
fi
OPENAI_API_KEY=$E2E_OPERATOR_KEY ANTHROPIC_API_KEY=$E2E_OPERATOR_KEY GEMINI_API_KEY=$E2E_OPERATOR_KEY OLLAMA_API_KEY=$E2E_OPERATOR_KEY \
  start exit "$tokengo" exit --relay "$relay_url" "${backends[@]}" --state-dir "$E2E_DIR/exit-state" --log-level debug
if [ -n "$TOKENGO_REAL_BACKEND" ]; then
  node lib/aliases.mjs "$TOKENGO_REAL_BACKEND" >"$E2E_DIR/aliases.yaml"
  OPENAI_API_KEY=$E2E_OPERATOR_KEY ANTHROPIC_API_KEY=$E2E_OPERATOR_KEY OLLAMA_API_KEY=$E2E_OPERATOR_KEY \
    start exit-real "$tokengo" exit --relay "$relay_url" --config "$E2E_DIR/aliases.yaml" --state-dir "$E2E_DIR/exit-real-state" --log-level debug
fi

# Bytes are compared with those that the SDK sent; test/tools has clients that scrub.
start client "$tokengo" client --scrub off --relay "$relay_url" --listen "127.0.0.1:$(free_port)" --state-dir "$E2E_DIR/client-state" --log-level debug
E2E_CLIENT_URL=$(line client)
export E2E_BACKEND_URL E2E_CLIENT_URL

node lib/ready.mjs
# One after the other: the second stops processes that the first needs, and the third reads the logs of both.
status=0
for tests in tests/ healing.test.mjs logs.test.mjs; do
  node --test "$tests" || status=1
done
exit $status
