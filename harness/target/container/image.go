package container

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/internal/started"
)

// pullWait is how long an image may take to come from its registry.
const pullWait = 10 * time.Minute

// shownLabels are the labels of an image that say what it is, by the OCI image specification.
var shownLabels = []string{"title", "version", "revision", "created", "source"}

// Image is what a container was made from.
type Image struct {
	Name    string
	ID      string            // digest of its configuration, which names its content
	Digest  string            // of its manifest in the registry it came from; empty: it was built here
	Created string            // RFC 3339
	Labels  map[string]string // of org.opencontainers.image, without that prefix

	ports   []int
	healthy bool // it has a health check
}

// String is the image in words: name, digest, date and labels.
func (i Image) String() string {
	digest := i.Digest
	if digest == "" {
		digest = i.ID
	}
	words := []string{digest}
	if at, err := time.Parse(time.RFC3339Nano, i.Created); err == nil && at.Year() > 1980 {
		words = append(words, "created "+at.UTC().Format(time.RFC3339))
	}
	for _, label := range shownLabels {
		if v := i.Labels[label]; v != "" {
			words = append(words, label+" "+v)
		}
	}
	return fmt.Sprintf("%s (%s)", i.Name, strings.Join(words, ", "))
}

// Prepare pulls or builds the image of the order, so that starting it needs no more than the image that is there.
func (n *Network) Prepare(ctx context.Context, o Order) (Order, Image, error) {
	image, err := n.image(ctx, o)
	o.image = &image
	return o, image, err
}

// image makes sure that the image is there, and says what it is.
func (n *Network) image(ctx context.Context, o Order) (Image, error) {
	if o.image != nil {
		return *o.image, nil
	}
	name := o.Spec.Image
	if o.Spec.Build != nil {
		var err error
		if name, err = n.build(ctx, o); err != nil {
			return Image{}, err
		}
	} else if err := n.fetch(ctx, name, o.Spec.Pull); err != nil {
		return Image{}, err
	}
	found, err := n.docker.api.ImageInspect(ctx, name)
	if err != nil {
		return Image{}, harness.CannotRun(fmt.Errorf("look at image %s: %w", name, err), noDockerHint)
	}
	facts := describe(name, found.InspectResponse)
	if o.Spec.Build != nil {
		facts.Name = "built from " + o.Spec.Build.Context
	}
	return facts, nil
}

func describe(name string, found image.InspectResponse) Image {
	i := Image{Name: name, ID: found.ID, Created: found.Created, Labels: map[string]string{}}
	if len(found.RepoDigests) > 0 {
		_, i.Digest, _ = strings.Cut(found.RepoDigests[0], "@")
	}
	if found.Config == nil {
		return i
	}
	for label, value := range found.Config.Labels {
		if short, ok := strings.CutPrefix(label, "org.opencontainers.image."); ok {
			i.Labels[short] = value
		}
	}
	for port := range found.Config.ExposedPorts {
		if _, p := splitHost(":" + strings.TrimSuffix(port, "/tcp")); p > 0 {
			i.ports = append(i.ports, p)
		}
	}
	slices.Sort(i.ports)
	i.healthy = found.Config.Healthcheck != nil && len(found.Config.Healthcheck.Test) > 0 && found.Config.Healthcheck.Test[0] != "NONE"
	return i
}

// fetch pulls the image as the policy says.
func (n *Network) fetch(ctx context.Context, name, policy string) error {
	if policy != harness.PullAlways {
		_, err := n.docker.api.ImageInspect(ctx, name)
		switch {
		case err == nil:
			return nil
		case !errdefs.IsNotFound(err):
			return harness.CannotRun(fmt.Errorf("look at image %s: %w", name, err), noDockerHint)
		case policy == harness.PullNever:
			return harness.CannotRun(fmt.Errorf("find image %s: it is not on this machine, and pull is never", name), "`docker pull` or `docker load` it, or drop pull: never")
		}
	}
	ctx, cancel := context.WithTimeout(ctx, pullWait)
	defer cancel()
	options := client.ImagePullOptions{}
	if _, auth, err := testcontainers.DockerImageAuth(ctx, name); err == nil {
		if options.RegistryAuth, err = encodeAuth(auth); err != nil {
			return err
		}
	}
	pull, err := n.docker.api.ImagePull(ctx, name, options)
	if err == nil {
		err = pull.Wait(ctx)
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ctx.Err()
	}
	return harness.CannotRun(fmt.Errorf("pull image %s: %w", name, oneLine(err)),
		"correct image, log in by `docker login`, or load the image and write pull: never; `docker images` lists what is here")
}

// build builds the image for this run. Without keep it is removed at the end of the run.
func (n *Network) build(ctx context.Context, o Order) (string, error) {
	b := o.Spec.Build
	said := started.NewTail(o.Log)
	request := testcontainers.ContainerRequest{FromDockerfile: testcontainers.FromDockerfile{
		Context: filepath.Join(o.Root, filepath.FromSlash(b.Context)), Dockerfile: b.Dockerfile, BuildArgs: map[string]*string{}, BuildLogWriter: said,
		Repo: "rehearse", Tag: fmt.Sprintf("%s-%s", n.name, o.Spec.Name),
		BuildOptionsModifier: func(options *client.ImageBuildOptions) {
			options.Target, options.PullParent = b.Target, o.Spec.Pull == harness.PullAlways
			if !b.Keep {
				options.Labels = maps.Clone(n.labels)
			}
		},
	}}
	for name, value := range b.Args {
		request.BuildArgs[name] = &value
	}
	if b.Keep { // the same name for the same build, so that images do not pile up
		sum := sha256.Sum256([]byte(strings.Join([]string{request.Context, b.Dockerfile, b.Target}, "\x00")))
		request.Tag = "kept-" + hex.EncodeToString(sum[:8])
	}
	name, err := n.docker.provider.BuildImage(ctx, &request)
	if err == nil {
		return name, nil
	}
	if ctx.Err() != nil {
		n.unanswered.Store(true) // the daemon ends the build when it notices
		return "", ctx.Err()
	}
	hint := "see whether `" + buildCommand(b) + "` works"
	if text := said.Text(); text != "" {
		hint += "; it said: " + text
	}
	return "", harness.CannotRun(fmt.Errorf("build the image of %s from %s: %w", o.Spec.Name, b.Context, oneLine(err)), hint)
}

// buildCommand is how the same is built by hand.
func buildCommand(b *harness.BuildSpec) string {
	words := []string{"docker build"}
	if b.Dockerfile != "" {
		words = append(words, "-f", path.Join(b.Context, b.Dockerfile))
	}
	if b.Target != "" {
		words = append(words, "--target", b.Target)
	}
	return strings.Join(append(words, b.Context), " ")
}
