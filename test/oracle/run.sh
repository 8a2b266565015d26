#!/usr/bin/env bash
# Copyright 2026 The TokenGo Authors
# SPDX-License-Identifier: Apache-2.0
#
# Shows that Oblivious HTTP clients which know nothing of TokenGo can use it: they get the URL of a relay, the hash of
# an exit's key list, and nothing else. Two of them, neither with a line of this project's codecs: one in Go on the
# library github.com/openpcc/ohttp, one in JavaScript written from RFC 9458, draft-ietf-ohai-chunked-ohttp-08 and
# RFC 9292 on HPKE by the @hpke packages. Both talk to real processes: tokengo relay, tokengo exit, and a backend.
#   test/oracle/run.sh
# Needs Go, node (20.15 or later) and npm. Prints the processes' logs when something fails.
set -euo pipefail
cd "$(dirname "$0")"

. ../lib.sh
begin oracle 100

# exit_hash: the hash of the key list of the exit, as soon as the relay lists it.
exit_hash() {
  local i hash
  for ((i = 0; i < 100; i++)); do
    hash=$("$dir/tokengo" exits list --json --relay "$ORACLE_RELAY" 2>"$dir/list.log" | grep -o '"pub_key_hash": "[0-9a-f]*"' | cut -d '"' -f 4) &&
      [ -n "$hash" ] && echo "$hash" && return
    kill -0 "$(cat "$dir/exit.pid")" || break
    sleep 0.05
  done
  echo 'run.sh: the exit did not register' >&2
  return 1
}

(cd node && installed)
go build -C ../.. -o "$dir/tokengo" ./cmd/tokengo
go vet .

start backend node node/backend.mjs
ORACLE_BACKEND=$(line backend)
start relay "$dir/tokengo" relay --listen 127.0.0.1:0 --state-dir "$dir/relay-state" --log-level debug
ORACLE_RELAY=$(line relay)
export ORACLE_BACKEND ORACLE_RELAY
start exit "$dir/tokengo" exit --relay "$ORACLE_RELAY" --backend demo --backend "openai=$ORACLE_BACKEND" --model openai=oracle \
  --state-dir "$dir/exit-state" --log-level debug
ORACLE_EXIT=$(exit_hash)
export ORACLE_EXIT

go test -count=1 -parallel 8 -timeout 40s .
node --test --test-timeout 30000 node/vectors.test.mjs node/oracle.test.mjs
