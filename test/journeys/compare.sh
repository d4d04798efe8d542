#!/usr/bin/env bash
# Controllers side by side: the same table whatever happened on the way, setups that
# are searched, results from elsewhere, and what is said of what makes no sense.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

# Six hours of five languages, from a copy.
sed -e 's/^  duration: 14d/  duration: 6h/' -e 's/^  start: .*/  start: 2026-09-14T06:00:00Z/' -e "s|: \.\./|: $REPOSITORY/configs/|" \
  -e 's/{name: five-languages}/{name: morning}/' "$REPOSITORY/configs/scenarios/five-languages.yaml" >morning.yaml

# 1. A comparison that is ended by SIGTERM after its first run goes on where it was.
who=tessera,clairvoyant,hpa,static-peak
"$AUTOSCALER" compare morning.yaml --controllers "$who" --seeds 2 --cache kept --jobs 1 >out 2>err &
comparison=$!
patiently 120 grep -q '^1 of 8: ' err || complain "nothing was finished: $(cat err)"
kill -TERM "$comparison"
code=0
wait "$comparison" || code=$?
[ "$code" -eq 1 ] || complain "exit code $code after SIGTERM: $(cat err)"
silent out
says err 'interrupted'
expect 0 "$AUTOSCALER" compare morning.yaml --controllers "$who" --seeds 2 --cache kept --report report.html
says err 'kept from before' '8 of 8: '
says out 'morning: ' tessera clairvoyant hpa static-peak '±' REGRET
says report.html '<!doctype html>' static-peak '</html>'
mv out table
expect 0 "$AUTOSCALER" compare morning.yaml --controllers "$who" --seeds 2 --cache fresh
cmp -s out table || complain "a comparison that was never interrupted says something else: $(cat out)"

# 2. For scripts, and the same as simulate says.
expect 0 "$AUTOSCALER" compare morning.yaml --controllers tessera --seeds 1 --cache kept -o json
hash=$(sed -n 's/^    "hash": "\([0-9a-f]*\)".*/\1/p' out)
expect 0 "$AUTOSCALER" simulate morning.yaml -o json
[ "$hash" = "$(field hash out)" ] || complain "compare has the hash '$hash', simulate $(field hash out)"
[ -n "$(field regret out)" ] || complain 'simulate says nothing of regret'
expect 0 "$AUTOSCALER" compare morning.yaml --controllers "$who" --seeds 2 --cache kept -o csv
says out 'scenario,controller,seed,model,' 'morning,static-peak,2,,'

# 3. A search, and its setup in use.
expect 0 "$AUTOSCALER" tune morning.yaml --controllers static-peak --beginning 3h --runs 6 --layouts 3 --cache kept -o tuned.yaml
says out 'morning, static-peak: $'
says tuned.yaml 'kind: TunedSetups' 'controller: "static-peak"' 'transcribe-en'
expect 0 "$AUTOSCALER" simulate morning.yaml --controller static-peak --tuned tuned.yaml -o json
silent err
says out '"controller": "static-peak"'

# 4. Results from elsewhere.
expect 0 "$AUTOSCALER" compare morning.yaml --controllers hpa --seeds 1 --cache kept -o json
sed 's/"controller": "hpa"/"controller": "real-hpa"/' out >elsewhere.json
expect 0 "$AUTOSCALER" compare morning.yaml --controllers clairvoyant --seeds 1 --cache kept --merge elsewhere.json
says out clairvoyant real-hpa

# 5. What makes no sense.
expect 2 "$AUTOSCALER" compare morning.yaml --controllers hpaa
says err 'did you mean hpa?'
expect 2 "$AUTOSCALER" compare
says err 'autoscaler compare --help'
expect 2 "$AUTOSCALER" tune morning.yaml
says err '-o FILE' 'autoscaler tune --help'
expect 3 "$AUTOSCALER" compare nowhere.yaml
says err nowhere.yaml
silent out
