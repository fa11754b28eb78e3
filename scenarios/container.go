package scenarios

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

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

// checkContainerNames wants every host name in the network of the run to be that of one container: who asks for it would
// get now the one, now the other.
func (c *checker) checkContainerNames() {
	owner := map[string]string{} // of a name in lower case: where it is written
	var take func(label, usual string, spec *harness.ContainerSpec)
	take = func(label, usual string, spec *harness.ContainerSpec) {
		if spec == nil {
			return
		}
		for i := range spec.Also {
			take(fmt.Sprintf("%s.also[%d]", label, i), "", &spec.Also[i])
		}
		for _, name := range append([]string{cmp.Or(spec.Name, usual)}, spec.Aliases...) {
			name = strings.ToLower(name)
			if other, taken := owner[name]; taken && name != "" && other != label {
				c.problem(label, "%s: host name %s belongs to %s already; give one of the two another name", label, quoted(name), other)
			}
			owner[name] = label
		}
	}
	take("target.container", c.s.Target.System, c.s.Target.Container)
	for i := range c.s.Target.Containers {
		take(fmt.Sprintf("target.containers[%d]", i), "", &c.s.Target.Containers[i])
	}
	for _, system := range slices.Sorted(maps.Keys(c.s.Upstreams)) {
		take("upstreams."+system+".container", system+"-instance", c.s.Upstreams[system].Container)
	}
}
