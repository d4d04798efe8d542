#!/usr/bin/env bash
# The first command of the README, the same result twice, gates, and traffic that is
# not there.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

five=$REPOSITORY/configs/scenarios/five-languages.yaml

# 1. Two weeks of five languages, as a table.
expect 0 "$AUTOSCALER" simulate "$five"
silent err
mv out table
says table 'five-languages: 14d' 'requests, ' 'within their SLO' 'per 1,000 served' 'GPU-hours' \
  'cost by group: captions $' 'GPUs over time' 'mixed or dedicated: ' 'dedicated' 'hash '
for task in transcribe translate summarize; do
  for language in en de fr es it; do
    grep -Eq "^$task-$language +$language +.*%" table || complain "the table has no line of $task-$language with its language and attainment: $(cat table)"
  done
done
[ "$(grep -c '^[MTWFS][a-z][a-z] [0-9][0-9] Sep ' table)" -eq 14 ] || complain "the GPUs are not drawn for 14 days: $(cat table)"

# 2. Ctrl-C and SIGTERM end it, and half a result is none.
"$AUTOSCALER" simulate "$five" >out 2>err &
simulation=$!
sleep 1
kill -TERM "$simulation"
code=0
wait "$simulation" || code=$?
[ "$code" -eq 1 ] || complain "exit code $code after SIGTERM: $(cat err)"
silent out

# 3. A day of it, from a copy: the same hash twice, and another with another seed.
sed -e 's/^  duration: 14d/  duration: 1d/' -e "s|: \.\./|: $REPOSITORY/configs/|" "$five" >day.yaml
for name in one two; do
  expect 0 "$AUTOSCALER" simulate day.yaml -o json
  silent err
  mv out "$name.json"
done
[ "$(field simulated_seconds one.json)" = 86400 ] || complain "it lasts $(field simulated_seconds one.json) seconds"
hash=$(field hash one.json)
[ ${#hash} -eq 64 ] || complain "its hash is '$hash'"
[ "$hash" = "$(field hash two.json)" ] || complain 'two runs with one seed have different hashes'
[ "$(field requests one.json)" -eq $(($(field served one.json) + $(field dropped one.json) + $(field waiting one.json))) ] ||
  complain 'requests were lost or made'
expect 0 "$AUTOSCALER" simulate day.yaml -o json --seed 2
[ "$hash" != "$(field hash out)" ] || complain 'another seed has the same hash'

# 4. Gates: the result is printed, and the exit code judges it. --report and --record
#    change nothing about it.
expect 0 "$AUTOSCALER" simulate day.yaml -o json --fail-on 'attainment<0.5,cost_usd>100000' --report report.html --record record.jsonl.gz
silent err
[ "$hash" = "$(field hash out)" ] || complain 'a report changed the result'
says report.html '<!doctype html>' transcribe-fr '</html>'
gzip -t record.jsonl.gz || complain 'the record is no whole gzip file'
gzip -dc record.jsonl.gz >record.jsonl
[[ $(head -c 12 record.jsonl) = '{"settings":' ]] || complain 'the record does not begin with the settings'
expect 4 "$AUTOSCALER" simulate day.yaml -o json --fail-on 'cost_usd>1'
says err 'cost_usd is ' '> 1'
[ "$hash" = "$(field hash out)" ] || complain 'a failed gate hides the result'
expect 2 "$AUTOSCALER" simulate day.yaml --fail-on 'attainmnt<0.99'
says err 'did you mean attainment?'
silent out

# 5. Recorded traffic that is not there.
expect 3 "$AUTOSCALER" simulate "$REPOSITORY/configs/scenarios/genai-models.yaml" --data "$PWD/nowhere"
says err genai-models.yaml: "$PWD/nowhere/" --data TESSERA_DATA
silent out
