package rig

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/ptr"
)

// access is how the users of the cluster reach it.
type access struct {
	dir       string
	server    string // URL of the API server.
	authority []byte
}

// user is one whom the API server knows by a token of its own, so that the audit log
// tells the servers apart.
type user struct {
	name  string
	group string // Empty where bootstrapped RBAC knows the name.
}

const (
	// Admin is the user of Cluster.Config, who may do everything.
	Admin = "admin"

	admins = "system:masters"
)

// users are all whom the servers and the tests act as. The controller manager and the
// scheduler have the rights that a cluster gives them; KWOK and Karpenter stand for a
// cloud and its kubelets.
var users = []user{
	{name: Admin, group: admins},
	{name: "system:kube-controller-manager"},
	{name: "system:kube-scheduler"},
	{name: "kwok", group: admins},
	{name: "karpenter", group: admins},
	{name: "cloud", group: admins},
}

// writeTokens writes the token file of the API server and answers each user's token.
func writeTokens(path string) (map[string]string, error) {
	tokens := make(map[string]string, len(users))
	var lines strings.Builder
	for _, u := range users {
		tokens[u.name] = newToken()
		fmt.Fprintf(&lines, "%s,%s,%s,%q\n", tokens[u.name], u.name, u.name, u.group)
	}
	if err := os.WriteFile(path, []byte(lines.String()), 0o600); err != nil {
		return nil, fmt.Errorf("writing the users' tokens: %w", err)
	}
	return tokens, nil
}

// kubeconfig writes a kubeconfig that holds everything it needs.
func (a access) kubeconfig(name, namespace, token string) (string, error) {
	path := filepath.Join(a.dir, strings.ReplaceAll(name, ":", "-")+".kubeconfig")
	config := api.NewConfig()
	config.Clusters["test"] = &api.Cluster{Server: a.server, CertificateAuthorityData: a.authority}
	config.AuthInfos[name] = &api.AuthInfo{Token: token}
	config.Contexts["test"] = &api.Context{Cluster: "test", AuthInfo: name, Namespace: namespace}
	config.CurrentContext = "test"
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return "", fmt.Errorf("writing the kubeconfig of %s: %w", name, err)
	}
	return path, nil
}

// config is the same as a rest.Config, without a limit of our own on its requests.
func (a access) config(agent, token string) *rest.Config {
	return &rest.Config{
		Host: a.server, BearerToken: token, UserAgent: agent, QPS: -1,
		TLSClientConfig: rest.TLSClientConfig{CAData: a.authority},
	}
}

// ServiceAccountUser is the name by which the audit log and RBAC know a service account.
func ServiceAccountUser(namespace, name string) string {
	return "system:serviceaccount:" + namespace + ":" + name
}

// KubeconfigFor asks for a real token of a service account, which must exist, and
// answers the path of a kubeconfig with it and the same as a rest.Config: RBAC then
// judges its holder as it would judge the pod. The token lives for ten hours. The
// context's namespace is that of the account.
func (c *Cluster) KubeconfigFor(ctx context.Context, namespace, serviceAccount string) (string, *rest.Config, error) {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To[int64](36000)}}
	answer, err := c.Client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, serviceAccount, request, metav1.CreateOptions{})
	if err != nil {
		return "", nil, fmt.Errorf("asking for a token of service account %s/%s: %w", namespace, serviceAccount, err)
	}
	path, err := c.access.kubeconfig(namespace+"-"+serviceAccount, namespace, answer.Status.Token)
	if err != nil {
		return "", nil, err
	}
	config := c.access.config("", answer.Status.Token)
	config.QPS = 0 // As a program's own config has it: the limit of client-go.
	return path, config, nil
}
