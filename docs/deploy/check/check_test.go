// Package check holds the files of docs/deploy to what their readers accept: systemd, Kubernetes and
// Compose. It is a module of its own, so that souk does not depend on theirs. Nothing here starts
// anything: that takes a machine, or a cluster, that tests have not.
package check

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

// found are the files of a pattern; there must be some.
func found(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", pattern))
	require.NoError(t, err)
	require.NotEmpty(t, paths, pattern)
	return paths
}

// verify has systemd read a unit. Anything that it says is a failure: a key that it does not know is only
// a warning to systemd, and a hole in the wall to whoever relied on it.
func verify(t *testing.T, name, unit string) (complaint string) {
	t.Helper()
	dir := t.TempDir()
	souk := filepath.Join(dir, "souk")
	require.NoError(t, os.WriteFile(souk, []byte("#!/bin/sh\n"), 0o755))
	path := filepath.Join(dir, name)
	unit = strings.ReplaceAll(unit, "/usr/local/bin/souk", souk) // it looks whether the program is there
	require.NoError(t, os.WriteFile(path, []byte(unit), 0o644))
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", path).CombinedOutput()
	if err != nil && len(out) == 0 {
		return err.Error()
	}
	return string(out)
}

func TestUnits(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("CI has no systemd-analyze to verify the units with")
		}
		t.Skip("there is no systemd-analyze to verify the units with: install Debian's package systemd")
	}
	for _, path := range found(t, "systemd/*.service") {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		name := strings.Replace(filepath.Base(path), "@.", "@payments.", 1) // a template is verified as an instance
		assert.Empty(t, verify(t, name, string(text)), path)
		assert.Contains(t, verify(t, name, strings.Replace(string(text), "ProtectSystem=", "ProtectSistem=", 1)), "ProtectSistem", "a misspelt key is found")
	}
}

// kinds are what a manifest may hold.
var kinds = map[string]func() metav1.Object{
	"v1/Secret":                          func() metav1.Object { return &corev1.Secret{} },
	"v1/Service":                         func() metav1.Object { return &corev1.Service{} },
	"apps/v1/Deployment":                 func() metav1.Object { return &appsv1.Deployment{} },
	"apps/v1/StatefulSet":                func() metav1.Object { return &appsv1.StatefulSet{} },
	"policy/v1/PodDisruptionBudget":      func() metav1.Object { return &policyv1.PodDisruptionBudget{} },
	"networking.k8s.io/v1/NetworkPolicy": func() metav1.Object { return &networkingv1.NetworkPolicy{} },
}

// decode reads a manifest strictly: a field that Kubernetes does not know is an error.
func decode(text []byte) ([]metav1.Object, error) {
	var all []metav1.Object
	for i, part := range bytes.Split(text, []byte("\n---\n")) {
		var head metav1.TypeMeta
		if err := yaml.Unmarshal(part, &head); err != nil {
			return nil, fmt.Errorf("document %d: %w", i+1, err)
		}
		empty, known := kinds[head.APIVersion+"/"+head.Kind]
		if !known {
			return nil, fmt.Errorf("document %d is %s/%s, which nobody expects", i+1, head.APIVersion, head.Kind)
		}
		object := empty()
		if err := yaml.UnmarshalStrict(part, object); err != nil {
			return nil, fmt.Errorf("document %d: %w", i+1, err)
		}
		all = append(all, object)
	}
	return all, nil
}

// workload is what runs pods.
type workload struct {
	name     string
	selector *metav1.LabelSelector
	pod      corev1.PodTemplateSpec
	claims   []corev1.PersistentVolumeClaim
}

func TestManifests(t *testing.T) {
	for _, path := range found(t, "*/kubernetes.yaml") {
		t.Run(path, func(t *testing.T) {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			objects, err := decode(text)
			require.NoError(t, err)
			_, err = decode(bytes.Replace(text, []byte("replicas: "), []byte("replicsa: "), 1))
			require.ErrorContains(t, err, "replicsa", "a misspelt field is found")
			fit(t, objects)
		})
	}
}

