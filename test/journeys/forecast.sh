#!/usr/bin/env bash
# Series of one's own: forecast, scored from the past, drawn, and what is said of a
# bad file.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
sample=$REPOSITORY/configs/series/languages.csv.gz

# 1. A day ahead, for people and for scripts.
expect 0 "$AUTOSCALER" forecast --input "$sample" --step 10m --horizon 144
silent err
says out transcribe-en transcribe-fr 'RESTS ON'
expect 0 "$AUTOSCALER" forecast --input "$sample" --step 10m --horizon 144 --season 144,1008 -o csv
silent err
says out series,time,mean,q0.025,q0.05,q0.1,q0.25,q0.5,q0.75,q0.9,q0.95,q0.975,q0.99,q0.995 transcribe-fr,2026-09-22T00:00:00Z,
[ "$(wc -l <out)" -eq 289 ] || complain "$(wc -l <out) lines for 2 series of 144 steps"

# 2. How good it would have been, with pictures.
expect 0 "$AUTOSCALER" forecast backtest --input "$sample" --step 10m --lead 10m,30m --from 0.5 --plot pictures
silent err
says out 'transcribe-en: 2,160 bins of 10m' 'all 2 series' ewma-tracker dynamo-kalman 'refits counted'
[ -s pictures/transcribe-en.png ] || complain 'there is no picture'

# 3. Each forecast by itself; the past does not depend on the future.
expect 0 "$AUTOSCALER" forecast backtest --input "$sample" --step 10m --lead 30m --from 0.5 -o csv
mv out whole
zcat "$sample" | grep -v ',2026-09-2[01]' >short.csv
expect 0 "$AUTOSCALER" forecast backtest --input short.csv --step 10m --lead 30m --from 0 -o csv
[ "$(grep -cxFf whole out)" -gt 900 ] || complain 'what was said in the past depends on what came later'

# 4. What makes no sense.
printf 'series,time,value\na,0,1\na,60,-1\n' >bad.csv
expect 3 "$AUTOSCALER" forecast backtest --input bad.csv --step 1m
says err bad.csv:3:6: negative
silent out
expect 3 "$AUTOSCALER" forecast --input "$sample" --step 1m --horizon 3
says err 'give --step 10m'
expect 2 "$AUTOSCALER" forecast --input "$sample" --horizon 3
says err --step
