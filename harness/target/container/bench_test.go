package container

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
)

// BenchmarkStart measures how long a server takes from nothing to its first answer and to its removal, in turns with what
// `docker run` and `docker rm -f` take for the same image and the same answer.
func BenchmarkStart(b *testing.B) {
	built(b)
	n := open(b, Options{})
	var ours, peer time.Duration
	for b.Loop() {
		began := time.Now()
		s, err := n.Start(b.Context(), Order{Root: root, Spec: harness.ContainerSpec{Name: "hub", Image: testImage, Ready: &harness.ReadySpec{Path: "/up"}}})
		if err != nil {
			b.Fatal(err)
		}
		s.Stop()
		ours += time.Since(began)
		began = time.Now()
		dockerRun(b, n.name)
		peer += time.Since(began)
	}
	b.ReportMetric(ours.Seconds()/float64(b.N), "s/start")
	b.ReportMetric(peer.Seconds()/float64(b.N), "s/docker-run")
	b.ReportMetric(float64(ours)/float64(peer), "ratio")
}

// dockerRun does by the docker command what a start and a stop do.
func dockerRun(b *testing.B, network string) {
	b.Helper()
	docker := func(args ...string) string {
		out, err := exec.Command("docker", args...).CombinedOutput()
		if err != nil {
			b.Fatalf("docker %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	id := docker("run", "-d", "--network", network, testImage)
	address := docker("inspect", "-f", `{{(index .NetworkSettings.Networks "`+network+`").IPAddress}}`, id)
	for {
		resp, err := http.Get("http://" + address + ":8080/up")
		if err == nil {
			resp.Body.Close()
			break
		}
	}
	docker("stop", "-t", "3", id)
	docker("rm", "-f", "-v", id)
}
