#!/usr/bin/env bash
# One packing instance: its layout drawn, its certificate, and what is said of a bad
# one.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

cat >instance.yaml <<'END'
gpus:
- {name: a100-80gb, price_per_hour: "3.43", mig: a100-80gb, per_node: 1, max_nodes: 10}
models:
- {name: transcribe-en, demand: 1000, throughput: {a100-80gb: {1g.10gb: 120, 2g.20gb: 260, 7g.80gb: 1100}}}
- {name: transcribe-fr, demand: 100, throughput: {a100-80gb: {1g.10gb: 120, 2g.20gb: 260, 7g.80gb: 1100}}}
- {name: transcribe-de, demand: 200, throughput: {a100-80gb: {1g.10gb: 120, 2g.20gb: 260, 7g.80gb: 1100}}}
END

# 1. English needs a GPU, French and German share one.
expect 0 "$AUTOSCALER" pack --input instance.yaml
silent err
says out a100-80gb transcribe-en transcribe-fr transcribe-de 6.86 g.

# 2. The same for scripts.
expect 0 "$AUTOSCALER" pack --input instance.yaml -o json
silent err
says out '"checked": true' '"slice_prices"' '"geometry"'
[ "$(field gpus_used out)" = 2 ] || complain "it takes $(field gpus_used out) GPUs"
[ "$(field cost_per_hour out)" = 6.86 ] || complain "it costs $(field cost_per_hour out)"
[ "$(field gap out)" = 0 ] || complain "the gap is $(field gap out)"

# 3. What cannot be had is said, and is no failure.
sed 's/max_nodes: 10/max_nodes: 1/' instance.yaml >scarce.yaml
expect 0 "$AUTOSCALER" pack --input scarce.yaml -o json
says out '"unserved": {' '"checked": true'

# 4. What makes no sense.
sed 's/demand: 200/demand: -200/' instance.yaml >bad.yaml
expect 3 "$AUTOSCALER" pack --input bad.yaml
says err bad.yaml:6: demand
silent out
expect 3 "$AUTOSCALER" pack --input nowhere.yaml
says err nowhere.yaml
expect 2 "$AUTOSCALER" pack
says err --input 'autoscaler pack --help'
expect 2 "$AUTOSCALER" pack --input instance.yaml --outputt json
says err --outputt 'autoscaler pack --help'
