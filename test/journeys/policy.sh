#!/usr/bin/env bash
# A policy that is good, one that is not, and the program's own samples.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

# 1. The samples, against the catalog and profiles that are built in and as files.
expect 0 "$AUTOSCALER" policy check "$REPOSITORY/configs/policy.yaml"
silent err
says out transcribe-fr translate-en summarize-it a100-80gb '$'
mv out built-in
expect 0 "$AUTOSCALER" policy check "$REPOSITORY/configs/policy.yaml" --catalog "$REPOSITORY/configs/catalog.yaml" --profiles "$REPOSITORY/configs/profiles.yaml"
cmp -s out built-in || complain 'the files that are built in say something else'
for name in quickstart genai-policy; do
  expect 0 "$AUTOSCALER" policy check "$REPOSITORY/configs/$name.yaml"
done

# 2. Three mistakes at once, each with its line and a way out.
sed -e 's/amount: "62"/amount: 62/' -e 's/language: "it", class: live/language: it, class: lve/' -e 's/^  scaleUp:/  scaleUpp:/' \
  "$REPOSITORY/configs/policy.yaml" >bad.yaml
expect 3 "$AUTOSCALER" policy check bad.yaml
silent out
says err 'quote it: "62"' 'did you mean "live"?' 'did you mean "scaleUp"?'
[ "$(grep -c '^bad.yaml:[0-9]*:[0-9]*: ' err)" -eq 3 ] || complain "there should be three complaints: $(cat err)"
lines=$(sed -n 's/^bad.yaml:\([0-9]*\):.*/\1/p' err)
[ "$lines" = "$(sort -n <<<"$lines")" ] || complain "the complaints are not sorted: $(cat err)"

# 3. The same for an editor.
expect 3 "$AUTOSCALER" policy check bad.yaml -o json
says out '"valid": false' '"line":' '"column":' '"hint":'
expect 0 "$AUTOSCALER" policy check "$REPOSITORY/configs/policy.yaml" -o json
says out '"valid": true'

# 4. What is no policy.
expect 3 "$AUTOSCALER" policy check "$REPOSITORY/configs/catalog.yaml"
says err catalog.yaml: FleetPolicy
: >empty.yaml
expect 3 "$AUTOSCALER" policy check empty.yaml
says err empty.yaml:1:1: empty
expect 3 "$AUTOSCALER" policy check nowhere.yaml
says err nowhere.yaml
expect 2 "$AUTOSCALER" policy chek bad.yaml
says err 'did you mean check?' 'autoscaler policy --help'
expect 2 "$AUTOSCALER" policy check
says err 'autoscaler policy check --help'
expect 0 "$AUTOSCALER" policy
says out 'autoscaler policy check policy.yaml' Usage:
