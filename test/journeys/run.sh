#!/usr/bin/env bash
# The service on its embedded world: it becomes ready, shows itself, takes a good
# policy, refuses a bad one, and ends when it is told to.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

service=
trap '[ -z "$service" ] || kill -KILL "$service" 2>/dev/null || true' EXIT

# start FLAGS...: starts the service on a free port and reads the address from its log.
start() {
  : >log
  "$AUTOSCALER" run --listen 127.0.0.1:0 "$@" >out 2>log &
  service=$!
  patiently 60 listening || complain "it does not say where it listens: $(cat log)"
  address=$(sed -n 's/.* url=http:\/\/\([^ ]*\).*/\1/p' log | head -n 1)
}

listening() {
  kill -0 "$service" 2>/dev/null || complain "it ended: $(cat log)"
  grep -q ' url=http://127.0.0.1:[0-9]' log
}

# stop: SIGTERM, and within five seconds the end, with exit code 0.
stop() {
  local began=$SECONDS code=0
  kill -TERM "$service"
  wait "$service" || code=$?
  service=
  [ "$code" -eq 0 ] || complain "exit code $code after SIGTERM: $(tail -n 5 log)"
  [ $((SECONDS - began)) -le 5 ] || complain "it took $((SECONDS - began)) seconds to end"
  silent out
}

ready() { fetch "$address" /readyz && [ "$status" = 200 ]; }
metric() { fetch "$address" /metrics && grep -qx "$1" answer; }
logged() { grep -qF -- "$1" log; }
ours() { fetch "$address" /metrics && grep '^tessera_' answer | grep -v '^tessera_build_info' >"$1"; }
changed() { ours later && ! cmp -s earlier later; }

# 1. In real time the first tick comes after fifteen seconds. Until then the service
#    answers, and says that nobody should rely on it.
start --speed 1
fetch "$address" /readyz || complain 'nobody answers'
[ "$status" = 503 ] || complain "/readyz has status $status before the first tick: $(cat answer)"
says answer '"ready": false' 'no tick'
fetch "$address" /healthz && [ "$status" = 200 ] || complain "/healthz has status $status: $(cat answer)"
stop

# 2. Accelerated, it is ready soon, and its metrics move.
cp "$REPOSITORY/configs/policy.yaml" policy.yaml
start --policy policy.yaml --speed 300
patiently 30 ready || complain "it does not become ready: $(cat answer)"
ours earlier
says earlier tessera_decisions_total tessera_policy_last_reload_successful
patiently 20 changed || complain 'its metrics do not change'

# 3. The page shows the models; nothing else is served, and nothing can be written.
fetch "$address" /
[ "$status" = 200 ] || complain "the page has status $status"
says answer '<html' transcribe-en transcribe-fr translate-de summarize-it
fetch "$address" /api/state
[ "$status" = 200 ] || complain "/api/state has status $status"
fetch "$address" /elsewhere || true
[ "$status" = 404 ] || complain "/elsewhere has status $status"

# 4. A bad edit changes nothing but what is said about it.
metric 'tessera_policy_last_reload_successful 1' || complain 'the policy is not in force'
sed 's/minReplicas: 0$/minReplica: 0/' "$REPOSITORY/configs/policy.yaml" >policy.yaml
! cmp -s policy.yaml "$REPOSITORY/configs/policy.yaml" || complain 'the edit changed nothing'
patiently 20 logged 'the last good policy stays in force' || complain "the log does not speak of the bad policy: $(tail -n 3 log)"
says log 'did you mean' minReplicas
patiently 20 metric 'tessera_policy_last_reload_successful 0' || complain 'the metrics do not show the bad policy'
ready || complain "a bad policy made it unready: $(cat answer)"
ours earlier
patiently 20 changed || complain 'it does not go on with the last good policy'

# 5. A good edit is taken.
sed 's/name: five-languages /name: edited /' "$REPOSITORY/configs/policy.yaml" >policy.yaml
! cmp -s policy.yaml "$REPOSITORY/configs/policy.yaml" || complain 'the edit changed nothing'
patiently 20 logged 'policy loaded' || complain "the good policy is not taken: $(tail -n 3 log)"
says log 'name=edited'
patiently 20 metric 'tessera_policy_last_reload_successful 1' || complain 'the metrics do not show the good policy'

# 6. The end.
stop
says log stopping

# 7. What cannot be served is said at once.
sed 's/currency: USD/currency: EUR/' "$REPOSITORY/configs/policy.yaml" >policy.yaml
expect 3 "$AUTOSCALER" run --listen 127.0.0.1:0 --policy policy.yaml
says err policy.yaml: 'one currency'
silent out
expect 2 "$AUTOSCALER" run --mode shadow
says err 'needs a cluster'
