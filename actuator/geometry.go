package actuator

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/tessera-autoscaler/tessera/fleet"
	"github.com/tessera-autoscaler/tessera/internal/kube"
)

// ensureGeometry makes mig-manager know a way to cut GPUs. It adds one name to a file
// that people may share, and leaves the rest of it as it is.
func (p *pass) ensureGeometry(ctx context.Context, gpus []fleet.GPU) error {
	name := kube.MIGConfigName(gpus)
	if name == "" {
		return nil
	}
	if err := p.mayCut(gpus); err != nil {
		return err
	}
	at := p.MIGConfigs
	maps := p.client.CoreV1().ConfigMaps(at.Namespace)
	read, err := maps.Get(ctx, at.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		text, _, err := withGeometry("", gpus)
		if err != nil {
			return err
		}
		_, err = maps.Create(ctx, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: at.Name, Namespace: at.Namespace, Labels: map[string]string{kube.LabelLedger: p.ledgerLabel()}},
			Data:       map[string]string{kube.MIGConfigKey: text},
		}, metav1.CreateOptions{FieldManager: kube.FieldManager})
		return call{"create", "configmaps", at.Namespace, at.Name}.failed(err)
	}
	if err != nil {
		return call{"get", "configmaps", at.Namespace, at.Name}.failed(err)
	}
	text, lacked, err := withGeometry(read.Data[kube.MIGConfigKey], gpus)
	if err != nil {
		return fmt.Errorf("ConfigMap %s: %w", at, err)
	}
	if !lacked {
		return nil
	}
	if read.Data == nil {
		read.Data = map[string]string{}
	}
	read.Data[kube.MIGConfigKey] = text
	_, err = maps.Update(ctx, read, metav1.UpdateOptions{FieldManager: kube.FieldManager})
	return call{"update", "configmaps", at.Namespace, at.Name}.failed(err)
}

// withGeometry adds a way to cut GPUs to mig-parted's file, and tells whether it was
// lacking. What others wrote there is kept, also what Tessera does not understand.
func withGeometry(text string, gpus []fleet.GPU) (string, bool, error) {
	ours, err := kube.ParseMIGConfigs(text)
	if err != nil {
		return "", false, err
	}
	if !ours.Add(gpus) {
		return text, false, nil
	}
	whole := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &whole); err != nil {
		return "", false, fmt.Errorf("read the MIG configurations: %w", err)
	}
	if whole == nil {
		whole = map[string]any{}
	}
	configs, _ := whole["mig-configs"].(map[string]any)
	if configs == nil {
		configs = map[string]any{}
	}
	name := kube.MIGConfigName(gpus)
	configs[name] = ours.Configs[name]
	whole["version"], whole["mig-configs"] = ours.Version, configs
	out, err := yaml.Marshal(whole)
	if err != nil {
		return "", false, fmt.Errorf("write the MIG configurations: %w", err)
	}
	return string(out), true, nil
}
