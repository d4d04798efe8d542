#!/usr/bin/env bash
# The manifests of configs/deploy: kustomize reads them, the shadow overlay holds no
# verb that writes, and the service takes the files that they mount.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

deploy=$REPOSITORY/configs/deploy
command -v kubectl >/dev/null || { echo 'skipped: no kubectl here'; exit 0; }

# 1. Every kustomization can be built.
for part in shadow . placeholder; do
  expect 0 kubectl kustomize "$deploy/$part"
  mv out "built-${part//./active}"
done
says built-active 'kind: ValidatingAdmissionPolicy' 'kind: PodDisruptionBudget' '--mode=active' 'replicas: 2' 'publishNotReadyAddresses: true'
says built-placeholder 'kind: PriorityClass'

# 2. Shadow writes nothing, and says so by its rights.
says built-shadow 'replicas: 1' 'runAsNonRoot: true' 'readOnlyRootFilesystem: true'
for word in create update patch delete deletecollection '*' '--mode=active' secrets; do
  ! grep -qxE -- "[[:space:]]*- [\"']?$(sed 's/\*/\\*/' <<<"$word")[\"']?" built-shadow || complain "the shadow overlay says '$word'"
done
! grep -q 'secrets' built-active || complain 'the rights speak of Secrets'

# 3. The service takes the files of the ConfigMaps: outside of a pod it starts, and
#    says at /readyz that it is in none.
cp "$deploy"/base/config/*.yaml .
"$AUTOSCALER" run --config service.yaml --listen 127.0.0.1:0 >out 2>log &
service=$!
trap 'kill -KILL "$service" 2>/dev/null || true' EXIT
patiently 30 grep -q ' url=http://127.0.0.1:[0-9]' log || complain "it does not say where it listens: $(cat log)"
address=$(sed -n 's/.* url=http:\/\/\([^ ]*\).*/\1/p' log | head -n 1)
told() { fetch "$address" /readyz && grep -qF 'runs in no pod' answer; }
patiently 20 told || complain "/readyz does not say that this is no pod: $(cat answer)"
[ "$status" = 503 ] || complain "/readyz has status $status"
fetch "$address" /healthz && [ "$status" = 200 ] || complain "/healthz has status $status: $(cat answer)"
kill -TERM "$service"
code=0
wait "$service" || code=$?
[ "$code" -eq 0 ] || complain "exit code $code after SIGTERM: $(tail -n 5 log)"
silent out
