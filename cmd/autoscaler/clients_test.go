package main

import (
	"net/http"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/tessera-autoscaler/tessera/console"
)

// A request that is never answered ends by itself: one of the actuator, so that its
// tick ends, and one for the lease long before the lease is lost.
func TestNoRequestWaitsForEver(t *testing.T) {
	files := inCluster()
	files["kubeconfig.yaml"] = kubeconfig("http://127.0.0.1:1")
	c := read(t, files)
	got, err := newClients(c, console.ModeActive, func() error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		client kubernetes.Interface
		most   time.Duration
	}{
		"actuator": {got.doing.client, time.Minute},
		"lease":    {got.own, c.Lease.RenewDeadline - time.Second},
	} {
		client := tt.client.CoordinationV1().RESTClient().(*rest.RESTClient).Client
		if within := client.Timeout; within <= 0 || within > tt.most {
			t.Errorf("%s: a request may take %v", name, within)
		}
	}
	if client := got.read.CoreV1().RESTClient().(*rest.RESTClient).Client; client != http.DefaultClient && client.Timeout != 0 {
		t.Errorf("a watch ends after %v", client.Timeout)
	}
}
