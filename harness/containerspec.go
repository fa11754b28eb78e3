package harness

// Modes of a container: a server is fed over HTTP; the others map payloads as a command does.
const (
	ContainerServer = "server"
	ContainerOnce   = "once"
	ContainerLines  = "jsonl"
)

// Networks of a container.
const (
	NetworkMocks = "mocks"
	NetworkNone  = "none"
)

// Pull policies of an image.
const (
	PullMissing = "missing"
	PullAlways  = "always"
	PullNever   = "never"
)

// ContainerSpec is a container that is started for the run and removed at its end. It stands in a network of the run that
// has no way out: the watched systems are reached by their names and by those of Hosts, and nothing else is. Exactly one
// of Image, Build and Compose is written; reading a scenario replaces Compose by what it says. Placeholders are replaced in
// Entrypoint, Command and Env.
type ContainerSpec struct {
	Compose string `yaml:"compose,omitempty"` // Compose file of the workspace, whose Service is the container; what that depends on are its companions
	Service string `yaml:"service,omitempty"` // of the Compose file

	Name     string   `yaml:"name,omitempty"`     // host name in the network; default: the system. A companion must have one
	Aliases  []string `yaml:"aliases,omitempty"`  // further host names in the network
	Hostname string   `yaml:"hostname,omitempty"` // what the container calls itself; default: its id

	Image string     `yaml:"image,omitempty"` // as docker knows it, such as registry.example/hub:4.2
	Build *BuildSpec `yaml:"build,omitempty"` // the image is built for the run
	Pull  string     `yaml:"pull,omitempty"`  // "missing" (default), "always" or "never"

	Entrypoint []string          `yaml:"entrypoint,omitempty"` // in place of the image's
	Command    []string          `yaml:"command,omitempty"`    // in place of the image's; follows the entrypoint
	Env        map[string]string `yaml:"env,omitempty"`
	Secrets    map[string]string `yaml:"secrets,omitempty"` // variable → where its value is: env:NAME, fd:N or a file that only you can read
	Files      []FileCopy        `yaml:"files,omitempty"`   // copied in before the start
	Mounts     []MountSpec       `yaml:"mounts,omitempty"`  // folders of the workspace, seen as they are
	Volumes    []string          `yaml:"volumes,omitempty"` // folders with a life as long as the container's
	Tmpfs      []string          `yaml:"tmpfs,omitempty"`   // folders in memory, such as /tmp or /run:size=64m
	Folder     string            `yaml:"folder,omitempty"`  // working folder
	User       string            `yaml:"user,omitempty"`    // uid, uid:gid or name
	ReadOnly   bool              `yaml:"read-only,omitempty"`
	Memory     string            `yaml:"memory,omitempty"` // most memory, such as 256m; without swap
	CPUs       string            `yaml:"cpus,omitempty"`   // most processor time, such as 1.5
	Processes  int               `yaml:"processes,omitempty"`

	Port   int         `yaml:"port,omitempty"` // that is fed; default: the only one that the image exposes
	Health *HealthSpec `yaml:"health,omitempty"`
	Ready  *ReadySpec  `yaml:"ready,omitempty"`
	Wait   Duration    `yaml:"wait,omitempty"` // how long to wait for it; default 60s

	Network string            `yaml:"network,omitempty"` // "mocks" (default) or "none"
	Hosts   map[string]string `yaml:"hosts,omitempty"`   // host name or host:port → watched system that answers there, in HTTP and HTTPS

	Mode    string   `yaml:"mode,omitempty"`    // "server" (default); "once": one container a payload; "jsonl": one line a payload
	To      string   `yaml:"to,omitempty"`      // system that receives the output of a mapping; empty: the output answers the request
	Output  string   `yaml:"output,omitempty"`  // name of the file that the output is, when To is set
	Timeout Duration `yaml:"timeout,omitempty"` // of a mapping for each payload; default 30s

	Also []ContainerSpec `yaml:"also,omitempty"` // companions, such as a database, started before it in this order
}

// BuildSpec is an image that is built from a Dockerfile.
type BuildSpec struct {
	Context    string            `yaml:"context"`              // folder below the workspace
	Dockerfile string            `yaml:"dockerfile,omitempty"` // below the context; default Dockerfile
	Args       map[string]string `yaml:"args,omitempty"`
	Target     string            `yaml:"target,omitempty"` // stage to build
	Keep       bool              `yaml:"keep,omitempty"`   // leaves the image, so that the next build finds its layers
}

// FileCopy is a file that is copied into a container.
type FileCopy struct {
	From string `yaml:"from,omitempty"` // file below the workspace
	Text string `yaml:"text,omitempty"` // its content, in place of From; placeholders are replaced
	To   string `yaml:"to"`             // absolute
	Mode string `yaml:"mode,omitempty"` // octal; default 0644
}

// MountSpec is a folder or file of the workspace that a container sees.
type MountSpec struct {
	From  string `yaml:"from"`            // below the workspace
	To    string `yaml:"to"`              // absolute
	Write bool   `yaml:"write,omitempty"` // lets the container change it
}

// HealthSpec is a health check in place of the image's. What is not set stays as the image has it.
type HealthSpec struct {
	Test     []string `yaml:"test,omitempty"` // CMD and a program with its arguments, CMD-SHELL and a line for the shell, or NONE
	Interval Duration `yaml:"interval,omitempty"`
	Timeout  Duration `yaml:"timeout,omitempty"`
	Retries  int      `yaml:"retries,omitempty"` // failures in a row after which it is unhealthy
	Start    Duration `yaml:"start,omitempty"`   // while failures do not count
	Every    Duration `yaml:"every,omitempty"`   // interval during Start
}

// ReadySpec says when a server is up; everything that is set must hold. Empty: the port accepts, or the health check of
// the container passes where it has one.
type ReadySpec struct {
	Path   string `yaml:"path,omitempty"`   // answers below 500
	Log    string `yaml:"log,omitempty"`    // regular expression that a line of the log matches
	Health bool   `yaml:"health,omitempty"` // the health check passes
	Start  bool   `yaml:"start,omitempty"`  // a companion that nobody feeds: that it was started is enough, but for log, health and exit
	Exit   bool   `yaml:"exit,omitempty"`   // it has ended with exit code 0: a companion that prepares another
}
