# shellcheck shell=bash disable=SC2034 # what is set here is used by those who source it
# Counts what the stages of the tests report, and sums it up. Sourced by test.sh.

PASSED=0
FAILED=0
SKIPPED=0
TABLE=

without_colours() {
  local escape
  escape=$(printf '\033')
  sed "s/${escape}\[[0-9;]*[A-Za-z]//g" "$1" >"$1.plain"
  mv "$1.plain" "$1"
}

# count_results STAGE LOG STATUS sets COUNT_PASSED, COUNT_FAILED, COUNT_SKIPPED and
# OUTCOME. A stage that failed counts at least one failure, whatever it printed.
count_results() {
  local counts=
  case $1 in
    unit | integration | e2e | images) counts=$(jest_counts "$2") ;;
    fuzz | chaos | cluster) counts=$(line_counts "$2") ;;
  esac
  if [ -z "$counts" ]; then
    # A static check is one test; a stage of tests that gave no count has died.
    case $1 in
      unit | integration | e2e | images | fuzz | chaos | cluster)
        counts="0 1 0"
        say "stage $1 ended with status $3 and gave no count of its tests"
        ;;
      *) if [ "$3" -eq 0 ]; then counts="1 0 0"; else counts="0 1 0"; fi ;;
    esac
  fi
  read -r COUNT_PASSED COUNT_FAILED COUNT_SKIPPED <<<"$counts"
  if [ "$3" -ne 0 ] && [ "$COUNT_FAILED" -eq 0 ]; then COUNT_FAILED=1; fi
  OUTCOME=ok
  if [ "$COUNT_FAILED" -gt 0 ]; then OUTCOME=FAILED; fi
}

# "Tests:       1 failed, 2 skipped, 30 passed, 33 total", as jest ends each run.
jest_counts() {
  awk '
    /^Tests: +.*[0-9]+ total/ {
      seen = 1
      sub(/^Tests: +/, "")
      n = split($0, parts, /, */)
      for (i = 1; i <= n; i++) {
        split(parts[i], word, " ")
        if (word[2] == "passed") passed += word[1]
        if (word[2] == "failed") failed += word[1]
        if (word[2] == "skipped" || word[2] == "todo") skipped += word[1]
      }
    }
    END { if (seen) print passed + 0, failed + 0, skipped + 0 }
  ' "$1"
}

# "3 passed, 0 failed" or "3 passed, 0 failed, 1 skipped", alone on a line.
line_counts() {
  awk '
    /^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$/ {
      seen = 1
      passed += $1
      failed += $3
      skipped += $5
    }
    END { if (seen) print passed + 0, failed + 0, skipped + 0 }
  ' "$1"
}

# record_stage STAGE OUTCOME SECONDS PASSED FAILED SKIPPED
record_stage() {
  local row
  PASSED=$((PASSED + $4))
  FAILED=$((FAILED + $5))
  SKIPPED=$((SKIPPED + $6))
  row=$(printf '%-12s %-8s %8s %8d %8d' "$1" "$2" "$(($3 / 60)):$(printf '%02d' $(($3 % 60)))" "$4" "$5")
  TABLE="$TABLE$row
"
}

print_summary() {
  local total="$PASSED passed, $FAILED failed"
  say
  printf '%-12s %-8s %8s %8s %8s\n' stage result minutes passed failed
  printf '%s' "$TABLE"
  say "all stages: $((SECONDS / 60)):$(printf '%02d' $((SECONDS % 60))) minutes, logs in $LOGS"
  say
  if [ "$SKIPPED" -gt 0 ]; then total="$total, $SKIPPED skipped"; fi
  say "$total"
}
