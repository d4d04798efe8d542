package journey

const fallback = `
apiVersion: v1
kind: Namespace
metadata: {name: tessera}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: tessera, namespace: tessera}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: tessera-shadow, namespace: tessera}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: tessera-read}
rules:
- {apiGroups: ["*"], resources: ["*"], verbs: [get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: tessera}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: tessera, namespace: tessera}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: tessera-shadow}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: tessera-read}
subjects: [{kind: ServiceAccount, name: tessera-shadow, namespace: tessera}]
`