// fit holds the objects of a manifest to one another.
func fit(t *testing.T, objects []metav1.Object) {
	t.Helper()
	var workloads []workload
	secrets, names := map[string]*corev1.Secret{}, map[string]bool{}
	for _, object := range objects {
		name := reflect.TypeOf(object).Elem().Name() + "/" + object.GetName()
		assert.False(t, names[name], "%s is there twice", name)
		names[name] = true
		switch o := object.(type) {
		case *corev1.Secret:
			secrets[o.Name] = o
		case *appsv1.Deployment:
			workloads = append(workloads, workload{o.Name, o.Spec.Selector, o.Spec.Template, nil})
		case *appsv1.StatefulSet:
			assert.EqualValues(t, 1, *o.Spec.Replicas, "SQLite has one writer")
			assert.True(t, names["Service/"+o.Spec.ServiceName], "%s names a service that is not there", o.Name)
			workloads = append(workloads, workload{o.Name, o.Spec.Selector, o.Spec.Template, o.Spec.VolumeClaimTemplates})
		}
	}
	require.NotEmpty(t, workloads)
	chosen := func(selector labels.Selector) (those []workload) {
		for _, w := range workloads {
			if selector.Matches(labels.Set(w.pod.Labels)) {
				those = append(those, w)
			}
		}
		return those
	}
	of := func(s *metav1.LabelSelector) labels.Selector {
		selector, err := metav1.LabelSelectorAsSelector(s)
		require.NoError(t, err)
		return selector
	}
	guarded := false // the private side
	for _, object := range objects {
		switch o := object.(type) {
		case *corev1.Service:
			those := chosen(labels.SelectorFromSet(o.Spec.Selector))
			require.Len(t, those, 1, o.Name)
			for _, p := range o.Spec.Ports {
				assert.True(t, hasPort(those[0], p.TargetPort.StrVal), "%s leads to a port that %s has not", o.Name, those[0].name)
				assert.Equal(t, p.TargetPort.StrVal == "private", o.Spec.PublishNotReadyAddresses, "neighbours meet before they are ready, people do not")
			}
		case *policyv1.PodDisruptionBudget:
			assert.Len(t, chosen(of(o.Spec.Selector)), 1, o.Name)
		case *networkingv1.NetworkPolicy:
			assert.NotEmpty(t, chosen(of(&o.Spec.PodSelector)), o.Name)
			for _, rule := range o.Spec.Ingress {
				require.NotEmpty(t, rule.Ports, o.Name)
				for _, p := range rule.Ports {
					if p.Port.StrVal == "private" {
						guarded = true
						require.Len(t, rule.From, 1)
						assert.Len(t, chosen(of(rule.From[0].PodSelector)), len(workloads), "all of souk's pods, and no others")
						assert.Nil(t, rule.From[0].NamespaceSelector)
					}
				}
			}
		}
	}
	assert.Equal(t, len(workloads) > 1, guarded)
	for _, w := range workloads {
		hardened(t, w, secrets)
		assert.Len(t, chosen(of(w.selector)), 1, w.name)
		assert.True(t, names["PodDisruptionBudget/"+w.name], w.name)
	}
}

func hasPort(w workload, name string) bool {
	for _, p := range w.pod.Spec.Containers[0].Ports {
		if p.Name == name {
			return true
		}
	}
	return false
}

