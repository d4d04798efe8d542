package rig

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"
)

// Apply applies manifests, one or more YAML documents, server-side, in their order,
// taking over fields that others own. What has no namespace and needs one gets
// "default". A kind that is not known yet is waited for during a minute, so that
// objects may follow their custom resource definition.
func (c *Cluster) Apply(ctx context.Context, manifests []byte) error {
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(manifests)))
	for n := 1; ; n++ {
		text, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading manifest %d: %w", n, err)
		}
		var o unstructured.Unstructured
		if err := yaml.Unmarshal(text, &o.Object); err != nil {
			return fmt.Errorf("parsing manifest %d: %w", n, err)
		}
		if len(o.Object) == 0 {
			continue
		}
		if err := c.apply(ctx, &o); err != nil {
			return fmt.Errorf("applying manifest %d, %s %q: %w", n, o.GetKind(), o.GetName(), err)
		}
	}
}

func (c *Cluster) apply(ctx context.Context, o *unstructured.Unstructured) error {
	mapping, err := c.mapping(ctx, o)
	if err != nil {
		return err
	}
	var client dynamic.ResourceInterface = c.Dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		if o.GetNamespace() == "" {
			o.SetNamespace(metav1.NamespaceDefault)
		}
		client = c.Dynamic.Resource(mapping.Resource).Namespace(o.GetNamespace())
	}
	_, err = client.Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: "test-cluster", Force: true})
	return err
}

// mapping answers the resource of an object's kind, waiting while it is not served.
func (c *Cluster) mapping(ctx context.Context, o *unstructured.Unstructured) (*meta.RESTMapping, error) {
	kind := o.GroupVersionKind()
	var mapping *meta.RESTMapping
	var last error
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		mapping, last = c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if meta.IsNoMatchError(last) {
			c.mapper.Reset()
			return false, nil
		}
		return last == nil, last
	})
	if err != nil {
		return nil, errors.Join(err, last)
	}
	return mapping, nil
}

// ApplyKustomize applies what kubectl kustomize makes of a folder.
func (c *Cluster) ApplyKustomize(ctx context.Context, dir string) error {
	path, err := exec.LookPath("kubectl")
	if err != nil {
		return fmt.Errorf("building the kustomization %s needs kubectl, which is not installed: %w", dir, err)
	}
	var stdout, stderr bytes.Buffer
	build := exec.CommandContext(ctx, path, "kustomize", filepath.Clean(dir))
	build.Stdout, build.Stderr = &stdout, &stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("kubectl kustomize %s: %w\n%s", dir, err, stderr.Bytes())
	}
	return c.Apply(ctx, stdout.Bytes())
}
