package scenarios

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/rehearse-dev/rehearse/harness"
)

// checkContainer looks at a container: that its files lie in the workspace, that its paths are whole, and that its hosts
// belong to systems that the catalogue knows.
func (c *checker) checkContainer(label string, spec *harness.ContainerSpec) {
	if spec == nil {
		return
	}
	c.checkPlaceholders(label, spec.Entrypoint, spec.Env)
	c.checkPlaceholders(label, spec.Command, nil)
	if b := spec.Build; b != nil {
		c.checkFolder(label+".build.context", b.Context)
		c.checkFile(label+".build.dockerfile", path.Join(b.Context, cmp.Or(b.Dockerfile, "Dockerfile")))
	}
	for i, f := range spec.Files {
		at := fmt.Sprintf("%s.files[%d]", label, i)
		if f.From != "" {
			c.checkFile(at+".from", f.From)
		}
		c.checkAbsolute(at+".to", f.To)
	}
	for i, m := range spec.Mounts {
		at := fmt.Sprintf("%s.mounts[%d]", label, i)
		c.checkLocal(at+".from", m.From)
		c.checkAbsolute(at+".to", m.To)
	}
	for i, v := range spec.Volumes {
		c.checkAbsolute(fmt.Sprintf("%s.volumes[%d]", label, i), v)
	}
	for _, host := range slices.Sorted(maps.Keys(spec.Hosts)) {
		checkKnown(c.decoder, label+".hosts."+host, "system", spec.Hosts[host], c.w.catalogue.Systems)
	}
	if spec.Port < 0 || spec.Port > 65535 {
		c.problem(label+".port", "%s.port: ports end at 65535", label)
	}
	c.checkReceiver(label+".to", spec.To)
	for i := range spec.Also {
		at := fmt.Sprintf("%s.also[%d]", label, i)
		if spec.Also[i].Compose != "" {
			c.problem(at+".compose", "%s.compose: a companion is one container; name the Compose file one level above", at)
			continue
		}
		c.checkContainer(at, &spec.Also[i])
	}
	switch {
	case spec.Compose != "":
		c.compose(label, spec)
	case spec.Service != "":
		c.problem(label+".service", "%s.service is for compose; name the Compose file, or drop it", label)
	}
}

// checkAbsolute reports a path inside of a container that is not whole.
func (c *checker) checkAbsolute(label, file string) {
	if file != "" && (!path.IsAbs(file) || path.Clean(file) != file) {
		c.problem(label, "%s: %s is no path from the root of the container, such as /etc/hub/rules.csv", label, quoted(file))
	}
}
