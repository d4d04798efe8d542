#!/usr/bin/env bash
# Recorded traffic: what is in a file, a stretch of it, more of it, another time, two
# at once, and what is said of bad ones.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

cat >day.csv <<'END'
time,model,requests,work
2024-11-18T09:00:00Z,chat,40,80
2024-11-18T09:01:00Z,chat,20,30
2024-11-18T09:01:00Z,code,10,50
2024-11-18T09:03:00Z,chat,60,90
END

# 1. What it is, for people and for scripts.
expect 0 "$AUTOSCALER" trace info day.csv --step 1m
silent err
says out 'bins of 1m' '130 requests in 4 rows' 'Mon 2024-11-18 09:00:00 UTC' chat code '1 gaps, together 1m'
expect 0 "$AUTOSCALER" trace info day.csv --step 1m -o json
silent err
[ "$(field requests out)" = 130 ] || complain "it holds $(field requests out) requests"

# 2. There and back again gives the same bytes.
expect 0 "$AUTOSCALER" trace scale day.csv --step 1m --by 2 --out double.csv.gz
silent out err
expect 0 "$AUTOSCALER" trace scale double.csv.gz --step 1m --by 0.5 --out single.csv
cmp -s day.csv single.csv || complain "doubled and halved it differs: $(cat single.csv)"
expect 0 "$AUTOSCALER" trace shift day.csv --step 1m --by 28d --out later.csv
says later.csv 2024-12-16T09:00:00Z,chat,40,80
expect 0 "$AUTOSCALER" trace shift later.csv --step 1m --by -28d --out back.csv
cmp -s day.csv back.csv || complain "moved there and back it differs"

# 3. A slice of a mix is the mix of slices.
expect 0 "$AUTOSCALER" trace mix day.csv double.csv.gz --step 1m --as chat=fr,code=de --as en --out mix.csv
expect 0 "$AUTOSCALER" trace slice mix.csv --step 1m --from 2024-11-18T09:01 --to 2024-11-18T09:03 --out one.csv
for file in day.csv double.csv.gz; do
  expect 0 "$AUTOSCALER" trace slice "$file" --step 1m --from 2024-11-18T09:01 --to 2024-11-18T09:03 --out "cut-$file"
done
expect 0 "$AUTOSCALER" trace mix cut-day.csv cut-double.csv.gz --step 1m --as chat=fr,code=de --as en --out two.csv
cmp -s one.csv two.csv || complain "slice of a mix and mix of slices differ"
says one.csv 2024-11-18T09:01:00Z,fr,20,30 2024-11-18T09:01:00Z,de,10,50 2024-11-18T09:01:00Z,en,60,160

# 4. Formats of others, known by their content.
printf '%s\n' 'TIMESTAMP,ContextTokens,GeneratedTokens' '2023-11-16 18:15:46.6805900,374,44' >conv.csv
expect 0 "$AUTOSCALER" trace convert conv.csv --work input=1,output=10
silent err
says out 'time,model,requests,work' '2023-11-16T18:15:46.68059Z,*,1,814'
printf '%s\n' '{"timestamp": 27482, "input_length": 6955, "output_length": 52}' | gzip >mooncake.jsonl.gz
expect 0 "$AUTOSCALER" trace info mooncake.jsonl.gz
says out 'format mooncake' 'without dates' '1 requests'
printf '"Time","fr"\n1700092800000,1.5\n1700092860000,12.3 req/s\n' >panel.csv
expect 3 "$AUTOSCALER" trace info panel.csv
says err 'say that the unit is rate'
expect 3 "$AUTOSCALER" trace info panel.csv --unit rate
says err panel.csv:3: 'Formatted data'
silent out

# 5. What makes no sense.
expect 3 "$AUTOSCALER" trace info day.csv
says err day.csv:2: 'give the step'
expect 2 "$AUTOSCALER" trace scale day.csv --step 1m --by -1
says err '--by -1'
expect 2 "$AUTOSCALER" trace info day.csv --formt csv
says err --formt 'did you mean --format?'
expect 3 "$AUTOSCALER" trace info nowhere.csv
says err nowhere.csv
expect 2 "$AUTOSCALER" trace slice day.csv --step 1m --from 3m --to 2m
says err 'is not after'
