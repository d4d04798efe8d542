package cluster

import (
	"cmp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// findServers reads the Deployments of the models. What is wrong with one is told,
// and it is left out: nothing is started there, and its replicas stay as they are.
// A Deployment whose pods ask for no seat is sound; they go where a slice is free.
func (v *viewer) findServers() {
	var readable []kube.Server
	for _, d := range slices.SortedFunc(slices.Values(v.deployments), func(a, b *appsv1.Deployment) int { return keyOf(a).Compare(keyOf(b)) }) {
		key := keyOf(d)
		v.labelled[key] = fleet.Replica{
			Model: fleet.ModelName(d.Labels[kube.LabelModel]), Variant: fleet.VariantName(d.Labels[kube.LabelVariant]),
		}
		v.owners[key] = ownerOfReplicas(d)
		s, err := kube.ServerOf(d)
		if err != nil {
			v.doubt("deployment "+key.String(), "%v; until then it is left alone", err)
			continue
		}
		readable = append(readable, s)
	}
	v.servers = v.unambiguous(readable)
	for _, s := range v.servers {
		v.measured(s)
	}
	v.findPlaces()
}

// unambiguous leaves out Deployments that cannot be told apart: pods are known by
// namespace, model, variant and kind of slice, and bound to nodes by their seat.
func (v *viewer) unambiguous(all []kube.Server) []kube.Server {
	type face struct {
		namespace string
		model     fleet.ModelName
		place     fleet.Place
	}
	faces, seats := map[face][]string{}, map[string][]string{}
	for _, s := range all {
		f := face{s.Key.Namespace, s.Model, s.Place()}
		faces[f] = append(faces[f], s.Key.String())
		if s.Seat != "" {
			seats[string(s.Seat)] = append(seats[string(s.Seat)], s.Key.String())
		}
	}
	var out []kube.Server
	for _, s := range all {
		alike, sharing := faces[face{s.Key.Namespace, s.Model, s.Place()}], seats[string(s.Seat)]
		switch subject := "deployment " + s.Key.String(); {
		case len(alike) > 1:
			v.doubt(subject, "%s bear the same model, variant and slice in one namespace, so that their pods cannot be told apart: keep one, or give one another variant", strings.Join(alike, " and "))
		case len(sharing) > 1:
			v.doubt(subject, "the pods of %s ask for the same seat %s: give each Deployment a seat of its own", strings.Join(sharing, " and "), s.Seat)
		default:
			out = append(out, s)
		}
	}
	return out
}

// measured tells of servers that serve nothing that is known.
func (v *viewer) measured(s kube.Server) {
	subject := "deployment " + s.Key.String()
	m, known := v.settings.Policy.Model(s.Model)
	if !known {
		v.doubt(subject, "its label says %s=%s, and the policy has no such model: add it to the policy or take the label away", kube.LabelModel, s.Model)
		return
	}
	variant, _ := m.Profile.Variant(s.Variant)
	if _, ok := variant.On(s.Kind); !ok {
		v.doubt(subject, "profile %s of model %s has no measurement of variant %s on %s, so that its pods count for nothing: measure it and add it to the profiles, or take the labels away",
			m.Profile.Name, m.Name, s.Variant, s.Kind)
	}
}

// findPlaces tells where each model of the policy can be started.
func (v *viewer) findPlaces() {
	for _, m := range v.settings.Policy.Models {
		places := []fleet.Place{}
		at := map[fleet.Place][]string{}
		for _, s := range v.servers {
			if s.Model != m.Name {
				continue
			}
			if at[s.Place()] = append(at[s.Place()], s.Key.String()); len(at[s.Place()]) == 1 {
				places = append(places, s.Place())
			}
		}
		places = slices.DeleteFunc(places, func(p fleet.Place) bool {
			if len(at[p]) > 1 {
				v.doubt("model "+string(m.Name), "%s both start variant %s on %s, so that nobody knows which of them is to start one more: take the label %s off all but one",
					strings.Join(at[p], " and "), p.Variant, p.Kind, kube.LabelModel)
			}
			return len(at[p]) > 1
		})
		slices.SortFunc(places, func(a, b fleet.Place) int {
			return cmp.Or(cmp.Compare(a.Variant, b.Variant), a.Kind.Compare(b.Kind))
		})
		v.out.Places[m.Name] = places
		if len(places) == 0 {
			v.doubt("model "+string(m.Name), "no Deployment in namespaces %s bears the label %s=%s and can be used, so that it is started nowhere: deploy its servers with the labels %s, %s and %s",
				strings.Join(v.namespaces, ", "), kube.LabelModel, m.Name, kube.LabelModel, kube.LabelVariant, kube.LabelSlice)
		}
	}
}

func keyOf(d *appsv1.Deployment) kube.Key { return kube.Key{Namespace: d.Namespace, Name: d.Name} }
