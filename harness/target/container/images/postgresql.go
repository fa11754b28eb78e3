//go:build unix

package images

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// recipe makes an image of the packages of this machine's Debian, with an empty cluster that trusts everybody: it stands in
// networks of tests only. Its arguments are a mirror, a release, the name of the image and a scratch folder. What a server
// never reads is left out.
const recipe = `set -eu
mirror=$1 release=$2 image=$3 root=$4/root
debootstrap --variant=minbase --include=postgresql "$release" "$root" "$mirror" >"$4/log" 2>&1 || { tail -20 "$4/log"; exit 1; }
bin=$(cd "$root" && echo usr/lib/postgresql/*/bin)
install -d -m 700 -o "$(stat -c %u "$root/var/lib/postgresql")" -g "$(stat -c %g "$root/var/lib/postgresql")" "$root/data"
chroot "$root" setpriv --reuid postgres --regid postgres --clear-groups "/$bin/initdb" -D /data -A trust -E UTF8 --locale=C.UTF-8 -U postgres >"$4/log" 2>&1 || { tail -20 "$4/log"; exit 1; }
echo 'host all all all trust' >>"$root/data/pg_hba.conf"
for unread in proc sys dev var/cache var/lib/apt var/lib/postgresql var/log usr/share/doc usr/share/man usr/share/locale usr/share/i18n usr/share/perl \
  'usr/lib/*/perl*' 'usr/lib/*/gconv' 'usr/lib/*/libLLVM*' 'usr/lib/postgresql/*/lib/bitcode' 'usr/lib/postgresql/*/lib/llvmjit.so'; do
  set -- "$@" "--exclude=./$unread"
done
shift 4
tar -C "$root" -c "$@" . | docker import --change 'USER postgres' --change 'EXPOSE 5432' \
  --change "ENTRYPOINT [\"/$bin/postgres\", \"-D\", \"/data\", \"-c\", \"listen_addresses=*\", \"-c\", \"fsync=off\", \"-c\", \"jit=off\"]" - "$image" >/dev/null
`

// PostgreSQL returns the name of an image of PostgreSQL, which listens on port 5432 and lets postgres in without a password.
// It is made by debootstrap once on a machine, which takes minutes, and stays: its name is that of the recipe.
func PostgreSQL(t testing.TB) string {
	t.Helper()
	mirror, release := mirrorOf(t)
	sum := sha256.Sum256([]byte(recipe + mirror + release))
	name := "rehearse-test:postgresql-" + hex.EncodeToString(sum[:6])
	lock, err := os.Create(filepath.Join(os.TempDir(), "rehearse-test-postgresql.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close() // and with it goes the lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if exec.Command("docker", "image", "inspect", name).Run() == nil {
		return name
	}
	if out, err := exec.Command("sh", "-c", recipe, "sh", mirror, release, name, t.TempDir()).CombinedOutput(); err != nil {
		t.Fatalf("make image %s: %v\n%s", name, err, out)
	}
	return name
}

// mirrorOf is where this machine gets its packages from, and of which release.
func mirrorOf(t testing.TB) (mirror, release string) {
	t.Helper()
	out, err := exec.Command("apt-get", "indextargets", "--format", "$(SITE) $(CODENAME)", "Created-By: Packages").Output()
	if err != nil {
		t.Fatalf("ask apt for its mirror: %v", err)
	}
	words := strings.Fields(string(out))
	if len(words) < 2 {
		t.Fatalf("apt names no mirror: %q", out)
	}
	return words[0], words[1]
}
