package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
)

// BenchmarkPage renders a fleet of 800 GPUs with 40 models and a day behind it,
// which a browser asks for once a second.
func BenchmarkPage(b *testing.B) {
	s := fixture()
	model, node, replica := s.Settings.Policy.Models[0], s.Record.Inputs.Snapshot.Nodes[0], s.Record.Inputs.Snapshot.Replicas[0]
	s.Settings.Policy.Models, s.Record.Inputs.Snapshot.Nodes, s.Record.Inputs.Snapshot.Replicas, s.Record.Inputs.Snapshot.Models = nil, nil, nil, nil
	for i := range 40 {
		model.Name = fleet.ModelName(fmt.Sprintf("model-%02d", i))
		s.Settings.Policy.Models = append(s.Settings.Policy.Models, model)
		s.Record.Inputs.Snapshot.Models = append(s.Record.Inputs.Snapshot.Models, fleet.ModelSignals{Model: model.Name, Arrivals: fleet.Measured(float64(i), 0, 1)})
	}
	for i := range 100 {
		node.ID, node.GPUs = fleet.NodeID(fmt.Sprintf("node-%05d", i)), nil
		for gpu := range 8 {
			node.GPUs = append(node.GPUs, fixture().Record.Inputs.Snapshot.Nodes[0].GPUs[0])
			for _, p := range node.GPUs[gpu].Geometry {
				replica.ID = fleet.ReplicaID(fmt.Sprintf("replica-%05d-%d-%d", i, gpu, p.Start))
				replica.Model = fleet.ModelName(fmt.Sprintf("model-%02d", (i+gpu+p.Start)%40))
				replica.Slice = fleet.SliceID{GPU: fleet.GPUID{Node: node.ID, Index: gpu}, Start: p.Start}
				s.Record.Inputs.Snapshot.Replicas = append(s.Record.Inputs.Snapshot.Replicas, replica)
			}
		}
		s.Record.Inputs.Snapshot.Nodes = append(s.Record.Inputs.Snapshot.Nodes, node)
	}
	shown, _, _ := board()
	for i := range 288 {
		s.Record.Inputs.Now = noon.Add(time.Duration(i) * binWidth)
		shown.Publish(s)
	}
	handler := NewServer("", shown).Handler()
	for b.Loop() {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/part", nil))
		b.ReportMetric(float64(w.Body.Len()), "bytes")
	}
}
