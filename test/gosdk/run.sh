#!/usr/bin/env bash
# Copyright 2026 The TokenGo Authors
# SPDX-License-Identifier: Apache-2.0
#
# Has the vendors' own Go SDKs read translated answers and use whole networks; see doc.go.
#   test/gosdk/run.sh
# Needs Go.
set -euo pipefail
cd "$(dirname "$0")"

go vet .
go test -count=1 -timeout 60s .
