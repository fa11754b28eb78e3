package container

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/registry"
	"github.com/testcontainers/testcontainers-go"

	"github.com/rehearse-dev/rehearse/harness"
)

// Order is a container to start.
type Order struct {
	Spec harness.ContainerSpec // with its name, and with placeholders replaced
	Env  map[string]string     // the whole environment, secrets included; no message and no label repeats it
	Root string                // workspace: relative files are below it
	Log  io.Writer             // gets what the container says; may be nil

	image *Image // that is there: see [Network.Prepare]
}

// trust are the variables that tell programs which certificates to trust: OpenSSL and Go, Python, Node, curl.
var trust = []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE"}

// trustFile is where the certificate of the door lies in a container.
const trustFile = "/rehearse-ca.pem"

// request is the order in the words of testcontainers; port is fed.
func (n *Network) request(o Order, image Image, port int) (testcontainers.ContainerRequest, error) {
	spec := o.Spec
	r := testcontainers.ContainerRequest{
		Image: image.ID, Entrypoint: spec.Entrypoint, Cmd: spec.Command, Env: maps.Clone(o.Env), Labels: maps.Clone(n.labels), Tmpfs: map[string]string{},
	}
	if r.Env == nil {
		r.Env = map[string]string{}
	}
	for _, t := range spec.Tmpfs {
		folder, options, _ := strings.Cut(t, ":")
		r.Tmpfs[folder] = options
	}
	host, err := hostConfig(o)
	if err != nil {
		return r, err
	}
	if spec.Network == harness.NetworkNone {
		host.NetworkMode = "none"
	} else {
		n.join(&r, &host, spec)
		n.published.order(&r, &host, port)
	}
	if err := addFiles(&r, o); err != nil {
		return r, err
	}
	r.ConfigModifier = func(c *container.Config) { configure(c, spec) }
	r.HostConfigModifier = func(h *container.HostConfig) {
		tmpfs := h.Tmpfs
		*h = host
		h.Tmpfs = tmpfs
	}
	return r, nil
}

// join puts the container into the network, where the door answers for the watched systems.
func (n *Network) join(r *testcontainers.ContainerRequest, host *container.HostConfig, spec harness.ContainerSpec) {
	r.Networks = []string{n.name}
	r.NetworkAliases = map[string][]string{n.name: append([]string{spec.Name}, spec.Aliases...)}
	host.NetworkMode = container.NetworkMode(n.name)
	host.DNS = []netip.Addr{n.names()}
	if n.proxy != nil {
		host.ExtraHosts = append(host.ExtraHosts, proxyHost+":"+n.gateway.String())
		for variable, value := range n.proxied() {
			setDefault(r.Env, variable, value)
		}
	}
	if n.door == nil {
		return
	}
	for _, name := range n.door.hosts() {
		host.ExtraHosts = append(host.ExtraHosts, name+":"+n.gateway.String())
	}
	if spec.ReadOnly { // nothing can be copied into it
		return
	}
	r.Files = append(r.Files, testcontainers.ContainerFile{HostFilePath: n.door.ca, ContainerFilePath: trustFile, FileMode: 0o644})
	for _, variable := range trust {
		setDefault(r.Env, variable, trustFile)
	}
}

// setDefault sets a variable that the scenario does not set.
func setDefault(env map[string]string, variable, value string) {
	if _, set := env[variable]; !set {
		env[variable] = value
	}
}

func configure(c *container.Config, spec harness.ContainerSpec) {
	c.User, c.WorkingDir, c.Hostname = spec.User, spec.Folder, spec.Hostname
	if h := spec.Health; h != nil {
		c.Healthcheck = &container.HealthConfig{
			Test: h.Test, Interval: time.Duration(h.Interval), Timeout: time.Duration(h.Timeout), Retries: h.Retries,
			StartPeriod: time.Duration(h.Start), StartInterval: time.Duration(h.Every),
		}
	}
	for _, v := range spec.Volumes {
		if c.Volumes == nil {
			c.Volumes = map[string]struct{}{}
		}
		c.Volumes[v] = struct{}{}
	}
	if isProgram(spec) {
		c.OpenStdin, c.StdinOnce, c.AttachStdin, c.AttachStdout, c.AttachStderr = true, true, true, true, true
	}
}