// hardened holds one workload to what every one of souk's is.
func hardened(t *testing.T, w workload, secrets map[string]*corev1.Secret) {
	t.Helper()
	spec := w.pod.Spec
	require.Len(t, spec.Containers, 1)
	c := spec.Containers[0]
	require.NotNil(t, spec.SecurityContext)
	assert.True(t, *spec.SecurityContext.RunAsNonRoot)
	assert.False(t, *spec.AutomountServiceAccountToken)
	assert.False(t, *spec.EnableServiceLinks)
	assert.False(t, *c.SecurityContext.AllowPrivilegeEscalation)
	assert.True(t, *c.SecurityContext.ReadOnlyRootFilesystem)
	assert.Equal(t, []corev1.Capability{"ALL"}, c.SecurityContext.Capabilities.Drop)
	assert.Equal(t, "/readyz", c.ReadinessProbe.HTTPGet.Path)
	assert.Equal(t, "/healthz", c.LivenessProbe.HTTPGet.Path, "a process waits for its neighbours alive")
	assert.Equal(t, "/healthz", c.StartupProbe.HTTPGet.Path)
	for _, probe := range []*corev1.Probe{c.ReadinessProbe, c.LivenessProbe, c.StartupProbe} {
		assert.True(t, hasPort(w, probe.HTTPGet.Port.StrVal))
	}
	assert.Greater(t, *spec.TerminationGracePeriodSeconds, c.Lifecycle.PreStop.Sleep.Seconds+10, "time to drain")
	assert.NotEmpty(t, c.Resources.Requests)
	assert.NotEmpty(t, c.Resources.Limits)
	volumes := map[string]bool{}
	for _, v := range spec.Volumes {
		volumes[v.Name] = true
		if v.Secret != nil {
			require.NotNil(t, secrets[v.Secret.SecretName], w.name)
			assert.Contains(t, secrets[v.Secret.SecretName].StringData, "peer-secret")
		}
	}
	for _, claim := range w.claims {
		volumes[claim.Name] = true
	}
	for _, m := range c.VolumeMounts {
		assert.True(t, volumes[m.Name], "%s mounts %s, which is not there", w.name, m.Name)
	}
}

// load reads a Compose file as Compose does, by its schema.
func load(path string) (*types.Project, error) {
	o, err := cli.NewProjectOptions([]string{path}, cli.WithoutEnvironmentResolution)
	if err != nil {
		return nil, err
	}
	return o.LoadProject(context.Background())
}

func TestComposeFiles(t *testing.T) {
	for _, path := range found(t, "*/compose.yaml") {
		t.Run(path, func(t *testing.T) {
			project, err := load(path)
			require.NoError(t, err)
			_, split := project.Networks["private"]
			full := filepath.Base(filepath.Dir(path)) == "replicas" // they meet in the database alone
			assert.Equal(t, len(project.Services) > 1 && !full, split)
			for name, s := range project.Services {
				require.NotNil(t, s.Build)
				_, err := os.Stat(filepath.Join(s.Build.Context, s.Build.Dockerfile))
				require.NoError(t, err, "%s is built from a file that is there", name)
				assert.True(t, s.ReadOnly)
				assert.Equal(t, []string{"ALL"}, s.CapDrop)
				require.Len(t, s.Volumes, 1)
				assert.Contains(t, project.Volumes, s.Volumes[0].Source)
				assert.Equal(t, len(s.Ports) > 0, hasKey(s.Networks, "public"), "%s is public where it is open", name)
				assert.Equal(t, split, hasKey(s.Networks, "private"))
				assert.Equal(t, split, len(s.Secrets) == 1)
				for _, p := range s.Ports {
					assert.Equal(t, "127.0.0.1", p.HostIP, "the private side is never published, the public one to a proxy")
					assert.EqualValues(t, 8080, p.Target)
				}
			}
			if split {
				assert.True(t, project.Networks["private"].Internal)
			}
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			bad := filepath.Join(t.TempDir(), "compose.yaml")
			require.NoError(t, os.WriteFile(bad, bytes.Replace(text, []byte("cap_drop"), []byte("cap_dorp"), 1), 0o644))
			_, err = load(bad)
			require.ErrorContains(t, err, "cap_dorp", "a misspelt key is found")
		})
	}
}

func hasKey[V any](m map[string]V, key string) bool {
	_, ok := m[key]
	return ok
}
