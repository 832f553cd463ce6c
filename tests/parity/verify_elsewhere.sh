#!/usr/bin/env bash
# verify_elsewhere.sh PROGRAM TOPIC: golden cases outside of this tree; exits with 77 (skipped) when there are none.
set -euo pipefail
program=$1
topic=$2
fixtures=${PATCHIONER_FIXTURES:-$(dirname "$0")/../../../shared/fixtures}
if [ ! -d "$fixtures/$topic" ]; then
  echo "skipped: no golden cases at $fixtures/$topic (set PATCHIONER_FIXTURES to their folder)"
  exit 77
fi
exec "$program" verify "$fixtures/$topic"
