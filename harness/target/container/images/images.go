package images

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Server is the package of the program that tests of containers talk to; see its doc.
const Server = "github.com/rehearse-dev/rehearse/harness/target/container/images/server"

// Context makes a build context below dir: the program of the Go package as /program, and a Dockerfile FROM scratch with
// the further lines. It returns the name of the folder.
func Context(t testing.TB, dir, pkg string, lines ...string) string {
	t.Helper()
	const name = "image"
	folder := filepath.Join(dir, name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(folder, "program"), pkg)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	dockerfile := "FROM scratch\nCOPY program /program\nENTRYPOINT [\"/program\"]\n"
	for _, line := range lines {
		dockerfile += line + "\n"
	}
	if err := os.WriteFile(filepath.Join(folder, "Dockerfile"), []byte(dockerfile), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// Build builds the context into an image of that name with the docker command.
func Build(t testing.TB, name, folder string) {
	t.Helper()
	build := exec.Command("docker", "build", "-q", "-t", name, folder)
	build.Env = append(os.Environ(), "DOCKER_BUILDKIT=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build image %s: %v\n%s", name, err, out)
	}
}

// Remove removes an image; one that is not there is fine.
func Remove(name string) error {
	out, err := exec.Command("docker", "rmi", "-f", name).CombinedOutput()
	if err != nil && !bytes.Contains(out, []byte("No such image")) {
		return fmt.Errorf("remove image %s: %w: %s", name, err, out)
	}
	return nil
}
