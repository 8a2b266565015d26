#!/usr/bin/env bash
# Copyright 2026 The TokenGo Authors
# SPDX-License-Identifier: Apache-2.0
#
# Has a real browser show a hostile page and see what it can do to a client on this machine: nothing.
#   test/browser/run.sh
# Needs Go, node (20 or later) and Chromium ($CHROMIUM, or chromium in the path). Without Chromium it says that it skips.
set -euo pipefail
cd "$(dirname "$0")"

CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
if [ -z "$CHROMIUM" ]; then
  echo 'run.sh: there is no Chromium: the browser tests are skipped'
  exit 0
fi
BROWSER_DIR=$(mktemp -d "${TMPDIR:-/tmp}/tokengo-browser.XXXXXX")
trap 'rm -rf "$BROWSER_DIR"' EXIT
go build -o "$BROWSER_DIR/tokengo" ../../cmd/tokengo
export CHROMIUM BROWSER_DIR
node --test --test-concurrency=1 .