func isProgram(spec harness.ContainerSpec) bool {
	return spec.Mode == harness.ContainerOnce || spec.Mode == harness.ContainerLines
}

// hostConfig is the limits and mounts of the order.
func hostConfig(o Order) (container.HostConfig, error) {
	h := container.HostConfig{ReadonlyRootfs: o.Spec.ReadOnly}
	if o.Spec.Memory != "" {
		bytes, err := ParseMemory(o.Spec.Memory)
		if err != nil {
			return h, err
		}
		h.Memory, h.MemorySwap = bytes, bytes
	}
	if o.Spec.CPUs != "" {
		nano, err := ParseCPUs(o.Spec.CPUs)
		if err != nil {
			return h, err
		}
		h.NanoCPUs = nano
	}
	if o.Spec.Processes > 0 {
		most := int64(o.Spec.Processes)
		h.PidsLimit = &most
	}
	for _, m := range o.Spec.Mounts {
		from := filepath.Join(o.Root, filepath.FromSlash(m.From))
		if _, err := os.Stat(from); err != nil {
			return h, harness.Usage(fmt.Errorf("mount %s: %w", m.From, harness.WithoutPath(err)), "correct mounts")
		}
		h.Mounts = append(h.Mounts, mount.Mount{Type: mount.TypeBind, Source: from, Target: m.To, ReadOnly: !m.Write})
	}
	return h, nil
}

// addFiles adds the files that are copied in.
func addFiles(r *testcontainers.ContainerRequest, o Order) error {
	for _, f := range o.Spec.Files {
		mode, err := ParseMode(f.Mode)
		if err != nil {
			return err
		}
		content := []byte(f.Text)
		if f.From != "" {
			if content, err = os.ReadFile(filepath.Join(o.Root, filepath.FromSlash(f.From))); err != nil {
				return harness.Usage(fmt.Errorf("read %s: %w", f.From, harness.WithoutPath(err)), "correct files")
			}
		}
		r.Files = append(r.Files, testcontainers.ContainerFile{Reader: bytes.NewReader(content), ContainerFilePath: f.To, FileMode: mode})
	}
	return nil
}

// ParseMode reads the mode of a file; empty means 0644.
func ParseMode(text string) (int64, error) {
	if text == "" {
		return 0o644, nil
	}
	mode, err := strconv.ParseInt(text, 8, 64)
	if err != nil || mode < 0 || mode > 0o7777 {
		return 0, harness.Usage(fmt.Errorf("mode %q is no mode of a file", text), "write it in octal, such as 0755")
	}
	return mode, nil
}

// units of memory, in bytes.
var units = map[string]int64{"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}

// ParseMemory reads an amount of memory as docker writes it: a number and b, k, m or g.
func ParseMemory(text string) (int64, error) {
	digits := strings.TrimRight(strings.ToLower(text), "bkmg")
	unit, known := units[strings.ToLower(text[len(digits):])]
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || !known || n <= 0 || n > 1<<60/unit {
		return 0, harness.Usage(fmt.Errorf("memory %q is no amount", text), "write it like 256m or 2g")
	}
	return n * unit, nil
}

// ParseCPUs reads an amount of processors and returns billionths of one.
func ParseCPUs(text string) (int64, error) {
	n, ok := new(big.Rat).SetString(text)
	if ok {
		n.Mul(n, big.NewRat(1e9, 1))
	}
	if !ok || n.Sign() <= 0 || !n.IsInt() || !n.Num().IsInt64() {
		return 0, harness.Usage(fmt.Errorf("cpus %q is no amount", text), "write it like 0.5 or 2")
	}
	return n.Num().Int64(), nil
}

// encodeAuth writes credentials of a registry as the daemon reads them.
func encodeAuth(auth registry.AuthConfig) (string, error) {
	b, err := json.Marshal(auth)
	if err != nil {
		return "", errors.New("write the credentials of a registry")
	}
	return base64.URLEncoding.EncodeToString(b), nil
}
