package journey

import (
	"bytes"
	"embed"
	"fmt"
	"path"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/policy"

	"github.com/tessera-autoscaler/tessera/test/cluster/emitter"
)

// The traffic of English, in requests a second, at night and by day. Each other
// language has a tenth of it.
const (
	night = 2.0
	noon  = 10.0
)

// Where things are.
const (
	modelsNamespace   = "speech"
	operatorNamespace = "gpu-operator"
	migConfigMap      = "tessera-mig-config"
)

var languages = []string{"en", "de", "fr", "es", "it"}

// kinds are the kinds of slice that the models are deployed for, by the end of the
// names of their Deployments.
var kinds = map[string]fleet.SliceKind{
	"1g": {GPU: "a100-80gb", Profile: "1g.10gb"},
	"3g": {GPU: "a100-80gb", Profile: "3g.40gb"},
}

func modelName(language string) string { return "transcribe-" + language }

//go:embed world
var worldFiles embed.FS

// worldFile reads one of the files of this world.
func worldFile(t testing.TB, name string) []byte {
	t.Helper()
	text, err := worldFiles.ReadFile(path.Join("world", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// fill fills in a file of this world that is a template.
func fill(t testing.TB, name string, values any) []byte {
	t.Helper()
	parsed, err := template.New(name).Option("missingkey=error").Parse(string(worldFile(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, values); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// day is when the traffic rises and falls, on this day as on those before.
type day struct{ rise, fall time.Time }

// rate is the traffic of a model. It changes at whole minutes, because the forecast
// thinks in minutes.
func (d day) rate(model string, at time.Time) float64 {
	since := at.Sub(d.rise) % (24 * time.Hour)
	if since < 0 {
		since += 24 * time.Hour
	}
	rate := night
	if since < d.fall.Sub(d.rise) {
		rate = noon
	}
	if model != modelName("en") {
		rate /= 10
	}
	return rate
}

// models are the models as the emitter plays them: as fast as the profiles say.
func models(t testing.TB) []emitter.Model {
	t.Helper()
	profiles, err := policy.LoadProfiles(policy.Source{Name: "profiles.yaml", Data: worldFile(t, "profiles.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	speeds := map[string]emitter.Speed{}
	for _, p := range profiles[0].Variants[0].Slices {
		speeds[string(p.Kind.Profile)] = emitter.SpeedOf(p)
	}
	var out []emitter.Model
	for _, l := range languages {
		out = append(out, emitter.Model{Name: modelName(l), Pack: emitter.VLLM, Speeds: speeds, SLO: slo})
	}
	return out
}

// slo is that of the policy.
const slo = 3 * time.Second

// manifests are the Deployments and Services of all models, without replicas.
func manifests(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, l := range languages {
		out.Write(fill(t, "service.yaml", map[string]string{"Namespace": modelsNamespace, "Model": modelName(l)}))
		for size, kind := range kinds {
			out.Write(deployment(t, modelName(l), size, kind))
		}
	}
	return out.Bytes()
}

func deployment(t testing.TB, model, size string, kind fleet.SliceKind) []byte {
	return fill(t, "deployment.yaml", map[string]string{
		"Namespace": modelsNamespace, "Model": model, "Name": model + "-" + size,
		"Slice": fmt.Sprintf("%s_%s", kind.GPU, kind.Profile), "Resource": "nvidia.com/mig-" + string(kind.Profile),
	})
}

// isModelDeployment tells whether a name is one of those Deployments'.
func isModelDeployment(name string) bool {
	model, size, found := cutLast(name, "-")
	if _, known := kinds[size]; !found || !known {
		return false
	}
	for _, l := range languages {
		if model == modelName(l) {
			return true
		}
	}
	return false
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
